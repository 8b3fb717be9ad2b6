"""Layers of real networks, measured on several targets against the oracle and the machine's copy limit."""

from __future__ import annotations

from gngen.compare.measure import Comparison, LayerResult, Measurement, Total, default_targets, measure, steps

__all__ = ["Comparison", "LayerResult", "Measurement", "Total", "default_targets", "measure", "steps"]
