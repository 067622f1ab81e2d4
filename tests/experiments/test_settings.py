"""Settings: what a user types becomes what the configuration declares, or is refused by name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.settings import configure, describe, parse_assignments, setting
from simulator.errors import DataError


@dataclass(frozen=True)
class Config:
    m: int = setting(64, "neurons")
    tau: float = setting(1.3, "trace", unit="ms")
    plastic: bool = setting(True, "learns")
    name: str = setting("x", "label")
    data: Literal["mnist", "embedded"] = setting("mnist", "data set")
    level: Literal[1, 2] = setting(1, "level")
    noise: tuple[float, ...] = setting((0.0,), "levels")
    size: tuple[int, int] = setting((5, 5), "patch")
    limit: int | None = setting(None, "at most")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("m", "32", 32),
        ("m", "60_000", 60_000),
        ("tau", "2", 2.0),
        ("tau", "1e-3", 1e-3),
        ("plastic", "No", False),
        ("plastic", "true", True),
        ("name", "12", "12"),
        ("data", "embedded", "embedded"),
        ("level", "2", 2),
        ("noise", "0,0.5,1.5", (0.0, 0.5, 1.5)),
        ("noise", "0.5", (0.5,)),
        ("noise", "(0, 1)", (0.0, 1.0)),
        ("size", "3,4", (3, 4)),
        ("limit", "7", 7),
        ("limit", "none", None),
        ("size", [3, 4], (3, 4)),
        ("noise", 2, (2.0,)),
        ("tau", 3, 3.0),
        ("limit", None, None),
    ],
)
def test_a_text_or_value_becomes_one_of_the_declared_type(key, text, value):
    got = getattr(configure(Config, {key: text}), key)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("m", "3.5", "'m' = '3.5'; it must be a whole number"),
        ("m", "abc", "'m' = 'abc'; it must be a whole number"),
        ("m", 3.5, "'m' = '3.5'; it must be a whole number"),
        ("m", True, "'m' = 'True'; it must be a whole number"),
        ("tau", "fast", "'tau' = 'fast'; it must be a number"),
        ("tau", "nan", "'tau' = nan; it must be a finite number"),
        ("tau", "-inf", "'tau' = -inf; it must be a finite number"),
        ("tau", float("nan"), "'tau' = nan; it must be a finite number"),
        ("noise", "0,nan", r"'noise\[1\]' = nan; it must be a finite number"),
        ("plastic", "maybe", "'plastic' = 'maybe'; it must be true or false"),
        ("data", "cifar", "'data' = 'cifar'; it must be one of mnist, embedded"),
        ("size", "3", "'size' = '3'; it must be 2 values separated by commas: a whole number and"),
        ("size", "3,x", r"'size\[1\]' = 'x'; it must be a whole number"),
        ("limit", "x", "'limit' = 'x'; it must be a whole number"),
        ("name", 3, "'name' = '3'; it must be a text"),
        ("m", "none", "'m' = 'none'; it must be a whole number"),
    ],
)
def test_a_wrong_value_is_refused_by_name(key, text, message):
    with pytest.raises(DataError, match=message):
        configure(Config, {key: text})


def test_an_unknown_setting_is_refused_with_the_known_ones():
    with pytest.raises(DataError, match=r"wtcrl has no setting 'k'; it has m, tau, .*, limit"):
        configure(Config, {"k": 1}, "wtcrl")
    with pytest.raises(DataError, match=r"no setting 'plastik' \(did you mean 'plastic'\?\)"):
        configure(Config, {"plastik": 1})


@given(
    m=st.integers(),
    tau=st.floats(allow_nan=False, allow_infinity=False),
    noise=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
    plastic=st.booleans(),
    limit=st.none() | st.integers(),
)
def test_what_is_written_as_text_comes_back(m, tau, noise, plastic, limit):
    config = Config(m=m, tau=tau, noise=tuple(noise), plastic=plastic, limit=limit)
    texts = {key: str(value) for key, value in asdict(config).items()}
    assert configure(Config, texts) == config


def test_assignments_are_split_at_the_first_equals_sign():
    assert parse_assignments(["m=3", " a = b=c "]) == {"m": "3", "a": "b=c"}
    for text in ("m", "=3", ""):
        with pytest.raises(DataError, match="is not a setting; write key=value"):
            parse_assignments([text])
    with pytest.raises(DataError, match="'m' is given twice: '1' and '2'"):
        parse_assignments(["m=1", "m=2"])


def test_settings_are_described_with_unit_and_help():
    described = {s.name: s for s in describe(Config)}
    assert list(described)[:3] == ["m", "tau", "plastic"]
    assert described["tau"].unit == "ms"
    assert described["tau"].default == 1.3
    assert described["tau"].help == "trace"
    assert described["noise"].type == "a list, each a number, separated by commas"
    assert described["limit"].type == "a whole number or none"
