# a backup under load, put back on another server: seconds, MB/s, and the same answers there

customers=2000 more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run backup [--customers C] [--workers W] [--shards N] [--rate R] [--seconds S] [--load-events E]
                             [--json] [--keep] [--no-build]

  Makes C customers known, then sends R events a second. Meanwhile `reprise backup` is run, then verify, and restore onto
  another nats-server, where a coordinator and a worker go on. There everything is sent again that came since the customers
  were known. At the end both installations must have the right answers. Measured: seconds and MB/s of backup, verify and
  restore, the latency of the batches before and during the backup, and how long the restored one takes until it serves.

  --customers C     default 2000
  --workers W       of the first installation; default 2
  --shards N        a power of two; default 16
  --rate R          events a second; default 2000
  --seconds S       of live load at most; default 120
  --load-events E   that make the customers known; default five for each
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --rate | --seconds | --load-events) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() { whole --customers "$customers" 1 1000000000; }

scenario_run() {
    local port
    start_reference_cluster
    read -r port <<<"$(free_ports 1)"
    mkdir -p "$data/nats-restored"
    {
        echo "listen: \"127.0.0.1:$port\""
        echo "jetstream { store_dir: \"$data/nats-restored\", max_file_store: 4TB }"
    } >"$data/nats-restored.conf"
    start nats-restored "$NATS_SERVER" -c "$data/nats-restored.conf" 3>&-
    step "$customers customers, a backup under load"
    drive backup --nats "$nats_urls" --pids "$data/pids" --reprise "$reprise" --customers "$customers" \
        --target "nats://127.0.0.1:$port" --folder "$data" "${more[@]}"
}
