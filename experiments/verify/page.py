"""The statement of accuracy: the table as a page, with what each group promises and what not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.atomic import write_atomically
from experiments.provenance import machine, timestamp, versions
from experiments.verify.rows import FAILED, NOT_RUN, Row

__all__ = ["write_page"]

_PROMISES = {
    "closed forms": """\
`LIFDelta`, `LIFExp`, `AdaptiveLIFExp`, `LIFAlpha`, `SRM` and `LIFCond` with equal synaptic time
constants are exact between events: their potential is a closed form, good to rounding, for all
time constants including equal and nearly equal ones. It is compared with the same equations
written a second time in arithmetic of 50 digits, and one synaptic potential with the formula
that textbooks print. "Of its terms" means relative to the size of what the potential is summed
from, which is what double precision can promise. Options of models (`noisy_threshold`,
`current_port`, `refractory_loss`) hand the same functions a moved threshold or bias and have no
rows of their own.

`AdEx`, `Izhikevich` and `LIFCond` with unequal synaptic time constants have no closed form.
They are integrated between events with an error control of their own: the parameter
`tolerance`, 1e-9 mV a step by default, bounds the *estimated* error of one step, not that of a
run. What a whole interval makes of it is in the table, for the default and for 1e-12, against
Taylor series of order 24 in the widest float. A neuron close to its unstable branch amplifies
any error; there the times of `AdEx` and `Izhikevich` are only as good as the equation is well
posed.""",
    "brute force": """\
A spike is missed when the potential reaches threshold and the model stays silent or is late,
invented when it fires without. Every interval has parameters and a state of its own, and is
decided without the models: V - threshold is evaluated at two points, bounded between them by
its curvature, and the stretch halved until it is surely below, or surely rises through
threshold. No sampling distance decides what is seen. Where rounding leaves it open, 50 digits
decide. Of the time the difference to the bracketed root is shown. The contract is 1e-10 ms;
where V rises so slowly that a rounding of V moves its root further, nothing in double precision
can keep it, and only the decision is promised.

At grazes the threshold is moved to the top of the potential, up to a hair: a neuron fires if
and only if its maximum reaches threshold. The hairs stop where double precision does. For the
models that integrate, the promise ends at their tolerance, so that their hairs are wider; for
`AdEx` and `Izhikevich`, which have no threshold to graze but an unstable branch, there are
none.""",
    "plasticity": """\
Every rule runs in the compiled engine on random trains, with ties between arrivals and spikes,
over all-to-all and sparse projections with one delay and with many, and each weight is compared
with sums over spike pairs that know nothing of traces.""",
    "invariances": """\
A network with every kind of projection (sparse and all-to-all, fractional, equal and zero
delays, three rules, a Poisson source) is run in many ways, and all spike times and weights are
compared bit by bit. The order of populations decides ties, by contract; the network has none
between neurons whose order changes. The readable engine, a sorted queue of events in plain
Python, is the specification; neurons that the compiled engine leaves alone until they might
fire are rounded differently there, and agree within 1e-10 ms and 1e-12 of a weight. These
figures are for one machine: another processor or another version of a mathematical library may
round an exponential differently.""",
    "NEST": """\
The same recurrent networks in NEST's precise-time neurons, with delays anywhere between two
steps (`cont_delay_synapse`). Such networks are chaotic: a difference of one bit grows, so that
agreement to the end of the run says that no event was lost, moved or reordered. `iaf_cond_exp`
is not precise: it spikes on NEST's grid, and what is shown is that it converges, in step with
the grid, to what comes out here.""",
}


def write_page(
    path: Path, rows: Sequence[Row], against: str | None, full: bool, nest: str | None
) -> Path:
    """Write the rows, by group, with what is promised.

    Raises
    ------
    DataError
        When the place cannot be written to.
    """
    command = "spikemesh verify"
    command += f" --against {against}" if against else ""
    command += " --full" if full else ""
    here = machine()
    installed = {**versions(), "nest-simulator": nest} if nest else versions()
    named = ", ".join(f"{name} {v}" for name, v in installed.items() if v)
    digits = -np.log10(float(np.finfo(np.longdouble).eps))
    failed = sum(row.verdict == FAILED for row in rows)
    skipped = sum(row.verdict == NOT_RUN for row in rows)
    lines = [
        "# Accuracy",
        "",
        f"<!-- Written by `{command} --out {path.name}`; edit experiments/verify/page.py -->",
        "",
        "What is promised of spike times, weights and bits, and what was measured. Anyone can",
        f"measure it again: `{command}` prints this table, and ends with exit code 1 if a row",
        "fails.",
        "",
        f"- Rows: {len(rows)}, of which {failed} failed and {skipped} were not run",
        f"- Versions: {named}",
        f"- Machine: {here['processor']}, {here['cores']} cores, {here['system']}; the widest "
        f"float has {digits:.0f} digits",
        f"- Date: {timestamp()[:10]}",
    ]
    for group in dict.fromkeys(row.group for row in rows):
        lines += ["", f"## {group[0].upper()}{group[1:]}", "", *_PROMISES[group].splitlines(), ""]
        lines += ["| check | compared | largest difference | allowed | verdict |"]
        lines += ["| --- | --- | ---: | ---: | --- |"]
        lines += ["| " + " | ".join(row.cells()[1:]) + " |" for row in rows if row.group == group]
    text = "\n".join(lines) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))
    return path
