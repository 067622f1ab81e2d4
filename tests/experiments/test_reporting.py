"""What a person sees: plain lines where there is no terminal, and whole tables in a pipe."""

from __future__ import annotations

from experiments import reporting
from experiments.reporting import TerminalReporter


def test_progress_is_lines_on_the_error_stream_where_there_is_no_terminal(capsys, monkeypatch):
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(reporting.time, "monotonic", lambda: float(next(clock)))
    with TerminalReporter().progress("train", 200) as bar:
        for k in range(1, 11):
            bar.note(f"RMS 0.{k}")
            bar.advance(20)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    # The clock advances 2 s a look: a line in every third step or so, and one at the end.
    assert lines[0] == "train: 60 of 200 (30 %)  RMS 0.3"
    assert lines[-1] == "train: 200 of 200 (100 %)  RMS 0.10"
    assert 3 <= len(lines) <= 6


def test_a_loop_that_fails_does_not_claim_to_be_done(capsys):
    try:
        with TerminalReporter().progress("train", 10) as bar:
            bar.advance(4)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        shown = capsys.readouterr()
    assert "10 of 10" not in shown.err


def test_a_table_keeps_its_columns_and_brackets_in_a_pipe(capsys):
    wide = "x" * 60
    TerminalReporter().table("T", ("a", "[b]", "c"), [(wide, "[red]", 1.5), (wide, None, 22)])
    out = capsys.readouterr().out
    assert wide in out
    assert "[b]" in out
    assert "[red]" in out
    assert "None" not in out
    # Numbers end at the same column.
    assert len({line.rstrip(" │").__len__() for line in out.splitlines() if wide in line}) == 1
