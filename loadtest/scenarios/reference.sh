# the reference workload W1, answers exact, events per second

customers=1000 events=100000 seed=42 kill_worker="" engine="" clocks=""

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run reference [--customers C] [--events E] [--seed S] [--workers W] [--shards N]
                                [--kill-worker] [--check] [--json] [--keep] [--no-build]
       ./loadtest/run reference --engine [--clocks end|daily|hourly] [--customers C] [--events E] [--seed S] [--shards N]
                                [--check] [--json] [--no-build]

  The reference workload W1: E events of C customers, spread over 180 days, with three rules. Writes the events into the
  shards' input logs; sums the answers from what the workers commit; and compares them with the right ones. With --engine
  the engine alone: steps, actors, rules and commits of all shards on one core, fed from memory; no log, no other process.

  --customers C   default 1000
  --events E      default 100000
  --seed S        default 42, for which the answers of 1000/100000, 100000/1000000 and 1000000/10000000 are known
  --workers W     default 2
  --shards N      a power of two; default 16
  --kill-worker   one worker is killed with -9 when half of the events are committed, and stays dead
  --engine        the engine alone
  --clocks WHEN   with --engine: clock records at the end, or each day or hour of the workload's time as well; default end
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
        --engine) engine=1; return 1 ;;
        --clocks) clocks=$2 ;;
        --check) flags+=(--check); return 1 ;;
        *) return 2 ;;
    esac
}

scenario_check() {
    whole --customers "$customers" 1 1000000000
    whole --events "$events" 1 1000000000
    whole --seed "$seed" 0 9223372036854775807
    [ -z "$clocks" ] || [ -n "$engine" ] || fail "--clocks belongs to --engine"
    [[ "${clocks:=end}" =~ ^(end|daily|hourly)$ ]] || fail "--clocks: end, daily or hourly, not '$clocks'"
    [ -z "$kill_worker" ] || [ -z "$engine" ] || fail "--kill-worker: there is no worker with --engine"
    [ -z "$kill_worker" ] || {
        [ "$workers" -ge 2 ] || fail "--kill-worker: another worker must be there to take over; --workers 2 or more"
        flags+=(--kill worker-1)
    }
}

scenario_run() {
    if [ -n "$engine" ]; then
        step "$events events of $customers customers, the engine alone"
        drive engine --customers "$customers" --events "$events" --seed "$seed" --shards "$shards" --clocks "$clocks"
    fi
    start_reference_cluster
    step "$events events of $customers customers"
    drive reference --nats "$nats_urls" --pids "$data/pids" --customers "$customers" --events "$events" --seed "$seed"
}
