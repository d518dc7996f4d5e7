"""A line chart as SVG that a notebook can draw again while numbers come in; needs nothing else.

chart = LiveChart("P95 against delay", "max_queue_delay in ms", "ms")
shown = display(chart, display_id=True)
chart.add("P95", 10, 31.5)
shown.update(chart)
"""

from __future__ import annotations

import math
from html import escape

# Told apart on white and on black, and by people who see no red or no green (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 36, 44


class LiveChart:
    """Series of points, in the order in which they come.

    Args:
        title: What it shows.
        x_label: What is to the right, with its unit.
        y_label: What is upwards, with its unit. The axis begins at 0.
    """

    def __init__(self, title: str, x_label: str, y_label: str) -> None:
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.series: dict[str, list[tuple[float, float]]] = {}

    def add(self, series: str, x: float, y: float) -> None:
        """Adds a point; one that is no number is left out."""
        points = self.series.setdefault(series, [])
        if math.isfinite(x) and math.isfinite(y):
            points.append((float(x), float(y)))

    def _repr_html_(self) -> str:
        """The chart, in the page's own colour of text, with its numbers for screen readers."""
        points = [point for series in self.series.values() for point in series]
        x_ticks = _ticks(
            min((x for x, _ in points), default=0), max((x for x, _ in points), default=1)
        )
        y_ticks = _ticks(0, max((y for _, y in points), default=1))
        parts = [
            f'<svg role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
            'style="max-width:100%;color:inherit" font-family="sans-serif" font-size="12" '
            f'fill="currentColor"><title>{escape(self._spoken())}</title>',
            _text(_LEFT, 14, self.title, "start", "bold"),
            _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, self.x_label, "middle"),
            _text(_LEFT - 50, _TOP - 8, self.y_label, "start"),
        ]
        for tick in y_ticks:
            y = _place(tick, y_ticks, _HEIGHT - _BOTTOM, _TOP)
            parts.append(
                f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                'stroke="currentColor" stroke-opacity="0.2"/>'
                + _text(_LEFT - 6, y + 4, f"{tick:g}", "end")
            )
        for tick in x_ticks:
            x = _place(tick, x_ticks, _LEFT, _WIDTH - _RIGHT)
            parts.append(_text(x, _HEIGHT - _BOTTOM + 16, f"{tick:g}", "middle"))
        for number, (name, series) in enumerate(self.series.items()):
            parts.append(_line(number, name, series, x_ticks, y_ticks))
        return "".join(parts) + "</svg>"

    def _spoken(self) -> str:
        said = [
            f"{name}: " + ", ".join(f"{x:g} {y:.3g}" for x, y in series[-50:])
            for name, series in self.series.items()
        ]
        return f"{self.title}. {self.x_label}, {self.y_label}. " + "; ".join(said)


def _line(
    number: int,
    name: str,
    series: list[tuple[float, float]],
    x_ticks: list[float],
    y_ticks: list[float],
) -> str:
    colour = _COLOURS[number % len(_COLOURS)]
    dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    places = [
        (_place(x, x_ticks, _LEFT, _WIDTH - _RIGHT), _place(y, y_ticks, _HEIGHT - _BOTTOM, _TOP))
        for x, y in series
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    legend = _LEFT + 130 * number + 160
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dash}"/>{marks}'
        f'<circle cx="{legend}" cy="10" r="4" fill="{colour}"/>'
        + _text(legend + 8, 14, name, "start")
    )


def _text(x: float, y: float, text: str, anchor: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def _place(value: float, ticks: list[float], first: float, last: float) -> float:
    return first + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (last - first)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` or below to `high` or above, about five of them."""
    span = high - low or abs(high) or 1.0
    raw = span / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [number * step for number in range(first, last + 1)]
