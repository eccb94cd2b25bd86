"""The demo city: Guilin with its offices and people, and ninety days of invented calls and tickets.

Development only. `seed` fills an empty database; `is_empty` says whether it may.
"""

from routing.demo.seed import Services, Size, is_empty, seed

__all__ = ["Services", "Size", "is_empty", "seed"]
