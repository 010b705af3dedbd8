#!/usr/bin/env bash
# Trains one seed in each task of a Slurm array. Options are those of train, without --seed and --seeds:
#
#     sbatch --array=0-4 tools/slurm_seeds.sh --config flat-drum_4bar_small --run-dir runs/flat
#
# The task of seed 3 trains into runs/flat-seed3. The command is searched on PATH: submit from an environment that has
# it. docs/cluster.md says what happens when a task is stopped.
#SBATCH --job-name=gmd-vae
#SBATCH --array=0-2
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%A_%a.log
# two minutes before the time limit, to this script alone: a step is finished and saved in seconds
#SBATCH --signal=B:USR1@120
set -u

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
    echo "This is no task of a Slurm array: start it with sbatch, without --array=none." >&2
    exit 2
fi

# SIGUSR1 comes before the time limit, and before a preemption where Slurm has PreemptParameters=send_user_signal
warned=
stop() {
    kill -TERM "$training" 2>/dev/null || true
}
trap 'warned=1; stop' USR1
trap stop TERM INT HUP

# without srun: its steps get SIGTERM at the beginning of a GraceTime, and would end before Slurm requeues the task
gmd-vae train "$@" --seeds "$SLURM_ARRAY_TASK_ID" &
training=$!
while true; do # a signal ends the wait, and the training still has to save
    wait "$training"
    status=$?
    kill -0 "$training" 2>/dev/null || break
done

# Slurm itself requeues a task after a preemption or the loss of a node, and not one that was cancelled
if [ -n "$warned" ] && [ "$status" -eq 143 ]; then
    echo "Time limit or preemption: task ${SLURM_ARRAY_TASK_ID} goes back into the queue and resumes from its checkpoint."
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$status"
