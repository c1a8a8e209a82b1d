# a worker joins and another is drained under load: moved shards, pauses, events per second

customers=2000 more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run rescale [--customers C] [--workers W] [--shards N] [--standbys N] [--rate R] [--seconds S]
                              [--phase P] [--load-events E] [--json] [--keep] [--no-build]

  Makes C customers known, then sends R events a second. A worker joins; then another one is drained with
  `reprise worker drain`. Measured: how many shards moved and how many had to, the pause of each, the latency of every batch
  meanwhile, and events per second before, during and after. At the end the answers are compared with the right ones.

  --customers C     default 2000
  --workers W       before the join; default 2
  --shards N        a power of two; default 16
  --standbys N      workers that follow each shard; default 0
  --rate R          events a second; default 2000
  --phase P         seconds of measuring before, between and after; default 5
  --seconds S       of live load at most; default 60 and four phases
  --load-events E   that make the customers known; default five for each
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --standbys) standbys=$2 ;;
        --rate | --seconds | --phase | --load-events) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() { whole --customers "$customers" 1 1000000000; }

scenario_run() {
    start_reference_cluster
    step "$customers customers, a worker joins, another is drained"
    drive rescale --nats "$nats_urls" --pids "$data/pids" --reprise "$reprise" --customers "$customers" "${more[@]}"
}
