"""The flat arrays that the compiled engine runs on: what a network is, and what it is doing.

Neurons carry a global number, by population, then index.  All populations of one model share one
block of state of shape (variables, neurons), so that a kernel is specialised to the models and
rules of a network and not to the number of its populations.  Synapses of a projection are numbered
from ``w_at``: an all-to-all projection is a matrix in row order, a sparse one has its rows sorted
by delay, then target.  All times are in ms.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "AHEAD",
    "ARRIVAL",
    "BUCKET",
    "CHANGE",
    "CROSSES",
    "DENSE",
    "ENGINE",
    "EVENT",
    "EXAMINED",
    "FLIGHT",
    "FLYING",
    "INPUT",
    "NEURON",
    "PAST",
    "POP",
    "POP_STATE",
    "PROJ",
    "PROJ_STATE",
    "QUEUE",
    "RING",
    "ROW",
    "SLOT",
    "SPARSE",
    "SPIKED",
    "UNIFORM",
    "WAKES",
    "EngineState",
    "Groups",
    "NetworkArrays",
    "Workspace",
    "records",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Records = Any  # an array of records whose fields read as attributes

# What the prediction of a neuron is of, NEURON.wakes; those of one time come in falling order.
CROSSES = 0  # a crossing
WAKES = 1  # the end of a refractory period, or a time before which there is no crossing
EXAMINED = 2  # an arrival of a private input that may bring a crossing about

UNIFORM = 0  # all-to-all with one weight and one delay
DENSE = 1  # all-to-all with a weight matrix and one delay
SPARSE = 2  # rows of synapses


def _dtype(floats: str = "", ints: str = "", flags: str = "", short: str = "") -> np.dtype[np.void]:
    fields: list[tuple[str, type]] = [(name, np.float64) for name in floats.split()]
    fields += [(name, np.int64) for name in ints.split()]
    fields += [(name, np.int32) for name in short.split()]
    fields += [(name, np.uint8) for name in flags.split()]
    return np.dtype(fields, align=True)


# -- the description ------------------------------------------------------------------------

# A population: lo, hi global neurons; group model, -1 for a source; at first neuron in the group's
# state block; row of its parameters; out_ and learn_ ranges of ``out_proj`` and ``learn_proj``;
# together: every input reaches the whole population at one instant; granted: it gets allowances,
# as a whole; lazy: linear neurons left alone
# until they might fire, with the length of a frame and of a bucket of deadlines; input: its private
# input, -1 without; recorded: spikes
# are kept; watched: the loop ends after an instant at which it spikes.
POP = _dtype(
    "frame_length bucket",
    "lo hi group at row out_lo out_hi learn_lo learn_hi input",
    "together granted lazy recorded watched",
)

# A projection: pre, post populations; delay, nan where synapses differ; rule group, -1 without;
# stride: pieces that a row is cut into, one a worker; *_at first entry of its own in weight,
# row_ptr, syn_post, syn_delay (or short_delay, if short), in_ptr, the numbers of incoming synapses
# (in 32 bits, if in_short, with place_bits for the place in a row; rows as a whole begin at
# in_rows_at of row_ptr, a worker's at row_at) and the traces; n_slots presynaptic neurons, whose
# traces are kept in frames of length ``frame``; var_at: variables of its n_synapses in
# ``synaptic``; list_at in ``active``; modulator: the population of the modulator that its rule
# feels, -1 without, whose level decays with level_tau; same: one weight for all synapses;
# transmits: the rule has a transmit function; plastic: it changes weights; learns: it does so now;
# drifts: also between spikes; waits: synapses learn from a postsynaptic spike when the next
# presynaptic one arrives (simulator.waiting), with slots in ``past`` from past_at on, ``room`` for
# so many spikes a target in ``spiked`` from spiked_at on, counted from waiting_at on, and delays up
# to ``longest``, which is that of all synapses where it is steady; logged: each of its changes is
# recorded; probed: events of a target are; spread: the pieces of its rows are cores, and a spike is
# sent at once to the piece on the core of its neuron only.
PROJ = _dtype(
    "delay frame level_tau longest",
    "kind pre post port rule rule_row w_at row_at stride post_at delay_at in_at in_syn_at "
    "in_rows_at place_bits "
    "n_slots trace_x_at trace_y_at list_at var_at n_synapses modulator "
    "past_at spiked_at waiting_at room",
    "no_self same short in_short transmits plastic learns drifts waits steady logged probed spread",
)

# A private input of a lazy population, drawn by its neurons for themselves: length of a cell; at
# first row of ``ahead``; index of the first neuron within the source; places of its pieces.
INPUT = _dtype("weight delay cell_ms", "key port at first pieces_at n_pieces rates_at columns")

# -- what changes ---------------------------------------------------------------------------

# The engine: time reached, end of the open piece of the sources, counters; budget: how much of its
# work one call of the loop may do; halt: somebody waits for the end of this instant; crowded: a
# slot of ``past`` has no room for another spike.
ENGINE = _dtype(
    "now input_end t_used",
    "src_pos src_end n_out n_due n_touched n_used rounds culprit deliveries budget "
    "halt n_reached n_dirty n_changes crowded",
)

# A neuron: t_last, time for which its state holds; ref_until, end of its refractory period; due,
# what is predicted (wakes: of which kind), and its place in the indexed heap; pop; odd:
# has a clock of its own within a population advanced together.  The other fields are entries of
# lists as long as the neurons: ``tree`` the heap, odd_id, found_id and found_t lists of a
# population from its lo on, touched and fired lists of the round.
NEURON = _dtype(
    "t_last ref_until due found_t",
    "pop place tree odd_id found_id touched fired",
    "odd wakes stamped",
)

# A population advanced together: clock of all but the odd ones; no crossing before ``checked`` but
# for ``cross``; lengths of its lists; skip: the neuron that a recurrent round passes over; what is
# left of its allowance up to a deadline, when it was granted, what was used since and how fast it
# is, which horizon is tried next and how many searches later.  A lazy one: the time its amplitudes
# hold for, and the earliest bucket in use.
POP_STATE = _dtype(
    "clock checked cross left deadline granted_at used rate frame",
    "n_odd n_found skip level wait next_bucket",
)

# A projection: its ring of spikes in flight; how many targets are on the list of those whose traces
# may count, -1 if it is to be made; the time of the last postsynaptic spike it learned from; the
# time that its traces hold for; the level of its modulator at a time.
PROJ_STATE = _dtype("last_post frame level level_t", "ring_head ring_n n_active")

# What a neuron has drawn of its private input: arrivals not yet added, up to ``known``; next cell;
# between which arrivals are dropped, because they were in flight when all that was in flight was.
AHEAD = _dtype("known quiet_from quiet_to", "n cell")

RING = _dtype("t s", "i")  # arrival, emission, presynaptic neuron
FLYING = _dtype("s", short="q i")  # a spike in flight as it is saved: emission, projection, neuron

# The queue of spikes along rows whose synapses differ in delay (simulator.flight_queue): buckets in
# a ms; longest delay; number of the open bucket; entries in buckets and in the heap of the late;
# arrivals to be sorted; those of the open bucket, and the next of them; first free chunk; buckets
# opened and arrivals since the last look at them; entries that one round may add.
QUEUE = _dtype(
    "per_ms longest", "current n_bucketed n_late n_raw n_open open_at free opened moved most"
)
BUCKET = _dtype(short="head n")  # its first chunk, -1 without, and how many entries that has
FLIGHT = _dtype("s", short="row k")  # emission, row of ``row_ptr``, next synapse of the row
ARRIVAL = _dtype("t s", short="q row k n")  # time of n synapses of a row from k on; projection

# Where synapses wait (simulator.waiting): a presynaptic spike with its emission and the round of
# the instant, whether its traces are known, and for which arrivals it counts: after ``since``, up
# to ``until``; how many a slot has, and how many of them, the first ones, do not count for all
# synapses; a postsynaptic spike with the round of its instant.
PAST = _dtype("t since until", short="in_round known")
SLOT = _dtype("", "n odd")
SPIKED = _dtype("t", "in_round")

CHANGE = _dtype("t w", "s")  # a weight: time of its change, new value, place in ``weight``
EVENT = _dtype("t", "i")  # a spike: time, global neuron
# A row that arrives: emission, projection, presynaptic neuron, synapses, row of ``row_ptr`` (the
# first and the last only where synapses differ in delay); where they wait, slot and number of the
# spike in ``past``.
ROW = _dtype("s", "q i lo hi row slot spike")


def records(shape: int | tuple[int, ...], dtype: np.dtype[np.void]) -> Records:
    """Zeroed records whose fields read as attributes, inside and outside compiled code."""
    return np.zeros(shape, dtype).view(np.recarray)


class NetworkArrays(NamedTuple):
    """The description, compiled.  Only ``weight`` and ``synaptic`` change during a run."""

    pops: Records  # (n_pop,) POP
    projs: Records  # (n_proj,) PROJ
    out_proj: Ints  # projections that leave a population, by population
    home: Ints  # (n_neurons,) core, -1 outside the machine; empty where nothing is spread
    learn_proj: Ints  # learning projections that enter a population, by population
    weight: Floats  # (n_synapses,)
    synaptic: Floats  # variables of plastic synapses beside their weights
    row_ptr: Ints  # synapse numbers within a projection; piece w of row i at i * stride + w
    syn_post: npt.NDArray[np.int32]  # target within its population
    syn_delay: Floats  # ms, of projections whose delays need double precision
    short_delay: npt.NDArray[np.float32]  # ms, of the others
    in_ptr: Ints  # incoming synapses of a target, by presynaptic neuron
    in_short: npt.NDArray[np.uint32]  # see simulator.incoming
    in_long: Ints
    inputs: Records  # (n_inputs,) INPUT
    input_starts: Floats  # ms, of the pieces of all inputs
    input_rates: Floats  # 1/ms, by input, piece, column


class EngineState(NamedTuple):
    """Everything that changes as time goes on, beside the weights and the state blocks."""

    engine: Records  # (1,) ENGINE
    neurons: Records  # (n_neurons,) NEURON
    pops: Records  # (n_pop,) POP_STATE
    projs: Records  # (n_proj,) PROJ_STATE
    rings: Records  # (n_proj, capacity) RING
    queue: Records  # (1,) QUEUE
    buckets: Records  # (a power of two,) BUCKET
    flights: Records  # (chunks * entries of a chunk,) FLIGHT
    next_chunk: npt.NDArray[np.int32]  # (chunks,) of a bucket, or of those that are free
    arrivals: Records  # (2, capacity) ARRIVAL, of the open bucket: sorted, as found
    slots: npt.NDArray[np.int32]  # counts of arrivals
    late: Records  # (capacity,) ARRIVAL, a heap of rows that reach a synapse in the open bucket
    flying: Records  # (n,) FLYING, of a state that no loop runs on
    source: Records  # (n,) EVENT, the open piece of the sources
    output: Records  # (capacity,) EVENT, spikes not yet handed to the recorder
    left: Floats  # (n_neurons,) what is left of a lazy neuron's allowance
    granted: Floats  # (n_neurons,) of it at first; what was used of it when its deadline comes
    granted_at: Floats  # (n_neurons,) ms
    use: Floats  # (n_neurons,) how fast allowances are used up, weight per ms
    used_up: Ints  # (n_neurons,) lazy neurons to be examined
    deadline: Ints  # (n_neurons,) number of the bucket in which a lazy neuron is due, or a code
    due_in: Ints  # (n_pop, n_buckets) how many are due
    ahead: Records  # (n_driven,) AHEAD, of neurons with a private input
    ahead_t: Floats  # (n_driven, most) their arrivals, ms
    x_value: Floats  # traces, see simulator.traces
    y_value: Floats
    past: Records  # (n_slots, capacity) PAST, spikes of the rows of synapses that wait
    past_x: Floats  # (most traces of a rule, n_slots * capacity) traces right after each
    slots_past: Records  # (n_slots,) SLOT
    spiked: Records  # (room,) SPIKED, postsynaptic spikes that synapses wait to learn from
    spiked_y: Floats  # (most traces of a rule, room) traces right before each
    waiting: Ints  # (n_targets,) how many
    probes: npt.NDArray[np.uint8]  # (n_neurons,) 1: its events are recorded, 2: there was one
    reached: Ints  # (n_neurons,) those with one, n_reached of them
    # Of the weights if any change is recorded, else empty: value seen last, whether it is on the
    # list of those that this instant may have changed, the list; and what goes to the recorder.
    seen: Floats
    marked: npt.NDArray[np.uint8]
    dirty: Ints
    changes: Records  # CHANGE


class Workspace(NamedTuple):
    """Scratch space of a round."""

    rows: Records  # ROW, all that arrive
    sent: Floats  # (longest row,) weights as a rule transmits them
    scratch: Floats  # (variables, neurons) states of the odd ones
    decay: Floats  # (variables,) of the modes of a lazy population
    rates: Floats  # (variables,) 1 / ms, at which they decay
    natural: Floats  # (variables, 1) state of a lazy neuron
    found: Ints  # (n_neurons,) lazy neurons whose prediction changes
    found_t: Floats  # (n_neurons,) to what, ms
    active: Ints  # targets of a projection whose traces may count, at list_at


class Groups(NamedTuple):
    """One array a model or rule: state blocks and parameter rows."""

    states: tuple[Floats, ...]  # (variables, neurons)
    parameters: tuple[Floats, ...]  # (populations, parameters)
    horizons: tuple[Floats, ...]  # (populations, horizons, factors) of linear models
    rules: tuple[Floats, ...]  # (projections, parameters)
