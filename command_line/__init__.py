"""Commands about the whole product; those of one room are in its own `commands.py`."""
