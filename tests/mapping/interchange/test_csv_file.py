import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapping import Traffic
from mapping.interchange import read_traffic_csv, write_traffic_csv
from mapping.multicast_flows import MulticastFlows
from simulator.errors import DataError, MappingError


@st.composite
def traffics(draw):
    n = draw(st.integers(1, 6))
    core = st.integers(0, n - 1)
    flows = {}
    for source, targets, packets in draw(
        st.lists(st.tuples(core, st.frozensets(core, min_size=1), st.integers(1, 10**12)))
    ):
        if targets - {source}:
            flows[source, tuple(sorted(targets - {source}))] = packets
    local = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    duration = draw(st.floats(1e-3, 1e9))
    return Traffic.from_multicast(MulticastFlows.from_sets(flows), local, duration)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(traffics(), st.booleans())
def test_what_is_written_is_read(tmp_path, traffic, multicast):
    path = write_traffic_csv(traffic, tmp_path / "traffic.csv", multicast=multicast)
    found = read_traffic_csv(path)
    assert found.packets.tolist() == traffic.packets.tolist()
    assert found.local.tolist() == traffic.local.tolist()
    assert found.duration_ms == traffic.duration_ms
    # A file without any flow cannot say which of the two it is about, nor need it.
    if multicast and (traffic.n_packets or traffic.local.any()):
        assert found.multicast.unicast(traffic.n_cores).tolist() == traffic.packets.tolist()
        assert found.multicast.n_packets == traffic.multicast.n_packets
        assert found.multicast.n_flows == traffic.multicast.n_flows


def read(tmp_path, text, **options):
    path = tmp_path / "traffic.csv"
    path.write_text(text, encoding="utf-8")
    return read_traffic_csv(path, **options)


def test_a_file_of_another_program(tmp_path):
    text = "source,target,packets\n0,1,3\n\n1, 0, 4\n1,1,5\n0,1,1\n"
    traffic = read(tmp_path, text, duration_ms=10.0)
    assert traffic.packets.tolist() == [[0, 4], [4, 0]]
    assert traffic.local.tolist() == [0, 5]
    assert traffic.multicast is None
    assert read(tmp_path, text, n_cores=5, duration_ms=1).n_cores == 5


def test_sets_of_targets(tmp_path):
    text = "# n_cores = 4, duration_ms = 2\nsource,targets,packets\n0,3 1 0,7\n2,1,0\n"
    traffic = read(tmp_path, text)
    assert traffic.packets[0].tolist() == [0, 7, 0, 7]
    assert traffic.local.tolist() == [7, 0, 0, 0]
    assert (traffic.multicast.n_flows, traffic.multicast.target.tolist()) == (1, [1, 3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"traffic.csv: empty; expected a header source,target,packets"),
        ("0,1,3\n", r"traffic.csv, line 1: header '0,1,3'; expected source,target,packets or"),
        ("source,target,packets\n0,1\n", r"line 2: 2 columns; expected 3"),
        ("source,target,packets\n0,1,3\n0,x,3\n", r"line 3: target = 'x'; expected an integer"),
        ("source,target,packets\n0,1,-3\n", r"line 2: packets = '-3'; expected an integer >= 0"),
        ("source,target,packets\n0,1,nan\n", r"line 2: packets = 'nan'"),
        ("source,target,packets\n0,1.5,3\n", r"line 2: target = '1.5'"),
        ("source,target,packets\n0,1 2,3\n", r"line 2: target = '1 2'; one number, or name the"),
        ("source,targets,packets\n0,,3\n", r"line 2: no target"),
        ("# n_cores = 2\nsource,target,packets\n0,2,3\n", r"line 3: core 2; there are n_cores = 2"),
        ("# n_cores = 2.5\nsource,target,packets\n", r"line 1: n_cores = 2.5; expected an integer"),
        (
            "# duration_ms = -1\nsource,target,packets\n",
            r"line 1: duration_ms = -1; it must be > 0",
        ),
        ("source,target,packets\n", r"no flow, and no n_cores"),
    ],
)
def test_errors_name_the_file_and_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, duration_ms=1.0)


def test_what_cannot_be_read_or_written(tmp_path):
    with pytest.raises(DataError, match=r"none.csv: cannot read the traffic: No such file"):
        read_traffic_csv(tmp_path / "none.csv")
    with pytest.raises(DataError, match="no duration; give duration_ms, or a line"):
        read(tmp_path, "source,target,packets\n0,1,3\n")
    traffic = Traffic.from_matrix(np.zeros((2, 2)), 1.0)
    with pytest.raises(DataError, match="cannot write the traffic"):
        write_traffic_csv(traffic, tmp_path / "no" / "traffic.csv")
    with pytest.raises(MappingError, match="has no multicast flows; write it with"):
        write_traffic_csv(traffic, tmp_path / "traffic.csv", multicast=True)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a text file in UTF-8"):
        read_traffic_csv(tmp_path / "binary.csv")
