"""A starter corpus of synthetic hotline texts, so that the first run suggests sensibly.

SYNTHETIC: nobody wrote or said these texts. They are put together by chance from vocabulary written by
hand for this project (README.md beside this file) and hold no person's words, phone or number.
"""

from classifier.starter.corpus import SEED, SIZE, generate, leaves, texts
from classifier.starter.table import COLUMNS, write
from classifier.starter.telling import Text

__all__ = ["COLUMNS", "SEED", "SIZE", "Text", "generate", "leaves", "texts", "write"]
