"""Claims of textbooks and lecture notes, checked against the results."""

import math
import statistics
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, NO_FORGET_BIAS, STANDARD, UNCLIPPED
from tasks.memory.settings import MemoryArguments
from tasks.memory.tables import EXPLOSION, Group, ResultTables, final_loss, finite_max

CLAIMS = {
    "memory": "A plain RNN remembers about 10 steps, an LSTM about 1,000.",
    "clipping": "Gradient clipping prevents exploding gradients, but not vanishing gradients.",
    "initializer": "An orthogonal recurrent initializer helps.",
    "forget_bias": "An LSTM's forget gate bias of 1 helps.",
}

HOLDS, FAILS, INCONCLUSIVE = "holds", "does not hold", "inconclusive"

# A lag is remembered if the mean accuracy over the seeds is at least this.
REMEMBERED_ACCURACY = 0.9
# "About" a number of steps: within this factor.
ABOUT_FACTOR = 2.0
# Smallest relevant difference in mean accuracy, and smallest relevant share of saved training steps. Twice the standard
# error over the seeds counts where it is larger.
MIN_ACCURACY_DIFFERENCE, MIN_STEPS_SAVED = 0.05, 0.1
# A gradient has vanished if this share or less of its norm at the end is left at the first symbol. It has exploded if
# its norm is at least this multiple of the clipping norm.
VANISHED_SHARE, EXPLODED_MULTIPLE = 1e-2, 10.0


@dataclass(frozen=True)
class Finding:
    """A verdict on one part of a claim, and what was measured."""

    verdict: str
    measured: str


@dataclass(frozen=True)
class ClaimResult:
    """A claim, and the findings on its parts."""

    claim: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """The verdict of all findings if they agree; otherwise "holds in part" if the claim holds in one of them."""
        verdicts = {finding.verdict for finding in self.findings}
        if len(verdicts) == 1:
            return verdicts.pop()
        return "holds in part" if HOLDS in verdicts else FAILS

    def as_dict(self) -> dict:
        """Return the claim, its verdict and its findings as JSON values."""
        return {"claim": self.claim, "verdict": self.verdict, "findings": [asdict(each) for each in self.findings]}


def check_claims(tables: ResultTables, arguments: MemoryArguments) -> dict[str, ClaimResult]:
    """Return the result of the claim of each study."""
    checks = {
        "memory": _check_memory,
        "clipping": _check_clipping,
        "initializer": _check_initializer,
        "forget_bias": _check_forget_bias,
    }
    return {
        study: ClaimResult(CLAIMS[study], tuple(checks[study](tables, arguments))) for study in arguments.study_names
    }


def as_text(results: dict[str, ClaimResult]) -> str:
    """Return the claims with their findings as text of at most 96 columns."""
    lines = []
    for result in results.values():
        lines.append(f"{result.claim}\n  -> {result.verdict}")
        for finding in result.findings:
            text = f"     {finding.verdict + ':':<14} {finding.measured}"
            lines.append(textwrap.fill(text, 96, subsequent_indent=20 * " ", break_on_hyphens=False))
    return "\n".join(lines)


def _not_measured(cell: str) -> Finding:
    return Finding(INCONCLUSIVE, f"{cell} was not measured; add it to --cells")


def _group_text(group: Group) -> str:
    return f"{group.cell}, {group.training_lags} training lags"


# --- how long a cell remembers


def longest_remembered_lag(tables: ResultTables, group: Group) -> int:
    """Return the longest lag that is remembered together with all shorter lags; 0 if the shortest is not."""
    longest = 0
    for lag in tables.lags(group):
        if tables.mean_accuracy(group, lag) < REMEMBERED_ACCURACY:
            break
        longest = lag
    return longest


def _first_forgotten_lag(tables: ResultTables, group: Group) -> float:
    """Return the shortest lag that is not remembered; infinity if all are."""
    longest = longest_remembered_lag(tables, group)
    return min((lag for lag in tables.lags(group) if lag > longest), default=math.inf)


def _memory_text(tables: ResultTables, group: Group) -> str:
    longest, forgotten = longest_remembered_lag(tables, group), _first_forgotten_lag(tables, group)
    if forgotten == math.inf:
        return f"remembers lag {longest}, the longest measured"
    remembers = f"remembers lag {longest}, but not lag {forgotten}" if longest else f"does not remember lag {forgotten}"
    return f"{remembers} (accuracy {tables.mean_accuracy(group, forgotten):.2f})"


def _check_memory(tables: ResultTables, arguments: MemoryArguments) -> list[Finding]:
    ranges = {"simple_rnn": (10 / ABOUT_FACTOR, 10 * ABOUT_FACTOR), "lstm": (1000 / ABOUT_FACTOR, math.inf)}
    return [
        _check_range(tables, Group(cell, STANDARD, training_lags), low, high)
        for cell, (low, high) in ranges.items()
        for training_lags in arguments.training_lag_names
    ]


def _check_range(tables: ResultTables, group: Group, low: float, high: float) -> Finding:
    """Check whether the longest lag that the cell remembers is at least `low` and less than `high`."""
    if not tables.lags(group):
        return _not_measured(group.cell)
    # The longest lag that it remembers lies between these two.
    remembered, forgotten = longest_remembered_lag(tables, group), _first_forgotten_lag(tables, group)
    measured = f"{_group_text(group)}: {_memory_text(tables, group)}"
    if remembered >= high:
        return Finding(FAILS, f"{measured}: at least twice the claimed number of steps")
    if forgotten <= low:
        advice = "" if group.training_lags == "log_uniform" else "--training-lags log_uniform or "
        return Finding(FAILS, f"{measured}: less than half the claimed number; {advice}more --steps may help")
    if remembered >= low and (forgotten <= high or high == math.inf):
        return Finding(HOLDS, measured)
    return Finding(INCONCLUSIVE, f"{measured}; add {'longer --lags' if forgotten == math.inf else '--lags in between'}")


# --- gradient clipping


def _check_clipping(tables: ResultTables, arguments: MemoryArguments) -> list[Finding]:
    if "simple_rnn" not in arguments.cell_names:
        return [_not_measured("simple_rnn")]
    vanishing = [_check_vanishing(tables, training_lags) for training_lags in arguments.training_lag_names]
    return [_check_explosion(tables, arguments), *vanishing]


def _check_explosion(tables: ResultTables, arguments: MemoryArguments) -> Finding:
    """Check whether gradients explode, and whether the network learns only with clipping."""
    unclipped, clipped = (tables.rows(group) for group in EXPLOSION.values())
    gradient = _largest(finite_max(row["gradient_norm"]) for row in unclipped + clipped)
    updates = [_largest(finite_max(row["update_norm"]) for row in rows) for rows in (unclipped, clipped)]
    losses = [_largest(map(final_loss, rows)) for rows in (unclipped, clipped)]
    accuracy = [tables.mean_accuracy(EXPLOSION[name]) for name in (EXPLODING, EXPLODING_CLIPPED)]
    measured = f"gradient norms of up to {gradient:.1e}; " + "; ".join(
        f"{name} clipping: weight updates of up to {update:.1e}, final loss {loss:.2f} nats, accuracy {value:.2f}"
        for name, update, loss, value in zip(("without", "with"), updates, losses, accuracy, strict=True)
    )
    if gradient < EXPLODED_MULTIPLE * arguments.global_clipnorm:
        return Finding(
            INCONCLUSIVE, f"{measured}: gradients did not explode; raise --explosion-gain or --explosion-lag"
        )
    learned = losses[1] < 0.9 * math.log(arguments.symbols)
    helped = learned and losses[1] < losses[0] and accuracy[1] > accuracy[0] + MIN_ACCURACY_DIFFERENCE
    return Finding(HOLDS if helped else FAILS, measured)


def _largest(values: Iterable[float | None]) -> float:
    """Return the maximum; None stands for NaN or infinity, and counts as infinity."""
    return max(math.inf if value is None else value for value in values)


def _check_vanishing(tables: ResultTables, training_lags: str) -> Finding:
    """Check whether the gradient vanishes with clipping, too, at a lag that the network does not learn."""
    clipped, unclipped = (Group("simple_rnn", name, training_lags) for name in (STANDARD, UNCLIPPED))
    measured = (
        f"{_group_text(clipped)}: with clipping it {_memory_text(tables, clipped)}; "
        f"without clipping it {_memory_text(tables, unclipped)}"
    )
    lag = tables.lags(clipped)[-1]
    if longest_remembered_lag(tables, clipped) == lag:
        return Finding(INCONCLUSIVE, f"{measured}; add --lags that it does not remember")
    at_end, *_, at_start = tables.gradient_norms(clipped, lag, "after")
    if not at_end or at_start is None:
        return Finding(INCONCLUSIVE, f"{measured}; with clipping, the gradient at lag {lag} is 0 or not finite")
    share = at_start / at_end
    measured += f"; with clipping, {share:.1e} of the gradient norm at the end is left at lag {lag}"
    return Finding(HOLDS if share < VANISHED_SHARE else FAILS, measured)


# --- initial weights


def _check_initializer(tables: ResultTables, arguments: MemoryArguments) -> list[Finding]:
    return [
        _check_improvement(tables, Group(cell, name, training_lags), ("orthogonal", name))
        for cell in arguments.cell_names
        for training_lags in arguments.training_lag_names
        for name in arguments.initializer_names
    ]


def _check_forget_bias(tables: ResultTables, arguments: MemoryArguments) -> list[Finding]:
    if "lstm" not in arguments.cell_names:
        return [_not_measured("lstm")]
    return [
        _check_improvement(tables, Group("lstm", NO_FORGET_BIAS, training_lags), ("a bias of 1", "a bias of 0"))
        for training_lags in arguments.training_lag_names
    ]


def _check_improvement(tables: ResultTables, alternative: Group, names: tuple[str, str]) -> Finding:
    """Check whether the standard condition has a higher accuracy, or else needs fewer training steps.

    Args:
        tables: Results.
        alternative: The group to compare the standard condition with.
        names: Names of the standard and of the other condition.
    """
    groups = [alternative._replace(condition=STANDARD), alternative]
    pairs = list(zip(*map(tables.rows, groups), strict=True))
    accuracy = [tables.mean_accuracy(group) for group in groups]
    steps = [statistics.fmean(row["steps"] for row in tables.rows(group)) for group in groups]
    measured = (
        f"{_group_text(alternative)}: accuracy {accuracy[0]:.2f} with {names[0]}, {accuracy[1]:.2f} with {names[1]} "
        f"(mean over the lags); {steps[0]:.0f} and {steps[1]:.0f} training steps"
    )
    gains = _mean_by_seed(pairs, lambda standard, other: standard["accuracy"] - other["accuracy"])
    # A diverged training ends early; it saves no steps.
    most = max(row["steps"] for pair in pairs for row in pair)
    needed = lambda row: most if row["diverged"] else row["steps"]  # noqa: E731
    of_other = statistics.fmean(needed(other) for _, other in pairs)
    saved = _mean_by_seed(pairs, lambda standard, other: (needed(other) - needed(standard)) / of_other)
    for values, minimum in ((gains, MIN_ACCURACY_DIFFERENCE), (saved, MIN_STEPS_SAVED)):
        mean = statistics.fmean(values)
        if abs(mean) > max(minimum, 2.0 * _standard_error(values)):
            return Finding(HOLDS if mean > 0.0 else FAILS, measured)
    return Finding(FAILS, f"{measured}: no relevant difference")


def _mean_by_seed(pairs: list[tuple[dict, dict]], difference: Callable[[dict, dict], float]) -> list[float]:
    """Return the mean difference over the lags for each seed."""
    seeds = sorted({first["seed"] for first, _ in pairs})
    return [statistics.fmean(difference(*pair) for pair in pairs if pair[0]["seed"] == seed) for seed in seeds]


def _standard_error(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
