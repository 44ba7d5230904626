#!/bin/sh
# Sets up what `npm run demo` and `npm test` need, and nothing twice:
#   node_modules from the lockfile (Node.js 26 among them), Orthanc and DCMTK from Debian.
#   --with-tools   also what only the tests need: dciodvfy (dicom3tools), pydicom's files, Radicale, PostgreSQL and promtool (prometheus),
#                  and the validator of BIDS datasets
# Works with the machine's own Node.js (20 or later) and needs root or sudo only where a Debian package is missing.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 2; }

with_tools=no
[ "${1:-}" != --with-tools ] || with_tools=yes

# --- Debian packages -------------------------------------------------------------------------------------------
missing=
need() { # need PACKAGE CHECK…
  package=$1; shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has_lib() { ldconfig -p 2>/dev/null | grep -q "$1"; }
has_orthanc() { command -v Orthanc || test -x /usr/sbin/Orthanc; }
has_postgresql() { ls /usr/lib/postgresql/*/bin/postgres; }
# without it a test is skipped, and says so: not every release of Debian and Ubuntu may have it
optional=
if [ "$with_tools" = yes ]; then
  test -e /usr/lib/python3/dist-packages/fusepy.py || optional=python3-fusepy
  # Ubuntu's chromium is an installer of a snap
  test -x /usr/bin/chromium || ! grep -q '^ID=debian' /etc/os-release || optional="$optional chromium"
  # before Debian 13 it knows no components
  command -v kubectl >/dev/null || ! grep -q '^VERSION_CODENAME=trixie' /etc/os-release ||
    optional="$optional kubernetes-client"
fi
need libatomic1 has_lib libatomic.so.1
need orthanc has_orthanc
need dcmtk command -v storescp
if [ "$with_tools" = yes ]; then
  need dicom3tools command -v dciodvfy
  need python3-pydicom test -d /usr/lib/python3/dist-packages/pydicom/data/test_files
  need procps command -v pgrep
  need faketime command -v faketime
  need radicale test -x /usr/bin/radicale
  need postgresql has_postgresql
  need util-linux command -v findmnt
  need dcm2niix command -v dcm2niix
  need prometheus command -v promtool
  need haproxy test -x /usr/sbin/haproxy
  need orthanc-dicomweb test -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so
  need orthanc-postgresql test -e /usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so
  need orthanc-gdcm test -e /usr/share/orthanc/plugins/libOrthancGdcm.so
fi

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

install_packages() {
  # a freshly installed Orthanc, PostgreSQL or Prometheus must not start and listen by itself: Scanflow starts its own, on loopback
  policy=/usr/sbin/policy-rc.d
  ours=no
  if [ ! -e $policy ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  status=0
  # shellcheck disable=SC2086
  { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || status=$?
  [ $ours = no ] || as_root rm -f $policy
  case $missing in *orthanc*)
    if [ -d /run/systemd/system ]; then as_root systemctl disable orthanc >/dev/null 2>&1 || true; fi ;;
  esac
  case $missing in *postgresql*)
    if [ -d /run/systemd/system ]; then as_root systemctl disable postgresql >/dev/null 2>&1 || true; fi ;;
  esac
  case $missing in *prometheus*)
    if [ -d /run/systemd/system ]; then as_root systemctl disable prometheus >/dev/null 2>&1 || true; fi ;;
  esac
  return $status
}

can_install() { command -v apt-get && { [ "$(id -u)" = 0 ] || sudo -n true; }; }
if [ -n "$optional" ] && can_install >/dev/null 2>&1; then
  as_root apt-get update >/dev/null 2>&1 || true
  for package in $optional; do
    if apt-cache show "$package" >/dev/null 2>&1; then missing="$missing $package"; fi
  done
fi
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null ||
    fail "please install:$missing (this is no Debian or Ubuntu machine, so it cannot be done from here)"
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null ||
    fail "please run once, then again:  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing"
  say "installing from Debian:$missing"
  log=$(mktemp)
  install_packages || { tail -n 15 "$log" >&2; fail "apt-get could not install:$missing (full output: $log)"; }
  rm -f "$log"
fi

# --- npm packages ----------------------------------------------------------------------------------------------
wanted=$(cat package-lock.json package.json | sha256sum | cut -d' ' -f1)
stamp=node_modules/.scanflow-lock
if [ "$(cat $stamp 2>/dev/null || true)" != "$wanted" ]; then
  say 'installing npm packages from the lockfile (Node.js 26 among them)'
  log=$(mktemp)
  npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 ||
    { tail -n 25 "$log" >&2; fail "npm ci failed (full output: $log)"; }
  rm -f "$log"
  printf '%s\n' "$wanted" >$stamp
fi

# The validator of BIDS datasets: an install of its own, so that its dependencies are nobody else's.
validator=services/bids/validator
if [ "$with_tools" = yes ] && [ -d "$validator" ]; then
  wanted=$(cat "$validator/package-lock.json" "$validator/package.json" | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$validator/node_modules/.scanflow-lock" 2>/dev/null || true)" != "$wanted" ]; then
    say 'installing the validator of BIDS datasets'
    log=$(mktemp)
    (cd "$validator" && PATH="$PWD/../../../node_modules/.bin:$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1 ||
      { tail -n 25 "$log" >&2; fail "npm ci of the validator failed (full output: $log)"; }
    rm -f "$log"
    printf '%s\n' "$wanted" >"$validator/node_modules/.scanflow-lock"
  fi
fi

version=$(node_modules/.bin/node --version 2>/dev/null) ||
  fail "Node.js 26 from node_modules does not run; remove node_modules and try again"
case $version in
  v26.*) ;;
  *) fail "node_modules holds Node.js $version instead of 26; remove node_modules and try again" ;;
esac
