"""What leaves the house: lists as Excel or CSV, and the forms of a ticket as pages and PDF."""
