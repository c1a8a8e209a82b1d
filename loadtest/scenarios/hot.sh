# one customer that sends far too much: what the others' events wait for their commit, without it and with it

customers=500 more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run hot [--customers C] [--workers W] [--shards N] [--rate R] [--hot-rate H] [--seconds S]
                          [--json] [--keep] [--no-build]

  A live cluster with a gateway. C customers send R events a second together, one request each; measured is the time from
  the request's sending until the commit with the event stands in LOG. First alone, then while one more customer sends H
  events a second in batches of 50: percentiles of both, their ratio, and those of the hot customer's own shard. Exit code 1
  when an event that was answered with 200 does not stand in a commit.

  --customers C   default 500
  --rate R        default 200
  --hot-rate H    default 1667: 100,000 a minute
  --seconds S     of each part; default 20
  --shards N      a power of two; default 16
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --rate | --hot-rate | --seconds) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() { whole --customers "$customers" 1 100000; }

scenario_run() {
    start_reference_cluster ""
    start_load_gateway
    step "$customers customers, alone and beside a hot one"
    drive hot --nats "$nats_urls" --gateway "$REPRISE_GATEWAY" --key "$REPRISE_WRITE_KEY" --customers "$customers" "${more[@]}"
}
