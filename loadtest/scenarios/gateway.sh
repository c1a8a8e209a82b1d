# what a gateway takes: batches a second and for each second of its processor time, and how soon single events are answered

more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run gateway [--batch B] [--connections C] [--rate R] [--seconds S] [--customers N] [--workers W]
                              [--shards N] [--json] [--keep] [--no-build]

  A live cluster with one gateway. First batches of B events of a shop (orders, views, clicks) over C connections, as fast
  as they are answered; then R requests a second with one event each, timed from when they were to be sent. Exit code 1
  when events that were answered with 200 do not stand in commits.

  --batch B        default 100
  --connections C  default 16
  --rate R         default 1000
  --seconds S      of each part; default 15
  --customers N    default 100000
  --shards N       a power of two; default 16
USAGE
}

scenario_option() {
    case "$1" in
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --batch | --connections | --rate | --seconds | --customers) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() { :; }

scenario_run() {
    start_reference_cluster ""
    start_load_gateway
    step "batches, then single events"
    drive gateway --nats "$nats_urls" --gateway "$REPRISE_GATEWAY" --key "$REPRISE_WRITE_KEY" --pids "$data/pids" "${more[@]}"
}
