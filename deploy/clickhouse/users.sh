#!/bin/bash
# Makes Querent's two users at the first start of the server. The passwords come from the environment and appear in no log.
set -euo pipefail
: "${QUERENT_READER_PASSWORD:?}" "${QUERENT_ADMIN_PASSWORD:?}"
case "$QUERENT_READER_PASSWORD$QUERENT_ADMIN_PASSWORD" in
  *[!A-Za-z0-9_.-]*) echo "Passwords of Querent's ClickHouse users may hold letters, digits, _ . - only." >&2; exit 1 ;;
esac
{
  echo "CREATE DATABASE IF NOT EXISTS analytics;"
  sed -e "s/change-me-1/$QUERENT_READER_PASSWORD/" -e "s/change-me-2/$QUERENT_ADMIN_PASSWORD/" /opt/querent/server_setup.sql
} | clickhouse-client --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD" --multiquery
