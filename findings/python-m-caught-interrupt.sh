#!/usr/bin/env bash
# Guess:   a program that catches KeyboardInterrupt chooses its own exit status.
# Truth:   not under `python -m NAME`.  Where the exception passed through code that exec() ran from
#          a string, as the methods of a dataclass or of a namedtuple are made while a module is
#          imported, CPython notes it, and when the program has ended it sends itself SIGINT.  A
#          parent sees a death by signal (subprocess: -2), not the status that was chosen.  Run as a
#          file (`python name.py`, or a console script) the same program keeps its status, and an
#          exception of a subclass of KeyboardInterrupt is not noted either.
# Version: CPython 3.11 (as here).
# Film:    a batch of films is run by a script, which asks the exit status of an interrupted one
#          whether to go on; modules are imported late, in the middle of the work.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python=$folder/venv/bin/python
cat > "$folder/name.py" <<'PROGRAM'
import signal
import sys


class Interrupt(KeyboardInterrupt):
    pass


def raised(*_):
    raise KeyboardInterrupt if sys.argv[1] == "itself" else Interrupt


signal.signal(signal.SIGINT, raised)
try:
    exec("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)")
except KeyboardInterrupt:
    sys.exit(7)
PROGRAM
cat > "$folder/ask.py" <<'PROGRAM'
import subprocess
import sys

found = {}
for way in (["-m", "name"], ["name.py"]):
    for kind in ("itself", "subclass"):
        done = subprocess.run([sys.executable, *way, kind], cwd=sys.argv[1])
        found[" ".join(way), kind] = done.returncode
        print(f"python {' '.join(way):8} {kind:8} chose 7, the parent sees {done.returncode}")
expected = {
    ("-m name", "itself"): -2,
    ("-m name", "subclass"): 7,
    ("name.py", "itself"): 7,
    ("name.py", "subclass"): 7,
}
sys.exit(found != expected)
PROGRAM
"$python" --version
"$python" "$folder/ask.py" "$folder"
