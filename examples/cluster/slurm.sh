#!/usr/bin/env bash
# One film by 8 tasks of a SLURM array:  sbatch slurm.sh /shared/in.mkv /shared/out.mkv
#SBATCH --job-name=pycolor
#SBATCH --array=1-8
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=12:00:00
#SBATCH --requeue
# A task that ends by itself has nothing more to do; one that is preempted comes again by --requeue
# and goes on.  For GPUs add:  #SBATCH --gres=gpu:1
set -euo pipefail
in=$1 out=$2
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
# srun of SLURM 22.05 and newer does not take over the processors that the task has.  The highest
# number counts the slices, so that `sbatch --array=3,5 slurm.sh ...` does some of them again.
exec srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" pycolor video "$in" "$out" \
  --slice "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_MAX" --progress plain
