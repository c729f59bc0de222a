#!/bin/sh
# The first thing in the container: wait for the server, migrate, become the application. `exec` keeps
# the process, so that signals and the exit code are the application's own.
#
#   PGVOUCH_MIGRATE=no   for workers: only wait until another container has migrated
#   PGVOUCH_WAIT=60s     how long to wait for the server, and for the schema
set -eu

if [ "${PGVOUCH_MIGRATE:-yes}" = no ]; then
  exec pgvouch entrypoint --no-migrate --wait "${PGVOUCH_WAIT:-60s}" -- "$@"
fi
exec pgvouch entrypoint --wait "${PGVOUCH_WAIT:-60s}" -- "$@"
