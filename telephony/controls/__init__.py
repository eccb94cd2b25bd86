"""Call control from the page: orders as rows, carried out once by the node that leads telephony.

`terms` and `shape` are pure: which acts there are, what is possible in a call as it stands, and what the
PBX is asked for. `orders` takes an order down, `executor` carries it out, `marks` keeps what was done to a
call with its time, `abuse` and `lists` are the protection of those who answer (ADR 0023).
"""
