"""Arm Ethos-U55 by its compiler vela, from the 8-bit networks that the runner of TensorFlow Lite left.
A case runs where vela puts the whole network on the device; nothing is computed here, and the time is that by its model."""

import csv
import importlib.metadata
import pathlib
import subprocess
import sys
import tempfile

from common import LIMIT, line, main, Refused

VELA = pathlib.Path(sys.executable).parent / "vela"


def load(case, folder):
    network = folder / f"{case['name']}.int8.tflite"
    if not network.exists():
        raise Refused("TensorFlow makes no 8-bit network of it")
    with tempfile.TemporaryDirectory() as work:
        command = [VELA, network, "--accelerator-config", "ethos-u55-128", "--output-dir", work]
        said = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        summaries = [csv.DictReader(path.open()) for path in pathlib.Path(work).glob("*_summary_*.csv")]
        seconds = [float(row["inference_time"]) for summary in summaries for row in summary]
    if said.returncode:
        raise Refused(line(said.stdout[-300:] + said.stderr[-300:]))
    if "CPU operators = 0 " not in said.stdout:
        reasons = [text for text in said.stdout.splitlines() if text.startswith("Reason:")]
        raise Refused(*reasons[:1] or ["on the CPU"])
    return f"{seconds[0] * 1e3:.3g} ms as vela reckons" if seconds else []


main(load, importlib.metadata.version("ethos-u-vela"))
