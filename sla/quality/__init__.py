"""Quality: calls drawn by a plan, scored by a sheet, compared between reviewers, appealed against."""
