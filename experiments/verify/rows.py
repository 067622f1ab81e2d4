"""A row of the table: one check, how large the difference was, and how large it may be."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COLUMNS", "FAILED", "NOT_RUN", "PASSED", "Row", "judged", "not_run"]

PASSED, FAILED, NOT_RUN = "pass", "FAIL", "not run"
COLUMNS = ("group", "check", "compared", "largest difference", "allowed", "verdict")


@dataclass(frozen=True)
class Row:
    """One line of the statement of accuracy.

    Attributes
    ----------
    group, check, compared : str
        What is checked, and what is compared with what, with the size of the sample.
    largest, allowed : float or None
        In ``unit``; None where nothing was measured.
    unit : str
        As "ms"; empty for counts.
    verdict : str
        "pass", "FAIL" or "not run".
    """

    group: str
    check: str
    compared: str
    largest: float | None
    allowed: float | None
    unit: str
    verdict: str

    def cells(self) -> tuple[str, ...]:
        """As text, in the order of ``COLUMNS``."""
        return (
            self.group,
            self.check,
            self.compared,
            self._number(self.largest),
            self._number(self.allowed),
            self.verdict,
        )

    def _number(self, x: float | None) -> str:
        if x is None:
            return ""
        number = f"{x:,.0f}" if x.is_integer() else f"{x:.1e}"
        return f"{number} {self.unit}".strip()


def judged(
    group: str, check: str, compared: str, largest: float, allowed: float, unit: str = ""
) -> Row:
    """A row that passes when ``largest`` is at most ``allowed``; NaN fails."""
    verdict = PASSED if largest <= allowed else FAILED
    return Row(group, check, compared, float(largest), float(allowed), unit, verdict)


def not_run(group: str, check: str, why: str) -> Row:
    """A row that says why nothing was measured, and what would help."""
    return Row(group, check, why, None, None, "", NOT_RUN)
