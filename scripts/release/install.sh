#!/bin/sh
# Loads the images of this bundle into the Docker Engine of this machine, without network. It starts nothing.
# Exit: 0 loaded, 1 a file is damaged or missing, 2 no Docker Engine.
set -eu
cd "$(dirname "$0")"
echo 'Checking the files of the bundle'
sha256sum --check --quiet SHA256SUMS || {
  echo 'A file differs from SHA256SUMS: copy the bundle again. Nothing was loaded.' >&2
  exit 1
}
docker version --format '{{.Server.Version}}' >/dev/null || {
  echo 'No Docker Engine answers. Start it, then run this again.' >&2
  exit 2
}
gzip -dc images.tar.gz | docker load
echo "Scanflow $(cat VERSION) is loaded. Before an update, back up: docker compose run --rm backup"
echo 'Then start it here: docker compose up -d --wait --no-build'
