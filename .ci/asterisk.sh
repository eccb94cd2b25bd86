#!/usr/bin/env bash
# Make the chroot with a real Asterisk for the end-to-end tests. Needs root and debootstrap.
#
#   .ci/asterisk.sh [CACHE_DIR]        default /var/cache/hotline
#
# Debian 12 and 13 have no asterisk package: sid has 22, bullseye 16.28. sid moves and can be broken
# for a day; then 16.28 is taken and said so. The last line printed is the chroot that was made.
set -euo pipefail

cache=${1:-/var/cache/hotline}

say() { printf 'asterisk.sh: %s\n' "$*" >&2; }

# make RELEASE DIR: debootstrap into a directory beside DIR and rename it, so that DIR is whole or absent.
make() {
  local release=$1 target=$2 try
  for try in 1 2; do
    rm -rf -- "$target.new"
    if debootstrap --variant=minbase --include=asterisk "$release" "$target.new" >"$target.log" 2>&1 &&
      chroot "$target.new" asterisk -V >/dev/null; then
      mv -T -- "$target.new" "$target"
      return 0
    fi
    say "debootstrap $release failed (try $try): $(tail -n 1 "$target.log" 2>/dev/null)"
  done
  rm -rf -- "$target.new"
  return 1
}

if [ "$(id -u)" != 0 ]; then
  say "a chroot needs root; run: sudo .ci/asterisk.sh"
  exit 1
fi
if [ -x "$cache/asterisk-22/usr/sbin/asterisk" ]; then
  printf '%s\n' "$cache/asterisk-22"
  exit 0
fi
if ! command -v debootstrap >/dev/null; then
  say "debootstrap is missing; run: apt-get install debootstrap debian-archive-keyring"
  exit 1
fi
mkdir -p -- "$cache"
if make sid "$cache/asterisk-22"; then
  printf '%s\n' "$cache/asterisk-22"
  exit 0
fi
say "sid cannot be had now; taking Asterisk 16.28 of bullseye instead"
if [ -x "$cache/asterisk-16/usr/sbin/asterisk" ] || make bullseye "$cache/asterisk-16"; then
  printf '%s\n' "$cache/asterisk-16"
  exit 0
fi
say "neither sid nor bullseye could be had; see $cache/*.log"
exit 1
