"""Arm Ethos-U55 by its compiler vela, from the 8-bit networks that the runner of TensorFlow Lite left.
A case runs where vela puts the whole network on the device; nothing is computed here."""

import importlib.metadata
import pathlib
import subprocess
import sys
import tempfile

from common import line, main

VELA = pathlib.Path(sys.executable).parent / "vela"


def run(case, folder):
    network = folder / f"{case['name']}.int8.tflite"
    if not network.exists():
        return "refused: TensorFlow makes no 8-bit network of it"
    with tempfile.TemporaryDirectory() as work:
        command = [VELA, network, "--accelerator-config", "ethos-u55-128", "--output-dir", work]
        said = subprocess.run(command, capture_output=True, text=True, timeout=100)
    if said.returncode:
        return f"refused: {line(said.stdout[-300:] + said.stderr[-300:])}"
    if "CPU operators = 0 " in said.stdout:
        return "runs"
    reasons = [text for text in said.stdout.splitlines() if text.startswith("Reason:")]
    return f"refused: {line(*reasons[:1] or ['on the CPU'])}"


main(run, importlib.metadata.version("ethos-u-vela"))
