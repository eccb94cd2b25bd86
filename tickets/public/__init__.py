"""A ticket as its citizen sees it, and what he may do to it by himself."""
