"""Random numbers keyed by (seed, entity, counter), so that nothing depends on who drew first.

Every population, projection and source has a stream of its own, named after it; adding another
entity to a network does not change the numbers of the ones already there.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

__all__ = ["generator", "neuron_keys"]


def generator(seed: int, *entity: str | int, counter: int = 0) -> np.random.Generator:
    """The random stream of an entity.

    Parameters
    ----------
    seed
        Seed of the network.
    entity
        Names that identify the stream, e.g. ``("projection", "u->v", "weight")``.
    counter
        Block of the stream, e.g. the number of a chunk of a source; blocks do not overlap.
    """
    text = "\x1f".join(str(part) for part in (seed, *entity))
    key = int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "little")
    # The high words of Philox's 256-bit counter are ours: 2**128 numbers in each block.
    return np.random.Generator(np.random.Philox(key=key, counter=counter << 128))


def neuron_keys(seed: int, population: str, size: int) -> npt.NDArray[np.float64]:
    """A key for each neuron of a population, whole numbers below 2**52, shape (size,)."""
    rng = generator(seed, "population", population, "keys")
    return rng.integers(0, 1 << 52, size).astype(np.float64)
