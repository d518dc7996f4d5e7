"""Where panels are: rows, and panels from left to right in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import GridPos, Panel, RowPanel

GRID_WIDTH = 24


@dataclass(frozen=True)
class Placed:
    """A panel and the room it takes, in cells of Grafana's grid."""

    panel: Panel
    width: int
    height: int = 8


@dataclass(frozen=True)
class Row:
    """A heading that can be folded, and what is below it."""

    id: int
    title: str
    panels: tuple[Placed, ...]


def arrange(rows: Sequence[Row]) -> list[Panel | RowPanel]:
    """Gives every panel its place, from the top of the page down.

    Raises:
        ValueError: Panels side by side that leave a gap, stick out or are of different heights.
    """
    arranged: list[Panel | RowPanel] = []
    y = 0
    for row in rows:
        arranged.append(
            RowPanel(
                id_val=row.id,
                title=row.title,
                collapsed=False,
                grid_pos=GridPos(h=1, w=GRID_WIDTH, x=0, y=y),
                panels=[],
            )
        )
        y += 1
        x = 0
        for placed in row.panels:
            if x + placed.width > GRID_WIDTH:
                raise ValueError(
                    f"{row.title}: got {x + placed.width} cells up to {placed.panel.title}, "
                    f"want {GRID_WIDTH}"
                )
            placed.panel.grid_pos = GridPos(h=placed.height, w=placed.width, x=x, y=y)
            arranged.append(placed.panel)
            x += placed.width
            if x == GRID_WIDTH:
                x = 0
                y += placed.height
        if x:
            raise ValueError(f"{row.title}: got {x} cells in its last line, want {GRID_WIDTH}")
    return arranged
