"""Tickets that other systems brought or took over: their numbers, what they may read, what they are told."""
