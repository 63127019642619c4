-- The two users of Querent on a ClickHouse server of one's own. Run once as an administrator; replace the passwords and the databases.
-- The server must have settings_constraints_replace_previous on (its config.xml has). The reader is a second wall behind the guard: it cannot write, and a request may lower these caps but never raise them.

CREATE SETTINGS PROFILE IF NOT EXISTS querent_reader SETTINGS
    readonly = 1 CONST,
    max_execution_time = 60 MIN 0.1 MAX 120 CHANGEABLE_IN_READONLY,
    timeout_overflow_mode = 'throw' CHANGEABLE_IN_READONLY,
    max_memory_usage = 4294967296 MIN 1 MAX 8589934592 CHANGEABLE_IN_READONLY,
    max_rows_to_read = 2000000000 MIN 1 MAX 2000000000 CHANGEABLE_IN_READONLY,
    read_overflow_mode = 'throw' CHANGEABLE_IN_READONLY,
    max_result_rows = 1100000 MIN 1 MAX 1100000 CHANGEABLE_IN_READONLY,
    max_result_bytes = 1073741824 MIN 1 MAX 1073741824 CHANGEABLE_IN_READONLY,
    result_overflow_mode = 'throw' CHANGEABLE_IN_READONLY,
    join_use_nulls = 1 CHANGEABLE_IN_READONLY,
    enable_extended_results_for_datetime_functions = 1 CHANGEABLE_IN_READONLY,
    prefer_column_name_to_alias = 1 CHANGEABLE_IN_READONLY,
    additional_table_filters = '{}' CHANGEABLE_IN_READONLY,
    optimize_move_to_prewhere = 1 CHANGEABLE_IN_READONLY,
    query_plan_optimize_prewhere = 1 CHANGEABLE_IN_READONLY,
    cancel_http_readonly_queries_on_client_close = 1;

CREATE USER IF NOT EXISTS querent IDENTIFIED WITH sha256_password BY 'change-me-1' SETTINGS PROFILE 'querent_reader';
-- Shared tables lie in analytics; files that a tenant uploads, and forecasts, in a database tenant_<id> of its own.
GRANT SELECT ON analytics.* TO querent;
GRANT SELECT ON tenant_*.* TO querent;
GRANT SELECT ON system.tables TO querent;
GRANT SELECT ON system.parts TO querent;

CREATE USER IF NOT EXISTS querent_admin IDENTIFIED WITH sha256_password BY 'change-me-2';
GRANT SELECT, INSERT, ALTER, CREATE TABLE, CREATE DATABASE, DROP TABLE, TRUNCATE ON analytics.* TO querent_admin;
GRANT SELECT, INSERT, ALTER, CREATE TABLE, CREATE DATABASE, DROP TABLE, TRUNCATE ON tenant_*.* TO querent_admin;
GRANT SELECT ON system.* TO querent_admin;
-- Sources that the engine reads for an administrator (docs/sources.md); leave it out where none is wanted. Also set remote_url_allow_hosts.
GRANT CREATE TEMPORARY TABLE, POSTGRES, MYSQL, MONGO, S3 ON *.* TO querent_admin;
