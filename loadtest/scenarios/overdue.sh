# timers that became due while no worker was there: how fast they run, which first, and what fresh events wait meanwhile

customers=50000 seconds=10 after="" more=()

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run overdue [--customers C] [--workers W] [--shards N] [--rate R] [--seconds S] [--after A]
                              [--json] [--keep] [--no-build]

  A live cluster with a gateway. C customers order; each has a timer A seconds behind its order. R other events a second go
  through the gateway for S seconds, and what each waits for its commit is measured. Then all workers are killed with -9,
  and come back when every timer has been due for more than a minute, which makes it late. Measured: late timers a second
  against the bound, of each shard and of all; whether those due last come first; what the other events wait meanwhile.
  Exit code 1 when a timer does not run once, a shard runs more of them than the bound allows, one comes before another that
  was due later, or an event that was answered with 200 does not stand in a commit.

  --customers C   default 50000
  --rate R        default 200
  --seconds S     default 10
  --after A       default: time enough for the orders and for S
  --workers W     default 2
  --shards N      a power of two; default 16
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --seconds) seconds=$2 ;;
        --after) after=$2 ;;
        --rate) more+=("$1" "$2") ;;
        *) return 2 ;;
    esac
}

scenario_check() {
    whole --customers "$customers" 1 10000000
    whole --seconds "$seconds" 1 600
    after=${after:-$((customers / 5000 + 20 + seconds))}
    whole --after "$after" 1 86400
    rules=(--lapse-after "${after}000")
}

scenario_run() {
    start_reference_cluster ""
    start_load_gateway
    step "$customers customers, timers after $after s, no worker until they are overdue"
    drive overdue --nats "$nats_urls" --gateway "$REPRISE_GATEWAY" --key "$REPRISE_WRITE_KEY" --pids "$data/pids" \
        --reprise "$reprise" --customers "$customers" --seconds "$seconds" --after "$after" "${more[@]}"
}
