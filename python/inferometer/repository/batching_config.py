"""From a config.pbtxt's ``dynamic_batching`` to the engine's options."""

from __future__ import annotations

from inferometer.batching import Batching, QueuePolicy
from inferometer.repository.typed_fields import MAX_INT32, MAX_UINT64, TypedFields

# What the engine's own bounds are (an hour, 64 levels, 2**24 requests).
_MAX_DELAY_US = 3_600_000_000
_MAX_LEVELS = 64
_MAX_QUEUE_SIZE = 2**24

# Triton's queues are unbounded unless told otherwise; ours never are.
DEFAULT_QUEUE_SIZE = 1024


def read_batching(fields: TypedFields, max_rows: int) -> Batching:
    """Reads a ``dynamic_batching``.

    Args:
        fields: Its fields.
        max_rows: ``max_batch_size``.

    Returns:
        The options.

    Raises:
        ConfigError: Wrong fields, with file and line.
    """
    delay_us = fields.integer("max_queue_delay_microseconds", 0, 0, _MAX_DELAY_US)
    preferred = fields.integers("preferred_batch_size", 1, max_rows)
    levels = fields.integer("priority_levels", 0, 0, _MAX_LEVELS)
    default_level = fields.integer("default_priority_level", 0, 0, levels)
    if levels and not default_level:
        got = f"{'0' if fields.has('default_priority_level') else 'none'}"
        raise fields.wrong(
            "default_priority_level", got, f"a level from 1 to {levels} (priority_levels)"
        )
    default_policy = _read_policy(fields.message("default_queue_policy"))
    policies = _read_policies(fields, levels)
    fields.finish(left_alone=["preserve_ordering"])
    return Batching(
        max_batch_size=max_rows,
        max_queue_delay=delay_us / 1e6,
        preferred_batch_sizes=tuple(sorted(set(preferred))),
        max_queue_size=_room(default_policy, policies, max(levels, 1)),
        priority_levels=levels,
        default_priority_level=default_level,
        default_queue_policy=default_policy,
        priority_queue_policy=policies,
    )


def unmerged(max_rows: int) -> Batching:
    """What serves each request by itself, as Triton does without dynamic_batching."""
    return Batching(
        max_batch_size=max_rows, max_queue_size=DEFAULT_QUEUE_SIZE, merge_requests=False
    )


def _read_policies(fields: TypedFields, levels: int) -> dict[int, QueuePolicy]:
    policies: dict[int, QueuePolicy] = {}
    for entry in fields.messages("priority_queue_policy"):
        if not levels:
            raise entry.wrong("key", "a policy", "none without priority_levels")
        level = entry.integer("key", 0, 1, levels)
        if not level:
            raise entry.wrong("key", "none", f"a level from 1 to {levels} (priority_levels)")
        if level in policies:
            raise entry.wrong("key", f"{level} again", "one policy a level")
        policies[level] = _read_policy(entry.message("value"))
        entry.finish()
    return policies


def _read_policy(fields: TypedFields | None) -> QueuePolicy:
    if fields is None:
        return QueuePolicy()
    action = fields.word("timeout_action", "REJECT", ("REJECT", "DELAY"))
    timeout_us = fields.integer("default_timeout_microseconds", 0, 0, MAX_UINT64)
    override = fields.flag("allow_timeout_override")
    size = fields.integer("max_queue_size", 0, 0, MAX_INT32)
    fields.finish()
    return QueuePolicy(
        max_queue_size=min(size, _MAX_QUEUE_SIZE) or None,
        # Beyond the engine's longest time a timeout is as good as none.
        timeout=timeout_us / 1e6 if 0 < timeout_us <= _MAX_DELAY_US else None,
        timeout_action="delay" if action == "DELAY" else "reject",
        allow_timeout_override=override,
    )


def _room(default: QueuePolicy, policies: dict[int, QueuePolicy], levels: int) -> int:
    """Room in the queue for what the levels may hold together, and the default at least."""
    wanted = 0
    for level in range(1, levels + 1):
        wanted += policies.get(level, default).max_queue_size or 0
    return min(max(wanted, DEFAULT_QUEUE_SIZE), _MAX_QUEUE_SIZE)
