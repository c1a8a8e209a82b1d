# workers killed or frozen under load: how soon each of their shards serves again

customers=2000 kills=1 freeze="" more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run failover [--customers C] [--workers W] [--shards N] [--standbys N] [--kills K] [--freeze]
                               [--rate R] [--seconds S] [--load-events E] [--json] [--keep] [--no-build]

  Makes C customers known, then sends R events a second. K times a worker is killed with -9, or stopped with SIGSTOP; for
  each of its shards it is measured how long it took until another worker committed events again. Then it is started again,
  or woken. At the end the answers of the workload are compared with the right ones.

  --customers C     default 2000
  --workers W       default 2
  --shards N        a power of two; default 16
  --standbys N      workers that follow each shard; default 0
  --kills K         how often; default 1
  --freeze          SIGSTOP and, when its shards serve again, SIGCONT, instead of kill -9
  --rate R          events a second while it is measured; default 2000
  --seconds S       of live load at most; default 30 and 30 more for each kill
  --load-events E   that make the customers known; default five for each
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --standbys) standbys=$2 ;;
        --kills) kills=$2 ;;
        --rate | --seconds | --load-events) more+=("$1" "$2") ;;
        --freeze) freeze=1; return 1 ;;
        *) return 2 ;;
    esac
}

scenario_check() {
    whole --customers "$customers" 1 1000000000
    whole --kills "$kills" 1 100
    [ "$workers" -ge 2 ] || fail "--workers: another worker must be there to take over; 2 or more"
    [ -z "$freeze" ] || flags+=(--freeze)
}

scenario_run() {
    start_reference_cluster
    step "$customers customers, $kills workers $([ -n "$freeze" ] && echo frozen || echo killed)"
    drive failover --nats "$nats_urls" --pids "$data/pids" --reprise "$reprise" --customers "$customers" --kills "$kills" \
        "${more[@]}"
}
