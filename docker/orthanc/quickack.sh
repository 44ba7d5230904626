#!/bin/sh
# Sets `quickack 1` on every route of the network namespace that it runs in: Orthanc's.
# Scanners send with Nagle's algorithm on and wait for each acknowledgement, which Linux delays by 40 ms. With quickack
# they come at once, which doubles the images per second. Nothing depends on it, so where it cannot be set this says
# so and ends well. Setting it again changes nothing.
set -u
say() { printf 'quickack: %s\n' "$*"; }

# Only a host has devices of hardware, or Docker's own bridge; what a container has are ends of cables.
on_host_network() {
  [ -e /sys/class/net/docker0 ] && return 0
  for device in /sys/class/net/*/device; do [ -e "$device" ] && return 0; done
  return 1
}
if on_host_network; then
  say "this container is on the host's network: its routes are the host's affair and stay as they are (see docs/install.md, Speed of reception)"
  exit 0
fi

set_routes() { # set_routes FAMILY
  ip "$1" route show 2>/dev/null | while read -r route; do
    case $route in *quickack*) say "$route: was set before" && continue ;; esac
    # `linkdown` and the like are states that ip shows, not words that it takes
    route=${route% linkdown}
    # shellcheck disable=SC2086
    if problem=$(ip "$1" route change $route quickack 1 2>&1); then
      say "$route: set"
    else
      say "$route: not set ($problem). Images arrive all the same, only slower from scanners that wait for" \
        "acknowledgements; NET_ADMIN in this network namespace is what it takes."
    fi
  done
}
set_routes -4
set_routes -6
exit 0
