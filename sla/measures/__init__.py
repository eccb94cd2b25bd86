"""What is counted: facts that each step of a ticket's life leaves, and the figures made of them."""
