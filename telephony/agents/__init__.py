"""Agents' states: who is signed in, how each stands, and what the telephone system shall know of it."""
