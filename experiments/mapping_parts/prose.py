"""The words of `docs/results/mapping.md`."""

from __future__ import annotations

__all__ = [
    "EXCHANGE",
    "EXCHANGE_WHY",
    "HEAD",
    "HOPS",
    "KNOWN",
    "LAYERS",
    "LAYERS_WHY",
    "LOOPS",
    "NETWORKS",
    "PARTITIONS",
    "PICTURES",
    "PLACEMENTS",
    "RING",
]

HEAD = """# Placement, and the mapping limit

<!-- Written by `make reproduce`; edit experiments/mapping_parts instead. -->

How good are the partitions and placements that this program finds, against what no placement can
beat, against problems whose best solution is known, and against Wang et al., *Approaching the
mapping limit with closed-loop mapping strategy for deploying neural networks on neuromorphic
hardware*, Front. Neurosci. 2023 (below: the source)?"""

NETWORKS = """## Networks

Networks of this project with the spikes of a run; and `sheet`, of 100,000 neurons and ten million
synapses, which is drawn and not simulated: nine of ten synapses of a neuron end near it, and rates
are log-normal, 5 Hz on average. A core has the capacities of Loihi's (1,024 neurons,
4,096 axons, 131,072 synapses), but 16,384 axons for `sheet` and Brunel's network, and 262,144
synapses for the latter. Neurons are spread over the whole mesh. *Mapped in one go* is partition
(`multilevel`), packets and placement (`auto`), from the network in memory to the last move; by the
clock it takes longer where other programs run beside. All other times are CPU time of one core; all
are without compiling."""

PARTITIONS = """### Partition

Packets that leave their core: a spike is one packet to each other core it has a target on. Fewer
is better. The partition with the fewest is the one that is placed."""

PLACEMENTS = """### Placement

For each placement its cost in packets x hops, and how far that is above two bounds: *one hop* per
packet, the source's mapping limit; and the *degree bound* of Gilmore and Lawler, which counts that
a core has four neighbours at one hop, eight at two, and fewer at the border. No placement is below
the bound, but the best may well be above it, most of all where many cores send to the same few
(`wtcrl`, `dastdp`): the bound lets each sender by itself be next to them. The heaviest link is
under XY routing, in packets. Methods that draw random numbers: means over the seeds."""

PICTURES = """Tiles are coloured by the populations on them, links by the packets that pass; to the
right of each direction of travel."""

KNOWN = """## Problems whose best placement is known

Instances of QAPLIB ask for packets x hops on a grid; for all of them but sko the best known cost is
proven to be the least. The planted problems are grids and tori with one packet between neighbours
and shuffled labels, so that the least cost is one hop per packet. Each method from several seeds:
how often it ends at the best known cost, how far above it on average, and its mean CPU time."""

LAYERS = """## Layers cut for many cores

The layers and cuts of the source's tables 1 to 3. (J, I, m, n) are the parts of width, height,
input and output channels. S(m) is a synchronous partition whose input channels are cut in m;
A(#nodes) is asynchronous: rings of that many cores pass the inputs round, so that each core holds
less and no partial sums are sent. Per core and in elements: inputs, weights, and what is stored
beside them, by the mended formulas; *printed* is the sum of the source's equations 12 to 15 as they
stand. *Redundancy* is storage beyond one copy of all inputs and weights."""

LAYERS_WHY = """- The source states no layer shapes; its 98 KB are the input of layer 15,
  28 x 28 x 128 bytes, which fixes the numbering used here.
- The row *limit* of tables 2 and 3 is one of time, without anything that moves or is added up: it
  holds every input n times and every weight J times.
- Printed and mended overheads differ because the source exchanges I and J in the halos against its
  own definition, and divides partial sums by m where the outputs of a core are cut by n.
- Its claim of no overhead at all holds for a single ring in input form. The rings of tables 2 and 3
  are cut by width before, so with a 3 x 3 kernel they have a halo, and a single ring in weight form
  has one, too. The buffer for the block that arrives while the last one is in use is not counted
  there either. Both are in the table.
- Counted on explicit slices, halos are a little less than the formula's, as slices at the border
  have a neighbour on one side only. That the slices give the layer is tested: computed block by
  block and phase by phase, real convolutions agree with the whole layer to 1e-12."""

LOOPS = """## Loops

Every grid of at least three cores up to {largest} x {largest}, checked step by step:
`hamiltonian_loop` passes every core once, and every step is one hop wherever there is such a cycle.
The source's printed algorithm is not used: taken literally it gives a cycle on no grid."""

HOPS = """All-to-all exchange of one block per core, in blocks x hops, counted transfer by transfer,
and the source's equations 30 to 32. The printed values of 31 and 32 are not what counting gives;
its ring (30) is right in the closed form."""

EXCHANGE = """## The source's comparison

All-to-all exchange among 4, 8, 16 and 32 cores of the source's chip, {kb} KB in all. The loop sends
blocks round the ring, N - 1 phases of one hop; every other placement sends each block straight to
its target, as the methods that the source compares do, and is free to use all 160 cores of the
chip, taken as 16 x 10: annealing for packets x hops and for the heaviest link, {draws} random
placements, and the first N cores in row order (*sequential*). Time is counted, with {flit} bytes a
flit, one flit per cycle and link, and {router} cycles a router: for each phase the most blocks over
a link, or into or out of a core, one after the other, and the longest route. In brackets: how much
less the loop needs; the source measured {source}."""

EXCHANGE_WHY = """The differences are smaller than those measured on the chip, whose routers, packet
sizes and launching delays are not published, and whose searches may have been shorter. Annealing
for the heaviest link, which the source does not try, comes close to the loop without any schedule;
it needs many more hops, though, and so more energy."""

RING = """The schedule of the ring can be placed otherwise, too. On exactly N cores, without a chip
around them: annealing finds the loop, or nearly; in row order no link is used twice, but some steps
are long; at random, links are shared and phases take several blocks. Slots are phases x blocks over
the busiest link."""
