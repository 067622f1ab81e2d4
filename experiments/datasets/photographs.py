"""Natural photographs: those that lie inside the scikit-image package; nothing is downloaded.

scikit-image is an optional extra. Its README in `skimage/data` names the authors and licences.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simulator.errors import DataError

__all__ = ["PHOTOGRAPHS", "load_natural_images"]

# Name of the photograph -> file in the package. Not here: drawings, printed text, microscope and
# telescope pictures, and the second picture of a stereo pair.
PHOTOGRAPHS = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "motorcycle": "motorcycle_left.png",
    "rocket": "rocket.jpg",
}


def load_natural_images() -> dict[str, npt.NDArray[np.float64]]:
    """The photographs by name, in grey.

    Returns
    -------
    dict of ndarray of float64, shape (height, width)
        Luminance from 0 (black) to 1 (white), by the weights of ITU-R BT.709.

    Raises
    ------
    DataError
        If scikit-image is not installed, or lacks a photograph.
    """
    if find_spec("skimage") is None:
        raise DataError(
            "natural photographs come with scikit-image, which is not installed; "
            "install the extra: pip install 'spikemesh[images]'"
        )
    import skimage.data
    from skimage.color import rgb2gray
    from skimage.io import imread

    folder = Path(skimage.data.__file__).parent
    images: dict[str, npt.NDArray[np.float64]] = {}
    for name, file in PHOTOGRAPHS.items():
        path = folder / file
        if not path.is_file():
            raise DataError(f"photograph '{path}' is missing; install scikit-image again")
        try:
            image = imread(path)
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"photograph '{path}' is damaged: {error}") from error
        # All of them have 8 bits a channel; rgb2gray scales by that itself.
        images[name] = rgb2gray(image) if image.ndim == 3 else image / 255.0
    return images
