"""Hypothesis strategies of networks, with ties and zero delays on purpose.

A network is drawn as a plan, a frozen record that prints readably when a test fails and that
:func:`build` turns into a description as often as a test needs one.  Spike times and delays lie on
a coarse grid, so that several spikes reach a neuron at one instant; delays are zero as often as
not.  The first projection of a plan learns with :class:`~plasticity.WTCRL` and the second one
drifts, so that all plans share one compiled event loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import (
    Network,
    all_to_all,
    explicit,
    fixed_in_degree,
    fixed_probability,
    one_to_one,
    uniform,
)
from simulator.connect import Connector
from simulator.distributions import Distribution
from simulator.model import NeuronModel, PlasticityRule
from tests.simulator.jump_model import Jump

__all__ = ["NetworkPlan", "PopulationPlan", "ProjectionPlan", "build", "network_plans"]

GRID = 0.5  # ms
DURATION = 15.0  # ms


@dataclass(frozen=True)
class PopulationPlan:
    """``spikes`` (time in ms, channel) makes a source; ``parameters`` belong to ``model``."""

    name: str
    size: int
    spikes: tuple[tuple[float, int], ...] | None = None
    parameters: dict[str, float] = field(default_factory=dict)
    scattered: bool = False  # initial potentials differ
    model: str = "LIFExp"
    whole: bool = False  # every input reaches all of it at one instant


@dataclass(frozen=True)
class ProjectionPlan:
    pre: str
    post: str
    connector: tuple[Any, ...]  # name of a connector and its arguments
    weight: float | tuple[float, float]  # a number, or the ends of a uniform distribution
    delay: float | tuple[float, ...]  # ms; a number, or the values that are drawn from
    inhibitory: bool
    rule: tuple[str, dict[str, float]] | None
    name: str


@dataclass(frozen=True)
class NetworkPlan:
    seed: int
    populations: tuple[PopulationPlan, ...]
    projections: tuple[ProjectionPlan, ...]

    def neurons(self) -> list[str]:
        """Names of the populations that are no sources."""
        return [p.name for p in self.populations if p.spikes is None]


CONNECTORS = {
    "all_to_all": all_to_all,
    "one_to_one": one_to_one,
    "fixed_probability": fixed_probability,
    "fixed_in_degree": fixed_in_degree,
    "explicit": explicit,
}
MODELS: dict[str, type[NeuronModel]] = {"LIFExp": LIFExp, "Jump": Jump}
RULES = {"WTCRL": WTCRL, "ExponentialDrift": ExponentialDrift}


def one_of(*values: float) -> Distribution:
    """Each of these values with the same probability."""
    return Distribution("one_of", values, lambda rng, n: rng.choice(values, n))


def build(plan: NetworkPlan, record: bool = True) -> Network:
    """The description of a plan; spikes of all populations are recorded unless told otherwise."""
    net = Network(seed=plan.seed)
    for pop in plan.populations:
        if pop.spikes is not None:
            times, channels = [t for t, _ in pop.spikes], [i for _, i in pop.spikes]
            net.population(pop.name, pop.size, SpikeTimes(times, channels))
        else:
            initial = {"v": uniform(0.0, 0.9)} if pop.scattered else {}
            net.population(pop.name, pop.size, MODELS[pop.model](**pop.parameters), initial)
    for proj in plan.projections:
        kind, *arguments = proj.connector
        connector: Connector = CONNECTORS[kind](*arguments)
        rule: PlasticityRule | None = None
        if proj.rule is not None:
            rule = RULES[proj.rule[0]](**proj.rule[1])
        net.projection(
            proj.pre,
            proj.post,
            connector,
            weight=uniform(*proj.weight) if isinstance(proj.weight, tuple) else proj.weight,
            delay=one_of(*proj.delay) if isinstance(proj.delay, tuple) else proj.delay,
            port="inhibitory" if proj.inhibitory else "excitatory",
            rule=rule,
            name=proj.name,
        )
    if record:
        net.record_spikes(*net.populations)
    return net


@st.composite
def sources(draw: st.DrawFn, name: str) -> PopulationPlan:
    """Spike trains on the grid: many channels at one time, and a few times off the grid."""
    size = draw(st.integers(1, 4))
    on_grid = st.integers(0, int(DURATION / GRID)).map(lambda k: k * GRID)
    off_grid = st.floats(0.0, DURATION, allow_nan=False).map(lambda t: round(t, 3))
    spike = st.tuples(st.one_of(on_grid, on_grid, off_grid), st.integers(0, size - 1))
    spikes = draw(st.sets(spike, min_size=1, max_size=25))
    return PopulationPlan(name, size, tuple(sorted(spikes)))


@st.composite
def neurons(draw: st.DrawFn, name: str, model: str) -> PopulationPlan:
    """Time constants that often agree, with and without refractoriness and bias."""
    size, scattered, whole = draw(st.integers(1, 5)), draw(st.booleans()), draw(st.booleans())
    if model == "Jump":  # with refractoriness, or its loops without delay would not end
        parameters = {"tau_m": 4.0, "t_ref": draw(st.sampled_from([1.0, 2.0]))}
        return PopulationPlan(name, size, None, parameters, scattered, model, whole)
    tau = st.sampled_from([1.5, 2.0, 5.0])
    parameters = {
        "tau_m": draw(tau),
        "tau_exc": draw(tau),
        "tau_inh": draw(st.sampled_from([0.3, 2.0, 5.0])),
        "t_ref": draw(st.sampled_from([0.0, 1.0, 2.0, 6.0])),
        "bias": draw(st.sampled_from([0.0, 0.0, 0.6, 1.1])),
    }
    return PopulationPlan(name, size, None, parameters, scattered, model, whole)


@st.composite
def connectors(draw: st.DrawFn, n_pre: int, n_post: int, recurrent: bool) -> tuple[Any, ...]:
    self_connections = draw(st.booleans())
    kinds = ["all_to_all", "all_to_all", "fixed_probability", "fixed_in_degree", "explicit"]
    if n_pre == n_post:
        kinds.append("one_to_one")
    kind = draw(st.sampled_from(kinds))
    if kind == "all_to_all":
        return kind, self_connections
    if kind == "fixed_probability":
        return kind, draw(st.sampled_from([0.3, 0.7, 1.0])), self_connections
    if kind == "fixed_in_degree":
        available = n_pre - (recurrent and not self_connections)
        multapses = draw(st.booleans()) and available > 0
        degree = draw(st.integers(0, 3 if multapses else available))
        return kind, degree, self_connections, multapses
    if kind == "explicit":
        pair = st.tuples(st.integers(0, n_pre - 1), st.integers(0, n_post - 1))
        pairs = draw(st.lists(pair, max_size=12))
        return kind, [i for i, _ in pairs], [j for _, j in pairs]
    return (kind,)


@st.composite
def projections(draw: st.DrawFn, plans: list[PopulationPlan], k: int) -> ProjectionPlan:
    """The k-th projection; the first two have rules, later ones may."""
    pre = draw(st.sampled_from(plans))
    post = draw(st.sampled_from([p for p in plans if p.spikes is None]))
    rule: tuple[str, dict[str, float]] | None = None
    kind = {0: "WTCRL", 1: "ExponentialDrift"}.get(
        k, draw(st.sampled_from([None, None, "WTCRL", "ExponentialDrift"]))
    )
    inhibitory = draw(st.booleans()) and pre.spikes is None and kind != "WTCRL"
    if kind == "WTCRL":
        rates = st.sampled_from([0.004, 0.2, 1.0])
        rule = kind, {"a_plus": draw(rates), "a_minus": draw(rates)}
    elif kind == "ExponentialDrift":
        start = -4.0 if inhibitory else 0.5
        rule = kind, {"w_start": start, "w_end": 2.0 * start, "tau": 5.0}
    # Loops of excitation stay mild: a population's spikes together raise the drive by about a half.
    strength = 3.0 if pre.spikes is not None else 0.6 / pre.size
    weight: float | tuple[float, float] = strength * draw(st.sampled_from([0.25, 0.5, 1.0]))
    if kind == "WTCRL":
        weight = draw(st.sampled_from([0.5, (0.2, 0.9), (0.6, 0.8)]))
    elif inhibitory:
        weight = draw(st.sampled_from([-1.0, -5.0, (-6.0, -1.0)]))
    elif draw(st.booleans()):
        weight = (0.5 * weight, weight)
    if kind == "ExponentialDrift":
        weight = 1.0
    delays = st.sampled_from([0.0, 0.0, GRID, 1.0, 0.1, 4.0])
    connector: tuple[Any, ...] = ("all_to_all", draw(st.booleans()))
    delay: float | tuple[float, ...] = draw(delays)
    if not post.whole:
        connector = draw(connectors(pre.size, post.size, pre is post))
        if draw(st.booleans()):
            delay = tuple(draw(st.lists(delays, min_size=2, max_size=4)))
    return ProjectionPlan(
        pre.name,
        post.name,
        connector,
        weight,
        delay,
        inhibitory,
        rule,
        f"p{k}",
    )


@st.composite
def network_plans(draw: st.DrawFn, model: str = "LIFExp") -> NetworkPlan:
    """One or two sources, one to three populations of neurons, two to six projections."""
    plans = [draw(sources(f"u{k}")) for k in range(draw(st.integers(1, 2)))]
    plans += [draw(neurons(f"v{k}", model)) for k in range(draw(st.integers(1, 3)))]
    n = draw(st.integers(2, 6))
    made = tuple(draw(projections(plans, k)) for k in range(n))
    # Neurons that excite each other would run away without refractoriness.
    source_names = {p.name for p in plans if p.spikes is not None}
    excited = {p.post for p in made if not p.inhibitory and p.pre not in source_names}
    plans = [
        replace(p, parameters={**p.parameters, "t_ref": max(1.0, p.parameters["t_ref"])})
        if p.name in excited
        else p
        for p in plans
    ]
    order = draw(st.permutations(plans))
    return NetworkPlan(draw(st.integers(0, 2**32)), tuple(order), made)
