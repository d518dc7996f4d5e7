"""Grafana's units, and whether one fits what a query returns."""

from __future__ import annotations

from inferometer.monitoring.lint.interval import UNIT, Interval
from inferometer.monitoring.lint.units import BY_NAME, COUNT, PERCENT, RATIO, SECONDS, Unit

_PER_SECOND = BY_NAME["count per second"]
_BYTES = BY_NAME["bytes"]
_BYTES_PER_SECOND = BY_NAME["bytes per second"]


def _scaled(unit: Unit, scale: float) -> Unit:
    return Unit(unit.bases, scale)


PLAIN = frozenset({"", "short", "none", "locale", "sishort"})
# What Grafana's unit means by 1. Others are not judged.
UNITS = {
    **dict.fromkeys(("s", "dtdurations", "dtdhms", "clocks"), SECONDS),
    **dict.fromkeys(
        ("ms", "dtdurationms", "clockms", "dateTimeAsIso", "dateTimeFromNow", "dateTimeAsLocal"),
        _scaled(SECONDS, 1e-3),
    ),
    "µs": _scaled(SECONDS, 1e-6),
    "ns": _scaled(SECONDS, 1e-9),
    "m": _scaled(SECONDS, 60.0),
    "h": _scaled(SECONDS, 3600.0),
    "d": _scaled(SECONDS, 86400.0),
    "percentunit": RATIO,
    "percent": PERCENT,
    **dict.fromkeys(("bytes", "decbytes"), _BYTES),
    "kbytes": _scaled(_BYTES, 1024.0),
    "mbytes": _scaled(_BYTES, 1024.0**2),
    "gbytes": _scaled(_BYTES, 1024.0**3),
    "deckbytes": _scaled(_BYTES, 1e3),
    "decmbytes": _scaled(_BYTES, 1e6),
    "decgbytes": _scaled(_BYTES, 1e9),
    **dict.fromkeys(("Bps", "binBps"), _BYTES_PER_SECOND),
    **dict.fromkeys(
        ("reqps", "ops", "rps", "cps", "eps", "iops", "wps", "mps", "pps", "hertz", "rothz"),
        _PER_SECOND,
    ),
    "celsius": BY_NAME["celsius"],
    "watt": BY_NAME["watts"],
    "kwatt": _scaled(BY_NAME["watts"], 1e3),
    "joule": BY_NAME["joules"],
}
_NAMES = {unit: name for name, unit in reversed(UNITS.items())}


def wanted(unit: Unit) -> str:
    """The name of Grafana's unit for values, as something to write."""
    plain = Unit(unit.physical or unit.bases, unit.scale)
    if plain == COUNT:
        return "short"
    if plain.bases == BY_NAME["hertz"].bases:
        return "reqps"
    return _NAMES.get(unit) or _NAMES.get(plain) or "one of this kind"


def judge(panel_unit: str, unit: Unit, interval: Interval) -> str:
    """``right``, ``wrong`` or ``missing``: a panel's unit for values of a unit and range."""
    if panel_unit in PLAIN:
        within = interval.low >= UNIT.low and interval.high <= UNIT.high
        bounded_ratio = unit.is_ratio and (within or unit.same_scale(PERCENT))
        rate = unit.physical == _PER_SECOND.physical
        return "missing" if bounded_ratio or (unit.physical and not rate) else "right"
    meant = UNITS.get(panel_unit)
    if meant is None:
        return "right"
    if not unit.physical and not meant.physical:
        return "right" if unit.bases == meant.bases and unit.same_scale(meant) else "wrong"
    fits = unit.physical == meant.physical and unit.same_scale(meant)
    return "right" if fits else "wrong"
