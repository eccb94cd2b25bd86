"""Spans of time to look through, newest first, each about four times as long as the one before. Pure.

Every indexed text carries the tokens of the hour, the 4 hours, the 16 hours … its ticket was created
in. A window is a few such tokens, so the inverted index itself cuts a phrase's postings down to the
window: a common phrase is answered from the newest hours, a rare one after a handful of windows that
hold nothing, and neither has to sort or count what lies behind.
"""

from datetime import datetime, timedelta

LEVELS = 9  # of 1, 4, 16 … 65,536 hours, the last about seven years
_HOUR = 3600


def hour_of(at: datetime) -> int:
    """Whole hours since 1970, UTC."""
    return int(at.timestamp()) // _HOUR


def time_tokens(at: datetime) -> list[str]:
    """The tokens of an instant, finest first; longer than any pair of characters, so never one of them."""
    hour = hour_of(at)
    return [token(level, hour >> 2 * level) for level in range(LEVELS)]


def token(level: int, block: int) -> str:
    """The block of 4 ** level hours with this number."""
    return f"@{level}:{block}"


def level_for(span: timedelta) -> int:
    """The finest level whose blocks are as long as `span`."""
    hours = span.total_seconds() / _HOUR
    return next((level for level in range(LEVELS) if 4**level >= hours), LEVELS - 1)


def windows(newest: datetime, oldest: datetime, level: int) -> list[list[str]]:
    """The tokens of each window from `newest` back to `oldest`; together they cover every hour once.

    The first one is a block of `level` with the one before it; then each goes on to where a block of
    the next level begins, or is one, so that none is much longer than all before it.
    """
    first, last = hour_of(newest), hour_of(oldest)
    block = first >> 2 * level
    found = [[token(level, block), token(level, block - 1)]]
    block -= 2
    while (block + 1) << 2 * level > last:
        if level < LEVELS - 1 and block & 3 == 3:  # a whole block of the next level
            level, block = level + 1, block >> 2
            found.append([token(level, block)])
            block -= 1
            continue
        stop = block - 3 if level == LEVELS - 1 else block >> 2 << 2
        found.append([token(level, each) for each in range(block, stop - 1, -1)])
        block = stop - 1
        if level < LEVELS - 1:
            level, block = level + 1, block >> 2
    return found
