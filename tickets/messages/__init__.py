"""What the citizen is told by text message, when, in which words, and what became of it."""
