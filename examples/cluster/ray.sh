#!/usr/bin/env bash
# One film by a Ray cluster.  On the first machine:   ray start --head
# On each further one:                                ray start --address FIRST:6379
# Whoever reaches these ports can run code on the machines: keep them in a network of their own, and
# give all of them one token first (ray get-auth-token --generate; copy ~/.ray/auth_token).
# Then on the first machine:                          ray.sh /shared/in.mkv /shared/out.mkv
set -euo pipefail
in=$1 out=$2
export RAY_USAGE_STATS_ENABLED=0
exec pycolor video "$in" "$out" --ray auto
