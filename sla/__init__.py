"""Working-day calendar, stage clocks, escalation and measures: the room of everything that is due."""
