"""Which models an engine's instances run, and on which devices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, Literal

from inferometer import _core
from inferometer._core import ConfigError
from inferometer.device_list import GPU_NAME


def place(model: Any, instances: int, devices: Sequence[str] | None) -> list[Any]:
    """The models of all instances.

    Args:
        model: A native model or a callable.
        instances: How many there are, on each device.
        devices: GPUs, as `check_devices` names them; None: where the model is.

    Returns:
        One entry an instance; those on one device share the weights.

    Raises:
        ConfigError: Devices for a model that was not loaded for a GPU.
        DeviceError: A device that cannot be used.
    """
    if devices is None:
        return [model] * instances
    if not isinstance(model, _core.Model):
        raise ConfigError(
            f"devices: got a model of type {type(model).__name__}, want one from im.onnx.load"
        )
    return [placed for name in devices for placed in [model.on(name)] * instances]


def check_devices(devices: Iterable[int | str] | None) -> list[str] | None:
    """The names of GPUs given by number or name; a copy, as `swap` needs them again.

    Raises:
        ConfigError: They are none, or no devices.
    """
    if devices is None:
        return None
    if isinstance(devices, str) or not isinstance(devices, Iterable):
        raise ConfigError(f"devices: got {devices!r}, want a list such as [0, 1]")
    names = []
    for device in devices:
        number = isinstance(device, Integral) and not isinstance(device, bool) and device >= 0
        name = f"cuda:{device}" if number else device
        if not isinstance(name, str) or not GPU_NAME.fullmatch(name):
            raise ConfigError(f"devices: got {device!r} in it, want a number or 'cuda:0'")
        names.append(name)
    if not names:
        raise ConfigError("devices: got none, want one or more")
    if len(set(names)) != len(names):
        raise ConfigError(f"devices: got {names}, want each once; instances= gives it several")
    return names


def kind_of(models: list[Any]) -> Literal["native", "arrays"]:
    """Whether these are native models or callables.

    Raises:
        ConfigError: They are neither, or both.
    """
    native = [isinstance(model, _core.NativeModel) for model in models]
    if all(native):
        return "native"
    for model in models:
        if not callable(model):
            raise ConfigError(f"model: got {type(model).__name__}, want a model or a callable")
    if any(native):
        raise ConfigError("model: got native models and callables, want one kind")
    return "arrays"
