"""Suggests category, type and urgency of a text: the room of the trained model and its trainer."""
