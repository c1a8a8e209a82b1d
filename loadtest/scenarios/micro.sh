# instructions and allocations of each piece of an event's way, against recorded ones; no cluster

products=(micro) record="" tolerance="" recorded="$root/loadtest/micro.json"

scenario_usage() {
    cat <<'USAGE'
usage: ./loadtest/run micro [--record] [--tolerance PERCENT] [--json] [--keep] [--no-build]

  Runs each piece of an event's way through the engine under callgrind, which counts instructions and calls of the allocator:
  the same on a busy machine. Compares with loadtest/micro.json. Exit code 1 when a piece takes more instructions than
  recorded and the tolerance, or more allocations; or when the file does not know it.

  --record              write what was counted into loadtest/micro.json, to be looked at and committed
  --tolerance PERCENT   instructions over the recorded ones; default: what the file says
USAGE
}

scenario_option() {
    case "$1" in
        --record) record=1; return 1 ;;
        --tolerance) tolerance=$2 ;;
        *) return 2 ;;
    esac
}

scenario_check() { [ -z "$tolerance" ] || whole --tolerance "$tolerance" 0 1000; }

scenario_run() {
    install_packages valgrind binutils
    step "counting"
    # Its names are enough, and valgrind does not read all that Swift writes for debuggers.
    objcopy --strip-debug "$release_path/release/micro" "$data/micro"
    local code=0
    # Hashes must not differ from run to run.
    (cd "$data" && SWIFT_DETERMINISTIC_HASHING=1 timeout 600 valgrind --tool=callgrind '--dump-before=*writeCounts*' \
        --callgrind-out-file=counts ./micro >names 2>valgrind.log) || {
        tail -n 20 "$data/valgrind.log" >&2
        fail "the benchmarks ended early; the end of what valgrind said stands above"
    }
    "$python" "$root/loadtest/lib/micro.py" "$data" "$recorded" ${record:+--record} \
        ${tolerance:+--tolerance "$tolerance"} "${flags[@]}" >&3 || code=$?
    exit "$code"
}
