"""Reports of a period: what they say, and how they become Word and Excel files."""
