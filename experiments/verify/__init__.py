"""The statement of accuracy that a user can run: `spikemesh verify`, or :func:`verify`."""

from experiments.verify.rows import Row
from experiments.verify.suite import Report, verify

__all__ = ["Report", "Row", "verify"]
