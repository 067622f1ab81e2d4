"""Standard normal numbers by key and counter: no state, the same bits in both engines.

Threefry-2x32 with 20 rounds makes 64 random bits of a key and a count; the Box-Muller transform
makes a normal number of them.  Written on integers below 2**63, it gives the same as plain Python
and compiled.

Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3 (SC '11), section 4.2.
"""

from __future__ import annotations

from math import cos, log, pi, sqrt

from simulator.inner import register_jitable

__all__ = ["normal", "threefry"]

_WORD = 0xFFFFFFFF
_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = 0x1BD11BDA


@register_jitable
def threefry(key_0: int, key_1: int, count_0: int, count_1: int) -> tuple[int, int]:
    """Two random 32-bit words from a key and a count of two words each."""
    keys = (key_0, key_1, _PARITY ^ key_0 ^ key_1)
    a, b = (count_0 + key_0) & _WORD, (count_1 + key_1) & _WORD
    for group in range(5):
        for r in range(4):
            turn = _ROTATIONS[4 * (group % 2) + r]
            a = (a + b) & _WORD
            b = (((b << turn) & _WORD) | (b >> (32 - turn))) ^ a
        a = (a + keys[(group + 1) % 3]) & _WORD
        b = (b + keys[(group + 2) % 3] + group + 1) & _WORD
    return a, b


@register_jitable
def normal(key: float, count: float) -> float:
    """The normal number of a key and a count, whole numbers from 0 to 2**52 held as floats.

    Its tails end at 6.8, where a normal number lies once in 10**11.
    """
    k, c = int(key), int(count)
    a, b = threefry(k & _WORD, k >> 32, c & _WORD, c >> 32)
    radius = sqrt(-2.0 * log((a + 0.5) / 4294967296.0))
    return radius * cos(2.0 * pi * ((b + 0.5) / 4294967296.0))
