"""`python -m workers worker|beat`: the processes behind `querent worker` and `querent beat`."""

from __future__ import annotations

import argparse

from workers.broker import QUEUES
from workers.main import run_beat, run_worker


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m workers")
    parser.add_argument("what", choices=("worker", "beat"))
    parser.add_argument("--queues", default=",".join(QUEUES))
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--log-level", default="INFO")
    given = parser.parse_args()
    if given.what == "beat":
        run_beat(log_level=given.log_level)
    else:
        run_worker(queues=given.queues.split(","), concurrency=given.concurrency, log_level=given.log_level)


if __name__ == "__main__":
    main()
