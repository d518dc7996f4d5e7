"""A table as HTML: escaped, without scripts, style sheets or anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

# Inline, so that nothing else on the page is styled; text has the page's own colour and a grey half
# see-through line can be seen on white and on black.
_TABLE = "border-collapse:collapse;margin:0.3em 0;color:inherit;background:transparent"
_CAPTION = "text-align:left;caption-side:top;color:inherit;padding:0.2em 0"
_LINE = "border-bottom:1px solid rgba(128,128,128,0.5)"
_CELL = f"padding:0.15em 0.8em 0.15em 0;color:inherit;background:transparent;{_LINE}"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a ``<table>`` with a caption, and headers that screen readers can tell.

    Args:
        caption: What the table shows.
        columns: Their headers; the first column heads the rows and is aligned to the left.
        rows: As many texts as there are columns, each. All of them are escaped.
    """
    head = "".join(_cell("th", column, i, "col") for i, column in enumerate(columns))
    body = "".join(
        "<tr>"
        + "".join(
            _cell("th" if i == 0 else "td", text, i, "row" if i == 0 else "")
            for i, text in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<table style="{_TABLE}"><caption style="{_CAPTION}">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(tag: str, text: str, column: int, scope: str) -> str:
    align = "left" if column == 0 else "right"
    said = f' scope="{scope}"' if scope else ""
    return f'<{tag}{said} style="{_CELL};text-align:{align}">{escape(text)}</{tag}>'
