import subprocess
import sys

import mapping


def test_importing_mapping_loads_neither_matplotlib_nor_networkx():
    code = (
        "import sys, mapping, mapping.draw, mapping.metrics\n"
        "mapping.map_network, mapping.placement_names(), mapping.routing_names()\n"
        "print(sorted({'matplotlib', 'networkx'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_mapping_does_not_load_the_models_or_the_experiments():
    code = (
        "import sys, mapping, mapping.draw\n"
        "print(sorted({m.split('.')[0] for m in sys.modules}\n"
        "             & {'neurons', 'plasticity', 'encoders', 'experiments'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert len(mapping.__all__) == len(set(mapping.__all__))
    for name in mapping.__all__:
        assert getattr(mapping, name) is not None
