"""Check digits of the two numbers a form may hold. Pure."""

import re

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_DIGITS = "10X98765432"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def is_id_number(value: str) -> bool:
    """Whether `value` is an 18-digit citizen number with the right check digit (GB 11643-1999, 4.2)."""
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", value, flags=re.ASCII):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value[:17], _ID_WEIGHTS, strict=True))
    return _ID_DIGITS[total % 11] == value[17]


def is_uscc(value: str) -> bool:
    """Whether `value` is a unified social credit code with the right check digit (GB 32100-2015, 4.2)."""
    if len(value) != 18 or any(char not in _USCC_ALPHABET for char in value):
        return False
    total = sum(
        _USCC_ALPHABET.index(char) * weight for char, weight in zip(value[:17], _USCC_WEIGHTS, strict=True)
    )
    return _USCC_ALPHABET[(31 - total % 31) % 31] == value[17]
