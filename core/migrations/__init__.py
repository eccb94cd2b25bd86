"""Database migrations; they import no application code, so that old ones keep working."""
