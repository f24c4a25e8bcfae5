#!/usr/bin/env bash
# Keycloak on PostgreSQL: the live server that people are restored to, and the writer of its own exports. The server
# comes from Maven Central and is kept by version; PostgreSQL is Debian's.
#   keycloak.sh install | version
#   keycloak.sh serve PORT FOLDER DATABASE_PORT   in the foreground, on 127.0.0.1; prints "ready". Reads orders from its
#       input, one a line: "kill" ends the server at once, "stop" in order, "start" starts it again, each answered by
#       "killed", "stopped" or "ready"; at the end of the input it stops everything
#   keycloak.sh export FOLDER REALM INTO [USERS_PER_FILE|single]   by kc.sh, beside the running server
#   keycloak.sh import FOLDER FROM                beside nothing: the server of that folder is stopped
# The administrator is admin, with the password admin, in the realm master.
source "$(dirname "$0")/install.sh"

version=26.5.3
home=$cache/keycloak-$version
# A database with the server's tables in it: making them takes longer than all else.
template=$cache/keycloak-$version-database

install() {
    find_postgres
    command -v java >/dev/null || apt_install default-jre-headless
    [ ! -d "$template" ] || return 0
    # Tests start side by side: the first one downloads, the others wait for it.
    mkdir -p "$cache"
    exec 9>"$cache/keycloak.lock"
    flock 9
    [ -x "$home/bin/kc.sh" ] || download
    [ -d "$template" ] || make_template
    exec 9>&-
}

download() {
    command -v mvn >/dev/null || apt_install maven
    command -v unzip >/dev/null || apt_install unzip
    local work zip
    work=$(mktemp -d "$cache/keycloak-XXXXXX")
    zip=$cache/keycloak-quarkus-dist-$version.zip
    if [ ! -f "$zip" ]; then
        echo "downloading Keycloak $version: 160 MB" >&2
        mvn -q -B dependency:copy "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:zip" \
            "-DoutputDirectory=$work" >&2
        mv "$work/keycloak-quarkus-dist-$version.zip" "$zip"
    fi
    unzip -q "$zip" -d "$work"
    echo "building Keycloak $version for PostgreSQL: about half a minute" >&2
    "$work/keycloak-$version/bin/kc.sh" build --db=postgres >&2
    mv "$work/keycloak-$version" "$home"
    rm -rf "$work" "$zip"
}

find_postgres() {
    postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$postgres" ] && [ -x "$postgres/initdb" ] && return
    apt_install postgresql
    postgres=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
}

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

own() {
    [ "$(id -u)" -ne 0 ] || chown -R postgres: "$@"
}

# Durability is what the engine's own faults test; here it would only cost time.
start_database() {
    as_postgres "$postgres/pg_ctl" -D "$database" -l "$database/log" -w -s \
        -o "-p $database_port -k $database -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=120" start
}

stop_database() {
    as_postgres "$postgres/pg_ctl" -D "$database" -m "${1:-fast}" -s stop || true
}

environment() {
    export KC_DB=postgres KC_DB_URL=jdbc:postgresql://127.0.0.1:$database_port/keycloak
    export KC_DB_USERNAME=keycloak KC_DB_PASSWORD=keycloak
    export KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin
    export JAVA_OPTS_KC_HEAP="${REKINDLE_KEYCLOAK_HEAP:--Xms64m -Xmx512m}"
}

# Its own process group, so that one signal ends it with all its children.
start_server() {
    environment
    setsid "$home/bin/kc.sh" start --optimized --http-enabled=true --hostname-strict=false --http-host=127.0.0.1 \
        "--http-port=$port" --cache=local >>"$folder/server.log" 2>&1 </dev/null &
    server=$!
    local tries
    for tries in $(seq 600); do
        kill -0 "$server" 2>/dev/null || { tail -n 20 "$folder/server.log" >&2; return 1; }
        [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/realms/master" || true)" != 200 ] || return 0
        sleep 0.2
    done
    echo "Keycloak did not answer in two minutes" >&2
    return 1
}

stop_server() {
    [ -n "${server:-}" ] || return 0
    kill "-$1" -- "-$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

make_template() {
    command -v curl >/dev/null || apt_install curl
    echo "making Keycloak's tables once: about half a minute" >&2
    folder=$(mktemp -d "$cache/keycloak-XXXXXX") database_port=$(free_port) port=$(free_port)
    database_folder
    as_postgres "$postgres/initdb" -D "$database" -A trust -U postgres --no-sync >/dev/null
    start_database
    as_postgres psql -q -h 127.0.0.1 -p "$database_port" -U postgres \
        -c "create role keycloak login password 'keycloak'" -c "create database keycloak owner keycloak" >&2
    start_server
    stop_server TERM
    stop_database
    rm -f "$database/log"
    mv "$database" "$template"
    rm -rf "$folder"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A folder that PostgreSQL's user can reach and no other user can read. That user may not enter the test's own folder,
# and the folders above that one are none of ours to open.
database_folder() {
    local base=$folder
    if [ "$(id -u)" -eq 0 ]; then
        for base in "${TMPDIR:-/tmp}" /tmp /var/tmp; do
            if runuser -u postgres -- test -x "$base"; then break; fi
        done
    fi
    database=$(mktemp -d "$base/rekindle-database-XXXXXX")
    own "$database"
}

serve() {
    install
    database_folder
    cp -a --reflink=auto "$template/." "$database"
    echo "$database_port" >"$folder/database-port"
    trap 'stop_server KILL; stop_database immediate; rm -rf "$folder" "$database"' EXIT
    start_database
    start_server
    echo ready
    local order
    while read -r order; do
        case $order in
            kill) stop_server KILL; echo killed ;;
            stop) stop_server TERM; echo stopped ;;
            start) start_server; echo ready ;;
        esac
    done
}

case ${1:-} in
    install) install ;;
    version) echo "Keycloak $version"; find_postgres; "$postgres/postgres" --version ;;
    serve) port=$2 folder=$3 database_port=$4; serve ;;
    export)
        database_port=$(cat "$2/database-port")
        environment
        users=(--users different_files --users-per-file "${5:-50}")
        into=(--dir "$4")
        [ "${5:-}" != single ] || { users=(--users same_file); into=(--file "$4"); }
        exec "$home/bin/kc.sh" export --optimized --realm "$3" "${into[@]}" "${users[@]}"
        ;;
    import)
        database_port=$(cat "$2/database-port")
        environment
        exec "$home/bin/kc.sh" import --optimized --dir "$3"
        ;;
    *) echo "usage: $0 install|version|serve PORT FOLDER DATABASE_PORT|export FOLDER REALM INTO [USERS]|import FOLDER FROM" >&2; exit 1 ;;
esac
