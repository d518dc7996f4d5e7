"""GPUs that are not there: the core's own monitor reads them off the fake NVML."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from inferometer.testing.errors import LabError, ToolMissingError

Readings = Mapping[str, int | str]

_LIBRARY_VARIABLE = "INFEROMETER_FAKE_NVML"
_SCRIPT_VARIABLE = "FAKE_NVML_SCRIPT"
_BUILT = "build/release/cpp/tests/fakes/nvml/fake_nvml/libnvidia-ml.so.1"


def library() -> Path:
    """The fake NVML: ``$INFEROMETER_FAKE_NVML``, or the one that the project's tests build.

    Raises:
        ToolMissingError: It is not there.
    """
    named = os.environ.get(_LIBRARY_VARIABLE)
    path = Path(named) if named else Path(__file__).resolve().parents[3] / _BUILT
    if not path.is_file():
        raise ToolMissingError(
            f"fake NVML: got none at {path}, want the library of tests/fakes/nvml "
            f"(ninja -C build/release fake_nvml), or its path in ${_LIBRARY_VARIABLE}"
        )
    return path


def exposition(gpus: Sequence[Readings]) -> str:
    """What a service on a machine with these GPUs exposes of them.

    Args:
        gpus: What the fake NVML answers for each; see tests/fakes/nvml/README.md.

    Raises:
        ToolMissingError: There is no fake NVML.
        LabError: A reading with a line break.
    """
    import inferometer as im
    from inferometer import _core

    lines = []
    for gpu in gpus:
        lines.append("[gpu]")
        for name, value in gpu.items():
            if "\n" in f"{name}{value}":
                raise LabError(f"gpu: got {name!r}: {value!r}, want one line")
            lines.append(f"{name} = {value}")
    with tempfile.TemporaryDirectory(prefix="alert-lab-") as folder:
        script = Path(folder, "gpus")
        script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with _environment(_SCRIPT_VARIABLE, str(script)):
            # Its sample is kept for seconds of real time: every state has a registry of its own.
            registry = im.Registry()
            _core.attach_monitors(registry, host=False, process=False, nvml_library=library())
            return im.render_metrics(registry)[0].decode()


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
