# Sourced by the scripts in cluster/: where things are, and how to speak.
# Sourcing it sets `root` and goes there; nothing is installed or started.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$root"

# What is fetched once and kept: a nats-server, Python packages for the mailbox and the tests, the sample data.
tools="${REPRISE_TOOLS:-$root/.build-tools}"
export REPRISE_TOOLS="$tools"
# What a running cluster keeps: logs, streams, mails, process ids.
clusters="${REPRISE_CLUSTERS:-$root/.cluster}"
# Release products apart from those of the tests, so that neither throws away the other's.
release_path="${REPRISE_RELEASE_PATH:-$root/.build-release}"

nats_server_version=2.15.1

say() { printf '%s\n' "$*"; }

# A step of a script, with the time it took when the next one begins.
step() {
    local now; now=$(date +%s)
    if [ -n "${step_since:-}" ] && [ $((now - step_since)) -ge 5 ]; then say "   ($((now - step_since)) s)"; fi
    step_since=$now
    say "== $*"
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# quietly WHAT COMMAND...: shows the command's output only when it fails.
quietly() {
    local what=$1 log
    shift
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        rm -f "$log"
        fail "$what failed; its last lines stand above"
    fi
    rm -f "$log"
}

source "$root/cluster/lib/install.sh"
