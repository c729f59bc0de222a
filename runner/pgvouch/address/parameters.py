"""What can stand in a URL: libpq's own parameters, and those of other programs. No I/O."""

from psycopg import pq

KEYWORDS = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
"""What libpq knows."""
VARIABLES = {
    option.envvar.decode(): option.keyword.decode()
    for option in pq.Conninfo.get_defaults()
    if option.envvar
}
"""The environment variables that libpq reads, and what each of them sets."""
DRIVERS = {
    "psycopg", "psycopg_async", "psycopg2", "psycopg2cffi", "asyncpg", "aiopg", "pg8000",
    "pygresql", "pypostgresql", "psycopgbinary",
}  # fmt: skip
"""SQLAlchemy's. Others write something else behind a `+`: `postgresql+ssh://` is two addresses."""
DRIVERS_OWN = {
    "pgbouncer", "connection_limit", "pool_timeout", "pool", "pool_size", "max_overflow",
    "pool_recycle", "pool_pre_ping", "pool_max_conns", "pool_min_conns",
    "pool_max_conn_lifetime", "pool_max_conn_idle_time", "pool_health_check_period",
    "statement_cache_size", "statement_cache_capacity", "prepared_statement_cache_size",
    "prepared_statement_name_func", "prepared_statements", "prepareThreshold",
    "preparedStatementCacheQueries", "default_query_exec_mode", "description_cache_capacity",
    "binary_parameters", "async_fallback", "socket_timeout", "socketTimeout", "connectTimeout",
    "loginTimeout", "command_timeout", "timeout", "workaround", "supa", "uselibpqcompat",
}  # fmt: skip
"""Parameters that concern the program that reads them, and neither database nor session."""
HARMLESS_VALUES = {
    "schema": {"public"},
    "currentSchema": {"public"},
    "search_path": {"public"},
    "encoding": {"utf8", "utf-8", "unicode"},
    "charset": {"utf8", "utf-8", "unicode"},
    "sslaccept": {"accept_invalid_certs"},  # what sslmode=require does
}
"""Parameters that matter, with the values that change nothing here."""
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
SCHEMAS = {"schema", "currentSchema", "search_path"}
TIMEOUTS = {"statement_timeout", "lock_timeout"}
FOREIGN = {*DRIVERS_OWN, *HARMLESS_VALUES, *TIMEOUTS, "ssl", "driver", "sslidentity"}
"""Parameters by which people recognise what they have copied; their names are no secret."""
