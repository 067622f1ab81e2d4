"""What a neuron model and a plasticity rule are: the two classes that a user subclasses.

A model is one file of plain Python: a record of parameters, the names and initial values of its
state variables, and a few static functions.  The same functions serve the readable engine as they
stand and the compiled engine through numba, so they are written on plain numbers: ``n.v[j]`` is
state variable ``v`` of neuron ``j``, ``p.tau_m`` a parameter, and :mod:`math` does the mathematics.

Time is in ms everywhere.  This module imports nothing of the simulator.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from simulator.errors import ModelError

__all__ = ["Age", "NeuronModel", "Parametrised", "PlasticityRule", "Trace"]


class Parametrised:
    """A frozen, checked record of numbers with a name: the base of models, rules and encoders.

    Subclasses define ``Parameters``, a :class:`typing.NamedTuple` of floats with defaults, and may
    override :meth:`check`.

    Raises
    ------
    ModelError
        For an unknown parameter (the valid ones are listed), a value that is no finite number, or
        one that :meth:`check` refuses.
    """

    Parameters: ClassVar[Any]

    def __init__(self, **parameters: float) -> None:
        name = type(self).__name__
        known = self.Parameters._fields
        for key, value in parameters.items():
            if key not in known:
                valid = ", ".join(known)
                raise ModelError(f"{name} has no parameter {key!r}; it has {valid}")
            try:
                finite = math.isfinite(value)
            except TypeError:
                raise ModelError(f"{name}.{key} = {value!r}; a number is needed") from None
            if not finite:
                raise ModelError(f"{name}.{key} = {value}; a finite number is needed")
        self.parameters = self.Parameters(**{key: float(v) for key, v in parameters.items()})
        self.check(self.parameters)

    @classmethod
    def check(cls, p: Any) -> None:
        """Refuse parameters that make no sense together; called once, with all of them."""

    @classmethod
    def require(cls, condition: bool, text: str) -> None:
        """Raise a :class:`ModelError` that starts with the class's name unless ``condition``."""
        if not condition:
            raise ModelError(f"{cls.__name__}: {text}")

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v:g}" for k, v in self.parameters._asdict().items())
        return f"{type(self).__name__}({inside})"


class NeuronModel(Parametrised):
    """A point neuron that is advanced exactly from event to event.

    Class attributes
    ----------------
    Parameters : NamedTuple of float
        Shared by all neurons of a population.
    state : dict of str to float
        State variables, one float64 per neuron, with their initial values.
    ports : tuple of str
        Where a synapse can end; the index of a port is what :meth:`receive` gets.
    synaptic : tuple of str
        State variables, adjacent ones, that input goes to and that go on while refractory; empty
        where it goes to the potential itself.
    threshold : str
        The parameter that is the threshold.

    All functions below are static, take plain numbers and return plain numbers.  ``n`` holds the
    state arrays, ``j`` is the neuron, ``p`` the parameters.
    """

    state: ClassVar[dict[str, float]]
    ports: ClassVar[tuple[str, ...]] = ("input",)
    State: ClassVar[Any]

    synaptic: ClassVar[tuple[str, ...]] = ()
    threshold: ClassVar[str] = "v_th"

    linear: ClassVar[bool] = False
    modulates: ClassVar[bool] = False  # a neuromodulator, which decays with the parameter ``tau``

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "state" in cls.__dict__:
            # The arrays travel as one named tuple whose class can be found again by its name.
            names = list(cls.state)
            record: Any = namedtuple("State", names)  # type: ignore[misc]
            record.__module__ = cls.__module__
            record.__qualname__ = f"{cls.__qualname__}.State"
            cls.State = record

    @staticmethod
    def lowest_weight(port: int) -> float:
        """The smallest weight that makes sense on a port; the compiler refuses smaller ones."""
        return -math.inf

    @staticmethod
    def threshold_range(p: Any) -> tuple[float, float]:
        """Between what the threshold of a neuron must lie."""
        return p.v_reset, math.inf

    @staticmethod
    def start(n: Any, j: int, p: Any, key: float) -> None:
        """Called once for neuron ``j`` before the run, with the initial state in place.

        ``key`` is a whole number below 2**52 of its own, from the seed of the network, the name of
        the population and the neuron's index: a model that draws random numbers derives them from
        it.
        """

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        """Everything that depends on the length of the interval only; shared by neurons that are
        advanced over the same ``dt`` (ms)."""
        raise NotImplementedError

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        """Move neuron ``j`` over the interval of ``f``, without input and without a spike."""
        raise NotImplementedError

    @staticmethod
    def advance_all(n: Any, count: int, p: Any, f: tuple[float, ...]) -> None:
        """Optional: what :meth:`advance` does, to the last bit, for neurons 0 to ``count``; where
        :meth:`advance` is too branched to be vectorised."""
        raise NotImplementedError

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        """Move a refractory neuron over the interval of ``f``."""
        raise NotImplementedError

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        """Add a synaptic weight at the present instant."""
        raise NotImplementedError

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """A cheap necessary condition for a spike within ``dt`` (ms, may be infinite)."""
        return True

    @staticmethod
    def any_may_cross(n: Any, count: int, p: Any, dt: float) -> bool:
        """Optional: whether :meth:`may_cross` may hold for any of neurons 0 to ``count``, told
        from less than it looks at."""
        return True

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        """Time (ms) to the next threshold crossing if nothing else arrives; 0 when the potential
        is at or above threshold now, infinity when it never gets there."""
        raise NotImplementedError

    @staticmethod
    def crossing_soon(n: Any, j: int, p: Any) -> float:
        """As :meth:`crossing`, but may give up: -x says that there is none within x ms and that
        one may come after.  Optional, for models that integrate numerically to the spike: most of
        that would be thrown away by the next arrival.  Where ``may_cross`` is False for ever this
        must not be negative."""
        raise NotImplementedError

    @classmethod
    def predictor(cls) -> Callable[[Any, int, Any], float]:
        """What an engine that lets go of its prediction at every arrival calls."""
        return cls.crossing_soon if cls.looks_ahead() else cls.crossing

    @classmethod
    def looks_ahead(cls) -> bool:
        """Whether the model defines :meth:`crossing_soon`."""
        return cls.crossing_soon is not NeuronModel.crossing_soon

    @classmethod
    def shares_clock(cls, p: Any) -> bool:
        """Whether neurons that one instant touches may be advanced together; not where
        :meth:`crossing_soon` gives up."""
        return not cls.looks_ahead()

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        """Reset after a spike; return the length of the refractory period (ms)."""
        raise NotImplementedError

    # -- linear models: optional, and much faster in sparse networks --------------------------
    #
    # With ``linear = True`` a model also says how its state is a sum of decaying exponentials, one
    # a state variable.  The engine then leaves its neurons alone between the moments at which they
    # might fire (simulator/lazy_kernels.py).

    @classmethod
    def has_modes(cls, p: Any) -> bool:
        """Whether the modes are distinct enough for these parameters; if not, the functions
        above are used."""
        return cls.linear

    @staticmethod
    def time_constants(p: Any) -> tuple[float, ...]:
        """Time constant of each mode (ms)."""
        raise NotImplementedError

    @staticmethod
    def to_modes(n: Any, j: int, p: Any) -> None:
        """Replace the state variables by the amplitudes of the modes, in place."""
        raise NotImplementedError

    @staticmethod
    def from_modes(n: Any, j: int, p: Any) -> None:
        """The inverse of :meth:`to_modes`."""
        raise NotImplementedError

    @staticmethod
    def kick(p: Any, port: int) -> tuple[float, ...]:
        """What a unit weight on a port adds to the amplitudes."""
        raise NotImplementedError

    @staticmethod
    def clamp(n: Any, j: int, p: Any) -> None:
        """Set what is held during refractoriness, at its end."""

    @staticmethod
    def horizon(p: Any, dt: float) -> tuple[float, ...]:
        """What :meth:`allowance` needs to know of ``dt`` (ms, may be infinite)."""
        raise NotImplementedError

    @staticmethod
    def allowance(n: Any, j: int, p: Any, h: Any) -> float:
        """A sum of positive weights that may arrive within the horizon, whenever and on any port,
        without the potential reaching threshold in it; <= 0 if it may do so by itself."""
        raise NotImplementedError


class Trace(NamedTuple):
    """A synaptic trace: what a synapse remembers of the spikes of one side.

    It decays with the time constant that the rule's parameter ``tau`` names and is set to 1 by a
    spike (``nearest=True``) or raised by 1 (``nearest=False``).  Where ``floor`` names a
    parameter, a value at or below it reads as 0.
    """

    tau: str
    nearest: bool = False
    floor: str | None = None


class Age(NamedTuple):
    """Takes the place of a trace and reads the time (ms) since the last spike of its side at this
    synapse; infinity before the first."""


class PlasticityRule(Parametrised):
    """How the weights of a projection change, or how they follow time.

    Class attributes
    ----------------
    pre_traces, post_traces : tuple of Trace or Age
        Kept by the engine, and read at the exact time of use.
    needs_partner : bool
        True when :meth:`on_pre` and :meth:`on_post` change nothing while all traces of the other
        side read 0; the engine then need not call them.
    variables : dict of str to float
        What each synapse keeps beside its weight, with initial values.  The functions below then
        take and return the tuple (weight, variables...) in place of the weight ``w``.
    modulated : bool
        True when the rule feels a neuromodulator: the ``modulator`` of the projection, one neuron
        of the model ``Concentration``.  :meth:`on_pre` and :meth:`on_post` then get its
        concentration as an argument ``z`` before ``p``; :meth:`drift` and :meth:`on_modulator`
        may be defined.

    A rule that moves no weight defines :meth:`transmit` alone.

    Raises
    ------
    ModelError
        As :class:`Parametrised`; and where :meth:`drift` or :meth:`on_modulator` are defined by a
        rule that is not modulated, or that has no :class:`Age` on one of the sides.
    """

    pre_traces: ClassVar[tuple[Trace | Age, ...]] = ()
    post_traces: ClassVar[tuple[Trace | Age, ...]] = ()
    needs_partner: ClassVar[bool] = False
    variables: ClassVar[dict[str, float]] = {}
    modulated: ClassVar[bool] = False

    def __init__(self, **parameters: float) -> None:
        super().__init__(**parameters)
        cls = type(self)
        if cls.drifts():
            cls.require(cls.modulated, "it defines drift() or on_modulator(); set modulated = True")
        for side in ("pre_traces", "post_traces") if cls.drifts() else ():
            dated = any(isinstance(trace, Age) for trace in getattr(cls, side))
            cls.require(dated, f"it defines drift() or on_modulator(); put Age() into its {side}")

    @classmethod
    def learns(cls) -> bool:
        """Whether the rule changes stored weights (it defines ``on_pre`` or ``on_post``)."""
        return cls.on_pre is not PlasticityRule.on_pre or cls.on_post is not PlasticityRule.on_post

    @classmethod
    def changes_weights(cls) -> bool:
        """Whether stored weights change by the rule, in the run or on feedback (TrialRule)."""
        return cls.learns()

    @classmethod
    def drifts(cls) -> bool:
        """Whether weights move between events of their synapse (it defines ``drift`` or
        ``on_modulator``)."""
        base = PlasticityRule
        return cls.drift is not base.drift or cls.on_modulator is not base.on_modulator

    @staticmethod
    def transmit(w: float, p: Any, t: float) -> float:
        """The weight that a spike arriving at time ``t`` (ms) delivers."""
        return w

    @staticmethod
    def on_pre(w: Any, x: tuple[float, ...], y: tuple[float, ...], *more: Any) -> Any:
        """``(w, x, y, p)`` or ``(w, x, y, z, p)``: new weight after a presynaptic arrival; ``x`` as
        it was just before it."""
        return w

    @staticmethod
    def on_post(w: Any, x: tuple[float, ...], y: tuple[float, ...], *more: Any) -> Any:
        """``(w, x, y, p)`` or ``(w, x, y, z, p)``: new weight after a postsynaptic spike; ``y`` as
        it was just before it."""
        return w

    @staticmethod
    def drift(w: Any, z: float, tau: float, dt: float, p: Any) -> Any:
        """The synapse ``dt`` ms on, without an event; the concentration, ``z`` at first, decays
        with ``tau`` (ms).  Needs an :class:`Age` among the traces of both sides."""
        return w

    @staticmethod
    def on_modulator(w: Any, amount: float, p: Any) -> Any:
        """The synapse after the concentration has jumped by ``amount``.  As :meth:`drift`."""
        return w
