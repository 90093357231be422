"""What the runners share: the cases, and a line of verdict for each.

A runner is started as `python RUNNER.py CASES OUT`: the folder of the cases, and the file for its
verdicts. An engine may end the process: a child of the runner does the work, and what it dies on
is refused.
"""

import json
import multiprocessing
import pathlib
import sys

import numpy

# What is allowed of a single operator in another engine, in units of the largest value.
TOLERANCE = 1e-4
# Seconds for one case.
LIMIT = 120


def read(folder, port):
    """The numbers of a port: all of its file, or as many as it has from a place on."""
    count = int(numpy.prod(port["dims"]))
    offset = port.get("offset", 0)
    data = numpy.fromfile(folder / port["file"], dtype="<f4", count=count, offset=offset)
    return data.reshape(port["dims"])


def judge(case, folder, outputs, tolerance=TOLERANCE):
    """The verdict on what an engine made of a case; `outputs` in the order of the case. Of a case that has a tolerance of
    its own it also says how far outputs are apart."""
    tolerance, worst = case.get("tolerance", tolerance), 0.0
    for port, found in zip(case["outputs"], outputs, strict=True):
        expected = read(folder, port)
        found = numpy.asarray(found)
        if found.size != expected.size:
            return f"differs: {port['name']} is {list(found.shape)}"
        if not numpy.isfinite(found).all():
            return f"differs: {port['name']} is not finite"
        scale = max(float(numpy.abs(expected).max()), 1e-30)
        worst = max(worst, float(numpy.abs(found.reshape(expected.shape) - expected).max()) / scale)
    if worst <= tolerance and "tolerance" in case:
        return f"runs: {worst:.0e}"
    return "runs" if worst <= tolerance else f"differs: by {worst:.1e} of the largest value"


def line(text):
    return " ".join(str(text).split())[:300]


def _child(run, folder, cases, pipe):
    for case in cases:
        try:
            pipe.send(run(case, folder))
        except Exception as error:
            pipe.send(f"refused: {line(error) or type(error).__name__}")


def _answer(pipe):
    try:
        return pipe.recv() if pipe.poll(LIMIT) else None
    except EOFError:
        return None


def main(run, version):
    """Holds every case against the engine: `run(case, folder)` gives a verdict or raises."""
    folder, out = map(pathlib.Path, sys.argv[1:3])
    cases = json.loads((folder / "cases.json").read_text())
    verdicts = {}
    context = multiprocessing.get_context("fork")
    while len(verdicts) < len(cases):
        ours, theirs = context.Pipe(duplex=False)
        left = cases[len(verdicts):]
        child = context.Process(target=_child, args=(run, folder, left, theirs))
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
