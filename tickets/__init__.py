"""Tickets, drafts, call-back tasks: workflow table, models, services (every write), queries."""
