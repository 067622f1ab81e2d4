"""What the parameters of integrate-and-fire models have in common, checked in one place."""

from __future__ import annotations

from typing import Any

from simulator.model import NeuronModel

__all__ = ["check_common"]


def check_common(model: type[NeuronModel], p: Any) -> None:
    """Refuse time constants (``tau_*``) that are not positive; negative ``t_ref``, ``theta_plus``,
    ``theta_half``; a tolerance below 1e-13; a reset that is not below threshold, except where steps
    of the threshold grow as it falls (theta_half > 0) and keep it above v_th."""
    for name in p._fields:
        value = getattr(p, name)
        if name.startswith("tau_"):
            model.require(value > 0, f"{name} = {value} ms; time constants must be > 0")
        elif name == "t_ref":
            model.require(value >= 0, f"t_ref = {value} ms; it must be >= 0")
        elif name in ("theta_plus", "theta_half"):
            model.require(value >= 0, f"{name} = {value} mV; it must be >= 0")
        elif name == "tolerance":
            model.require(value >= 1e-13, f"tolerance = {value}; it must be >= 1e-13")
        elif name == "v_reset" and "v_th" in p._fields and not getattr(p, "theta_half", 0.0):
            model.require(value < p.v_th, f"v_reset = {value} mV must be below v_th = {p.v_th} mV")
