"""What the runners share: the cases, and a line of verdict for each.

A runner is started as `python RUNNER.py CASES OUT`: the folder of the cases, and the file for its
verdicts. An engine may end the process: a child of the runner does the work, and what it dies on
is refused. Of a case that has a tolerance of its own the verdict also says how far outputs are apart
and how long the engine takes, on one thread.
"""

import json
import multiprocessing
import pathlib
import sys
import time

import numpy

# What is allowed of a single operator in another engine, in units of the largest value.
TOLERANCE = 1e-4
# Seconds for one case.
LIMIT = 120
# How long a case is run over and over to time it, in seconds.
TIMED = 0.5


class Refused(Exception):
    """The engine does not take a case."""


def read(folder, port):
    """The numbers of a port: all of its file, or as many as it has from a place on."""
    count = int(numpy.prod(port["dims"]))
    offset = port.get("offset", 0)
    data = numpy.fromfile(folder / port["file"], dtype="<f4", count=count, offset=offset)
    return data.reshape(port["dims"])


class Differs(Exception):
    """The engine computes something else."""


def apart(case, folder, outputs):
    """How far outputs, in the order of the case, are from those expected, in units of the largest value."""
    worst = 0.0
    for port, found in zip(case["outputs"], outputs, strict=True):
        expected = read(folder, port)
        found = numpy.asarray(found)
        if found.size != expected.size:
            raise Differs(f"{port['name']} is {list(found.shape)}")
        if not numpy.isfinite(found).all():
            raise Differs(f"{port['name']} is not finite")
        scale = max(float(numpy.abs(expected).max()), 1e-30)
        worst = max(worst, float(numpy.abs(found.reshape(expected.shape) - expected).max()) / scale)
    return worst


def milliseconds(call):
    """The least that a call takes of those within `TIMED` seconds."""
    times, begin = [], time.perf_counter()
    while not times or time.perf_counter() - begin < TIMED:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def judge(load, case, folder, tolerance, is_timed):
    """The verdict on what an engine makes of a case: the worst of the ways to run it."""
    calls = list(load(case, folder))
    tolerance = case.get("tolerance", tolerance)
    worst = max((apart(case, folder, call()) for call in calls), default=0.0)
    if worst > tolerance:
        raise Differs(f"by {worst:.1e} of the largest value")
    if "tolerance" not in case or not calls:
        return "runs"
    took = f", {milliseconds(calls[-1]):.3g} ms" if is_timed else ""
    return f"runs: {worst:.0e}{took}"


def line(text):
    return " ".join(str(text).split())[:300]


def _child(load, folder, cases, settings, pipe):
    for case in cases:
        try:
            pipe.send(judge(load, case, folder, **settings))
        except Differs as differs:
            pipe.send(f"differs: {differs}")
        except Exception as error:
            pipe.send(f"refused: {line(error) or type(error).__name__}")


def _answer(pipe):
    try:
        return pipe.recv() if pipe.poll(LIMIT) else None
    except EOFError:
        return None


def main(load, version, tolerance=TOLERANCE, is_timed=True):
    """Holds every case against the engine. `load(case, folder)` gives functions that run it, each in another way, and
    return the outputs in the order of the case; the last is timed. None are given where the engine computes nothing here, and
    what it does not take raises. The time of a simulator says nothing: it is not `is_timed`."""
    settings = {"tolerance": tolerance, "is_timed": is_timed}
    folder, out = map(pathlib.Path, sys.argv[1:3])
    cases = json.loads((folder / "cases.json").read_text())
    verdicts = {}
    context = multiprocessing.get_context("fork")
    while len(verdicts) < len(cases):
        ours, theirs = context.Pipe(duplex=False)
        left = cases[len(verdicts):]
        child = context.Process(target=_child, args=(load, folder, left, settings, theirs))
        child.start()
        theirs.close()
        for case in left:
            verdict = _answer(ours)
            verdicts[case["name"]] = verdict or "refused: it ended the process, or did not end"
            if verdict is None:
                break
        child.kill()
        child.join()
    out.write_text(json.dumps({"version": version, "verdicts": verdicts}, indent=1))
