# a steady load for minutes: memory, open files, streams and waiting must not grow, answers exact

workers=2 shards=8 customers="" rate=3000 minutes=10 every=1048576 more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run soak [--minutes M] [--customers C] [--workers W] [--shards N] [--rate R] [--load-events E]
                           [--snapshot-every BYTES] [--json] [--keep] [--no-build]

  Sends as many events as fill what is kept of each customer and the known message ids, then R a second for M minutes. Each
  second memory and open files of every process, the size of the streams, and how long batches took until their commits.
  The first third is warm-up; between the second and the last third nothing may grow by more than is allowed. Exit code 1
  when it does, a batch took more than 30 s, a process ended, or the answers are wrong.

  --minutes M              default 10
  --customers C            default: one for each thousand events. With more events for each, a customer has more products
                           and timers than are kept of one, and the right answers are others
  --rate R                 events a second; default 3000
  --load-events E          default: so many that all orders that are kept of a customer are there, and all known message ids
  --snapshot-every BYTES   of a shard's log, so that snapshots and trimming happen often; default 1048576
  --shards N               a power of two; default 8
USAGE
}

scenario_option() {
    case "$1" in
        --minutes) minutes=$2 ;;
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --rate) rate=$2 ;;
        --snapshot-every) every=$2 ;;
        --load-events) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() {
    whole --snapshot-every "$every" 1 1000000000000
    whole --rate "$rate" 100 1000000
    [[ "$minutes" =~ ^[0-9]{1,5}(\.[0-9]{1,3})?$ ]] || fail "--minutes: a number, not '$minutes'"
    # 65,536 message ids of a shard are known, and shards differ in size; 300 events bring 90 orders, of which 64 are kept.
    local live full=$((shards * 80000))
    live=$(awk -v minutes="$minutes" -v rate="$rate" 'BEGIN { printf "%d", (minutes * 60 + 20) * rate }')
    customers=${customers:-$(((live + full) / 1000))}
    whole --customers "$customers" 1 100000000
    [ "$full" -ge $((customers * 300)) ] || full=$((customers * 300))
    [[ " ${more[*]} " == *" --load-events "* ]] || more+=(--load-events "$full")
}

scenario_run() {
    export REPRISE_SNAPSHOT_EVERY="$every"
    start_reference_cluster
    step "$rate events a second for $minutes minutes"
    drive soak --nats "$nats_urls" --pids "$data/pids" --reprise "$reprise" --customers "$customers" --rate "$rate" \
        --minutes "$minutes" "${more[@]}"
}
