"""What a city words and arranges for itself: reason codes, sensitive words, queues, notices, holds."""
