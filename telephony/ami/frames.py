"""Cutting the byte stream into frames, and telling frames worth parsing from the rest."""

from collections.abc import Container

LONGEST_FRAME = 1 << 20  # bytes; a frame that grows beyond is not AMI
END = b"\r\n\r\n"


class FrameReader:
    """Collects bytes as they arrive and gives back whole frames, without their empty line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames completed by `data`; raises ValueError when a frame grows without end."""
        if END not in data and not (self._rest and END in self._rest[-3:] + data[:3]):
            self._rest += data
            frames: list[bytes] = []
        else:
            *parts, self._rest = (self._rest + data).split(END)
            # Some events (ConfbridgeJoin on 22) are followed by one empty line more than the protocol has.
            frames = [part.lstrip(b"\r\n") for part in parts]
        if len(self._rest) > LONGEST_FRAME:
            raise ValueError("a frame without an end")
        return frames


class Interest:
    """Which events are parsed. Voice quality and variables are most of an unfiltered stream."""

    def __init__(self, names: Container[bytes], variables: Container[bytes] = ()) -> None:
        self._names = names
        self._variables = variables

    def __call__(self, frame: bytes) -> bool:
        """True when `frame` is a reply, or an event somebody here looks at."""
        if not frame.startswith(b"Event: "):
            return True
        name = frame[7 : frame.find(b"\r\n")]
        if name == b"VarSet":
            start = frame.find(b"\r\nVariable: ") + 12
            return frame[start : frame.find(b"\r\n", start)] in self._variables
        # An item or the end of a list somebody asked for carries its ActionID near the top.
        return name in self._names or frame.find(b"\r\nActionID: ", 0, 200) > 0
