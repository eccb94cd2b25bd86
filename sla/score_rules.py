"""The `[score]` table of a policy pack: how departments are scored, read as a whole or refused.

`sla/packs/guilin.toml` explains the keys. A pack without the table scores nobody.
"""

from sla.ladders import Table
from sla.measures.definitions import MIN_N, RATES
from sla.scores import ScoreRule

NUMBER = "a number from {least} to {most}"
MOST_POINTS, MOST_SLOPE, MOST_CASES = 100.0, 100.0, 100_000.0


def read_rules(table: Table) -> tuple[ScoreRule, ...]:
    """Errors: pack_key_unknown, pack_key_missing, pack_key_kind."""
    table.allow(RATES)
    return tuple(_rule(table.table(code), code) for code in table.values)


def _rule(table: Table, code: str) -> ScoreRule:
    table.allow(("points", "target", "slope", "floor", "least"))
    points = _number(table, "points", 0.01, MOST_POINTS)
    return ScoreRule(
        code,
        points,
        _number(table, "target", 0, 100) / 100,
        _number(table, "slope", 0, MOST_SLOPE),
        _number(table, "floor", 0, points, usual=0),
        int(_number(table, "least", 1, MOST_CASES, usual=MIN_N)),
        lower_is_better=not RATES[code].higher_is_better,
    )


def _number(table: Table, name: str, least: float, most: float, usual: float | None = None) -> float:
    if usual is not None and name not in table.values:
        return usual
    wanted = NUMBER.format(least=f"{least:g}", most=f"{most:g}")
    value = table.values.get(name)
    if value is None:
        table.get(name, float, wanted)  # says that it is missing
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise table.wrong(name, wanted)
    return float(value)
