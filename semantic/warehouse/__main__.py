"""`python -m semantic.warehouse --data DIR --port N`: the embedded endpoint on its own."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from core.errors import AppError
from semantic.warehouse.server import serve
from semantic.warehouse.slots import Limits


def main() -> int:
    """Exit code 0 after a clean stop, 2 when it cannot start (the reason is printed)."""
    parser = argparse.ArgumentParser(
        prog="python -m semantic.warehouse", description="ClickHouse's HTTP interface over an embedded engine."
    )
    parser.add_argument("--data", type=Path, required=True, help="data folder; one process per folder")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8124, help="0: a free one, written to DIR/endpoint.json")
    parser.add_argument("--allow-remote", action="store_true", help="permit an address that is not loopback")
    parser.add_argument("--running", type=int, default=12, help="queries at once")
    parser.add_argument("--waiting", type=int, default=256, help="queries in the queue; beyond it callers get 503")
    parser.add_argument("--wait-s", type=float, default=30.0, help="longest time in the queue")
    options = parser.parse_args()

    try:
        serve(
            options.data,
            options.host,
            options.port,
            os.environ.get("QUERENT_WAREHOUSE_ADMIN_PASSWORD", ""),
            reader_token=os.environ.get("QUERENT_WAREHOUSE_PASSWORD", ""),
            limits=Limits(running=options.running, waiting=options.waiting, wait_s=options.wait_s),
            allow_remote=options.allow_remote,
        )
    except (AppError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
