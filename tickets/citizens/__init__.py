"""Citizen records: which numbers and names belong to one person or enterprise, and what we know of them.

A record is made when it is first needed (a call was answered, somebody opens it) and found by the
number, so that making a ticket costs nothing more. Merging points one record at another and moves
nothing; splitting moves numbers.
"""
