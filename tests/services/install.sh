# Sourced by the scripts beside it: how packages are installed and where built programs are kept.
set -euo pipefail

cache=${REKINDLE_CACHE:-$HOME/.cache/rekindle-tests}

# apt PACKAGE...: installs what is missing, says so first, uses sudo where this is not root.
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing with apt: ${missing[*]}" >&2
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "not root and no sudo: install ${missing[*]} yourself" >&2; return 1; }
        root=(sudo)
    fi
    export DEBIAN_FRONTEND=noninteractive
    "${root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2 ||
        { "${root[@]}" apt-get update -qq >&2 &&
            "${root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2; }
}

# program NAME PACKAGE: NAME on the PATH, else out of its package.
program() {
    command -v "$1" >/dev/null || apt_install "$2"
    command -v "$1" >/dev/null || { echo "$2 is installed and $1 is still not on the PATH" >&2; return 1; }
}
