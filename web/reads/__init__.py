"""What screens read across rooms: a caller has calls and tickets, a draft has a call and a citizen.

Rooms do not import each other, so joins over several of them live here, above them. Only reads; the
condition of who may see what is part of every query (tickets.visibility, reads.calls.visible_calls).
"""
