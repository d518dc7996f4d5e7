"""Timelines of alerts in notebooks."""

from __future__ import annotations

from pathlib import Path

from inferometer.testing import AlertLab, LabOptions

RULES = """
groups:
  - name: load
    interval: 30s
    rules:
      - {alert: LoadHigh, expr: load > 10, for: 1m, labels: {severity: warning}}
"""


def test_a_timeline_is_a_table_with_a_row_for_each_time(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES, encoding="utf-8")
    options = LabOptions(
        rules=[str(rules)],
        exposition=lambda now: (
            f'load{{who="<b>"}} {20 if 60 <= now < 240 or 360 <= now < 540 else 5}\n'
        ),
    )
    lab = AlertLab(options)
    lab.run("12m")
    episodes = [one for one in lab.timeline.episodes("LoadHigh") if one.fired_at is not None]
    shown = lab.timeline._repr_html_()
    assert len(episodes) == 2
    assert shown.count('scope="row"') == len(list(lab.timeline.episodes()))
    assert "&lt;b&gt;" in shown and "<b>" not in shown
    assert "█" in shown and "firing at" in shown and "<script" not in shown
