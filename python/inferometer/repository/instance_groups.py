"""``instance_group`` of a config.pbtxt: how many instances a model has, and where they run."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.repository.typed_fields import TypedFields

_KINDS = ("KIND_AUTO", "KIND_CPU", "KIND_GPU", "KIND_MODEL")
_MAX_INSTANCES = 1024
_MAX_GPU = 1023
_LEFT_ALONE = ("host_policy", "name", "passive", "profile", "rate_limiter", "secondary_devices")


@dataclass(frozen=True, slots=True)
class Instances:
    """How many, and where.

    Attributes:
        count: Batches that may run at the same time, on each GPU if they run on GPUs.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        gpus: For ``"cuda"``: which, by number; empty: all that there are.
    """

    count: int = 1
    device: str = "auto"
    gpus: tuple[int, ...] = ()


def read_instances(fields: TypedFields) -> Instances:
    """What the groups of a model say together.

    Args:
        fields: The model's.

    Returns:
        One instance where there is no group.

    Raises:
        ConfigError: Groups that this engine cannot have.
    """
    kinds, counts = set(), []
    gpus: list[int] = []
    for group in fields.messages("instance_group"):
        kind = group.word("kind", "KIND_AUTO", _KINDS)
        if kind == "KIND_MODEL":
            raise group.wrong("kind", kind, "KIND_CPU, KIND_GPU or KIND_AUTO")
        if kind == "KIND_GPU":
            gpus += group.integers("gpus", 0, _MAX_GPU)
        counts.append(group.integer("count", 1, 1, _MAX_INSTANCES))
        kinds.add(kind)
        group.finish(_LEFT_ALONE if kind == "KIND_GPU" else (*_LEFT_ALONE, "gpus"))
    if "KIND_GPU" in kinds:
        if len(kinds) > 1:
            raise fields.wrong("instance_group", " and ".join(sorted(kinds)), "one kind")
        return _on_gpus(fields, counts, gpus)
    count = sum(counts)
    if count > _MAX_INSTANCES:
        raise _too_many(fields, count)
    return Instances(count or 1, "cpu" if "KIND_CPU" in kinds else "auto")


def _on_gpus(fields: TypedFields, counts: list[int], gpus: list[int]) -> Instances:
    if len(set(counts)) > 1:
        raise fields.wrong("instance_group", f"counts of {counts}", "as many on each GPU")
    if len(set(gpus)) < len(gpus):
        raise fields.wrong("instance_group", f"the GPUs {gpus}", "each GPU once")
    if not gpus and len(counts) > 1:
        raise fields.wrong("instance_group", f"{len(counts)} groups on all GPUs", "one")
    if counts[0] * len(gpus) > _MAX_INSTANCES:
        raise _too_many(fields, counts[0] * len(gpus))
    return Instances(counts[0], "cuda", tuple(gpus))


def _too_many(fields: TypedFields, count: int) -> Exception:
    return fields.wrong("instance_group", f"{count} instances in all", f"{_MAX_INSTANCES} at most")
