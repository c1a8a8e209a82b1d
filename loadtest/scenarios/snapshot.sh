# a worker with many customers under load while it writes snapshots: by how much it is slower

workers=1 shards=1 customers=1000000 rate=20000 part=60 every=20000000 more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run snapshot [--customers C] [--workers W] [--shards N] [--rate R] [--part S] [--snapshot-every BYTES]
                               [--load-events E] [--json] [--keep] [--no-build]

  Makes C customers known to one shard, then sends R events a second, for S seconds spread evenly and for S seconds those of
  each second at once. Meanwhile snapshots are written, whole ones and increments. Measured with a snapshot under way and
  with none: what batches wait until their commits, and how many events a second of those that came at once are committed.
  Exit code 1 when the answers are wrong or no snapshot was seen.

  --customers C            default 1000000
  --workers W, --shards N  default 1
  --rate R                 default 20000
  --part S                 default 60
  --snapshot-every BYTES   of a shard's log; default 20000000
  --load-events E          that make the customers known; default three for each
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --rate) rate=$2 ;;
        --part) part=$2 ;;
        --snapshot-every) every=$2 ;;
        --load-events) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() {
    whole --customers "$customers" 1 1000000000
    whole --snapshot-every "$every" 1 1000000000000
    [[ " ${more[*]} " == *" --load-events "* ]] || more+=(--load-events $((customers * 3)))
}

scenario_run() {
    export REPRISE_SNAPSHOT_EVERY="$every"
    start_reference_cluster
    step "$customers customers, snapshots under load"
    drive snapshot --nats "$nats_urls" --pids "$data/pids" --reprise "$reprise" --customers "$customers" --rate "$rate" \
        --part "$part" "${more[@]}"
}
