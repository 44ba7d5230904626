#!/bin/sh
# Starts Orthanc with an identifier of its database. It lives and dies with the index: a new or wiped database gets
# another one, a container made anew keeps it. Each of several Orthancs on one index adds its own name, ORTHANC_INSTANCE.
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
ORTHANC_INSTANCE=${ORTHANC_INSTANCE:-}
case $ORTHANC_INSTANCE in
*[!A-Za-z0-9.-]* | ???????????????????????????????*)
  echo "orthanc: ORTHANC_INSTANCE is to have at most 30 letters, digits, - and .; it is $ORTHANC_INSTANCE" >&2
  exit 1
  ;;
esac
# of its own: what an earlier run left half made is of no use
ORTHANC_TMP=$store/tmp${ORTHANC_INSTANCE:+/$ORTHANC_INSTANCE}
mkdir -p "$store/db" "$ORTHANC_TMP"
# folders are of others: an Orthanc that starts without a name leaves what they receive just now
find "$ORTHANC_TMP" -mindepth 1 -maxdepth 1 ! -type d -delete

# Where the index is: a SQLite file on the volume, or the PostgreSQL database of this address (user, no password).
ORTHANC_INDEX=${ORTHANC_INDEX:-}
secret=/run/secrets/scanflow/orthanc-index-password
elsewhere=$store/db/index-is-in-postgresql
refuse() {
  echo "orthanc: $1 It would not know the images that it has. See docs/scale.md, Changing over." >&2
  exit 1
}
if [ -z "$ORTHANC_INDEX" ]; then
  if [ -n "$ORTHANC_INSTANCE" ]; then
    echo 'orthanc: several Orthancs need their index in PostgreSQL (ORTHANC_INDEX). See docs/scale.md, Two Orthancs.' >&2
    exit 1
  fi
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
  # A server that falls silent is given up after 20 s; without these, Orthanc waits for a quarter of an hour, and longer. An
  # address with settings of its own keeps them.
  case $ORTHANC_INDEX in *://*\?*) sign='&' next='&' ;; *://*) sign='?' next='&' ;; *) sign=' ' next=' ' ;; esac
  for setting in connect_timeout=5 keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=20000; do
    case $ORTHANC_INDEX in *"${setting%%=*}="*) continue ;; esac
    ORTHANC_INDEX=$ORTHANC_INDEX$sign$setting
    sign=$next
  done
  # of this database, of this server: both get other numbers when they are made anew
  ORTHANC_DATABASE_ID=$(/usr/bin/psql -XAtw "$ORTHANC_INDEX" -c "SELECT system_identifier || '-' || oid
    FROM pg_control_system(), pg_database WHERE datname = current_database()")
  : >"$elsewhere"
  # A transaction that stands still ends before the streamer stops waiting for its changes (docs/decisions/0028-two-orthancs.md).
  export PGOPTIONS="${PGOPTIONS:-} -c idle_in_transaction_session_timeout=5min"
fi
# One Orthanc keeps others off the index by a lock.
ORTHANC_LOCK=true
if [ -n "$ORTHANC_INSTANCE" ]; then
  ORTHANC_LOCK=false
  ORTHANC_DATABASE_ID=$ORTHANC_DATABASE_ID@$ORTHANC_INSTANCE
fi
export ORTHANC_INDEX ORTHANC_PLUGINS ORTHANC_DATABASE_ID ORTHANC_TMP ORTHANC_LOCK
exec Orthanc "$@" /etc/orthanc
