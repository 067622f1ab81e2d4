"""The IDX format of MNIST: two zero bytes, a type, a rank, big-endian dimensions, then the values.

Only unsigned bytes (type 0x08) are read; no data set here holds another type. The format is
described on the page of the MNIST database, yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

import gzip
import lzma
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simulator.errors import DataError

__all__ = ["encode_idx", "parse_idx", "read_idx"]

Bytes = npt.NDArray[np.uint8]
UNSIGNED_BYTE = 0x08
DECOMPRESS = {".gz": gzip.decompress, ".xz": lzma.decompress}


def read_idx(path: Path, rank: int) -> Bytes:
    """Read a compressed IDX file (`.gz` or `.xz`) of unsigned bytes.

    Parameters
    ----------
    path
        The file.
    rank
        How many dimensions it must have: 3 for images, 1 for labels.

    Raises
    ------
    DataError
        If the file cannot be read, its compression is damaged (header, checksum, early end), or it
        is not an IDX file of that rank with as many values as it announces.
    """
    try:
        compressed = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror}") from error
    try:
        content = DECOMPRESS[path.suffix](compressed)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"'{path}' is damaged: {str(error).rstrip('.')}; get the file again"
        ) from error
    return parse_idx(content, rank, f"'{path}'")


def parse_idx(content: bytes, rank: int, name: str) -> Bytes:
    """Turn the content of an IDX file into an array; see `read_idx`."""
    header = 4 + 4 * rank
    if len(content) < header:
        raise DataError(f"{name} is damaged: {len(content)} bytes are too few for an IDX header")
    magic = content[:4]
    expected = bytes([0, 0, UNSIGNED_BYTE, rank])
    if magic != expected:
        raise DataError(
            f"{name} is not an IDX file of unsigned bytes with {rank} dimensions: "
            f"it begins with 0x{magic.hex()}, not 0x{expected.hex()}"
        )
    shape = struct.unpack(f">{rank}I", content[4:header])
    present, announced = len(content) - header, prod(shape)
    if present != announced:
        size = " x ".join(str(n) for n in shape)
        raise DataError(
            f"{name} is damaged: its header announces {size} = {announced} values, "
            f"but {present} follow"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def encode_idx(values: Bytes) -> bytes:
    """The IDX file, uncompressed, of an array of unsigned bytes."""
    header = bytes([0, 0, UNSIGNED_BYTE, values.ndim]) + struct.pack(
        f">{values.ndim}I", *values.shape
    )
    return header + values.tobytes()
