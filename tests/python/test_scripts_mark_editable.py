"""An editable install says nothing in the test runs of those who use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mark_editable


def test_pytest_has_nothing_to_warn_of(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "warning" not in done.stdout.lower()


def test_a_loader_is_marked_once(tmp_path: Path) -> None:
    loader = tmp_path / "_editable_loader.py"
    loader.write_text("from __future__ import annotations\n", encoding="utf-8")
    for _ in range(2):
        mark_editable.mark(loader)
    text = loader.read_text(encoding="utf-8")
    assert text == mark_editable.MARK + "from __future__ import annotations\n"
    compile(text, "loader", "exec")
