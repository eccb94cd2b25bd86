"""Numbers with the right check digit, of nobody."""

from tickets.checks import is_id_number, is_uscc


def id_number(body: str = "45030219900101001") -> str:
    """A citizen number of these seventeen digits."""
    return next(body + last for last in "0123456789X" if is_id_number(body + last))


def uscc(body: str = "91450300MA5K0A000") -> str:
    """A unified social credit code of these seventeen signs."""
    return next(body + last for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_uscc(body + last))
