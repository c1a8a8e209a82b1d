# the reference workload W1, answers exact, events per second

customers=1000 events=100000 seed=42 kill_worker=""

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run reference [--customers C] [--events E] [--seed S] [--workers W] [--shards N]
                                [--kill-worker] [--check] [--json] [--keep] [--no-build]

  The reference workload W1: E events of C customers, spread over 180 days, with three rules. Writes the events into the
  shards' input logs; sums the answers from what the workers commit; and compares them with the right ones.

  --customers C   default 1000
  --events E      default 100000
  --seed S        default 42, for which the answers of 1000/100000, 100000/1000000 and 1000000/10000000 are known
  --workers W     default 2
  --shards N      a power of two; default 16
  --kill-worker   one worker is killed with -9 when half of the events are committed, and stays dead
  --check         where the answers are not known, compute them in the plainest way
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --events) events=$2 ;;
        --seed) seed=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        --kill-worker) kill_worker=1; return 1 ;;
        --check) flags+=(--check); return 1 ;;
        *) return 2 ;;
    esac
}

scenario_check() {
    whole --customers "$customers" 1 1000000000
    whole --events "$events" 1 1000000000
    whole --seed "$seed" 0 9223372036854775807
    [ -z "$kill_worker" ] || {
        [ "$workers" -ge 2 ] || fail "--kill-worker: another worker must be there to take over; --workers 2 or more"
        flags+=(--kill worker-1)
    }
}

scenario_run() {
    start_reference_cluster
    step "$events events of $customers customers"
    drive reference --nats "$nats_urls" --pids "$data/pids" --customers "$customers" --events "$events" --seed "$seed"
}
