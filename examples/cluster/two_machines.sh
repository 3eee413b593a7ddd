#!/usr/bin/env bash
# Two machines and a NAS: start it on both, as 1 and as 2, whenever you like and in any order:
#   two_machines.sh 1 /mnt/nas/in.mkv /mnt/nas/out.mkv      # the one
#   two_machines.sh 2 /Volumes/nas/in.mkv /Volumes/nas/out.mkv    # the other
# Unlike processors do not take each other's color unless told to: --mix, with one --dtype for both.
set -euo pipefail
number=$1 in=$2 out=$3
exec pycolor video "$in" "$out" --slice "$number/2" --mix --dtype float32
