"""Pictures of a mapping and of what-if studies.

Colours: populations from the Okabe-Ito palette, loads on a perceptually even map (both safe for
colour blindness). matplotlib is loaded when a picture is drawn, and nothing is registered with
pyplot.
"""

from __future__ import annotations

from mapping.draw.convergence import draw_convergence
from mapping.draw.link_load import draw_link_load
from mapping.draw.placement import draw_placement
from mapping.draw.what_if import draw_what_if

__all__ = ["draw_convergence", "draw_link_load", "draw_placement", "draw_what_if"]
