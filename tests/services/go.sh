# Sourced: find_go sets `go` to a Go that builds what the services need.
#
# Any Go from 1.21 on fetches a newer toolchain by itself where a module asks for one. Debian 12's is
# older: it fetches the toolchain as the module that it is, checked by the checksum database like any other.
go_version=1.26.0

find_go() {
    go=$cache/go-$go_version/bin/go
    [ ! -x "$go" ] || return 0
    program go golang-go
    go=go
    local minor
    minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -lt 21 ] || return 0
    echo "fetching Go $go_version: $(go env GOVERSION) is too old" >&2
    local machine work folder
    machine=$(go env GOOS)-$(go env GOARCH)
    work=$(mktemp -d)
    folder=$(cd "$work" && GOMODCACHE=$work/modules GOFLAGS=-modcacherw \
        go mod download -json "golang.org/toolchain@v0.0.1-go$go_version.$machine" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    # Modules keep no executable bits.
    chmod -R u+x "$folder/bin" "$folder/pkg/tool"
    mkdir -p "$cache"
    rm -rf "$cache/go-$go_version"
    mv "$folder" "$cache/go-$go_version"
    rm -rf "$work"
    go=$cache/go-$go_version/bin/go
}
