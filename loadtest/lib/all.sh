# Sourced by run: all scenarios one after another, each with a cluster of its own.

all_usage() {
    cat <<'USAGE'
usage: ./loadtest/run all [--quick] [--into FOLDER] [--no-build]

  Runs every scenario, prints its main figures, and keeps each result as JSON. Exit code 1 when one of them failed.

  --quick        small forms, under ten minutes in all; the results go to a new folder below /tmp
  --into FOLDER  where the results go; without --quick the default is loadtest/results, where the recorded ones are
USAGE
}

# name of the result | scenario and its options
all_quick='micro|micro
reference|reference --customers 100000 --events 1000000
engine|reference --engine --customers 100000 --events 1000000
failover|failover --customers 50000
failover-standbys|failover --customers 50000 --standbys 1
rescale|rescale --customers 50000
hot|hot --seconds 10
timers|timers --customers 500000
lateness|lateness --seconds 10
gateway|gateway --seconds 8
backup|backup --customers 20000 --seconds 30
overdue|overdue --customers 20000
shop|shop --customers 20000 --days 60
soak|soak --minutes 1
snapshot|snapshot --customers 100000 --part 10 --snapshot-every 2500000'

all_whole='micro|micro
reference-1m|reference --customers 1000000 --events 10000000
reference-5m|reference --customers 5000000 --events 50000000
engine-1m|reference --engine --customers 1000000 --events 10000000
engine-1m-hourly|reference --engine --clocks hourly --customers 1000000 --events 10000000
failover-2100k|failover --customers 2100000 --shards 64 --rate 5000 --seconds 60
failover-2100k-standbys|failover --customers 2100000 --shards 64 --rate 5000 --seconds 60 --standbys 1
rescale-1m|rescale --customers 1000000 --shards 64 --rate 5000
hot|hot
timers-10m|timers --customers 10000000 --shards 64
lateness|lateness
gateway|gateway
backup|backup --customers 1000000
overdue|overdue --customers 1000000 --shards 64
shop-1m|shop --customers 1000000
shop-5m|shop --customers 5000000 --days 30 --shards 64
soak|soak
snapshot|snapshot'

run_all() {
    local table="$all_whole" into="" no_build="" name arguments failed=0 began
    while [ $# -gt 0 ]; do
        case "$1" in
            -h | --help) all_usage; exit 0 ;;
            --quick) table="$all_quick" ;;
            --into) [ $# -ge 2 ] || fail "--into wants a folder"; into=$2; shift ;;
            --no-build) no_build=1 ;;
            *) fail "unknown argument '$1'; see ./loadtest/run all --help" ;;
        esac
        shift
    done
    if [ -z "$into" ]; then
        if [ "$table" = "$all_whole" ]; then into="$root/loadtest/results"; else into=$(mktemp -d "${TMPDIR:-/tmp}/reprise-results.XXXXXX"); fi
    fi
    mkdir -p "$into"
    while IFS='|' read -r name arguments; do
        step "$arguments"
        began=$SECONDS
        # shellcheck disable=SC2086
        if "$root/loadtest/run" $arguments --json ${no_build:+--no-build} >"$into/$name.json.new" </dev/null; then
            mv "$into/$name.json.new" "$into/$name.json"
        else
            failed=1
            rm -f "$into/$name.json.new"
            say "FAILED after $((SECONDS - began)) s: $arguments"
        fi
        # What was built for the first is there for the others.
        no_build=1
    done <<<"$table"
    step "results, in $into"
    while IFS='|' read -r name arguments; do
        [ -f "$into/$name.json" ] && python3 "$root/loadtest/lib/figures.py" "$into/$name.json"
    done <<<"$table"
    return $failed
}
