# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6"]
# ///
"""How well the truth of three seeds can tell which network of garments is the best.

    python certainty.py
    python certainty.py PROXIES

Reads `garments.jsonl`, `garments2.jsonl` and `garments3.jsonl` beside it. PROXIES has scores by proxies of all networks, as
`nasc runs export --format jsonl` writes them: then it tells which network is returned where those of a hundred that a proxy
likes best are trained, the trainings being looked up.
"""

import json
import sys
from pathlib import Path

import numpy as np

FILES = {0: "garments.jsonl", 2: "garments2.jsonl", 3: "garments3.jsonl"}
CANDIDATES = ["identity", "k3_e2", "k5_e4"]
DRAWS = 4_000
POOL = 100


def read(path):
    """The accuracies of networks in percent, by what they choose."""
    scored = [json.loads(line) for line in path.read_text().splitlines()]
    return {tuple(sorted(of["choices"].items())): 100 * of["score"]["accuracy"] for of in scored}


def rank(accuracies, place):
    """Of a network among others, 1 for the best."""
    return 1 + int((accuracies > accuracies[place]).sum())


def effects(networks):
    """A column for each candidate of each decision but the first one, and one of ones."""
    chosen = np.array([[CANDIDATES.index(name) for _, name in network] for network in networks])
    columns = [chosen[:, layer] == candidate for layer in range(chosen.shape[1]) for candidate in (1, 2)]
    return np.stack([np.ones(len(networks)), *columns], 1).astype(float)


def warmed(networks, trained, path):
    """Tells the rank of the best of those that a proxy likes best, by the mean of the seeds that it was not picked by."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines = {tuple(sorted(line["choices"].items())): line for line in lines}
    lines = [lines[network] for network in networks]
    proxies = [name for name in lines[0]["score"] if name not in ("vote", "direction")]
    orders = {name: np.array([line["score"][name] for line in lines]) for name in proxies}
    orders["all of them"] = sum(order.argsort().argsort() for order in orders.values())
    orders["MACs"] = np.array([line["cost"]["macs"] for line in lines])
    rng = np.random.default_rng(0)
    for name, order in orders.items():
        for count in (4, 8, 16):
            ranks = []
            for _ in range(DRAWS):
                pool = rng.choice(len(networks), POOL, replace=False)
                liked, seed = pool[order[pool].argsort()[::-1][:count]], rng.integers(3)
                best = liked[trained[liked, seed].argmax()]
                ranks.append(rank(np.delete(trained, seed, 1).mean(1), best))
            share = np.mean(np.array(ranks) <= 4)
            print(f"of {POOL} the {count} best by {name}: rank {np.median(ranks):.0f} in the median, at most 4 in {share:.0%}")


def main():
    tables = [read(Path(__file__).parent / name) for name in FILES.values()]
    networks = sorted(tables[0])
    trained = np.array([[table[network] for table in tables] for network in networks])
    trained -= trained.mean(0)
    if len(sys.argv) > 1:
        warmed(networks, trained, Path(sys.argv[1]))
        return

    for place, seed in enumerate(FILES):
        others = np.delete(trained, place, 1).mean(1)
        best = trained[:, place].argmax()
        print(f"best of all by seed {seed}: rank {rank(others, best)} by the mean of the other two")

    good = [place for place, network in enumerate(networks) if sum(name == "identity" for _, name in network) <= 1]
    some, columns = trained[good], effects([networks[place] for place in good])
    means = some.mean(1)
    variance = some.var(1, ddof=1).mean()
    fitted = columns @ np.linalg.lstsq(columns, means)[0]
    left = ((means - fitted) ** 2).sum() / (len(good) - columns.shape[1])
    print(f"{len(good)} networks with at most one identity: one training has a standard deviation of {variance**0.5:.2f} %,")
    print(f"the mean of three {(variance / 3) ** 0.5:.2f} %; it differs from a sum of an effect of each choice by {left**0.5:.2f} %")

    rng = np.random.default_rng(0)
    rest = max(left - variance / 3, 0) ** 0.5
    print(f"were the accuracies this sum and chance of {rest:.2f} %, in {DRAWS} draws of the truth:")

    def seen(true, trainings):
        return true + rng.normal(0, (variance / trainings) ** 0.5, len(good))

    for name, trainings in [("all", None), ("all by one training each", 1), ("all by four trainings each", 4)]:
        ranks = []
        for _ in range(DRAWS):
            true = fitted + rng.normal(0, rest, len(good))
            picked = (true if trainings is None else seen(true, trainings)).argmax()
            ranks.append(rank(seen(true, 3), picked))
        share = np.mean(np.array(ranks) <= 4)
        print(f"  best of {name}: rank {np.median(ranks):.0f} in the median, at most 4 in {share:.0%}")


if __name__ == "__main__":
    main()
