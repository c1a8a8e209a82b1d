#!/bin/sh
# Installs the clients with which the gateway is tested, each in a folder of its own, so that two versions of one stand side
# by side. A second run does nothing. Usage: cluster/lib/python-clients.sh
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
folder="$root/.build-tools/python-clients"

install() { # NAME REQUIREMENT
    if [ -f "$folder/$1/.installed" ]; then
        return
    fi
    rm -rf "${folder:?}/$1"
    mkdir -p "$folder/$1"
    echo "installing $2"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$folder/$1" "$2"
    touch "$folder/$1/.installed"
}

command -v python3 >/dev/null || { echo "python3 is needed: apt-get install python3 python3-pip" >&2; exit 1; }
install segment-2.4.0 segment-analytics-python==2.4.0
install segment-2.3.4 segment-analytics-python==2.3.4
install rudder-2.1.9 rudder-sdk-python==2.1.9
