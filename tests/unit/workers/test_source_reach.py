"""Which addresses of buckets a source may name."""

from __future__ import annotations

import pytest

from core.errors import Invalid
from workers.sources.reach import bucket


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
