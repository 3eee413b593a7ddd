#!/usr/bin/env bash
# Guess:  how `ray start --head` lets drivers and nodes in depends on its options and environment;
#         a `ray.init()` that ran on that machine before, in a script or a test, is over and gone.
# Truth:  `ray.init()` without an address switches token authentication on and leaves a token in
#         ~/.ray/auth_token.  From then on `ray start --head` finds it and wants it from everybody:
#         the same two commands that made a cluster yesterday are refused today, on machines and
#         for users that have no such file.
# Seen:   Ray 2.60.0, Linux.
# Why film work meets it: a film is tried on one machine first and then given to the cluster that
#         always worked.  Copy the token to all machines (`ray get-auth-token`), or say
#         RAY_AUTH_MODE=disabled everywhere, on a network of one's own.
set -euo pipefail
folder=$(mktemp -d)
head=
finish() { [ -z "$head" ] || { kill "$head" && wait "$head" || true; } 2>/dev/null; rm -rf "$folder"; }
trap finish EXIT
unset RAY_AUTH_MODE RAY_AUTH_TOKEN RAY_ADDRESS
export RAY_USAGE_STATS_ENABLED=0
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
ray=$folder/venv/bin/ray python=$folder/venv/bin/python
mkdir "$folder/first" "$folder/second"

try() {  # a cluster by one user, and a driver by another: prints how the driver fared
  HOME=$folder/first "$ray" start --head --port "$1" --num-cpus 1 --include-dashboard=false --block \
    > "$folder/head.log" 2>&1 &
  head=$!
  for _ in $(seq 120); do grep -q 'Ray runtime started' "$folder/head.log" && break; sleep 1; done
  HOME=$folder/second timeout 120 "$python" - "$1" 2>"$folder/driver.log" <<'PY' || true
import sys
import ray
try:
    ray.init(f"127.0.0.1:{sys.argv[1]}", log_to_driver=False, logging_level="error")
    print("connected")
except Exception as error:
    print("refused:", type(error).__name__, " ".join(str(error).split())[:90])
PY
  kill "$head"; wait "$head" || true; head=
}

"$python" -c 'import ray; print("ray", ray.__version__)'
before=$(try 6391)
echo "before: $before"
HOME=$folder/first "$python" -c 'import ray; ray.init(num_cpus=1, include_dashboard=False); ray.shutdown()' \
  > /dev/null 2>&1
echo "left behind by ray.init():" "$(cd "$folder/first" && ls .ray)"
after=$(try 6392)
echo "after: $after"
[[ $before == connected && $after == refused* ]]
