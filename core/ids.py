"""Identifiers that nobody can guess."""

import secrets


def new_token(nbytes: int = 32) -> str:
    """A URL-safe secret of `nbytes` random bytes."""
    return secrets.token_urlsafe(nbytes)


def digits(count: int) -> str:
    """`count` random decimal digits, leading zeros kept: what a telephone keypad can enter."""
    return f"{secrets.randbelow(10**count):0{count}d}"
