"""Points on the map and the two datums they come in. Pure.

WGS-84 is what receivers of GPS and most of the world's interfaces speak. Maps made in mainland China, and
so the messengers that use them, speak GCJ-02, which lies some hundred metres beside it. The transformation
is not published officially; the formula here is the one in common use and meets its points within a metre.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323  # of the Krasovsky ellipsoid
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271  # where GCJ-02 differs
_ROUNDS = 6  # of the inverse: each leaves about a hundredth of a thousandth of the error


class Datum(StrEnum):
    """What degrees are degrees of."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"


WORDS = {Datum.WGS84: "WGS-84", Datum.GCJ02: "GCJ-02"}


@dataclass(frozen=True)
class Point:
    """Degrees, north and east positive, in the datum they were given in."""

    latitude: float
    longitude: float
    datum: Datum = Datum.WGS84

    def __repr__(self) -> str:  # where somebody is stays out of logs and tracebacks
        return f"Point(datum={self.datum!r})"

    @property
    def valid(self) -> bool:
        """Whether there is such a place."""
        return -90 <= self.latitude <= 90 and -180 <= self.longitude <= 180

    @property
    def words(self) -> str:
        """As a page shows it, with the datum."""
        return f"{self.latitude:.6f}, {self.longitude:.6f}（{WORDS[Datum(self.datum)]}）"


def as_wgs84(point: Point) -> Point:
    """The same place in WGS-84, to six digits."""
    north, east = point.latitude, point.longitude
    if point.datum == Datum.GCJ02 and _shifted(north, east):
        for _ in range(_ROUNDS):
            up, right = _shift(north, east)
            north, east = point.latitude - up, point.longitude - right
    return Point(round(north, 6), round(east, 6))


def as_gcj02(point: Point) -> Point:
    """The same place in GCJ-02, to six digits."""
    north, east = point.latitude, point.longitude
    if point.datum == Datum.WGS84 and _shifted(north, east):
        up, right = _shift(north, east)
        north, east = north + up, east + right
    return Point(round(north, 6), round(east, 6), Datum.GCJ02)


def _shifted(north: float, east: float) -> bool:
    return _WEST <= east <= _EAST and _SOUTH <= north <= _NORTH


def _shift(north: float, east: float) -> tuple[float, float]:
    """How far GCJ-02 lies from a point of WGS-84, in degrees."""
    x, y = east - 105, north - 35
    waves = 20 * math.sin(6 * math.pi * x) + 20 * math.sin(2 * math.pi * x)
    up = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    up += (waves + _waves(y, ((20, 1), (40, 3), (160, 12), (320, 30)))) * 2 / 3
    right = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    right += (waves + _waves(x, ((20, 1), (40, 3), (150, 12), (300, 30)))) * 2 / 3
    angle = math.radians(north)
    bulge = 1 - _ECCENTRICITY * math.sin(angle) ** 2
    meridian = _AXIS * (1 - _ECCENTRICITY) / (bulge * math.sqrt(bulge))
    parallel = _AXIS / math.sqrt(bulge) * math.cos(angle)
    return math.degrees(up / meridian), math.degrees(right / parallel)


def _waves(at: float, parts: tuple[tuple[int, int], ...]) -> float:
    return sum(height * math.sin(at * math.pi / length) for height, length in parts)
