"""Build and run a Brian2 C++ standalone project: processor time and memory of its parts."""

import re
import resource
from pathlib import Path

import brian2 as b

# Written into the program: processor time before and after the run, and its largest memory.
CLOCK = """{{
    std::ofstream mark("{file}");
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    mark << now.tv_sec << " " << now.tv_nsec;
}}
"""
STATUS = '{ std::ifstream in("/proc/self/status"); std::ofstream("status.txt") << in.rdbuf(); }'


def begin(folder, resolution):
    """Start a project on one core, to be compiled later; ``resolution`` in ms."""
    b.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b.prefs.devices.cpp_standalone.openmp_threads = 0
    b.defaultclock.dt = resolution * b.ms
    device = b.get_device()
    device.insert_code("before_network_run", CLOCK.format(file="begin.txt"))
    device.insert_code("after_network_run", CLOCK.format(file="end.txt") + STATUS)


def build_and_run(folder):
    """Compile with g++ and run; the results can then be read from the monitors."""
    device = b.get_device()
    folder = Path(folder)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    device.build(directory=str(folder), compile=True, run=False, debug=False)
    compiled = resource.getrusage(resource.RUSAGE_CHILDREN)
    device.run(directory=str(folder), results_directory="results", with_output=False, run_args=[])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    start, end = (seconds(folder / name) for name in ("begin.txt", "end.txt"))
    peak = re.search(r"VmHWM:\s+(\d+)", (folder / "status.txt").read_text())
    return {
        "simulate_cpu_s": end - start,
        "program_cpu_s": cpu(after) - cpu(compiled),
        "compile_cpu_s": cpu(compiled) - cpu(before),
        "build_cpu_s": start,
        "peak_mb": int(peak.group(1)) * 1024 / 1e6,
    }


def cpu(usage):
    return usage.ru_utime + usage.ru_stime


def seconds(file):
    whole, nano = file.read_text().split()
    return int(whole) + int(nano) * 1e-9
