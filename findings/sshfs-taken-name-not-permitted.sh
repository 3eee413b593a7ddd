#!/bin/bash
# Guess: two machines that create the same file with O_EXCL on one SFTP mount: one succeeds, the other gets EEXIST.
# Truth: SFTP's version 3 has no word for a name that is taken, and sshfs (3.7.3) makes EPERM, "Operation not permitted", of
# the server's refusal. EEXIST comes only where the kernel had seen the file before it asked; in a race it is EPERM.
# Film work meets it where workers share a NAS by SFTP and claim work by creating files: the loser's error looks as if the
# folder were not writable.
# Needs root or fusermount3, and the Debian packages sshfs and openssh-sftp-server.
set -e; D=$(mktemp -d); mkdir "$D"/{real,a,b}
trap 'fusermount3 -u -z "$D/a"; fusermount3 -u -z "$D/b"; sleep 0.5; rm -rf "$D"' EXIT
printf '#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n' > "$D/ssh"; chmod +x "$D/ssh"
sshfs --version 2>&1 | grep -i "sshfs version"
for m in a b; do sshfs -o ssh_command="$D/ssh" "here:$D/real" "$D/$m"; done
python3 - "$D" <<'P'
import collections, errno, os, sys, threading
told = collections.Counter()
def create(path, gate):
    gate.wait()
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        told["created"] += 1
    except OSError as e:
        told[errno.errorcode[e.errno]] += 1
for n in range(300):
    gate = threading.Barrier(2)
    both = [threading.Thread(target=create, args=(f"{sys.argv[1]}/{m}/{n}", gate)) for m in "ab"]
    for t in both: t.start()
    for t in both: t.join()
print(dict(told))
assert told["created"] == 300 and told["EPERM"] > 0, told
P
