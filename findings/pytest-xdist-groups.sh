#!/bin/bash
# guess: with --dist loadgroup, tests with the same xdist_group mark run in one process, as pytest-xdist
#        documents; a fixture that takes minutes (a compiled module, a network) is then made once.
# truth: pytest 9.2 keeps a test's name in a value of its own (`_id`); pytest-xdist 3.8 writes the group into
#        `_nodeid`, which nothing reads any more.  No error, no warning: the groups are spread over all
#        processes, and each of them makes the fixture.
# version: pytest 9.2.0, pytest-xdist 3.8.0.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install pytest==9.2.0 pytest-xdist==3.8.0
cat > test_group.py <<'P'
import os, pathlib, pytest

@pytest.fixture(scope="module")
def costly():
    with open("made", "a") as f:
        f.write(f"{os.getpid()}\n")

@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("n", range(6))
def test_one(n, costly):
    pass
P
v/bin/python -m pytest -q -p no:cacheprovider -n 2 --dist loadgroup test_group.py
v/bin/pip list 2>/dev/null | grep -i pytest
echo "the fixture was made $(wc -l < made) times, by $(sort -u made | wc -l) processes"
test "$(sort -u made | wc -l)" = 2
