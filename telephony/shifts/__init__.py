"""Shifts: who is rostered when, who came, how the time was kept to, what one shift tells the next."""
