"""The description of a network: populations, projections, recorders and a seed.

Nothing here computes; :func:`simulator.compile.compile_network` turns a description into the flat
arrays that an engine runs on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.connect import Connector
from simulator.distributions import Distribution
from simulator.errors import NetworkError
from simulator.model import NeuronModel, PlasticityRule
from simulator.recorders import (
    EventSampling,
    Recorders,
    StateSampling,
    WeightSampling,
    sampling_times,
)
from simulator.sources import SpikeSource
from simulator.trial_rule import TrialRule

__all__ = ["Network", "Population", "Projection", "Values"]

Values = float | npt.ArrayLike | Distribution


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one kind; ``initial`` holds starting values of state variables."""

    name: str
    size: int
    model: NeuronModel | SpikeSource
    initial: Mapping[str, Values]

    @property
    def is_source(self) -> bool:
        return isinstance(self.model, SpikeSource)


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one population to another.

    ``weight`` is in the units of the port, ``delay`` (ms) is axonal: from the emission of a spike
    to the synapse.
    """

    name: str
    pre: Population
    post: Population
    connector: Connector
    weight: Values
    delay: Values
    port: int
    rule: PlasticityRule | None
    modulator: Population | None = None


class Network:
    """A network to be simulated.

    Parameters
    ----------
    seed : int
        Every random number of the network derives from it and from the name of the population or
        projection that draws it.
    left_alone : bool
        Whether linear neurons are left alone until they might fire, which is several times faster
        in sparse networks.  Their amplitudes round differently from a neuron that is advanced from
        arrival to arrival: both engines then agree within 1e-11 ms, and each with itself to the
        last bit.  With False all engines give the same bits.

    Examples
    --------
    >>> from encoders import SpikeTimes
    >>> from neurons import LIFExp
    >>> from simulator import Network, Simulation, all_to_all
    >>> net = Network(seed=1)
    >>> source = net.population("source", 2, SpikeTimes([1.0, 1.5], [0, 1]))
    >>> cells = net.population("cells", 3, LIFExp(v_th=1.0))
    >>> _ = net.projection(source, cells, all_to_all(), weight=4.0, delay=0.25)
    >>> net.record_spikes(cells)
    >>> simulation = Simulation(net)
    >>> simulation.run(20.0)
    >>> times, neurons = simulation.spikes("cells")
    >>> neurons.tolist()
    [0, 1, 2]
    """

    def __init__(self, seed: int = 0, left_alone: bool = True) -> None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise NetworkError(f"Network: seed = {seed!r}; an integer >= 0 is needed")
        self.seed = int(seed)
        self.left_alone = bool(left_alone)
        self.populations: dict[str, Population] = {}
        self.projections: dict[str, Projection] = {}
        self.recorders = Recorders()

    def as_it_is(self) -> Network:
        """The populations and projections of now: what is added later has no effect on it."""
        now = copy(self)
        now.populations, now.projections = dict(self.populations), dict(self.projections)
        return now

    def population(
        self,
        name: str,
        size: int,
        model: NeuronModel | SpikeSource,
        initial: Mapping[str, Values] | None = None,
    ) -> Population:
        """Add ``size`` neurons of one model, or a spike source of ``size`` channels.

        Raises
        ------
        NetworkError
            For a name that is taken or empty, a size below 1, something that is no model, or an
            initial value of a state variable that the model does not have.
        """
        if not isinstance(name, str) or not name or "/" in name:
            raise NetworkError(f"population {name!r}: a name is text, not empty and without '/'")
        if name in self.populations:
            raise NetworkError(f"population {name!r} exists already; names are unique")
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise NetworkError(
                f"population {name!r}: size = {size!r}; at least one neuron is needed"
            )
        if not isinstance(model, (NeuronModel, SpikeSource)):
            raise NetworkError(
                f"population {name!r}: {model!r} is neither a neuron model nor a spike source "
                "(a model is given as an instance, LIFExp() and not LIFExp)"
            )
        initial = dict(initial or {})
        if isinstance(model, SpikeSource):
            model.bind(name, int(size))
            known: tuple[str, ...] = ()
        else:
            known = tuple(model.state)
        for variable in initial:
            if variable not in known:
                valid = ", ".join(known) or "none (it is a spike source)"
                raise NetworkError(
                    f"population {name!r} has no state variable {variable!r}; it has {valid}"
                )
        made = Population(name, int(size), model, initial)
        self.populations[name] = made
        return made

    def projection(
        self,
        pre: Population | str,
        post: Population | str,
        connector: Connector,
        weight: Values = 1.0,
        delay: Values = 0.0,
        port: str | None = None,
        rule: PlasticityRule | None = None,
        name: str | None = None,
        modulator: Population | str | None = None,
    ) -> Projection:
        """Connect two populations.

        A rule that feels a neuromodulator needs its ``modulator``: a population of one neuron of
        the model ``Concentration``.  ``weight`` and ``delay`` (ms) are numbers, arrays with one
        value a synapse in the order of the connector (for all-to-all a matrix of shape (pre,
        post)), or distributions.

        Raises
        ------
        NetworkError
            For unknown populations, ports or connectors, a postsynaptic source, a taken name, a
            modulator that is missing, none, or not felt by the rule.
            Values are checked when the network is compiled, with the index of the first bad one.
        """
        a, b = self.find_population(pre), self.find_population(post)
        label = name or f"{a.name}->{b.name}"
        if label in self.projections:
            raise NetworkError(f"projection {label!r} exists already; give it a name of its own")
        if isinstance(b.model, SpikeSource):
            raise NetworkError(
                f"projection {label!r}: {b.name!r} is a spike source, it has no inputs"
            )
        if not isinstance(connector, Connector):
            raise NetworkError(
                f"projection {label!r}: {connector!r} is no connector; use all_to_all(), "
                "one_to_one(), fixed_probability(), fixed_in_degree(), fixed_out_degree(), "
                "fixed_total_number() or explicit()"
            )
        if rule is not None and not isinstance(rule, PlasticityRule):
            raise NetworkError(f"projection {label!r}: {rule!r} is no plasticity rule")
        if isinstance(rule, TrialRule):
            rule.check_neuron(b.model)
        ports = b.model.ports
        if port is not None and port not in ports:
            raise NetworkError(
                f"projection {label!r}: {type(b.model).__name__} has no port {port!r}; "
                f"it has {', '.join(ports)}"
            )
        felt = self._modulator(label, rule, modulator)
        if b.model.modulates and rule is not None:
            raise NetworkError(
                f"projection {label!r}: what arrives at the modulator {b.name!r} is not plastic"
            )
        made = Projection(
            label, a, b, connector, weight, delay, ports.index(port) if port else 0, rule, felt
        )
        self.projections[label] = made
        return made

    def _modulator(
        self, label: str, rule: PlasticityRule | None, modulator: Population | str | None
    ) -> Population | None:
        """The modulator that a projection feels, checked."""
        feels = rule is not None and rule.modulated
        if modulator is None:
            if feels:
                raise NetworkError(
                    f"projection {label!r}: {type(rule).__name__} feels a neuromodulator; give "
                    "modulator=, a population of one neuron of the model Concentration"
                )
            return None
        found = self.find_population(modulator)
        if not feels:
            raise NetworkError(
                f"projection {label!r}: its rule feels no neuromodulator; leave out modulator="
            )
        if isinstance(found.model, SpikeSource) or not found.model.modulates or found.size != 1:
            raise NetworkError(
                f"projection {label!r}: {found.name!r} is no modulator; it must be a population of "
                "one neuron of the model Concentration"
            )
        return found

    def record_spikes(self, *populations: Population | str) -> None:
        """Record the spikes of these populations."""
        for population in populations:
            self.recorders.spikes.add(self.find_population(population).name)

    def record_state(
        self, population: Population | str, variables: Iterable[str], times: Iterable[float]
    ) -> None:
        """Record state variables at ``times`` (ms), once a population; reading does not disturb
        the run."""
        target = self.find_population(population)
        if any(plan.population == target.name for plan in self.recorders.states):
            raise NetworkError(
                f"the state of population {target.name!r} is sampled already; "
                "give all variables and times in one call"
            )
        chosen = _variables(target, variables)
        self.recorders.states.append(
            StateSampling(target.name, chosen, sampling_times(target.name, times))
        )

    def record_events(
        self,
        population: Population | str,
        variables: Iterable[str],
        neurons: Iterable[int] | None = None,
    ) -> None:
        """Record state variables of some neurons, or of all, at each of their events.

        An event is a delivery to the neuron or a spike of it.  The values are those after all
        events of the instant.  Meant for a few neurons: a run stops at each of the events.
        """
        target = self.find_population(population)
        if any(plan.population == target.name for plan in self.recorders.events):
            raise NetworkError(
                f"events of population {target.name!r} are recorded already; "
                "give all variables and neurons in one call"
            )
        chosen = _variables(target, variables)
        which = tuple(range(target.size) if neurons is None else sorted(set(neurons)))
        for i in which:
            if not 0 <= i < target.size:
                raise NetworkError(
                    f"recorder of {target.name!r}: there is no neuron {i}; the population has "
                    f"neurons 0 to {target.size - 1}"
                )
        self.recorders.events.append(EventSampling(target.name, chosen, which))

    def record_weights(self, projection: Projection | str, times: Iterable[float]) -> None:
        """Record all weights of a projection at ``times`` (ms), once a projection."""
        label = self.find_projection(projection).name
        if any(plan.projection == label for plan in self.recorders.weights):
            raise NetworkError(
                f"the weights of projection {label!r} are sampled already; "
                "give all times in one call"
            )
        self.recorders.weights.append(WeightSampling(label, sampling_times(label, times)))

    def record_weight_changes(self, projection: Projection | str) -> None:
        """Record each change of a weight of a projection: time, synapse, new weight.

        Raises
        ------
        NetworkError
            When there is no such projection, or it has no rule that changes weights.
        """
        proj = self.find_projection(projection)
        if proj.rule is None or not proj.rule.changes_weights():
            raise NetworkError(
                f"projection {proj.name!r} has no rule that changes its weights; "
                "sample them with record_weights()"
            )
        if proj.name not in self.recorders.changes:
            self.recorders.changes.append(proj.name)

    def find_population(self, which: Population | str) -> Population:
        """The population itself or of that name; :class:`NetworkError` if there is none."""
        name = which.name if isinstance(which, Population) else which
        found = self.populations.get(name) if isinstance(name, str) else None
        if found is None or (isinstance(which, Population) and found is not which):
            known = ", ".join(map(repr, self.populations)) or "none"
            raise NetworkError(f"this network has no population {name!r}; it has {known}")
        return found

    def find_projection(self, which: Projection | str) -> Projection:
        """The projection itself or of that name; :class:`NetworkError` if there is none."""
        name = which.name if isinstance(which, Projection) else which
        found = self.projections.get(name) if isinstance(name, str) else None
        if found is None or (isinstance(which, Projection) and found is not which):
            known = ", ".join(map(repr, self.projections)) or "none"
            raise NetworkError(f"this network has no projection {name!r}; it has {known}")
        return found

    def population_number(self, which: Population | str) -> int:
        """Place of a population in the order of description; errors as :meth:`find_population`."""
        return list(self.populations).index(self.find_population(which).name)

    def projection_number(self, which: Projection | str) -> int:
        """Place of a projection in the order of description; errors as :meth:`find_projection`."""
        return list(self.projections).index(self.find_projection(which).name)

    def first_neuron(self, which: Population | str) -> int:
        """Number, over the whole network, of the first neuron of a population."""
        return sum(
            pop.size for pop in list(self.populations.values())[: self.population_number(which)]
        )


def _variables(target: Population, variables: Iterable[str]) -> tuple[str, ...]:
    """Names of state variables of a population, checked."""
    known = () if isinstance(target.model, SpikeSource) else tuple(target.model.state)
    chosen = tuple(variables)
    for variable in chosen:
        if variable not in known:
            valid = ", ".join(known) or "none (it is a spike source)"
            raise NetworkError(
                f"population {target.name!r} has no state variable {variable!r}; it has {valid}"
            )
    return chosen
