"""Rules that need a whole trial: the class that a user subclasses, and what it is given."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.errors import ModelError
from simulator.model import NeuronModel, PlasticityRule

__all__ = ["TrialRecord", "TrialRule"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class TrialRecord(NamedTuple):
    """What one neuron went through in a trial; times in ms from its beginning.

    Attributes
    ----------
    times, synapse : array
        Every arrival of every projection onto the neuron, by time, then synapse; delays are in it.
    weights, ports : array
        Of all synapses onto the neuron, as they are when the feedback comes.
    initial : named tuple
        The neuron's state variables at the beginning.
    fired : array
        Its own spikes.
    duration : float
        Length of the trial, ms.
    """

    times: Floats
    synapse: Ints
    weights: Floats
    ports: Ints
    initial: Any
    fired: Floats
    duration: float


class TrialRule(PlasticityRule):
    """How weights change when a trial is judged: once a feedback, from the record of the trial.

    A simulation is told where a trial begins (``begin_trial``) and, at its end or any time later,
    how it should have gone (``feedback``): one number for each neuron.  Between the two the rule
    costs nothing: its weights are constant and the event loop does not know of it.
    """

    def __init__(self, **parameters: float) -> None:
        super().__init__(**parameters)
        cls = type(self)
        for name in ("transmit", "on_pre", "on_post", "drift", "on_modulator"):
            given = getattr(cls, name) is not getattr(PlasticityRule, name)
            cls.require(not given, f"it defines {name}(); a rule for trials has on_feedback() only")

    @classmethod
    def changes_weights(cls) -> bool:
        return True

    @classmethod
    def check_neuron(cls, model: NeuronModel) -> None:
        """Refuse a model of neurons that the rule is not for, with :meth:`require`."""

    @classmethod
    def check_labels(cls, labels: Floats) -> None:
        """Refuse labels that make no sense; they are finite."""

    @staticmethod
    def on_feedback(record: TrialRecord, label: float, neuron: Any, p: Any) -> Floats:
        """New weights of all synapses onto a neuron whose parameters are ``neuron``; those of
        synapses that are not the rule's own are passed over.  Every neuron of a trial gets the
        weights from before the feedback."""
        raise ModelError("a rule for trials defines on_feedback()")
