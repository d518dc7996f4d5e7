"""The example of docs/simulator.md runs and prints what stands there."""

from __future__ import annotations

import contextlib
import io
import re

from conftest import ROOT


def test_the_example_prints_what_the_page_shows() -> None:
    text = (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
    blocks = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert blocks is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(blocks[1], {})
    assert printed.getvalue() == blocks[2]


def test_the_example_of_phases_and_faults() -> None:
    text = (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
    example = re.search(r"## Phases.*?```python\n(.*?)```", text, re.DOTALL)
    assert example is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec("import inferometer as im\n" + example[1], {})
    assert printed.getvalue() == "True 12\n"
