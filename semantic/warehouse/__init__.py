"""The warehouse: clients over ClickHouse's HTTP interface, and the embedded endpoint that serves chDB through it.

`client` and `admin` work against any ClickHouse; `endpoint` and what it imports run only inside `querent warehouse`.
"""
