"""The vendored font, for PDF and for pictures."""

from pathlib import Path

FONT = Path(__file__).parent / "wqy-microhei.ttc"
