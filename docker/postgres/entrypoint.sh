#!/bin/sh
# Starts PostgreSQL. The first time it makes the databases of the ledger (scanflow) and of Orthanc's index (orthanc);
# every time it makes what is missing for the day board and cal2wl: the users board and cal2wl, each with a schema in scanflow.
# every time the passwords of their users are those of the secrets, so a replaced one holds from the next start on.
set -eu
umask 077
data=/var/lib/postgresql/$PG_MAJOR
secrets=/run/secrets/scanflow
statements=/tmp/statements

password() { # password FILE
  if [ ! -r "$secrets/$1" ]; then
    echo "postgres: $secrets/$1 cannot be read. Make it: docker compose run --rm secrets" >&2
    exit 1
  fi
  # as a word of SQL
  tr -d '\r\n' <"$secrets/$1" | sed "s/'/''/g"
}
ledger=$(password ledger-password)
index=$(password orthanc-index-password)
board=$(password board-password)
# a secret of before 0.2.0 lacks it: the user cal2wl then gets in nowhere
lease=
if [ -r "$secrets/cal2wl-password" ]; then lease=$(password cal2wl-password); fi

# A statement per line of /tmp/statements, before anybody can connect. A statement that fails is not shown: it may
# hold a password.
alone() { # alone FOLDER DATABASE
  postgres --single -D "$1" -c exit_on_error=on -c log_min_error_statement=panic "$2" \
    <"$statements" >/dev/null
  rm "$statements"
}

if [ ! -d "$data" ]; then
  # under its name only when it is whole
  rm -rf "$data.new"
  initdb --pgdata "$data.new" --username postgres --auth peer --encoding UTF8 --locale C --data-checksums
  cat >"$statements" <<'SQL'
CREATE ROLE scanflow LOGIN
CREATE ROLE orthanc LOGIN
CREATE DATABASE scanflow OWNER scanflow
CREATE DATABASE orthanc OWNER orthanc
SQL
  alone "$data.new" postgres
  mv "$data.new" "$data"
fi

# left by a server that was killed; nobody else has this volume, and its number may be another process' by now
rm -f "$data/postmaster.pid"
cat >"$statements" <<'SQL'
DO 'BEGIN IF to_regrole(''board'') IS NULL THEN CREATE ROLE board LOGIN; END IF; END'
CREATE SCHEMA IF NOT EXISTS board AUTHORIZATION board
DO 'BEGIN IF to_regrole(''cal2wl'') IS NULL THEN CREATE ROLE cal2wl LOGIN; END IF; END'
CREATE SCHEMA IF NOT EXISTS cal2wl AUTHORIZATION cal2wl
SQL
alone "$data" scanflow
printf '%s\n' "ALTER ROLE scanflow PASSWORD '$ledger'" "ALTER ROLE orthanc PASSWORD '$index'" \
  "ALTER ROLE board PASSWORD '$board'" >"$statements"
if [ -n "$lease" ]; then printf '%s\n' "ALTER ROLE cal2wl PASSWORD '$lease'" >>"$statements"; fi
alone "$data" postgres
exec postgres -D "$data" -c hba_file=/etc/scanflow-postgres/pg_hba.conf -c listen_addresses='*' \
  -c unix_socket_directories=/tmp "$@"
