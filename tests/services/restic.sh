#!/usr/bin/env bash
# restic, Debian's: writes the repositories that rekindle reads.
#   restic.sh install | version
source "$(dirname "$0")/install.sh"

case ${1:-} in
    install) program restic restic ;;
    version) restic version ;;
    *) echo "usage: $0 install|version" >&2; exit 1 ;;
esac
