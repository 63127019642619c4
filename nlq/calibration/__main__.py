"""`python -m nlq.calibration --seed 7 --out DIR`: confidence.json, report.json and reliability.svg into DIR; one JSON line of figures last."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from nlq.calibration.rebuild import Recipe, rebuild, write


def main() -> int:
    default = Recipe()
    parser = argparse.ArgumentParser(prog="nlq.calibration", description=__doc__)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--businesses", type=int, default=default.businesses)
    parser.add_argument("--held-out", type=int, default=default.held_out)
    parser.add_argument("--questions", type=int, default=default.questions)
    parser.add_argument("--written", type=Path, default=None, help="a folder of questions with hand-written SQL to measure on as well")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    recipe = Recipe(options.seed, options.businesses, options.held_out, options.questions)
    made = rebuild(recipe, lambda text: print(text, file=sys.stderr), options.written)
    write(made, options.out)
    print(json.dumps({**made.metrics(), "answer": made.model.answer, "ask": made.model.ask, "trained_on": made.trained_on}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
