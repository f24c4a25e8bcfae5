#!/usr/bin/env bash
# rclone, Debian's: `rclone serve restic` is the REST server that repositories are read over.
#   rclone.sh install | version
#   rclone.sh serve PORT FOLDER [USER PASSWORD]   in the foreground, on 127.0.0.1
source "$(dirname "$0")/install.sh"

case ${1:-} in
    install) program rclone rclone ;;
    version) rclone version | head -n 1 ;;
    serve)
        access=()
        [ $# -lt 5 ] || access=(--user "$4" --pass "$5")
        exec rclone serve restic --config /dev/null --addr "127.0.0.1:$2" "${access[@]}" "$3"
        ;;
    *) echo "usage: $0 install|version|serve PORT FOLDER [USER PASSWORD]" >&2; exit 1 ;;
esac
