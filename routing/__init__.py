"""From a call or a channel to a ticket, and from a ticket to a department."""
