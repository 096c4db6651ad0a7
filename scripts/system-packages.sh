#!/usr/bin/env bash
# Installs the Debian packages that the tests need: nginx, Redis, PostgreSQL, Chromium, Django, systemd. Without root,
# it prints the command instead.
set -euo pipefail

packages=(
  nginx-light redis-server redis-tools postgresql pgbouncer openssl strace systemd chromium
  python3 python3-django python3-requests python3-jwt
)

if ! command -v dpkg-query > /dev/null; then
  echo "The tests need these Debian packages, or their equivalents on your system: ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2> /dev/null) || true
  [[ $status == installed ]] || missing+=("$package")
done
(( ${#missing[@]} )) || exit 0

if (( EUID != 0 )); then
  echo "Some tests need programs that are not installed: sudo apt-get install --no-install-recommends -y ${missing[*]}" >&2
  exit 0
fi

echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq < /dev/null
apt-get install -qq -y --no-install-recommends "${missing[@]}" < /dev/null
