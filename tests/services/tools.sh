#!/usr/bin/env bash
# Debian packages without a server: what building needs, and the tools that tests call.
#   tools.sh install | version
source "$(dirname "$0")/install.sh"

case ${1:-} in
    # The compiler and cmake are for the C parts of SQLite, zstd and the TLS library.
    install) apt_install ca-certificates git gcc g++ libc6-dev make cmake tar gzip acl attr btrfs-progs e2fsprogs sqlite3 strace python3 tmux keyutils ;;
    version) strace --version | head -n 1; tar --version | head -n 1; tmux -V ;;
    *) echo "usage: $0 install|version" >&2; exit 1 ;;
esac
