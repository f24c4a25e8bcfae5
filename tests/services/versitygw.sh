#!/usr/bin/env bash
# versitygw: the S3 server that repositories are read from. Built from the Go module, kept by version.
#   versitygw.sh install | version
#   versitygw.sh serve PORT FOLDER KEY SECRET   in the foreground, on 127.0.0.1; each folder in FOLDER is a bucket
source "$(dirname "$0")/install.sh"
source "$(dirname "$0")/go.sh"

version=v1.8.0
folder=$cache/versitygw-$version

install() {
    [ ! -x "$folder/versitygw" ] || return 0
    # Tests start side by side: the first one builds, the others wait for it.
    mkdir -p "$cache"
    exec 9>"$cache/versitygw.lock"
    flock 9
    [ ! -x "$folder/versitygw" ] || return 0
    find_go
    echo "building versitygw $version with $("$go" version): about a minute" >&2
    local work
    work=$(mktemp -d)
    GOBIN=$work GOFLAGS= "$go" install "github.com/versity/versitygw/cmd/versitygw@$version" >&2
    mkdir -p "$folder"
    mv "$work/versitygw" "$folder/versitygw"
    rmdir "$work"
    exec 9>&-
}

case ${1:-} in
    install) install ;;
    version) echo "versitygw $version" ;;
    serve)
        install
        # Not every file system has the extended attributes that the gateway would keep its notes in.
        notes=$(dirname "$3")/notes-of-$(basename "$3")
        mkdir -p "$notes"
        ROOT_ACCESS_KEY=$4 ROOT_SECRET_KEY=$5 exec "$folder/versitygw" --quiet --port "127.0.0.1:$2" \
            posix --sidecar "$notes" "$3"
        ;;
    *) echo "usage: $0 install|version|serve PORT FOLDER KEY SECRET" >&2; exit 1 ;;
esac
