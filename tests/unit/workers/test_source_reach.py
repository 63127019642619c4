"""Which addresses a source may name, and that what was checked is what is connected to."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpcore
import pytest

from core.errors import Invalid
from workers.sources.fetch import fetch
from workers.sources.reach import bucket, pinned
from workers.sources.spec import WebFile


@pytest.mark.parametrize(
    "host",
    [
        "s3.amazonaws.com", "b.s3.amazonaws.com", "my.b.s3.us-gov-west-1.amazonaws.com", "b.s3-us-west-2.amazonaws.com",
        "b.s3.dualstack.us-east-1.amazonaws.com", "storage.googleapis.com", "b.oss-cn-hangzhou.aliyuncs.com",
    ],
)  # fmt: skip
def test_object_stores_of_the_public_clouds_may_be_named(host: str) -> None:
    assert bucket(f"https://{host}/a/*.parquet", ()) == f"https://{host}/a/*.parquet"


@pytest.mark.parametrize(
    "host",
    [
        "internal-a-1.us-east-1.elb.amazonaws.com", "s3-a-1.us-east-1.elb.amazonaws.com", "ec2-10-0-0-1.compute-1.amazonaws.com",
        "a.execute-api.us-east-1.amazonaws.com", "a.mysql.rds.aliyuncs.com", "b.oss-cn-hangzhou-internal.aliyuncs.com", "evils3.amazonaws.com",
    ],
)  # fmt: skip
def test_other_names_of_a_cloud_may_point_inside_and_are_refused(host: str) -> None:
    with pytest.raises(Invalid, match="QUERENT_OUTBOUND_HOSTS"):
        bucket(f"https://{host}/a", ())
    assert bucket(f"https://{host}/a", {host})


def test_a_name_that_means_another_address_a_moment_later_is_connected_to_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    connected: list[str] = []

    def rebinding(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(_: Any, host: str, *__: Any, **___: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("as far as this goes")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    assert pinned("two-faced.example", 5432, ()) == "93.184.216.34:5432"
    asked.clear()
    file = WebFile(kind="url", url="http://two-faced.example/x.csv")
    with pytest.raises(Invalid, match="could not be fetched"):
        fetch(file, tmp_path, "x", stamp="", allowed=(), max_bytes=10)
    assert (asked, connected) == (["two-faced.example"], ["93.184.216.34"])
