# millions of timers that fall due at once: how many fire a second, decided and committed

customers=1000000 more=() lapse_after=5184000000

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run timers [--customers C] [--workers W] [--shards N] [--ticks T] [--json] [--keep] [--no-build]

  An event-time cluster. One order of each of C customers arms a timer; then the clock is set behind the last of them. From
  that clock record to the commit of the last timer: fires a second. Exit code 1 unless each fired once, at its time.

  --customers C   default 1000000
  --ticks T       clock records that bring the time forward; default 1: all are due at once
  --shards N      a power of two; default 16
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --ticks) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() { whole --customers "$customers" 1 1000000000; }

scenario_run() {
    rules=(--lapse-after "$lapse_after")
    start_reference_cluster
    step "$customers timers"
    drive timers --nats "$nats_urls" --pids "$data/pids" --customers "$customers" --lapse-after "$lapse_after" "${more[@]}"
}
