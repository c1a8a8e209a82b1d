# Sourced by demo, up and the tests: a whole cluster on this machine, every role a process of its own.

source "$root/cluster/lib/processes.sh"

# Builds the release products into a folder of their own. Sets `reprise`.
build_release() {
    local product log
    reprise="$release_path/release/reprise"
    for product in "$@"; do
        log=$(mktemp)
        if [ -t 1 ]; then
            swift build -c release --scratch-path "$release_path" --product "$product" 2>&1 | tee "$log" || build_failed "$log"
        else
            swift build -c release --scratch-path "$release_path" --product "$product" >"$log" 2>&1 || build_failed "$log"
        fi
        rm -f "$log"
        [ -x "$release_path/release/$product" ] || fail "the build left no $release_path/release/$product"
    done
}

# Builds `reprise` once more, with a brain of the next version that decides otherwise, for the tests of upgrades; leaves it
# at .build/next-brain/reprise. It shares the folder of the tests' build, so only the engine and what depends on it are
# built twice; call it before the tests are built. Nothing is done when no source is newer than it.
build_next_brain() {
    local log binary="$root/.build/next-brain/reprise"
    if [ -x "$binary" ] && [ -z "$(find "$root/Sources" "$root/Package.swift" -newer "$binary" -type f -print -quit)" ]; then
        return 0
    fi
    log=$(mktemp)
    REPRISE_BRAIN=next swift build --product reprise >"$log" 2>&1 || build_failed "$log"
    rm -f "$log"
    mkdir -p "${binary%/*}"
    cp "$root/.build/debug/reprise" "$binary.new"
    mv "$binary.new" "$binary"
}

build_failed() {
    grep -E 'error:' "$1" >&2 || tail -n 40 "$1" >&2
    rm -f "$1"
    fail "the build failed"
}

# One cluster at a time in a folder: the lock is held as long as the script runs.
lock_data() {
    mkdir -p "$data"
    exec 9>"$data/lock"
    flock -n 9 || fail "another script works on $data now"
}

# start_nats REPLICAS: one server, or three that form a cluster. Sets `nats_urls`.
start_nats() {
    local replicas=$1 ports index routes="" conf
    read -ra ports <<<"$(free_ports $((replicas * 2)))"
    nats_urls=""
    for ((index = 0; index < replicas; index++)); do
        routes+="${routes:+, }\"nats://127.0.0.1:${ports[replicas + index]}\""
        nats_urls+="${nats_urls:+,}nats://127.0.0.1:${ports[index]}"
    done
    for ((index = 0; index < replicas; index++)); do
        conf="$data/nats/$((index + 1)).conf"
        mkdir -p "$data/nats/$((index + 1))"
        {
            echo "server_name: nats-$((index + 1))"
            echo "listen: \"127.0.0.1:${ports[index]}\""
            # Each log has a bound; the sum of the bounds may be larger than the disk is now.
            echo "jetstream { store_dir: \"$data/nats/$((index + 1))\", max_file_store: 4TB }"
            if [ "$replicas" -gt 1 ]; then
                echo "cluster { name: reprise, listen: \"127.0.0.1:${ports[replicas + index]}\", routes: [$routes] }"
            fi
        } >"$conf"
        start "nats-$((index + 1))" "$NATS_SERVER" -c "$conf"
    done
}

# start_cluster WORKERS REPLICAS SHARDS live|event-time: everything, ready to take events. Writes $data/env. With `restore`
# set it is the installation of that backup, whatever SHARDS and the mode say.
start_cluster() {
    local workers=$1 replicas=$2 shards=$3 mode=$4 index key gateway_port smtp_port arguments=()
    start_nats "$replicas"
    read -r smtp_port <<<"$(free_ports 1)"
    read -r gateway_port <<<"$(free_ports 1 8080)"
    mkdir -p "$data/mailbox"
    start mailbox "$root/cluster/lib/mailbox" --port "$smtp_port" --maildir "$data/mailbox"

    # The keys outlive a restart; whoever can read the folder has them.
    for key in write-key admin-key; do
        [ -s "$data/$key" ] || (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' 'ab' >"$data/$key")
    done
    (
        umask 077
        cat >"$data/env" <<ENV
REPRISE_NATS=$nats_urls
REPRISE_GATEWAY=http://127.0.0.1:$gateway_port
REPRISE_WRITE_KEY=$(cat "$data/write-key")
REPRISE_ADMIN_KEY=$(cat "$data/admin-key")
REPRISE_SMTP=smtp://127.0.0.1:$smtp_port
REPRISE_MAILBOX=$(printf %q "$data/mailbox")
REPRISE_BINARY=$(printf %q "$reprise")
ENV
    )
    ln -sfn "$data/env" "$clusters/env"
    load_env

    [ "$mode" = live ] || arguments+=(--event-time)
    if [ -n "${restore:-}" ]; then
        arguments=(restore "$restore")
    else
        arguments=(install --shards "$shards" "${arguments[@]}")
    fi
    "$reprise" "${arguments[@]}" --wait 60 --replicas "$replicas" || {
        died || true
        fail "the installation could not be created; the logs are in $data/logs"
    }

    start coordinator "$reprise" coordinator --data "$data/coordinator" --standbys "${standbys:-0}"
    start gateway "$reprise" gateway --port "$gateway_port"
    start dispatcher "$reprise" dispatcher
    # Longer than usual where the caller plays a longer time back.
    start history "$reprise" history --data "$data/history" ${history_days:+--days "$history_days"}
    for ((index = 1; index <= workers; index++)); do start_worker "$index"; done
    "$reprise" status --quiet --wait 60 --workers "$workers" || {
        died || true
        fail "the cluster did not become ready; its logs are in $data/logs"
    }
}

start_worker() { start "worker-$1" "$reprise" worker --name "worker-$1"; }

# The variables by which `reprise` finds the cluster of $data.
load_env() {
    set -a
    source "$data/env"
    set +a
}

# forget_data: the folder as it was before the first start; nothing of it may run.
forget_data() { rm -rf "$data"/{nats,coordinator,history,mailbox,logs,pids,env,write-key,admin-key}; }
