"""What the lab refuses, and what it cannot do without."""

from __future__ import annotations


class LabError(ValueError):
    """The lab was asked for what cannot be; the message says what it got and what it wants."""


class ToolMissingError(RuntimeError):
    """A program of Prometheus or Alertmanager that is needed is not on this machine."""
