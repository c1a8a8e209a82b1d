# Sourced by run: what every scenario needs. A scenario defines
#   scenario_usage          what its --help prints
#   scenario_option NAME VALUE   takes one of its options; 0 = it has a value, 1 = it has none, 2 = unknown
#   scenario_check          fails when an option is wrong
#   scenario_run            starts what it needs and calls `drive`
# and sets the defaults of `workers`, `shards` and `standbys`, and `products` when it needs others than the usual ones.

keep="" no_build="" loadtest_pid="" workers=2 shards=16 standbys=0 flags=() rules=() products=(reprise loadtest)

run_scenario() {
    local kind
    while [ $# -gt 0 ]; do
        case "$1" in
            -h | --help) scenario_usage; exit 0 ;;
            --json) flags+=(--json) ;;
            --keep) keep=1 ;;
            --no-build) no_build=1 ;;
            *)
                kind=0
                scenario_option "$1" "${2:-}" || kind=$?
                case $kind in
                    0) [ $# -ge 2 ] || fail "$1 wants a value"; shift ;;
                    1) ;;
                    *) fail "unknown argument '$1'; see ./loadtest/run --help" ;;
                esac
                ;;
        esac
        shift
    done
    whole --workers "$workers" 1 256
    whole --shards "$shards" 1 1024
    whole --standbys "$standbys" 0 2
    scenario_check
    # Standard output is for the answer alone.
    exec 3>&1 1>&2
    data="${REPRISE_LOAD_DATA:-$(mktemp -d "${TMPDIR:-/tmp}/reprise-load.XXXXXX")}"
    mkdir -p "$data"
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    lock_data
    prepare
    scenario_run
}

# whole OPTION VALUE LEAST MOST: fails unless it is such a number.
whole() {
    [[ "$2" =~ ^(0|[1-9][0-9]{0,18})$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1: $3 to $4, not '$2'"
}

finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ -n "$loadtest_pid" ]; then kill -TERM "$loadtest_pid" 2>/dev/null || true; fi
    end_all
    if [ -n "$keep" ] || [[ ! "$code" =~ ^(0|130|143)$ ]]; then
        say "the cluster's folder, with the logs of its processes: $data"
    elif [ -z "${REPRISE_LOAD_DATA:-}" ]; then
        rm -rf "$data"
    fi
    exit "$code"
}

prepare() {
    step "looking for what is needed"
    check_swift
    install_packages
    install_python
    install_nats_server
    loadtest="$release_path/release/loadtest"
    reprise="$release_path/release/reprise"
    if [ -z "$no_build" ]; then
        step "building"
        build_release "${products[@]}"
    fi
    local product
    for product in "${products[@]}"; do
        [ -x "$release_path/release/$product" ] || fail "there is no release build of $product: leave out --no-build"
    done
    REPRISE_LOAD_COMMIT=$(git describe --always --dirty 2>/dev/null || echo unknown)
    REPRISE_LOAD_NATS=$("$NATS_SERVER" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
    REPRISE_LOAD_SWIFT=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
    export REPRISE_LOAD_COMMIT REPRISE_LOAD_NATS REPRISE_LOAD_SWIFT
}

# start_reference_cluster [MODE]: an empty cluster with the reference workload's rules, or with those that the arguments in
# `rules` ask for, -f and a folder of files, or an option of `loadtest rules`: nats-server, a coordinator, the workers.
# MODE is how it is installed; default --event-time, empty = live.
start_reference_cluster() {
    local mode="${1---event-time}"
    step "starting nats-server, a coordinator and $workers workers with $shards shards"
    forget_data
    start_nats 1 3>&-
    export REPRISE_NATS="$nats_urls"
    unset REPRISE_GATEWAY REPRISE_PREFIX
    "$reprise" install --wait 60 --shards "$shards" --replicas 1 $mode
    # Before any worker: no event can be applied without the rules.
    if [ "${rules[0]:-}" = -f ]; then
        "$reprise" rules apply "${rules[@]}"
    else
        "$loadtest" rules --nats "$nats_urls" "${rules[@]}"
    fi
    start coordinator "$reprise" coordinator --data "$data/coordinator" --standbys "$standbys" 3>&-
    local index
    for ((index = 1; index <= workers; index++)); do start_worker "$index" 3>&-; done
    "$reprise" status --quiet --wait 60 --workers "$workers" || {
        died || true
        fail "the cluster did not become ready; its logs are in $data/logs"
    }
}

# start_load_gateway: a gateway on a free port; its address and keys are in REPRISE_GATEWAY, REPRISE_WRITE_KEY, REPRISE_ADMIN_KEY.
start_load_gateway() {
    local gateway_port
    read -r gateway_port <<<"$(free_ports 1 8080)"
    export REPRISE_WRITE_KEY=write-key-of-the-load-test REPRISE_ADMIN_KEY=admin-key-of-the-load-test
    start gateway "$reprise" gateway --port "$gateway_port" 3>&-
    export REPRISE_GATEWAY="http://127.0.0.1:$gateway_port"
    "$reprise" status --quiet --wait 60 --workers "$workers" || fail "the gateway did not become ready; its log is in $data/logs"
}

# drive ARGUMENT...: the load test program, its answer on standard output. Ends the script with its exit code.
drive() {
    local code=0
    "$loadtest" "$@" "${flags[@]}" >&3 &
    loadtest_pid=$!
    wait "$loadtest_pid" || code=$?
    loadtest_pid=""
    exit "$code"
}
