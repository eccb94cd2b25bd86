"""Shared kernel: settings, clock, errors, database, events, people, privacy, audit.

Imports nothing else of ours.
"""
