#!/bin/sh
# The first thing in the container: wait for the server, migrate, become the application. `exec` keeps
# the process, so that signals and the exit code are the application's own.
#
#   PGVOUCH_MIGRATE=no   for workers: only wait until another container has migrated
#   PGVOUCH_WAIT=60s     how long to wait for the server, or for the schema
#
# A command that is pgvouch itself is only run: who asks for the status does not want to migrate.
set -eu

if [ "${1:-}" = pgvouch ]; then
  exec "$@"
fi
case "${PGVOUCH_MIGRATE:-yes}" in
  yes) set -- -- "$@" ;;
  no) set -- --no-migrate -- "$@" ;;
  *)
    echo "error: PGVOUCH_MIGRATE is yes or no, not '$PGVOUCH_MIGRATE'" >&2
    exit 2
    ;;
esac
exec pgvouch entrypoint --wait "${PGVOUCH_WAIT:-60s}" "$@"
