"""Faults that an application injects into the models of its own engines."""

from __future__ import annotations

from typing import Any, Literal

from inferometer import _core
from inferometer._core import ConfigError
from inferometer.batching import check_seconds

FaultKind = Literal["delay", "error", "stall", "partial"]

# The option that each kind needs besides its schedule.
_NEEDS = {"delay": "seconds", "error": "ratio", "stall": None, "partial": "ratio"}


def check_seed(seed: object, otherwise: str = "") -> None:
    """Refuses what is no seed.

    Raises:
        ConfigError: If ``seed`` is no int of 64 bits.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**64:
        raise ConfigError(f"seed: got {seed!r}, want an int from 0 to 2**64 - 1{otherwise}")


class Faults:
    """Which faults there are, now and later, in the engines that were made with it.

        faults = im.Faults(seed=1)
        engine = im.Engine(model, name="m", faults=faults)
        faults.add("delay", seconds=0.5, start_after=10.0, duration=60.0)

    Faults may overlap: delays add up, each error and partial fault draws for itself, a batch is
    held until the last stall is over. Any thread may use it at any time; without faults in effect
    it costs a batch one atomic load. See docs/faults.md.

    Args:
        seed: With the same seed and the same faults the same batches and requests fail every time.
            None: others each time.

    Raises:
        ConfigError: A seed that is no int of 64 bits.
    """

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None:
            check_seed(seed, " or None")
        self._core = _core.Faults(seed)

    @classmethod
    def _of(cls, core: _core.Faults) -> Faults:
        """The public face of faults that the core has made."""
        faults = cls.__new__(cls)
        faults._core = core
        return faults

    def add(
        self,
        kind: FaultKind,
        *,
        seconds: float | None = None,
        ratio: float | None = None,
        start_after: float = 0.0,
        duration: float | None = None,
    ) -> None:
        """Adds one fault. It is for batches that begin while it is in effect.

        Args:
            kind: ``"delay"``: each batch takes ``seconds`` longer. ``"error"``: a share ``ratio``
                of the batches fails. ``"stall"``: the model does not return before the fault is
                over. ``"partial"``: a share ``ratio`` of the requests fails, the others of their
                batch succeed.
            seconds: For ``"delay"``.
            ratio: From 0 to 1, for ``"error"`` and ``"partial"``.
            start_after: Seconds from now until it is in effect.
            duration: Seconds that it is; None: until it is cleared.

        Raises:
            ConfigError: Another kind, an option that the kind needs and has not or has and does
                not need, or numbers out of range.
        """
        if not isinstance(kind, str) or kind not in _NEEDS:
            raise ConfigError(f"kind: got {kind!r}, want 'delay', 'error', 'stall' or 'partial'")
        for option, got in (("seconds", seconds), ("ratio", ratio)):
            if option == _NEEDS[kind]:
                check_seconds(option, got, "a number" if option == "ratio" else "seconds")
            elif got is not None:
                raise ConfigError(f"{option}: got {got!r} for a fault {kind!r}, want none")
        check_seconds("start_after", start_after)
        if duration is not None:
            check_seconds("duration", duration, "seconds or None")
        self._core.add(kind, seconds or 0.0, ratio or 0.0, start_after, duration)

    def clear(self, kind: FaultKind | None = None) -> None:
        """Takes back all faults, or those of one kind, also scheduled ones.

        What a stall or a delay holds goes on at once.

        Raises:
            ConfigError: Another kind.
        """
        if kind is not None and (not isinstance(kind, str) or kind not in _NEEDS):
            raise ConfigError(
                f"kind: got {kind!r}, want 'delay', 'error', 'stall', 'partial' or None"
            )
        self._core.clear(kind)

    def active(self) -> list[dict[str, Any]]:
        """What is in effect now, in the order it was added.

        Returns:
            A dict for each fault: ``kind``, its ``seconds`` or ``ratio``, and ``ends_in`` (seconds;
            None: when it is cleared).
        """
        return self._core.active()

    def injected(self) -> dict[str, int]:
        """What was injected so far.

        Returns:
            By kind: how many batches were delayed, failed and stalled; for ``"partial"``, how many
            requests failed.
        """
        return self._core.injected()

    def __repr__(self) -> str:
        """What is in effect."""
        return f"<inferometer.Faults, active: {[fault['kind'] for fault in self.active()]}>"
