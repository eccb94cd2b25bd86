"""Public data (数据开放): monthly aggregates in which nobody can be found; see docs/opendata.md."""
