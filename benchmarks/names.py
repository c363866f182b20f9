"""What the name matcher does on the names data set, beside plain string measures in the same run.

    python benchmarks/names.py DIR [LIMIT]

DIR holds the data set and its evaluate.py. Prints AP, F1 at the best dev threshold, the share of minimal pairs wrongly
accepted and pairs a second for `tansiq.matching:score`, and for two peers: difflib over folded text (standard library)
and, when it is installed, rapidfuzz's token sort ratio over the same.
"""

from __future__ import annotations

import difflib
import importlib.util
import sys
import unicodedata
from pathlib import Path

from tansiq.matching import score


def folded(name: str) -> str:
    """Lower case, no accents, words in order: what a plain string measure is usually given."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(sorted(plain.split()))


def by_difflib(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, folded(a), folded(b), autojunk=False).ratio()


def peers() -> dict[str, object]:
    found: dict[str, object] = {"tansiq": score, "difflib": by_difflib}
    if importlib.util.find_spec("rapidfuzz"):
        fuzz = importlib.import_module("rapidfuzz.fuzz")
        found["rapidfuzz token sort"] = lambda a, b: fuzz.token_sort_ratio(folded(a), folded(b)) / 100
    return found


def main() -> None:
    directory = Path(sys.argv[1])
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    spec = importlib.util.spec_from_file_location("evaluate", directory / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    evaluate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(evaluate)
    for name, matcher in peers().items():
        r = evaluate.run_pairs(matcher, str(directory), None, limit)
        whole = r["dev"]["all"]
        minimal = r["dev"]["hit_rate_on_set_aside"].get("minimal", {}).get("hit_rate", float("nan"))
        cross = r["dev"]["arabic-latin"]
        print(
            f"{name:24} all AP {whole['AP']:.3f} F1 {whole['F1']:.3f}   arabic-latin AP {cross['AP']:.3f}"
            f" F1 {cross['F1']:.3f}   minimal {minimal:.3f}   {r['pairs_per_second']:.0f} pairs/s"
        )


if __name__ == "__main__":
    main()
