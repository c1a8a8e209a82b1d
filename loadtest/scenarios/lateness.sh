# timers that fall due by the wall clock: how late their decisions are committed

more=() lapse_after=5000

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run lateness [--rate R] [--seconds S] [--workers W] [--shards N] [--json] [--keep] [--no-build]

  A live cluster. R customers a second place an order each, for S seconds; every order's timer falls due 5 s later. Measured
  is the time from due until the log had the commit with the decision. Exit code 1 unless each fired once.

  --rate R        default 20000
  --seconds S     default 30
  --shards N      a power of two; default 16
USAGE
}

scenario_option() {
    case "$1" in
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --rate | --seconds) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() { :; }

scenario_run() {
    rules=(--lapse-after "$lapse_after")
    start_reference_cluster ""
    step "timers that fall due"
    drive lateness --nats "$nats_urls" --lapse-after "$lapse_after" "${more[@]}"
}
