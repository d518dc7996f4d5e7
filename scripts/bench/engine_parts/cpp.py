"""The C++ part: rounds of cpp/bench/engine_call_bench.cc and engine_threads_bench.cc."""

from __future__ import annotations

from typing import Any, Final

from comparison.google_benchmark import FOLDER, one_run
from comparison.progress import say
from comparison.samples import Collected

from engine_parts import groups
from engine_parts.settings import Settings
from engine_parts.who import MUTEX, OURS

CALLS: Final = "engine_call_bench"
THREADS: Final = "engine_threads_bench"
ADDED: Final = {
    groups.LONE_CPP: "lone_call/recording:1",
    groups.LONE_CPP_SILENT: "lone_call/recording:0",
}
DESIGNS: Final = {OURS: "engine_threads", MUTEX: "mutex_threads"}


def _short(name: str) -> str:
    return name.partition("/real_time")[0].partition("/iterations")[0]


def _run(binary: str, shown: str, seconds: float) -> dict[str, dict[str, Any]]:
    return {_short(name): line for name, line in one_run(binary, shown, seconds).items()}


def measure_calls(settings: Settings, collected: Collected) -> None:
    """What a lone call takes longer than the bare one, round by round."""
    wanted = {group: name for group, name in ADDED.items() if settings.wants(group)}
    if not wanted:
        return
    for number in range(settings.rounds):
        say(f"lone blocking call, C++: round {number + 1} of {settings.rounds}")
        seen = _run(CALLS, "^lone_", settings.seconds)
        bare = seen["lone_bare"]["real_time_seconds"]
        for group, name in wanted.items():
            collected.add(group, OURS, [seen[name]["real_time_seconds"] - bare])


def measure_threads(settings: Settings, collected: Collected) -> None:
    """Calls a second and latencies, ours and a mutex around the bare model."""
    counts = [
        count
        for count in groups.THREADS
        if settings.wants(*groups.of_threads(groups.cpp_threads(count)))
    ]
    if not counts:
        return
    shown = f"/({'|'.join(map(str, counts))})/"
    for number in range(settings.rounds):
        say(f"C++ threads: round {number + 1} of {settings.rounds}")
        seen = _run(THREADS, shown, settings.seconds)
        for count in counts:
            group = groups.cpp_threads(count)
            for who, name in DESIGNS.items():
                line = seen[f"{name}/{count}"]
                collected.add(group, who, [line["calls_per_second"]])
                collected.add(groups.p50(group), who, [line["p50_seconds"]])
                collected.add(groups.p99(group), who, [line["p99_seconds"]])
                collected.add(groups.evenness(group), who, [line["slowest_share"]])


def measure(settings: Settings, collected: Collected) -> None:
    """Both binaries, if they are built."""
    for binary, part in ((CALLS, measure_calls), (THREADS, measure_threads)):
        if (FOLDER / binary).exists():
            part(settings, collected)
        else:
            say(f"{binary} is not built: scripts/bench.sh engine builds it")
