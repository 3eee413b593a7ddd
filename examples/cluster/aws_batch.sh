#!/usr/bin/env bash
# One film by the children of an AWS Batch array job.  This file is the command of the job
# definition; /films is EFS or FSx for Lustre, mounted in every container (not S3).  Submit with:
#   aws batch submit-job --job-name color-film --job-queue QUEUE --job-definition DEFINITION \
#     --array-properties size=8 --retry-strategy attempts=10 \
#     --container-overrides 'environment=[{name=IN,value=/films/in.mkv},{name=OUT,value=/films/out.mkv},{name=SIZE,value=8}]'
# A child whose spot machine is taken away comes again by the retry strategy, and goes on.
set -euo pipefail
index=${AWS_BATCH_JOB_ARRAY_INDEX:-0}
exec pycolor video "$IN" "$OUT" --slice "$((index + 1))/${SIZE:-1}" --progress plain
