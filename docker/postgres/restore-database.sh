#!/bin/sh
# restore-database NAME <DUMP: puts a dump of pg_dump -Fc in the place of the database NAME (scanflow or orthanc), or changes
# nothing. The dump is read into a new database, which then takes the name. The old one stays as NAME_before_restore.
set -eu
case ${1:-} in
  scanflow | orthanc) name=$1 ;;
  *)
    echo 'Usage: restore-database scanflow|orthanc <DUMP' >&2
    exit 2
    ;;
esac
export PGHOST="${PGHOST:-/tmp}" PGUSER="${PGUSER:-postgres}"
statement() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname=postgres "$@"; }

connected=$(statement --command="SELECT count(*) FROM pg_stat_activity WHERE datname = '$name'")
if [ "$connected" != 0 ]; then
  echo "restore-database: $name is in use; nothing was changed. Stop streamer, dashboard and orthanc, then run it again." >&2
  exit 1
fi
dropdb --if-exists "${name}_restoring" 2>/dev/null
createdb --owner="$name" --template=template0 "${name}_restoring"
if ! pg_restore --exit-on-error --dbname="${name}_restoring"; then
  dropdb "${name}_restoring"
  echo "restore-database: the dump is not whole, or is none; $name is as it was. Take another dump." >&2
  exit 1
fi
# a dump of before 0.2.0 has no schemas of the board and of cal2wl
if [ "$name" = scanflow ]; then
  for user in board cal2wl; do
    schema="DO 'BEGIN IF to_regrole(''$user'') IS NOT NULL THEN CREATE SCHEMA IF NOT EXISTS $user AUTHORIZATION $user; END IF; END'"
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=scanflow_restoring --command="$schema"
  done
fi
dropdb --if-exists "${name}_before_restore" 2>/dev/null
statement --single-transaction \
  --command="ALTER DATABASE $name RENAME TO ${name}_before_restore" \
  --command="ALTER DATABASE ${name}_restoring RENAME TO $name"
echo "$name is restored. What was there is kept as ${name}_before_restore."
