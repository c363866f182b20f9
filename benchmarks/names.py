"""The name matcher beside its peers, on one sample, in one run: how right, how fast, and whether the goals hold.

    python benchmarks/names.py [DIR] [--pairs N] [--no-peers]

DIR holds the names data set and its evaluate.py (../shared/data/names without one). Peers live in an environment of
their own, `build/peers`, made from benchmarks/peers.txt when it is not there (PyPI is asked; pyicu may need a compiler
and ICU's headers). A peer that cannot be had is named as absent, and what is measured against it is not claimed.

Every matcher runs in a process of its own, one after the other, on the same pairs: AP and F1 at its own best threshold,
recall on made-up variants and the share of minimal pairs accepted at that threshold, and pairs a second of processor
time, each pair scored once and none seen before. The clock runs from two texts to a score, as evaluate.py calls a
matcher and what the goal beside logic-v2 means; nomenklatura compares entities, and the time with those made
beforehand stands on a line of its own. The pairs are the dev pairs that the matcher was trained on: the goals
are for held-out pairs of the same make, so what is held here is a hint, what is missed here is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "peers"
WARM = 200
Matcher = Callable[[Any, Any], float]

# name -> (runs with our interpreter, what it needs)
MATCHERS = {
    "tansiq": (True, "tansiq"),
    "nomenklatura logic-v2": (False, "nomenklatura"),
    "nomenklatura name-based": (False, "nomenklatura"),
    "nomenklatura ofac": (False, "nomenklatura"),
    "rapidfuzz token sort, ICU": (False, "rapidfuzz and icu"),
    "rapidfuzz token sort, anyascii": (False, "rapidfuzz and anyascii"),
}

GOALS: tuple[tuple[str, str, str, float], ...] = (
    ("all", "AP", ">=", 0.985),
    ("all", "F1", ">=", 0.955),
    ("all", "R_at_P95", ">=", 0.95),
    ("arabic-latin", "AP", ">=", 0.996),
    ("arabic-latin", "F1", ">=", 0.980),
    ("latin-latin", "AP", ">=", 0.970),
    ("latin-latin", "F1", ">=", 0.925),
    ("minimal", "accepted", "<=", 0.15),
)
STRESS, FASTER, PAIRS_A_SECOND = 0.93, 20.0, 20_000.0


# In the process of one matcher


def _prepared(name: str) -> tuple[Callable[[str], Any], Matcher]:
    """(what is made of a name before the clock runs, the comparison)."""
    if name == "tansiq":
        from tansiq.matching import score

        return str, score
    if name.startswith("nomenklatura"):
        return _nomenklatura(name.split()[1])
    from rapidfuzz import fuzz

    plain: Callable[[str], str]
    if name.endswith("ICU"):
        import icu

        plain = icu.Transliterator.createInstance("Any-Latin; Latin-ASCII; Lower").transliterate
    else:
        from anyascii import anyascii

        def plain(text: str) -> str:
            return str(anyascii(text).lower())

    return str, lambda a, b: fuzz.token_sort_ratio(plain(a), plain(b)) / 100


def _nomenklatura(algorithm: str) -> tuple[Callable[[str], Any], Matcher]:
    from followthemoney import model
    from nomenklatura.matching import get_algorithm

    found = get_algorithm(algorithm)
    if found is None:
        raise ImportError(algorithm)
    config = found.default_config()
    numbers = count()

    def entity(name: str) -> Any:
        made = model.make_entity("Person")
        made.id = f"e{next(numbers)}"  # it keeps what it made of a name by the entity's id
        made.add("name", name)
        return made

    return entity, lambda a, b: found.compare(a, b, config).score


def worker(name: str, file: str) -> None:
    """Scores the pairs of a file and prints {"scores", "seconds", "making"}: what the scoring took, and before it the
    making of what the matcher compares."""
    make, compare = _prepared(name)
    told = json.loads(Path(file).read_text(encoding="utf-8"))
    for a, b in told["warm"]:
        compare(make(a), make(b))
    begin = time.process_time()
    ready = [(make(a), make(b)) for a, b in told["pairs"]]
    made = time.process_time()
    scores = [float(compare(a, b)) for a, b in ready]
    print(json.dumps({"scores": scores, "seconds": time.process_time() - made, "making": made - begin}))


# The environment of the peers


def peers_python(wanted: bool) -> Path | None:
    """The interpreter of the peers' environment, made when it is not there; None when there is none."""
    python = PEERS / "bin" / "python"
    if python.exists() or not wanted:
        return python if python.exists() and wanted else None
    print(f"peers: making {PEERS.relative_to(ROOT)} from benchmarks/peers.txt", flush=True)
    needs = str(Path(__file__).with_name("peers.txt"))
    ways = (
        (["uv", "venv", "-q", str(PEERS)], ["uv", "pip", "install", "-q", "--python", str(python), "-r", needs]),
        ([sys.executable, "-m", "venv", str(PEERS)], [str(python), "-m", "pip", "install", "-q", "-r", needs]),
    )
    for way in ways:
        try:
            if all(subprocess.run(step, check=False, timeout=1200).returncode == 0 for step in way):
                return python
        except (OSError, subprocess.TimeoutExpired):
            continue
    print("peers: absent, their environment could not be made (see above)")
    return python if python.exists() else None


def run(name: str, python: Path, file: str) -> dict[str, Any] | None:
    """What one matcher says, from a process of its own; None when it is absent."""
    done = subprocess.run(
        [str(python), __file__, "--worker", name, file], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        print(f"{name}: ABSENT ({(done.stderr.strip().splitlines() or ['no word'])[-1][:120]})")
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# Measuring


def _evaluate(directory: Path) -> Any:
    spec = importlib.util.spec_from_file_location("evaluate", directory / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sample(evaluate: Any, directory: Path, size: int) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """(the pairs that everybody scores, others to warm up with): main pairs, all minimal ones, half the made-up."""
    rows = list(evaluate.rows(evaluate.find(str(directory), "pairs_dev")))
    chance = random.Random(3)
    chance.shuffle(rows)
    main = [r for r in rows if r["tier"] in evaluate.MAIN]
    minimal = [r for r in rows if r["tier"] == "minimal"]
    made_up = list(evaluate.rows(evaluate.find(str(directory), "pairs_stress_dev")))
    chance.shuffle(made_up)
    chosen = main[:size] if size else main
    stress = [{**r, "tier": "stress"} for r in made_up[: len(made_up) // 2]]
    warm = [(r["a"], r["b"]) for r in main[-WARM:]]
    return [*chosen, *minimal, *stress], warm


def figures(evaluate: Any, rows: list[dict[str, Any]], scores: list[float]) -> dict[str, dict[str, float]]:
    """group -> measure -> value, at this matcher's own best threshold."""
    told = list(zip(rows, scores, strict=True))
    main = [(r, s) for r, s in told if r["tier"] in evaluate.MAIN]
    at = evaluate.metrics([(s, r["same"]) for r, s in main])["best_threshold"]
    found: dict[str, dict[str, float]] = {}
    for group in ("all", "arabic-latin", "latin-latin"):
        found[group] = evaluate.metrics([(s, r["same"]) for r, s in main if group in ("all", r["kind"])], at)
    minimal = [s >= at for r, s in told if r["tier"] == "minimal"]
    found["minimal"] = {"accepted": sum(minimal) / len(minimal)}
    kinds = sorted({r["kind"] for r, _ in told if r["tier"] == "stress"})
    for kind in kinds:
        hit = [s >= at for r, s in told if r["tier"] == "stress" and r["kind"] == kind]
        found[f"stress {kind}"] = {"recall": sum(hit) / len(hit)}
    return found


def line(name: str, f: dict[str, dict[str, float]], speed: float) -> str:
    worst = min((v["recall"], k.removeprefix("stress ")) for k, v in f.items() if k.startswith("stress "))
    pair = [f"{f[g]['AP']:.3f} / {f[g]['F1']:.3f}" for g in ("all", "arabic-latin", "latin-latin")]
    return (
        f"{name:31} {pair[0]:>15} {pair[1]:>15} {pair[2]:>15} {f['minimal']['accepted']:8.3f}"
        f"   {worst[0]:.3f} {worst[1]:28} {speed:>9,.0f}"
    )


class Measured(NamedTuple):
    """What one matcher did. Speeds in pairs a second of one core."""

    figures: dict[str, dict[str, float]]
    speed: float
    """From two texts."""
    ready: float
    """From two things made beforehand."""


def verdicts(found: dict[str, Measured]) -> Iterator[str]:
    ours, speed, _ = found["tansiq"]
    for group, measure, sign, goal in GOALS:
        value = ours[group][measure]
        held = value >= goal if sign == ">=" else value <= goal
        yield f"{'held  ' if held else 'MISSED'} {group} {measure} {value:.3f}, goal {sign} {goal}"
    for kind, v in ours.items():
        if kind.startswith("stress "):
            yield f"{'held  ' if v['recall'] >= STRESS else 'MISSED'} {kind} recall {v['recall']:.3f}, goal >= {STRESS}"
    yield f"{'held  ' if speed >= PAIRS_A_SECOND else 'MISSED'} pairs/s {speed:,.0f}, goal >= {PAIRS_A_SECOND:,.0f}"
    for peer, (_, other, ready) in found.items():
        if peer == "nomenklatura logic-v2":
            ratio = speed / other
            yield f"{'held  ' if ratio >= FASTER else 'MISSED'} {ratio:.1f} times {peer}, goal >= {FASTER:.0f} times"
            yield f"       {speed / ready:.1f} times {peer} when its entities are made beforehand"
        elif peer != "tansiq":
            yield f"       {speed / other:.2f} times {peer}"
    if "nomenklatura logic-v2" not in found:
        yield "NOT MEASURED times nomenklatura logic-v2: the peer is absent"


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "--worker":
        worker(sys.argv[2], sys.argv[3])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT.parent / "shared" / "data" / "names")
    parser.add_argument("--pairs", type=int, default=12_000, help="main pairs in the sample; 0 = all")
    parser.add_argument("--no-peers", action="store_true")
    asked, _ = parser.parse_known_args()
    if not (asked.directory / "evaluate.py").exists():
        print(f"names: NOT MEASURED, the names data set is not at {asked.directory}")
        return
    evaluate = _evaluate(asked.directory)
    rows, warm = sample(evaluate, asked.directory, asked.pairs)
    theirs = peers_python(not asked.no_peers)
    print(
        f"names: {len(rows)} dev pairs, the same for all; AP / F1, worst kind of made-up variant, pairs/s of one core"
    )
    print(f"{'matcher':31} {'all':>15} {'Arabic-Latin':>15} {'Latin-Latin':>15} {'minimal':>8}   worst kind")
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.json"
        told = {"warm": warm, "pairs": [(r["a"], r["b"]) for r in rows]}
        file.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        for name, (own, needs) in MATCHERS.items():
            python = Path(sys.executable) if own else theirs
            if python is None:
                print(f"{name}: ABSENT (needs {needs} in build/peers)")
                continue
            said = run(name, python, str(file))
            if said:
                speed = len(rows) / max(said["seconds"] + said["making"], 1e-9)
                ready = len(rows) / max(said["seconds"], 1e-9)
                found[name] = Measured(figures(evaluate, rows, said["scores"]), speed, ready)
                print(line(name, *found[name][:2]), flush=True)
    for verdict in verdicts(found) if "tansiq" in found else ():
        print(verdict)


if __name__ == "__main__":
    main()
