"""Convolution layers: their sizes, the layers of ResNet-50, and the layer itself, computed plainly.

A fully connected layer is a 1 x 1 kernel on a 1 x 1 map, so a matrix product is a layer, too.
"""

from __future__ import annotations

import csv
import operator
from dataclasses import dataclass, fields
from importlib.resources import files

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.errors import MappingError

__all__ = ["ConvLayer", "convolve", "resnet50"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ConvLayer:
    """Sizes of a convolution layer (or of a matrix product).

    Parameters
    ----------
    height, width : int
        Of the input map, without padding.
    in_channels, out_channels : int
    kernel_height, kernel_width : int
    stride, padding : int
        The same in both directions; the padding is on all four sides and holds zeros.
    name : str

    Raises
    ------
    MappingError
        A size that is not an integer in its range, or a kernel larger than the padded map.

    Examples
    --------
    >>> layer = ConvLayer(28, 28, 128, 128, 3, 3, padding=1)
    >>> layer.out_height, layer.input_elements, layer.weight_elements
    (28, 100352, 147456)
    """

    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel_height: int = 1
    kernel_width: int = 1
    stride: int = 1
    padding: int = 0
    name: str = "layer"

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name == "name":
                continue
            value, least = getattr(self, field.name), int(field.name != "padding")
            try:
                number = -1 if isinstance(value, bool) else operator.index(value)
            except TypeError:
                number = -1
            if number < least:
                raise MappingError(
                    f"{self.name}: {field.name} = {value!r}; it must be an integer >= {least}"
                )
        for kernel, size in ((self.kernel_height, self.height), (self.kernel_width, self.width)):
            if kernel > size + 2 * self.padding:
                raise MappingError(
                    f"{self.name}: a kernel of {kernel} does not fit an input of {size} with "
                    f"padding {self.padding}"
                )

    @property
    def out_height(self) -> int:
        return (self.height + 2 * self.padding - self.kernel_height) // self.stride + 1

    @property
    def out_width(self) -> int:
        return (self.width + 2 * self.padding - self.kernel_width) // self.stride + 1

    @property
    def input_elements(self) -> int:
        """IA: input activations."""
        return self.height * self.width * self.in_channels

    @property
    def weight_elements(self) -> int:
        """W: weights."""
        return self.kernel_height * self.kernel_width * self.in_channels * self.out_channels

    @property
    def output_elements(self) -> int:
        """OA: output activations."""
        return self.out_height * self.out_width * self.out_channels

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations, those with padding included."""
        per_output = self.kernel_height * self.kernel_width * self.in_channels
        return self.output_elements * per_output


def convolve(layer: ConvLayer, inputs: ArrayLike, weights: ArrayLike) -> FloatArray:
    """Output of a layer in one piece.

    Parameters
    ----------
    layer : ConvLayer
    inputs : array, shape (height, width, in_channels)
    weights : array, shape (kernel_height, kernel_width, in_channels, out_channels)

    Returns
    -------
    float64 array, shape (out_height, out_width, out_channels)

    Raises
    ------
    MappingError
        Shapes that are not those of the layer.
    """
    x, w = np.asarray(inputs, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    for what, array, shape in (
        ("inputs", x, (layer.height, layer.width, layer.in_channels)),
        (
            "weights",
            w,
            (layer.kernel_height, layer.kernel_width, layer.in_channels, layer.out_channels),
        ),
    ):
        if array.shape != shape:
            raise MappingError(f"{layer.name}: {what} have shape {array.shape}; expected {shape}")
    p, s = layer.padding, layer.stride
    padded = np.pad(x, ((p, p), (p, p), (0, 0)))
    kernel = (layer.kernel_height, layer.kernel_width)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(0, 1))[::s, ::s]
    return np.asarray(np.einsum("yxchw,hwco->yxo", windows, w, optimize=True))


def resnet50() -> dict[str, ConvLayer]:
    """Layers of ResNet-50 by number, "1" to "50" along the main path, and shortcuts by name.

    The layers that the mapping-limit paper uses are "5", "6" (tables 1), "15" and "16" (tables 2
    and 3): 28 parts divide the 56 x 56 map of the first two, 15 has a 3 x 3 and 16 a 1 x 1 kernel,
    and the 98 KB of layer 15 are its input, 28 x 28 x 128 bytes.
    """
    layers = {}
    text = files("mapping").joinpath("data/resnet50.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines):
        size = {key: int(row[key]) for key in ("height", "width", "in_channels", "out_channels")}
        layer = ConvLayer(
            **size,
            kernel_height=int(row["kernel"]),
            kernel_width=int(row["kernel"]),
            stride=int(row["stride"]),
            padding=int(row["padding"]),
            name=row["name"],
        )
        layers[row["number"] if row["number"] != "0" else row["name"]] = layer
    return layers
