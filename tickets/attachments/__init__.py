"""Files of a ticket: taken in with suspicion, kept under random names, shown to whom the ticket is shown."""
