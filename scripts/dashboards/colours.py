"""Steps of colour: what is good, what is not."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)

GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"
Steps = tuple[tuple[float, str], ...]


def steps(base: str, *above: tuple[float, str]) -> ThresholdsConfig:
    """Colours by value: `base` below the first of (value, colour from there on)."""
    return (
        ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(None, base), *(Threshold(value, colour) for value, colour in above)])
    )


def fixed(colour: str) -> DynamicConfigValue:
    """The property of an override that gives a series one colour."""
    return DynamicConfigValue("color", {"fixedColor": colour, "mode": "fixed"})
