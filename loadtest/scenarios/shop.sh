# a simulated shop with ten rules: buyers of many kinds, consumables, carts, e-mails; sums as the shop has counted them

customers=100000 days=90 seed=42 clock_hours=24

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run shop [--customers C] [--days D] [--seed S] [--clock-hours H] [--workers W] [--shards N]
                           [--json] [--keep] [--no-build]

  Plays a shop: buyers who buy at a rate of their own and leave with a probability of their own, buy again what is used up,
  look around, fill carts, read e-mails, consent and unsubscribe, cancel. The rules are those of docs/examples/shop. Measured:
  events a second, memory a customer. Exit code 1 when customers, events, orders, revenue or reviews asked for are not those
  that the shop itself has counted.

  --customers C    default 100000
  --days D         of the shop's time; default 90
  --seed S         default 42
  --clock-hours H  of the shop's time between two clock records; default 24
  --workers W      default 2
  --shards N       a power of two; default 16
USAGE
}

scenario_option() {
    case "$1" in
        --customers) customers=$2 ;;
        --days) days=$2 ;;
        --seed) seed=$2 ;;
        --clock-hours) clock_hours=$2 ;;
        --workers) workers=$2 ;;
        --shards) shards=$2 ;;
        *) return 2 ;;
    esac
}

scenario_check() {
    whole --customers "$customers" 1 50000000
    whole --days "$days" 1 730
    whole --seed "$seed" 0 9223372036854775807
    whole --clock-hours "$clock_hours" 1 24
}

scenario_run() {
    rules=(-f "$root/docs/examples/shop")
    start_reference_cluster
    step "$customers customers, $days days"
    drive shop --nats "$nats_urls" --pids "$data/pids" --customers "$customers" --days "$days" --seed "$seed" \
        --clock-hours "$clock_hours"
}
