"""Full text over tickets: `index` writes it with the ticket, `query` finds and counts."""
