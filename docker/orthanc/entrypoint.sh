#!/bin/sh
# Starts Orthanc with an identifier of its database. It lives and dies with the index: a new or wiped database gets
# another one, a container made anew keeps it.
set -eu
umask 027
store=/var/lib/orthanc
need() { # need SECRET
  [ -r "/run/secrets/scanflow/$1" ] && return
  echo "orthanc: /run/secrets/scanflow/$1 cannot be read. Make it: docker compose run --rm secrets" >&2
  exit 1
}
if [ -e "$store/.restoring" ]; then
  echo 'orthanc: a restore of this volume was interrupted. Run its command in docs/backup.md again.' >&2
  exit 1
fi
need orthanc-users.json
for path in "$store" "$store/db" "$store/tmp" "$store/db/index"; do
  [ ! -e "$path" ] || [ -w "$path" ] && continue
  echo "orthanc: user $(id -u) cannot write $path. Correct the owner: docker compose run --rm --no-deps --user 0 --cap-add CHOWN" \
    "--cap-add DAC_OVERRIDE --entrypoint chown orthanc -R $(id -u):$(id -g) $store" >&2
  exit 1
done
mkdir -p "$store/db" "$store/tmp"
# what an earlier run left half made is of no use
find "$store/tmp" -mindepth 1 -delete

# Where the index is: a SQLite file on the volume, or the PostgreSQL database of this address (user, no password).
ORTHANC_INDEX=${ORTHANC_INDEX:-}
secret=/run/secrets/scanflow/orthanc-index-password
elsewhere=$store/db/index-is-in-postgresql
refuse() {
  echo "orthanc: $1 It would not know the images that it has. See docs/scale.md, Changing over." >&2
  exit 1
}
if [ -z "$ORTHANC_INDEX" ]; then
  [ ! -e "$elsewhere" ] || refuse 'The index of this volume is in PostgreSQL, and none is configured: is compose.scale.yaml in COMPOSE_FILE of .env?'
  ORTHANC_PLUGINS=/usr/local/lib/orthanc/none
  if [ ! -s "$store/db/index" ] || [ ! -s "$store/db/scanflow-id" ]; then
    tr -d '\n' </proc/sys/kernel/random/uuid >"$store/db/scanflow-id"
  fi
  ORTHANC_DATABASE_ID=$(cat "$store/db/scanflow-id")
else
  [ ! -s "$store/db/index" ] || refuse 'The index of this volume is in SQLite, and PostgreSQL is configured.'
  need orthanc-index-password
  ORTHANC_PLUGINS=/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so
  PGPASSFILE=/tmp/pgpass
  export PGPASSFILE
  (umask 077 && printf '*:*:*:*:%s\n' "$(sed 's/[\\:]/\\&/g' "$secret")" >"$PGPASSFILE")
  # of this database, of this server: both get other numbers when they are made anew
  ORTHANC_DATABASE_ID=$(/usr/bin/psql -XAtw "$ORTHANC_INDEX" -c "SELECT system_identifier || '-' || oid
    FROM pg_control_system(), pg_database WHERE datname = current_database()")
  : >"$elsewhere"
fi
export ORTHANC_INDEX ORTHANC_PLUGINS ORTHANC_DATABASE_ID
exec Orthanc "$@" /etc/orthanc
