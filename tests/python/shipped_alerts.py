"""What the tests of the shipped alerts have in common."""

from __future__ import annotations

import pytest

from conftest import ROOT

CONFIGS = ROOT / "configs"
SHIPPED = pytest.mark.alert_lab(
    prometheus=CONFIGS / "prometheus.yml", alertmanager=CONFIGS / "alertmanager.yml"
)
A, B = "a:8002", "b:8002"
DIGITS = {"job": "triton", "model_name": "digits"}
LETTERS = {"job": "triton", "model_name": "letters"}
