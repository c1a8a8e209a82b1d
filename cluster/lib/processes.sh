# Sourced by scripts that start processes. `data` names the cluster's folder; $data/pids/NAME holds a process's id and the
# time at which the kernel started it: only a process that still has both is ours to end.

# start_time PID: sets `started` to what the kernel calls the start of a process, clock ticks since boot; empty when there
# is none. No process is started for it: it is asked often.
start_time() {
    local stat fields
    started=""
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    # The program's name may hold anything, blanks and brackets too: count from behind its last bracket.
    read -ra fields <<<"${stat##*)}"
    [ "${fields[0]}" = Z ] || started=${fields[19]}
}

# alive NAME: whether the process that we started under this name still runs.
alive() {
    local pid since started
    { read -r pid since <"$data/pids/$1"; } 2>/dev/null || return 1
    start_time "$pid"
    [ -n "$since" ] && [ "$started" = "$since" ]
}

pid_of() {
    local pid since
    read -r pid since <"$data/pids/$1"
    echo "$pid"
}

# start NAME COMMAND...: in a session of its own, so that a Ctrl-C in this terminal reaches the script, not the process;
# its output goes to $data/logs/NAME.log.
start() {
    local name=$1
    shift
    ! alive "$name" || fail "$name already runs in $data"
    mkdir -p "$data/pids" "$data/logs"
    setsid "$@" >>"$data/logs/$name.log" 2>&1 </dev/null 9>&- &
    local pid=$! started
    disown "$pid"
    start_time "$pid"
    printf '%s %s\n' "$pid" "$started" >"$data/pids/$name"
}

# Names of all processes of the folder, those that others depend on last.
names() {
    local name
    [ -d "$data/pids" ] || return 0
    for name in gateway dispatcher worker history coordinator mailbox nats; do
        (cd "$data/pids" && ls -d "$name" "$name"-* 2>/dev/null) || true
    done
}

# end NAME...: asks each to stop, waits, and kills what is left after the patience.
end() {
    local name pid deadline patience=15 left
    for name in "$@"; do
        alive "$name" && kill -TERM "$(pid_of "$name")" 2>/dev/null || true
    done
    deadline=$((SECONDS + patience))
    while :; do
        left=()
        for name in "$@"; do alive "$name" && left+=("$name"); done
        [ ${#left[@]} -gt 0 ] || break
        if [ $SECONDS -ge $deadline ]; then
            for name in "${left[@]}"; do
                say "   $name did not stop within $patience s: killed" >&2
                kill -KILL "$(pid_of "$name")" 2>/dev/null || true
            done
            deadline=$((SECONDS + patience))
        fi
        sleep 0.05
    done
    for name in "$@"; do rm -f "$data/pids/$name"; done
}

# Ends all processes of the folder: who takes events and sends first, then who decides, then what they stand on.
end_all() {
    local phase name chosen
    for phase in "gateway dispatcher" worker "history coordinator" "mailbox nats"; do
        chosen=()
        for name in $(names); do
            case " $phase " in *" ${name%%-*} "*) chosen+=("$name") ;; esac
        done
        [ ${#chosen[@]} -eq 0 ] || end "${chosen[@]}"
    done
}

# died: says which process of the folder no longer runs, and its last words.
died() {
    local name found=1
    for name in $(names); do
        alive "$name" && continue
        say "   $name has stopped; the end of $data/logs/$name.log:" >&2
        tail -n 5 "$data/logs/$name.log" >&2 || true
        found=0
    done
    return $found
}

# free_ports COUNT [WANTED]: so many ports that nobody uses now; the wanted one first when it is free.
free_ports() {
    "$python" - "$@" <<'PYTHON'
import socket, sys
count, held, ports = int(sys.argv[1]), [], []
for wanted in [int(port) for port in sys.argv[2:3]] + [0] * count:
    if len(ports) == count:
        break
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", wanted))
    except OSError:
        continue
    held.append(probe)
    ports.append(probe.getsockname()[1])
print(*ports)
PYTHON
}
