"""What an inspector may do only with another person's consent: hear what was said in a call."""
