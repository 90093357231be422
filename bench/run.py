"""Times training steps of nasc against those of PyTorch, on the same inputs, labels, weights, mixtures and threads.

    python3 bench/run.py [--quick] [--bless] [OPTION...]

See README.md beside it.
"""

import argparse
import importlib
import json
import os
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
ENVIRONMENT = ROOT / "target/engines/bench"
# The wheel of PyTorch loads libraries of CUDA even where there is no GPU, so they are installed too.
PACKAGES = ["torch==2.11.0", "numpy==2.4.6", "safetensors==0.8.0"]
RESULTS = BENCH / "RESULTS.md"
SEED = 1
# Of the spaces that classify pictures; the others label pixels.
CLASSES = {"darts": 10, "mobilenet": 100}
# What a step has to come to in both.
LOSS_TOLERANCE = 1e-4
# Some gradients are 0 but for rounding, such as that of a shift which a batch norm undoes: differences are over no less than
# this share of what most tensors have.
NOTHING = 0.1
# A shift that keeps what is normalised from 0, and of how many channels one lies below it.
FAR = 10
CLOSED = 4

try:
    import numpy
    from safetensors.numpy import load_file, save_file
except ImportError:
    numpy = None


def enter_environment():
    """Goes on in the environment with PyTorch, which is made if it is missing."""
    python = ENVIRONMENT / "bin/python"
    made_of = ENVIRONMENT / "packages.txt"
    if not made_of.exists() or made_of.read_text().split() != PACKAGES:
        print(f"installing {' '.join(PACKAGES)} into {ENVIRONMENT}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        made_of.write_text("\n".join(PACKAGES) + "\n")
    if Path(sys.prefix) != ENVIRONMENT:
        os.execv(python, [str(python), *sys.argv])


class TooSlow(Exception):
    """A program did not answer in time."""


class Program:
    """A process that makes steps."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seconds = []

    def ask(self, what, limit=None, **more):
        """The answer to a request; `limit` in seconds."""
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        if limit is not None and not select.select([self.process.stdout], [], [], limit)[0]:
            raise TooSlow
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended at the request `{what}`")
        return json.loads(line)

    def memory(self, field):
        """Bytes of `VmHWM`, the peak, or `VmRSS`, what is held now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
        return 0

    def median(self):
        return statistics.median(self.seconds)

    def end(self):
        self.process.kill()
        self.process.wait()


class Case:
    """What is timed: a space, a kind of step, a batch."""

    def __init__(self, space, kind, batch, height, width):
        self.space, self.kind, self.batch, self.size = space, kind, batch, (height, width)

    def name(self):
        height, width = self.size
        return f"{self.space} {self.kind}, batch {self.batch}, {height} x {width}"


def cases(device):
    """What is timed on a device."""
    of_cpu = [
        ("squeezenas", 2, 256, 256),
        ("squeezenas", 8, 128, 128),
        ("darts", 16, 32, 32),
        ("mobilenet", 16, 128, 128),
    ]
    of_gpu = [("squeezenas", 8, 512, 1024), ("darts", 64, 32, 32)]
    return [
        Case(space, kind, *sizes)
        for space, *sizes in (of_gpu if device == "cuda" else of_cpu)
        for kind in ("mixture", "hard", "retrain")
        if (space, kind) != ("darts", "retrain")
    ]


def build(release):
    """The program on the side of nasc."""
    command = ["cargo", "build", "--quiet", "-p", "nas-torch", "--example", "step"]
    subprocess.run(command + (["--release"] if release else []), cwd=ROOT, check=True)
    return ROOT / "target" / ("release" if release else "debug") / "examples/step"


def network_of(space):
    """The network that is retrained: a candidate's name by the path of each decision."""
    sys.dont_write_bytecode = True
    return importlib.import_module(space).NETWORK


def inputs(case, random):
    """Standard normal pictures, and labels; one in twenty pixels has none."""
    tensors = {
        "input.0": random.standard_normal((case.batch, 3, *case.size), numpy.float32)
    }
    if case.space in CLASSES:
        tensors["labels"] = random.integers(0, CLASSES[case.space], case.batch)
    else:
        sizes = (case.batch, *case.size)
        labels = random.integers(0, 19, sizes)
        tensors["labels"] = numpy.where(random.random(sizes) < 0.05, 255, labels)
    return tensors


def moved(weights, random):
    """Fresh weights with scales and shifts that differ from 1 and 0.

    Where all shifts are 0, batch norms undo scales before them, whose gradients are then nothing but rounding.
    """
    for name, tensor in weights.items():
        if name.endswith((".bias", ".weight")) and tensor.ndim == 1:
            tensor += 0.2 * random.standard_normal(tensor.shape, numpy.float32)
    return weights


def decided(weights):
    """The same with shifts that keep what batch norms give far from 0, above it or below; `None` where some have none."""
    shifts = [name.replace(".running_mean", ".bias") for name in weights if ".running_mean" in name]
    if not all(name in weights for name in shifts):
        return None
    for name in shifts:
        channels = numpy.arange(len(weights[name]))
        weights[name] += numpy.where(channels % CLOSED == 0, -FAR, FAR).astype(numpy.float32)
    return weights


def mixture(case, decisions, random):
    """Weights of the candidates for each picture, by the Gumbel softmax at a temperature of 2; or one candidate of each."""
    if case.kind == "hard":
        drawn = {d["path"]: random.integers(0, len(d["candidates"]), 1) for d in decisions}
        return drawn
    mixed = {}
    for decision in decisions:
        noisy = 1 + random.gumbel(size=(case.batch, len(decision["candidates"])))
        weights = numpy.exp(noisy / 2)
        weights /= weights.sum(1, keepdims=True)
        mixed[decision["path"]] = weights.astype(numpy.float32)
    return mixed


class Run:
    """A case on all programs."""

    def __init__(self, case, modes, arguments, folder):
        self.case, self.arguments, self.folder = case, arguments, Path(folder)
        self.random = numpy.random.default_rng(SEED)
        self.dropped = {}
        self.on_gpu = arguments.device == "cuda"
        # A GPU computes with 32 bits and with 16, each beside modes of PyTorch that do; a processor keeps 16 on request.
        kinds = [("nasc", {}), ("nasc bf16", {"precision": "bf16"})]
        kinds = kinds if self.on_gpu or arguments.bf16 else kinds[:1]
        self.own = []
        # What is computed together, part by part left out (`fused/part.rs`).
        parts = [(f"nasc without {part}", {"without": part}) for part in arguments.without]
        for name, settings in kinds + ([] if self.on_gpu else parts):
            program = Program(name, [arguments.nasc])
            program.settings = settings | ({"gpu": 0} if self.on_gpu else {})
            self.own.append(program)
        self.nasc = self.own[0]
        # What is compiled depends on the candidates that are drawn.
        modes = [mode for mode in modes if case.kind != "hard" or "compile" not in mode]
        torch = [sys.executable, "-B", BENCH / "worker.py", case.space, str(arguments.threads)]
        torch += ["cuda"] if self.on_gpu else []
        self.torch = [
            Program("PyTorch " + (" ".join(mode) or "eager"), torch + list(mode))
            for mode in [*modes, ("double",)]
        ]
        self.double = self.torch[-1]

    def programs(self):
        return [*self.own, *self.torch]

    def path(self, name):
        return str(self.folder / f"{name}.safetensors")

    def load(self):
        """The same parameters and inputs for all."""
        space, threads = str(BENCH / f"{self.case.space}.nas"), self.arguments.threads
        about = {"space": space, "threads": threads}
        loaded = [p.ask("load", **about, **p.settings) for p in self.own][0]
        self.decisions = loaded["decisions"]
        of_torch = {"all": self.case.kind != "hard"}
        if self.case.kind == "retrain":
            network = network_of(self.case.space)
            numbers = {
                d["path"]: d["candidates"].index(network[d["path"]]) for d in self.decisions
            }
            about["network"] = numbers
            loaded = [p.ask("load", **about, **p.settings) for p in self.own][0]
            self.decisions = []
            of_torch["candidates"] = network
        self.nasc.ask("save", to=self.path("weights"))
        save_file(moved(load_file(self.path("weights")), self.random), self.path("weights"))
        save_file(inputs(self.case, self.random), self.path("inputs"))
        settings = {name: loaded[name] for name in ("rate", "momentum", "decay", "clip")}
        for program in self.torch:
            program.ask("load", **settings, **of_torch)
        for program in self.programs():
            program.ask("weights", **{"from": self.path("weights")})
            program.ask("show", **{"from": self.path("inputs")})
            program.before = program.memory("VmRSS")

    def mix(self):
        """Another mixture, the same for all."""
        if self.decisions:
            save_file(mixture(self.case, self.decisions, self.random), self.path("mixture"))
            for program in self.programs():
                program.ask("mix", **{"from": self.path("mixture")})

    def compare(self):
        """How far losses, gradients and running statistics are from what PyTorch computes in double precision."""
        wanted, wanted_decided = self.computed(self.double), self.computed_decided(self.double)
        self.torch.remove(self.double)
        self.double.end()
        comparisons = {}
        for program in self.programs():
            try:
                comparison = Comparison(self.computed(program), wanted)
                if wanted_decided:
                    comparison.decided = Comparison(self.computed_decided(program), wanted_decided)
                comparisons[program] = comparison
            except TooSlow:
                self.drop(program, f"not ready after {self.arguments.limit} s")
        return comparisons

    def computed(self, program):
        """The loss, gradients and running statistics of a program."""
        limit = self.arguments.limit if "compile" in program.name else None
        loss = program.ask("gradients", limit, to=self.path("gradients"))["loss"]
        program.ask("save", to=self.path("moved"))
        moved = load_file(self.path("moved"))
        running = {name: moved[name] for name in moved if ".running_" in name}
        return loss, load_file(self.path("gradients")), running

    def computed_decided(self, program):
        """The same where each rectifier is open or closed; `None` where weights cannot decide that."""
        weights = decided(load_file(self.path("weights")))
        if weights is None:
            return None
        save_file(weights, self.path("decided"))
        program.ask("weights", **{"from": self.path("decided")})
        computed = self.computed(program)
        program.ask("weights", **{"from": self.path("weights")})
        return computed

    def drop(self, program, why):
        """Goes on without a mode of PyTorch."""
        self.dropped[program] = why
        self.torch.remove(program)
        program.end()

    def time(self):
        """Rounds in which each program makes a few steps, in another order each time."""
        for number in range(-1, self.arguments.rounds):
            self.mix()
            programs = self.programs()
            start = number % len(programs)
            for program in programs[start:] + programs[:start]:
                steps = [program.ask("step")["seconds"] for _ in range(self.arguments.steps)]
                if number >= 0:
                    program.seconds.append(statistics.median(steps))
        for program in self.programs():
            if self.on_gpu:
                program.before, program.peak = 0, program.ask("memory")["peak"]
            else:
                program.peak = program.memory("VmHWM")

    def floor(self):
        """Seconds that the multiply-accumulates of a step take at the speed of a large product of matrices."""
        program = self.torch[0]
        macs = program.ask("macs")
        # Backward takes as many twice; the gradient of the pictures is not wanted.
        step = 3 * macs["forward"] - macs["first"]
        speed = program.ask("matmul")["macs_per_second"]
        return step, speed

    def end(self):
        for program in self.programs():
            program.end()


class Comparison:
    """How far what a program computed is from what it should be."""

    def __init__(self, own, wanted):
        loss, gradients, moved = own
        wanted_loss, wanted_gradients, wanted_moved = wanted
        self.loss, self.wanted_loss, self.decided = loss, wanted_loss, None
        self.missing = sorted(set(gradients) ^ set(wanted_gradients))
        distances = distances_of(gradients, wanted_gradients)
        self.worst, self.where = max(distances)
        self.median = statistics.median(distance for distance, _ in distances)
        self.whole = whole_distance(gradients, wanted_gradients)
        self.statistics = max(distances_of(moved, wanted_moved))[0]

    def is_same_loss(self):
        here = abs(self.loss - self.wanted_loss) <= LOSS_TOLERANCE * max(1, abs(self.wanted_loss))
        return here and (self.decided is None or self.decided.is_same_loss())


def distances_of(own, wanted):
    """Of each tensor the largest difference, over its largest element, and its name."""
    names = set(own) & set(wanted)
    largest = {name: float(numpy.abs(wanted[name]).max()) for name in names}
    least = NOTHING * statistics.median(largest.values())
    return [
        (float(numpy.abs(own[name] - wanted[name]).max()) / max(largest[name], least), name)
        for name in names
    ]


def whole_distance(own, wanted):
    """The norm of the difference of all tensors together, over theirs."""
    names = set(own) & set(wanted)
    squares = lambda tensors: sum(float(numpy.square(tensor).sum()) for tensor in tensors)
    difference = squares(own[name] - wanted[name] for name in names)
    return (difference / squares(wanted[name] for name in names)) ** 0.5


def report(run, comparisons):
    """The tables of a case, in markdown."""
    best = min(run.torch, key=Program.median)
    lines = [
        f"## {run.case.name()}",
        "",
        "| | seconds a step | least | times as fast | peak memory | of it for steps | loss |"
        " gradients | median | worst | decided | running statistics |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for program in run.programs():
        comparison = comparisons[program]
        quotients = [b / own for b, own in zip(best.seconds, program.seconds)]
        cells = [
            program.name,
            f"{program.median():.4f}",
            f"{min(program.seconds):.4f}",
            f"{statistics.median(quotients):.2f}",
            f"{program.peak / 1e6:.0f} MB",
            f"{(program.peak - program.before) / 1e6:.0f} MB",
            f"{comparison.loss:.6f}" + ("" if comparison.is_same_loss() else ", **another one**"),
            f"{comparison.whole:.1e}",
            f"{comparison.median:.1e}",
            f"{comparison.worst:.1e}",
            f"{comparison.decided.whole:.1e}" if comparison.decided else "",
            f"{comparison.statistics:.1e}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    step, speed = run.floor()
    floor, own = step / speed, run.nasc.median()
    lines += [
        "",
        f"Floor: {step / 1e9:.2f} GMAC at {speed / 1e9:.0f} GMAC/s take {floor:.4f} s, which is"
        f" {floor / own:.0%} of a step of nasc and {floor / best.median():.0%} of one of {best.name}.",
    ]
    for program, why in run.dropped.items():
        lines.append(f"{program.name}: {why}.")
    for program, comparison in comparisons.items():
        if comparison.missing:
            lines.append(f"Gradients only on one side, {program.name}: {comparison.missing[:4]}.")
    worst = comparisons[run.nasc]
    lines.append(f"The worst gradient of nasc: `{worst.where}`.")
    return "\n".join(lines) + "\n"


def measure(case, modes, arguments):
    """The tables of a case."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(case, modes, arguments, folder)
        try:
            run.load()
            run.mix()
            comparisons = run.compare()
            run.time()
            tables = report(run, comparisons)
            if arguments.profile:
                for program in run.torch:
                    print(program.name, program.ask("profile", steps=3)["table"], file=sys.stderr)
            return tables
        finally:
            run.end()


def head(arguments):
    """What was measured, and how."""
    return (
        "# Steps of nasc and of PyTorch\n\n"
        f"`python3 bench/run.py --device {arguments.device}`: PyTorch 2.11.0, {arguments.threads} threads, {platform.machine()}; medians of"
        f" {arguments.rounds} rounds of {arguments.steps} steps, programs in turn. *Times as fast* is the median"
        " over the rounds of the quotient with the best mode of PyTorch; differences are from PyTorch"
        " in double precision. [README](README.md) says more.\n"
    )


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few rounds, the first mode alone")
    parser.add_argument("--bless", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--steps", type=int, default=2, help="steps of a program in a round")
    parser.add_argument("--bf16", action="store_true", help="bf16 autocast, too")
    parser.add_argument("--compile", action="store_true", help="torch.compile, too")
    parser.add_argument("--limit", type=int, default=600, help="seconds for torch.compile to build")
    parser.add_argument("--release", action="store_true", help="nasc built by the profile release")
    parser.add_argument("--nasc", type=Path, help="another executable on the side of nasc")
    parser.add_argument("--pause", type=float, default=0, help="seconds between cases")
    parser.add_argument("--without", action="append", default=[], metavar="PART", help="nasc without a part, too")
    parser.add_argument("--profile", action="store_true", help="operators of PyTorch by time")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 15)
    return arguments


def main():
    arguments = options()
    # On a GPU with the PyTorch that is there: its libraries are too large to be fetched for a few minutes.
    if arguments.device == "cpu":
        enter_environment()
    arguments.nasc = arguments.nasc or build(arguments.release)
    modes = [("channels_last",), ()]
    if arguments.bf16:
        modes.append(("channels_last", "bf16"))
    if arguments.compile:
        modes.append(("channels_last", "compile"))
    if arguments.quick:
        modes.remove(())
    if arguments.device == "cuda":
        with_bf16 = [(*mode, "bf16") if mode and "bf16" not in mode else mode for mode in modes]
        modes = list(dict.fromkeys(with_bf16))
    tables = [head(arguments)]
    print(tables[0], flush=True)
    for case in cases(arguments.device):
        if arguments.only in case.name():
            if len(tables) > 1:
                time.sleep(arguments.pause)
            tables.append(measure(case, modes, arguments))
            print(tables[-1], flush=True)
    if arguments.bless:
        RESULTS.write_text("\n".join(tables))


if __name__ == "__main__":
    main()
