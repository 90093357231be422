"""What the scripts of engines share: they time models as nasc asks.

nasc starts a script as `python SCRIPT THREADS`. The script first prints a line with the engine's
version, `{"version": "1.31.1"}`. Then each line of standard input asks for a figure, `{"model":
"part.onnx", "warmup": 1}`, and is answered by a line, `{"ms": 0.25}` or `{"error": "no such
operator"}`. At the end of standard input the script ends.
"""

import gc
import json
import os
import pathlib
import statistics
import sys
import time

import numpy

# A figure is the median of runs until it is steady: at least so many runs and nanoseconds, and at
# most so many nanoseconds.
RUNS, LEAST, MOST = 5, 50_000_000, 400_000_000
# By how much the medians of the earlier and the later half of the runs may differ.
STEADY = 0.01
# What is swept through the caches between two runs, where the system does not tell how large they are.
CACHES = 32 << 20
# Loaded models may take this share of the machine's memory; beyond, they are loaded anew.
SHARE = 0.25


def values(shape, dtype):
    """An input: the same values each time, none of which slows arithmetic down."""
    random = numpy.random.default_rng(1)
    return random.uniform(-1, 1, [int(size) for size in shape]).astype(dtype)


def clock(threads):
    """Nanoseconds. One thread does not wait for a core that others have: of what a run took by the
    clock on the wall and on the processor, the lesser counts."""
    if threads == 1:
        return lambda: (time.perf_counter_ns(), time.process_time_ns())
    return lambda: (time.perf_counter_ns(),)


def caches():
    """Bytes that fill all caches, where the system tells (Linux does)."""
    try:
        sizes = pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
        return max(int(size.read_text().strip().removesuffix("K")) << 10 for size in sizes)
    except (OSError, ValueError):
        return CACHES


class Sweep:
    """Empties the caches: writes as much memory as they hold. A part that runs again and again finds
    its weights there, which the other parts of a network would have swept out."""

    def __init__(self):
        self.memory = numpy.zeros(caches() // 4, numpy.float32)

    def __call__(self):
        numpy.add(self.memory, 1, out=self.memory)


def timed(run, warmup, now, sweep):
    """Milliseconds of a run from cold caches: the median of as many as it takes for that to be
    steady."""
    for _ in range(warmup):
        run()
    times, began = [], time.perf_counter_ns()
    while True:
        sweep()
        before = now()
        run()
        times.append(min(b - a for a, b in zip(before, now())))
        elapsed = time.perf_counter_ns() - began
        if elapsed > MOST and len(times) >= 2 or len(times) >= RUNS and elapsed > LEAST and is_steady(times):
            return statistics.median(times) / 1e6


def is_steady(times):
    half = len(times) // 2
    earlier, later = statistics.median(times[:half]), statistics.median(times[half:])
    return abs(later - earlier) <= STEADY * later


def resident():
    """Bytes of memory that the process holds, where the system tells (Linux does)."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def most_resident():
    try:
        return SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return float("inf")


def serve(version, load):
    """Answers until there is no more question. `load(path, threads)` gives a function that runs the
    model once, on inputs that stay."""
    threads = int(sys.argv[1])
    # What the engine itself prints is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    answer({"version": version})
    gc.disable()
    loaded, most, now, sweep = {}, most_resident(), clock(threads), Sweep()
    for line in sys.stdin:
        question = json.loads(line)
        path = question["model"]
        try:
            if path not in loaded:
                if resident() > most:
                    loaded.clear()
                    gc.collect()
                loaded[path] = load(path, threads)
            answer({"ms": timed(loaded[path], question["warmup"], now, sweep)})
        except Exception as error:
            answer({"error": " ".join(str(error).split()) or type(error).__name__})
