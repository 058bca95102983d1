#!/bin/sh
# Makes ./configure from configure.ac; needed once, in a tree that comes from git.
set -eu
cd "$(dirname "$0")"
for tool in autoconf automake pkg-config; do
    command -v "$tool" >/dev/null || { echo "autogen.sh: $tool is missing (Debian: apt install autoconf automake pkgconf)" >&2; exit 2; }
done
exec autoreconf --install --force
