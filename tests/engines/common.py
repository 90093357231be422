"""What the runners share: the cases, and a line of verdict for each.

A runner is started as `python RUNNER.py CASES OUT`: the folder of the cases, and the file for its
verdicts. An engine may end the process: a child of the runner does the work, and what it dies on
is refused. Of a case that has a tolerance of its own the verdict also says how far outputs are apart
and how long the engine takes, on one thread; such verdicts are printed as they come, and kept in the file at once: what
the same version said of the same file is not asked again. What engines print goes where errors go.
"""

import json
import multiprocessing
import os
import pathlib
import signal
import sys
import time

import numpy

# What is allowed of a single operator in another engine, in units of the largest value.
TOLERANCE = 1e-4
# Seconds for one case.
LIMIT = 600
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


def apart(case, folder, outputs, tolerance):
    """How far outputs, in the order of the case, are from those expected, in units of the largest value, and which share of the
    values of an output is further than the tolerance, that of the output of which it is the most."""
    worst = share = 0.0
    for port, found in zip(case["outputs"], outputs, strict=True):
        expected = read(folder, port)
        found = numpy.asarray(found)
        if found.size != expected.size:
            raise Differs(f"{port['name']} is {list(found.shape)}")
        if not numpy.isfinite(found).all():
            raise Differs(f"{port['name']} is not finite")
        scale = max(float(numpy.abs(expected).max()), 1e-30)
        distances = numpy.abs(found.reshape(expected.shape) - expected) / scale
        worst = max(worst, float(distances.max()))
        share = max(share, float((distances > tolerance).mean()))
    return worst, share


def milliseconds(call):
    """The least of the processor's time that a call takes of those within `TIMED` seconds: other programs disturb it little."""
    times, begin = [], time.perf_counter()
    while not times or time.perf_counter() - begin < TIMED:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times) * 1e3


def judge(load, case, folder, tolerance, least, is_timed):
    """The verdict on what an engine makes of a case: the worst of the ways to run it."""
    calls = load(case, folder)
    if isinstance(calls, str):
        return f"runs: {calls}"
    calls = list(calls)
    tolerance = max(case["tolerance"], least) if "tolerance" in case else tolerance
    ways = [apart(case, folder, call(), tolerance) for call in calls]
    worst, share = max(ways, default=(0.0, 0.0))
    if worst > tolerance:
        raise Differs(f"by {worst:.1e} of the largest value, {share:.2g} of all values")
    if "tolerance" not in case or not calls:
        return "runs"
    took = f"{milliseconds(calls[-1]):.3g} ms" if is_timed else "not timed"
    return f"runs: {worst:.0e}, {took}"


def line(text):
    return " ".join(str(text).split())[:300]


def _child(load, folder, cases, settings, pipe):
    os.setsid()
    os.dup2(2, 1)
    for case in cases:
        try:
            pipe.send(judge(load, case, folder, **settings))
        except Differs as differs:
            pipe.send(f"differs: {differs}")
        except (Exception, SystemExit) as error:
            pipe.send(f"refused: {line(error) or type(error).__name__}")


def _answer(pipe):
    """The verdict of the child, or how it ended, and whether it is at work no more."""
    try:
        if pipe.poll(LIMIT):
            return pipe.recv(), False
    except EOFError:
        return "refused: it ended the process", True
    return f"stopped after {LIMIT} s", True


def main(load, version, tolerance=TOLERANCE, least=0.0, is_timed=True):
    """Holds every case against the engine. `load(case, folder)` gives functions that run it, each in another way, and
    return the outputs in the order of the case; the last is timed. None, or a text that says what there is to say, are given
    where the engine computes nothing here, and what it does not take raises. The time of a simulator says nothing: it is not `is_timed`. Of an engine of
    fewer bits than the files, `least` is allowed of a network, whatever its case says."""
    settings = {"tolerance": tolerance, "least": least, "is_timed": is_timed}
    folder, out = map(pathlib.Path, sys.argv[1:3])
    cases = json.loads((folder / "cases.json").read_text())
    verdicts, tried = kept(out, version, folder, cases)
    cases = [case for case in cases if case["name"] not in tried]
    begin = len(verdicts)
    context = multiprocessing.get_context("fork")
    while len(verdicts) - begin < len(cases):
        ours, theirs = context.Pipe(duplex=False)
        left = cases[len(verdicts) - begin:]
        child = context.Process(target=_child, args=(load, folder, left, settings, theirs))
        child.start()
        theirs.close()
        for case in left:
            verdict, is_over = _answer(ours)
            verdicts[case["name"]] = verdict
            if "tolerance" in case:
                tried[case["name"]] = time.time()
                print(f"{len(verdicts)}/{begin + len(cases)} {case['name']}: {verdict}", flush=True)
                keep(out, version, verdicts, tried)
            if is_over:
                break
        end(child)
    keep(out, version, verdicts, tried)


def end(child):
    """Ends a child with all that it started."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        child.kill()
    child.join()


def keep(out, version, verdicts, tried):
    told = {"version": version, "verdicts": verdicts, "tried": tried}
    out.write_text(json.dumps(told, indent=1))


def kept(out, version, folder, cases):
    """The verdicts that this version gave on files which are still the same, and when."""
    told = json.loads(out.read_text()) if out.exists() else {}
    if told.get("version") != version:
        return {}, {}

    def is_same(name):
        return told["tried"][name] > (folder / f"{name}.onnx").stat().st_mtime

    asked = {case["name"] for case in cases}
    names = [name for name in told.get("tried", {}) if name not in asked or is_same(name)]
    # What took too long may have had the machine to share.
    names = [name for name in names if name not in asked or not told["verdicts"][name].startswith("stopped")]
    return tuple({name: told[of][name] for name in names} for of in ("verdicts", "tried"))
