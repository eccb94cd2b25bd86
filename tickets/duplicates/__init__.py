"""The same matter told by many: open tickets alike, and clusters (群诉) found in what comes in."""
