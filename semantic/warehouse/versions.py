"""A data version: a text that changes whenever rows of some tables may have changed, cheap to ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

# Inserts and mutations (deletes, updates) take the next number of one counter per partition: the former as the part's last block, the latter
# as its data_version. Merges change neither the largest number nor the rows; a dropped partition changes the rows, and a new table under the
# old name has another uuid. (metadata_modification_time is of no use: whole seconds.)
_SQL = """
SELECT t.database, t.name, toString(t.uuid), cityHash64(t.create_table_query), t.engine,
       p.state, if(t.engine LIKE '%MergeTree', 0, t.total_rows), if(t.engine LIKE '%MergeTree', 0, t.total_bytes)
FROM system.tables AS t
LEFT JOIN (
    SELECT database, table, toString((groupBitXor(cityHash64(partition_id, last, size)), count(), sum(size))) AS state
    FROM (
        SELECT database, table, partition_id, max(greatest(max_block_number, data_version)) AS last, sum(rows) AS size
        FROM system.parts WHERE active GROUP BY database, table, partition_id
    ) GROUP BY database, table
) AS p ON p.database = t.database AND p.table = t.name
WHERE t.database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')
  AND (has({names:Array(String)}, concat(t.database, '.', t.name)) OR (SELECT count() FROM system.tables
       WHERE has({names:Array(String)}, concat(database, '.', name)) AND engine LIKE '%View%') > 0)
ORDER BY t.database, t.name
"""


def version_sql(tables: Sequence[tuple[str, str]]) -> tuple[str, dict[str, list[str]]]:
    """The query and its parameters for (database, table) pairs. If one is a view, every table counts: what it reads is not known here."""
    return _SQL, {"names": sorted({f"{database}.{table}" for database, table in tables})}


def parse_version(result: Any) -> str:
    """16 hexadecimal digits. A table that does not exist has a version too (it changes when the table is made)."""
    digest = hashlib.blake2b(digest_size=8)
    for row in result.result_rows:
        digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()
