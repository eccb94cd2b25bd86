"""Conversations in writing: a route to the hotline for who cannot telephone, such as deaf citizens."""
