"""`spikemesh verify`: every group passes as it stands, and every row fails when its subject is
broken; the oracles themselves against quadrature and closed forms."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import neurons
import plasticity
from experiments.cli import app
from experiments.verify import Row, suite, verify
from experiments.verify.arithmetic import Digits, Floats
from experiments.verify.decide import decide, pieces_of
from experiments.verify.draws import draw
from experiments.verify.equations import find_equations, slope, value
from experiments.verify.exact import exact
from experiments.verify.peer import nest_rows, nest_version
from experiments.verify.rows import FAILED, NOT_RUN, PASSED, judged, not_run
from experiments.verify.taylor import TaylorPieces
from simulator import DataError
from tests.uncompiled import uncompiled_python

DIGITS = Digits()


@pytest.fixture(scope="module")
def cases() -> dict[str, list[dict[str, Any]]]:
    """The small runs of verify_cases.py, with the compiler off."""
    output = uncompiled_python("-W", "error", "-m", "tests.experiments.verify_cases")
    lines = [json.loads(line) for line in output.splitlines()]
    found = {line["case"]: line["rows"] for line in lines if "case" in line}
    found["apart"] = [line for line in lines if "apart" in line]
    return found


def verdicts(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["check"]: row["verdict"] for row in rows}


def test_every_group_passes_and_says_how_much_it_looked_at(cases: dict[str, Any]) -> None:
    rows = cases["sound"]
    assert FAILED not in {row["verdict"] for row in rows}
    groups = [row["group"] for row in rows]
    order = ["closed forms", "brute force", "plasticity", "invariances", "NEST"]
    assert list(dict.fromkeys(groups)) == order
    passed = [row for row in rows if row["verdict"] == PASSED]
    assert len(passed) >= 50
    assert all(row["largest"] <= row["allowed"] for row in passed)
    assert all(any(c.isdigit() for c in row["compared"]) for row in passed)


def test_every_model_and_rule_has_a_row(cases: dict[str, Any]) -> None:
    checks = " ".join(row["check"] for row in cases["sound"])
    exported = [(package, name) for package in (neurons, plasticity) for name in package.__all__]
    for package, name in exported:
        assert name in checks or not isinstance(getattr(package, name), type)


@pytest.mark.parametrize(
    ("case", "check"),
    [
        ("skips grazes", "SkipsGrazes: missed or invented at grazes"),
        ("fires at near misses", "FiresAtNearMisses: missed or invented at grazes"),
        ("too tight a bound", "TooTightBound: missed or invented"),
        ("wrong decay", "WrongDecay: potential"),
        ("wrong decay, one potential", "WrongDecay: one synaptic potential"),
        ("late spikes", "LateSpikes: spike times"),
        ("loose integration", "LooseIntegration: potential, default tolerance"),
        ("wrong gamma", "WrongGamma: potential"),
        ("wrong rule", "TracesForget: weights"),
        ("stops", "in pieces"),
        ("stops", "save and restore"),
        ("engines", "readable engine"),
        ("engines", "readable engine: times"),
    ],
)
def test_what_is_broken_fails(cases: dict[str, Any], case: str, check: str) -> None:
    assert verdicts(cases[case])[check] == FAILED


def test_spikes_are_paired_by_neuron(cases: dict[str, Any]) -> None:
    """The same spikes in another order; shifted; one missing; of other neurons."""
    same, shifted, fewer, others = (line["apart"] for line in cases["apart"])
    assert same == 0.0
    assert shifted == pytest.approx(1e-6)
    assert fewer == others == math.inf


# -- the oracles ------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    times=st.floats(1e-3, 15.0),
    tau=st.floats(0.3, 30.0),
    apart=st.sampled_from([0.0, 1e-15, 1e-9, 1e-4, 0.3, 5.0]),
)
def test_both_arithmetics_are_the_integrals_they_say(
    times: float, tau: float, apart: float
) -> None:
    t, r, s = times * tau, 1.0 / tau, 1.0 / (tau * (1.0 + apart))
    wide = Floats(np.longdouble)
    mp = mpmath.MPContext()
    mp.dps = 25
    for a, b in ((r, s), (s, r)):
        x, y, z = (mp.mpf(q) for q in (t, a, b))
        for power, name in ((0, "response"), (1, "alpha")):
            integral = mp.quad(
                lambda u, n=power, x=x, y=y, z=z: mp.exp(y * (u - x) - z * u) * u**n,
                mp.linspace(0, x, 4),
            )
            digits = getattr(DIGITS, name)(*(DIGITS.number(q) for q in (t, a, b)))
            floats = getattr(wide, name)(*(np.array([q], np.longdouble) for q in (t, a, b)))
            assert abs(mp.mpf(digits) / integral - 1) < 1e-20
            assert abs(float(floats[0] / np.longdouble(mp.nstr(digits, 25))) - 1.0) < 1e-14


@pytest.mark.parametrize("name", ["LIFDelta", "LIFExp", "LIFAlpha", "SRM"])
def test_slope_and_curvature_belong_to_the_value(name: str) -> None:
    """Slopes against differences; the bound of the curvature against second differences."""
    s = draw(getattr(neurons, name), 400, 5)
    equations = find_equations(s.model)
    assert equations is not None
    wide = Floats(np.longdouble)
    terms = equations(s.p, s.n, wide)
    pieces = pieces_of(s)
    t, h = s.length * s.rng.random(s.size), 1e-4 * s.length
    before, here, after = (value(terms, wide.number(x), wide) for x in (t, t + h, t + 2 * h))
    change = (after - before) / (2 * h)
    bend = pieces.curvature(np.arange(s.size), t, t + 2 * h)
    error = np.abs(change - slope(terms, wide.number(t + h), wide))
    assert np.all(error <= h * bend + 1e-9 * pieces.scale / h * 1e-6)
    second = np.abs(after - 2 * here + before) / h**2
    assert np.all(second <= bend * (1.0 + 1e-6) + 1e-12 * pieces.scale / h**2)


def test_taylor_series_agree_with_the_incomplete_gamma_function() -> None:
    s = draw(neurons.LIFCond, 20, 6)
    s.p["v_th"] = np.full(20, 1000.0)
    pieces = TaylorPieces(s)
    for j in range(20):
        true, _ = exact(s, j, DIGITS)(DIGITS.number(s.length[j]))
        theta = pieces.state["theta"][j]
        assert abs(float(pieces.state["v"][j] - theta - 1000.0) - float(true)) < 1e-12


def test_a_scan_sees_no_crossing_before_the_one_decided() -> None:
    s = draw(neurons.LIFAlpha, 300, 7)
    decision = decide(s, None)
    assert not decision.open.any()
    assert 30 < decision.fires.sum() < 200
    pieces = pieces_of(s)
    k = np.arange(s.size)
    end = np.where(decision.fires, decision.time, s.length).astype(np.float64)
    for share in np.linspace(0.0, 1.0, 200, endpoint=False):
        assert np.all(pieces.value(k, end * share) < 0.0)
    at = pieces.value(k, end)
    assert np.all(np.abs(at[decision.fires]) < 1e-12 * pieces.scale[decision.fires])


def test_a_model_that_nobody_wrote_twice_is_named() -> None:
    class Unknown(neurons.LIFExp):
        pass

    class Other(suite.NeuronModel):
        Parameters = neurons.LIFExp.Parameters
        state = {"v": 0.0}  # noqa: RUF012

    assert find_equations(Unknown) is find_equations(neurons.LIFExp)
    (row,) = suite.model_rows(Other, suite.QUICK, suite.QuietReporter())
    assert row.verdict == NOT_RUN
    assert row.check == "Other"


# -- the table, the page, the command ---------------------------------------------------------


def test_a_row_passes_up_to_what_is_allowed() -> None:
    assert judged("g", "c", "x", 1.0, 1.0).verdict == PASSED
    assert judged("g", "c", "x", 1.1, 1.0).verdict == FAILED
    assert judged("g", "c", "x", math.nan, 1.0).verdict == FAILED
    assert judged("g", "c", "x", 3.2e-12, 1e-10, "ms").cells()[3:] == (
        "3.2e-12 ms",
        "1.0e-10 ms",
        "pass",
    )


ROWS = [
    judged("closed forms", "LIFExp: spike times", "root, 7 spikes", 2e-13, 1e-10, "ms"),
    judged("brute force", "LIFExp: missed or invented", "9 intervals", 1, 0, "spikes"),
    not_run("NEST", "iaf_psc_exp_ps", "NEST is not installed: pip install 'spikemesh[verify]'"),
]


def found(monkeypatch: pytest.MonkeyPatch, rows: list[Row]) -> None:
    monkeypatch.setattr(suite, "_all_rows", lambda *_: iter(rows))


def test_the_command_fails_when_a_row_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found(monkeypatch, ROWS)
    page = tmp_path / "accuracy.md"
    result = CliRunner().invoke(app, ["verify", "--out", str(page)])
    assert result.exit_code == 1
    assert "FAIL: LIFExp: missed or invented: 1 spikes, allowed 0 spikes" in result.stderr
    assert "1 checks failed" in result.stderr
    assert f"wrote {page}" in result.stdout
    for cell in ("2.0e-13 ms", "pass", "FAIL", "not run", "spikemesh[verify]"):
        assert cell in result.stdout
    text = page.read_text()
    assert "| LIFExp: spike times | root, 7 spikes | 2.0e-13 ms | 1.0e-10 ms | pass |" in text
    assert "Rows: 3, of which 1 failed and 1 were not run" in text
    assert text.index("## Closed forms") < text.index("## Brute force") < text.index("## NEST")
    found(monkeypatch, [ROWS[0], ROWS[2]])
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--against", "brain"), "there is no peer 'brain'; there is nest"),
        (("--out", "/no/where/page.md"), "there is no directory '/no/where'"),
        (("--nest-python", "/no/python"), "cannot run '/no/python'"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, str], text: str) -> None:
    result = CliRunner().invoke(app, ["verify", *arguments])
    assert result.exit_code == 2
    assert text in result.stderr


def test_a_page_that_cannot_be_written_is_refused_before_anything_runs() -> None:
    with pytest.raises(DataError, match="no directory"):
        verify(out="/no/where/page.md")


# -- the peer ---------------------------------------------------------------------------------


def test_without_nest_the_table_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.verify.peer.nest_version", lambda python: None)
    rows = list(nest_rows(suite.QuietReporter()))
    assert len(rows) == 6
    assert {row.verdict for row in rows} == {NOT_RUN}
    assert all("pip install 'spikemesh[verify]' (nest-simulator)" in row.compared for row in rows)


@pytest.mark.skipif(nest_version() is None, reason="nest-simulator is not installed")
def test_the_peer_agrees_on_small_networks() -> None:
    rows = list(nest_rows(suite.QuietReporter(), n=40, duration=60.0))
    assert {row.verdict for row in rows} == {PASSED}
