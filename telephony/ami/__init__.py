"""The manager connection to a PBX: bytes → messages, actions → bytes, and a line that is kept alive.

`messages` and `frames` are pure. `client` wraps the `asterisk-ami` library. `connection` is the
asyncio side: one supervisor per PBX that connects, watches, and hands batches of events on.
"""
