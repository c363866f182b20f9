"""The register of names: how much of it is found, how fast, in how much memory, and how its cost grows.

    python benchmarks/name_index.py [DIR] [--sizes N ...] [--queries N] [--no-peers]

DIR holds the names data set and its evaluate.py (../shared/data/names without one): real names, filled up with made-up
recombinations of their parts; the queries are other real spellings of indexed persons, dev split. Every size runs in a
process of its own. Beside it, at 10,000 and 100,000 names, rapidfuzz compares the query with every name (token sort
ratio over anyascii's romanisation, its own C++ loop), from the environment `build/peers` that names.py makes.

Times of one search, of building and of loading are processor time, so another job on the machine lengthens them little;
queries a second on two threads are wall time, and told beside what the processor time allows.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PEER_MOST = 100_000
GOALS = {  # size -> (recall@1, recall@10)
    100_000: (0.90, 0.95),
    1_000_000: (0.78, 0.88),
}
P50_MS, A_SECOND, MEMORY_MB, BUILD_S, GROWTH, LOAD_S = 10.0, 200.0, 1500.0, 180.0, 5.0, 2.0

Query = dict[str, Any]
Search = Callable[[str, int], list[int]]


def data(folder: str, size: int, queries: int) -> tuple[list[str], list[Query]]:
    spec = importlib.util.spec_from_file_location("names_evaluate", Path(folder) / "evaluate.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"no evaluate.py in {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names, asked = module.retrieval_data(folder, "dev", size)
    return names, module.sample(asked, queries)


def found(search: Search, asked: list[Query]) -> dict[str, float]:
    """Recall and the time of one search."""
    times, first, ten = [], 0, 0
    search(asked[0]["q"], 10)
    for q in asked:
        begin = time.process_time()
        got = search(q["q"], 10)
        times.append(time.process_time() - begin)
        first += bool(set(got[:1]) & set(q["relevant"]))
        ten += bool(set(got) & set(q["relevant"]))
    times.sort()
    n = len(asked)
    return {
        "recall@1": first / n,
        "recall@10": ten / n,
        "p50_ms": 1000 * times[n // 2],
        "p99_ms": 1000 * times[int(n * 0.99)],
        "mean_ms": 1000 * sum(times) / n,
    }


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def on_two_threads(search: Search, asked: list[Query]) -> dict[str, float]:
    def run(part: list[Query]) -> None:
        for q in part:
            search(q["q"], 10)

    threads = [threading.Thread(target=run, args=(asked[k::2],)) for k in range(2)]
    wall, cpu = time.perf_counter(), time.process_time()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"a_second": len(asked) / wall, "a_second_by_processor": 2 * len(asked) / cpu}


def ours(names: list[str], asked: list[Query]) -> dict[str, Any]:
    from tansiq.matching import NameIndex, kernel_in_use

    before, begin = megabytes(), time.process_time()
    index = NameIndex()
    index.build(names)
    out: dict[str, Any] = {"kernel": kernel_in_use()[0], "build_s": time.process_time() - begin}

    def search(query: str, k: int) -> list[int]:
        return [i for i, _ in index.search(query, k)]

    out |= found(search, asked)
    out |= on_two_threads(search, asked)
    out["memory_mb"] = megabytes() - before
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "names"
        index.save(path)
        out["file_mb"] = path.stat().st_size / 1e6
        begin = time.process_time()
        again = NameIndex.load(path)
        out["load_s"] = time.process_time() - begin
        out["same_after_load"] = all(again.search(q["q"]) == index.search(q["q"]) for q in asked[:50])
        begin = time.process_time()
        added = again.add("Ouardia Tazarourte")
        out["add_and_find_ms"] = 1000 * (time.process_time() - begin)
        out["found_after_add"] = again.search("وردية تازاروورت", 1)[0][0] == added
    return out


def rapidfuzz(names: list[str], asked: list[Query]) -> dict[str, Any]:
    anyascii = importlib.import_module("anyascii").anyascii
    fuzz, process = importlib.import_module("rapidfuzz.fuzz"), importlib.import_module("rapidfuzz.process")
    begin = time.process_time()
    plain = [" ".join(sorted(anyascii(n).lower().split())) for n in names]
    built = time.process_time() - begin

    def search(query: str, k: int) -> list[int]:
        said = " ".join(sorted(anyascii(query).lower().split()))
        return [at for _, _, at in process.extract(said, plain, scorer=fuzz.ratio, limit=k)]

    return {"build_s": built, **found(search, asked)}


def measured(kind: str, python: str, folder: str, size: int, queries: int) -> dict[str, Any] | None:
    command = [python, str(Path(__file__).resolve()), folder, "--one", kind, "--sizes", str(size)]
    done = subprocess.run(
        [*command, "--queries", str(queries)], stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        print(f"{kind}: the measurement failed", file=sys.stderr)
        return None
    out: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return out


def peers_python(wanted: bool) -> str | None:
    """The environment that benchmarks/names.py made; it is asked to make it when it is not there."""
    if not wanted:
        return None
    sys.path.insert(0, str(ROOT / "benchmarks"))
    names = importlib.import_module("names")
    python = names.peers_python(True)
    return str(python) if python else None


def line(name: str, size: int, m: dict[str, Any]) -> None:
    print(
        f"{name:10} {size:>9,} recall@1 {m['recall@1']:.3f} @10 {m['recall@10']:.3f}"
        f"   p50 {m['p50_ms']:7.2f} ms  p99 {m['p99_ms']:7.1f}   build {m['build_s']:6.1f} s",
        flush=True,
    )


def goals(of: dict[int, dict[str, Any]]) -> list[tuple[str, float, str, float]]:
    out: list[tuple[str, float, str, float]] = []
    for size, (one, ten) in GOALS.items():
        if size in of:
            out += [(f"recall@1 at {size:,}", of[size]["recall@1"], ">=", one)]
            out += [(f"recall@10 at {size:,}", of[size]["recall@10"], ">=", ten)]
    if 1_000_000 in of:
        most = of[1_000_000]
        out += [("p50 at 1,000,000, ms", most["p50_ms"], "<=", P50_MS)]
        out += [("queries a second, two threads", most["a_second"], ">=", A_SECOND)]
        out += [("the same by processor time", most["a_second_by_processor"], ">=", A_SECOND)]
        out += [("memory, MB", most["memory_mb"], "<=", MEMORY_MB), ("build, s", most["build_s"], "<=", BUILD_S)]
        out += [("load, s", most["load_s"], "<=", LOAD_S)]
    if 10_000 in of and 1_000_000 in of:
        out += [("p50 grows for 100 times the names", of[1_000_000]["p50_ms"] / of[10_000]["p50_ms"], "<=", GROWTH)]
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=str(ROOT.parent / "shared" / "data" / "names"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--one", choices=["ours", "peer"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        run = ours if given.one == "ours" else rapidfuzz
        print(json.dumps(run(*data(given.folder, given.sizes[0], given.queries))))
        return 0
    of: dict[int, dict[str, Any]] = {}
    peers = peers_python(not given.no_peers)
    for size in given.sizes:
        m = measured("ours", sys.executable, given.folder, size, given.queries)
        if m is None:
            return 1
        of[size] = m
        line(f"{m['kernel']}", size, m)
        kept = f"memory {m['memory_mb']:.0f} MB, file {m['file_mb']:.0f} MB, load {m['load_s']:.2f} s"
        print(
            f"{'':20} {kept}, {m['a_second']:.0f}/s on two threads"
            f" ({m['a_second_by_processor']:.0f}/s by processor time)"
        )
        print(
            f"{'':20} add after load {m['add_and_find_ms']:.1f} ms, found {m['found_after_add']},"
            f" same answers {m['same_after_load']}"
        )
        peer = (
            measured("peer", peers, given.folder, size, min(given.queries, 100))
            if peers and size <= PEER_MOST
            else None
        )
        if peer:
            line("rapidfuzz", size, peer)
            print(f"{'':20} ours is {peer['p50_ms'] / m['p50_ms']:.1f} times faster")
        elif size <= PEER_MOST:
            print("rapidfuzz  absent: nothing is claimed against it")
    missed = 0
    for name, value, way, goal in goals(of):
        holds = value >= goal if way == ">=" else value <= goal
        missed += not holds
        print(f"{'holds' if holds else 'MISSED':7} {name:36} {value:9.3f} {way} {goal:g}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
