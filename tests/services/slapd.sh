#!/usr/bin/env bash
# OpenLDAP, Debian's: the directory that a realm's people can come from.
#   slapd.sh install | version
#   slapd.sh serve PORT FOLDER   in the foreground, on 127.0.0.1; begins with FOLDER/people.ldif, prints "ready", and ends
#       with its input. The administrator is cn=admin,dc=example,dc=org, with the password admin
source "$(dirname "$0")/install.sh"

install() {
    [ -x /usr/sbin/slapd ] && command -v ldapmodify >/dev/null && return
    # Neither a directory of the package's own nor a service is wanted.
    [ "$(id -u)" -ne 0 ] || echo 'slapd slapd/no_configuration boolean true' | debconf-set-selections
    apt_install slapd ldap-utils
}

serve() {
    install
    mkdir "$folder/database"
    cat >"$folder/slapd.conf" <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw admin
directory $folder/database
END
    /usr/sbin/slapadd -q -f "$folder/slapd.conf" -l "$folder/people.ldif"
    # -d keeps it in the foreground.
    /usr/sbin/slapd -d 0 -h "ldap://127.0.0.1:$port" -f "$folder/slapd.conf" &
    server=$!
    trap 'kill "$server"; wait "$server"; rm -rf "$folder"' EXIT
    local tries
    for tries in $(seq 100); do
        ! ldapsearch -x -H "ldap://127.0.0.1:$port" -b dc=example,dc=org -s base >/dev/null 2>&1 || break
        sleep 0.1
    done
    echo ready
    cat >/dev/null
}

case ${1:-} in
    install) install ;;
    version) /usr/sbin/slapd -VV 2>&1 | head -n 1 ;;
    serve) port=$2 folder=$3; serve ;;
    *) echo "usage: $0 install|version|serve PORT FOLDER" >&2; exit 1 ;;
esac
