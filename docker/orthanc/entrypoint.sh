#!/bin/sh
# Starts Orthanc with an identifier of its database. It lives and dies with the index: a new or wiped database gets
# another one, a container made anew keeps it.
set -eu
umask 027
store=/var/lib/orthanc
mkdir -p "$store/db" "$store/tmp"
# what an earlier run left half made is of no use
find "$store/tmp" -mindepth 1 -delete

if [ ! -s "$store/db/index" ] || [ ! -s "$store/db/scanflow-id" ]; then
  tr -d '\n' </proc/sys/kernel/random/uuid >"$store/db/scanflow-id"
fi
ORTHANC_DATABASE_ID=$(cat "$store/db/scanflow-id")
export ORTHANC_DATABASE_ID

if [ ! -r /etc/orthanc/orthanc-users.json ]; then
  echo 'orthanc: /run/secrets/scanflow/orthanc-users.json cannot be read. Make it: docker compose run --rm secrets' >&2
  exit 1
fi
exec Orthanc "$@" /etc/orthanc
