#!/bin/sh
# Writes to docker/pins.env what is newest now: the digest of each base image, as the registry says, and the time of a
# snapshot of Debian's archive. It needs docker with buildx, curl, and the internet. Where one of them fails, the file stays.
set -eu
pins=${1:-$(dirname "$0")/../docker/pins.env}
aside=$pins.$$.tmp
trap 'rm -f "$aside"' EXIT

pinned() { # pinned NAME:TAG
  digest=$(docker buildx imagetools inspect "$1" --format '{{.Manifest.Digest}}')
  case $digest in
    sha256:????????????????????????????????????????????????????????????????) echo "$1@$digest" ;;
    *) echo "renew-pins: the registry tells no digest of $1 but '$digest'" >&2 && return 1 ;;
  esac
}
node=$(pinned node:26-trixie-slim)
debian=$(pinned debian:trixie-slim)
snapshot=$(date -u +%Y%m%dT%H%M%SZ)
# the archive answers with the snapshot that came last before that time
curl --fail --silent --show-error --location --max-time 60 --output /dev/null \
  "https://snapshot.debian.org/archive/debian/$snapshot/dists/trixie/InRelease"

sed -e "s|^SCANFLOW_NODE_IMAGE=.*|SCANFLOW_NODE_IMAGE=$node|" \
  -e "s|^SCANFLOW_DEBIAN_IMAGE=.*|SCANFLOW_DEBIAN_IMAGE=$debian|" \
  -e "s|^SCANFLOW_DEBIAN_SNAPSHOT=.*|SCANFLOW_DEBIAN_SNAPSHOT=$snapshot|" "$pins" >"$aside"
mv "$aside" "$pins"
grep -v '^#' "$pins"
