"""The runs behind `docs/results/song2000.md`."""

from __future__ import annotations

from experiments.over_seeds import SeedsPage
from experiments.reproduce import Cell, Reproduction
from experiments.song2000 import LABELS, RULES

__all__ = ["REPRODUCTION"]

_HEAD = """# Two peaks, or one

<!-- Written by `make reproduce`; edit experiments/song2000_parts instead. -->

Song, Miller & Abbott (Nat. Neurosci. 3, 2000, figure 2): additive STDP makes the weights of a
neuron with Poisson input compete until most are near 0 or near the maximum; multiplicative STDP
(Rubin, Lee & Sompolinsky 2001) leaves all of them near one value. 1,000 plastic inputs, 3,000 s.
A distribution has one peak where its bimodality coefficient is well below 5/9, two where it is
well above."""

_PAGE = SeedsPage(
    "song2000",
    _HEAD,
    {f"{rule} STDP": f"{rule}_" for rule in RULES},
    LABELS,
    "weights",
    "Weights at the end, and their course",
)

REPRODUCTION = Reproduction(
    "song2000", [Cell("default", seed=seed) for seed in (1, 2, 3)], _PAGE.write
)
