"""Jobs of Slurm that work on a comparison, submitted with submitit."""

import logging
import subprocess
import time
from collections.abc import Callable

from tasks.cluster.extra import imported
from tasks.cluster.settings import resource_values
from tasks.comparison.settings import Comparison
from tasks.errors import TrainingFailed, UserError

log = logging.getLogger(__name__)

# Minutes of a job, unless --resources time= says otherwise. A job that reaches them is queued again, and continues.
MINUTES = 24 * 60
# How often it may be queued again.
REQUEUED = 1000
# Seconds between two questions to Slurm, which is asked seldom; a job that ends well is noticed by its file.
ASK = 15.0


class _Requeued:
    """A function that is called again when its job is preempted or reaches its time."""

    def __init__(self, function: Callable):
        self._function = function

    def __call__(self, work: dict) -> str | None:
        return self._function(work)

    def checkpoint(self, work: dict):
        """Return what submitit submits again; what was finished is in files."""
        return imported("submitit").helpers.DelayedSubmission(self, work)


class SlurmJobs:
    """An array of jobs.

    Args:
        comparison: The comparison; `--resources` are parameters of submitit, or cluster=local for jobs on this machine.
        function: Called in each job with `work`; returns the message of a mistake, or None.
        work: Its argument.
        count: Number of jobs.

    Raises:
        UserError: If submitit is not installed, this machine cannot submit, or Slurm refuses a resource.
    """

    def __init__(self, comparison: Comparison, function: Callable, work: dict, count: int):
        submitit = imported("submitit")
        resources = resource_values(comparison.arguments.resources)
        cluster, minutes = resources.pop("cluster", "slurm"), resources.pop("time", MINUTES)
        if cluster not in ("slurm", "local") or not isinstance(minutes, int):
            raise UserError("--resources: cluster is slurm or local, and time a whole number of minutes")
        folder = comparison.jobs_folder.resolve()
        try:
            executor = submitit.AutoExecutor(folder, cluster=cluster, slurm_max_num_timeout=REQUEUED)
            parameters = {f"slurm_{name}": value for name, value in resources.items()}
            executor.update_parameters(name="compare", timeout_min=minutes, **parameters)
            self._jobs = executor.map_array(_Requeued(function), [work] * count)
        except submitit.core.utils.FailedJobError as error:
            raise UserError(f"Slurm refuses the jobs: {str(error).strip().splitlines()[-1]}") from None
        except RuntimeError:
            raise UserError(
                "--on slurm: srun is not on the path; run the command where jobs are submitted, or try it on this "
                "machine with --resources cluster=local"
            ) from None
        except (NameError, ValueError, AssertionError) as error:
            raise UserError(f"--resources: {str(error).strip().splitlines()[0]}") from None
        self._is_local, self._queued, self._asked = cluster == "local", None, 0.0
        log.info("their messages: %s", folder)

    def ended(self) -> bool:
        """Return whether all jobs have ended."""
        return all(map(self._has_ended, self._jobs))

    def _has_ended(self, job) -> bool:
        if job.paths.result_pickle.exists():
            return True
        if self._is_local:
            return job.done()
        # submitit asks sacct, which answers only where Slurm stores accounts.
        if time.monotonic() - self._asked > ASK:
            self._queued, self._asked = _queued(self._jobs[0].job_id.partition("_")[0]), time.monotonic()
        return self._queued is not None and job.job_id not in self._queued

    def check(self) -> None:
        """Raise the error of a job that has ended with one, other than by the death of its process."""
        for job in self._jobs:
            if job.paths.result_pickle.exists():
                error = job.exception()
                if error is not None:
                    last = str(error).strip().splitlines()[-1]
                    raise TrainingFailed(f"job {job.job_id} failed: {last}; see {job.paths.stderr}")
                message = job.result()
                if message is not None:
                    raise UserError(message)
            elif self._has_ended(job):
                log.warning("job %s ended early; see %s", job.job_id, job.paths.stderr)

    def close(self) -> None:
        """Cancel the jobs that still run or wait."""
        for job in self._jobs:
            if not self._has_ended(job):
                job.cancel(check=False)


def _queued(array: str) -> set[str] | None:
    """Return the jobs of an array that wait or run; None if Slurm does not answer."""
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--jobs={array}"]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode and "Invalid job id" not in answer.stderr:  # which it says of jobs that ended a while ago
        return None
    return set(answer.stdout.split())
