"""Claims of textbooks and lectures, and what the results say of them."""

import math
import statistics
import textwrap
from dataclasses import asdict, dataclass

from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, NO_FORGET_BIAS, STANDARD, UNCLIPPED
from tasks.memory.settings import RecallArguments
from tasks.memory.tables import EXPLOSION, Group, Table, largest, last_loss

CLAIMS = {
    "memory": "A plain RNN forgets after about 10 steps, an LSTM holds about 1,000.",
    "clipping": "Clipping stops explosion, but does not cure vanishing.",
    "initializer": "Orthogonal initial recurrent weights help.",
    "forget_bias": "An LSTM's forget gate bias of 1 helps.",
}

HOLDS, FAILS, OPEN = "holds", "does not hold", "not settled"

# A lag is remembered where the mean accuracy over the seeds is at least this.
REMEMBERED = 0.9
# "About" a number of steps: within a factor of two.
ABOUT = 2.0
# A difference in mean accuracy, or a share of steps saved, that counts; larger where the seeds differ more than that.
ACCURACY_THAT_COUNTS, STEPS_THAT_COUNT = 0.05, 0.1
# A gradient at the first symbol that is smaller than this share of the one at the end has vanished; a largest gradient
# of so many times the clipping norm has exploded.
VANISHED, EXPLODED = 1e-2, 10.0


@dataclass(frozen=True)
class Part:
    """A statement within a claim: whether it holds here, and what was measured."""

    verdict: str
    measured: str


@dataclass(frozen=True)
class Verdict:
    """A claim, and its parts."""

    claim: str
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> str:
        """That of the parts where they agree; else "in part" if one of them holds."""
        verdicts = {part.verdict for part in self.parts}
        if len(verdicts) == 1:
            return verdicts.pop()
        return "in part" if HOLDS in verdicts else FAILS

    def as_dict(self) -> dict:
        return {"claim": self.claim, "verdict": self.verdict, "parts": [asdict(part) for part in self.parts]}


def verdicts(table: Table, arguments: RecallArguments) -> dict[str, Verdict]:
    """The verdict on the claim of each study that was asked for."""
    judges = {"memory": _memory, "clipping": _clipping, "initializer": _initializer, "forget_bias": _forget_bias}
    return {study: Verdict(CLAIMS[study], tuple(judges[study](table, arguments))) for study in arguments.study_names}


def as_text(found: dict[str, Verdict]) -> str:
    """The verdicts for people."""
    lines = []
    for verdict in found.values():
        lines.append(f"{verdict.claim}\n  -> {verdict.verdict}")
        for part in verdict.parts:
            text = f"     {part.verdict + ':':<14} {part.measured}"
            lines.append(textwrap.fill(text, 96, subsequent_indent=20 * " ", break_on_hyphens=False))
    return "\n".join(lines)


# --- how long a cell remembers


def reach(table: Table, group: Group) -> int:
    """The longest lag that is remembered together with all shorter ones that were tried; 0 if the shortest is not."""
    longest = 0
    for lag in table.lags(group):
        if table.right(group, lag) < REMEMBERED:
            break
        longest = lag
    return longest


def _missed(table: Table, group: Group) -> float:
    """The shortest lag that is not remembered; infinite where all are."""
    longest = reach(table, group)
    return min((lag for lag in table.lags(group) if lag > longest), default=math.inf)


def _reach_in_words(table: Table, group: Group) -> str:
    longest, missed = reach(table, group), _missed(table, group)
    if missed == math.inf:
        return f"remembers lag {longest}, the longest tried"
    remembered = f"remembers lag {longest}, and not {missed}" if longest else f"does not remember lag {missed}"
    return f"{remembered} ({table.right(group, missed):.2f} right)"


def _memory(table: Table, arguments: RecallArguments) -> list[Part]:
    return [
        _reaches(table, Group(cell, STANDARD, training_lags), least, most)
        for cell, least, most in (("simple_rnn", 10 / ABOUT, 10 * ABOUT), ("lstm", 1000 / ABOUT, math.inf))
        for training_lags in arguments.training_lag_names
    ]


def _reaches(table: Table, group: Group, least: float, most: float) -> Part:
    """Whether the longest lag that the cell remembers is at least the one and below the other."""
    if not table.lags(group):
        return Part(OPEN, f"{group.cell} was not tried; add it to --cells")
    # What it remembers for sure, and what it does not; the longest lag lies between the two.
    longest, missed = reach(table, group), _missed(table, group)
    measured = f"{_named(group)}: {_reach_in_words(table, group)}"
    if longest >= most:
        return Part(FAILS, f"{measured}: that is twice the claim, or more")
    if missed <= least:
        further = "" if group.training_lags == "log_uniform" else "--training-lags log_uniform or "
        return Part(FAILS, f"{measured}: less than half the claim; {further}more --steps may reach further")
    if longest >= least and (missed <= most or most == math.inf):
        return Part(HOLDS, measured)
    return Part(OPEN, f"{measured}; {'longer --lags' if missed == math.inf else '--lags between them'} would tell")


def _named(group: Group) -> str:
    return f"{group.cell}, {group.training_lags} training lags"


# --- clipping


def _clipping(table: Table, arguments: RecallArguments) -> list[Part]:
    if "simple_rnn" not in arguments.cell_names:
        return [Part(OPEN, "simple_rnn was not tried; add it to --cells")]
    return [
        _stops_explosion(table, arguments),
        *(_leaves_vanishing(table, how) for how in arguments.training_lag_names),
    ]


def _stops_explosion(table: Table, arguments: RecallArguments) -> Part:
    unclipped, clipped = (table.rows(EXPLOSION[name]) for name in (EXPLODING, EXPLODING_CLIPPED))
    norm = _worst(largest(row["gradient_norm"]) for row in unclipped + clipped)
    steps = [_worst(largest(row["update_norm"]) for row in rows) for rows in (unclipped, clipped)]
    losses = [_worst(map(last_loss, rows)) for rows in (unclipped, clipped)]
    right = [table.right(EXPLOSION[name]) for name in (EXPLODING, EXPLODING_CLIPPED)]
    measured = (
        f"gradients of norm up to {norm:.1e}; without clipping a step moved the weights by up to {steps[0]:.1e}, the "
        f"loss ended at {losses[0]:.2f} nats with {right[0]:.2f} right; with clipping by up to {steps[1]:.1e}, "
        f"{losses[1]:.2f} nats, {right[1]:.2f} right"
    )
    if norm < EXPLODED * arguments.global_clipnorm:
        return Part(OPEN, f"{measured}: nothing exploded; raise --explosion-gain or --explosion-lag")
    # With clipping it learns, and without it learns less or loses what it had.
    learned = losses[1] < 0.9 * math.log(arguments.symbols)
    helped = learned and losses[1] < losses[0] and right[1] > right[0] + ACCURACY_THAT_COUNTS
    return Part(HOLDS if helped else FAILS, measured)


def _worst(values) -> float:
    """The largest; infinite where one is no number."""
    return max(math.inf if value is None else value for value in values)


def _leaves_vanishing(table: Table, training_lags: str) -> Part:
    clipped, unclipped = (Group("simple_rnn", name, training_lags) for name in (STANDARD, UNCLIPPED))
    measured = (
        f"{_named(clipped)}: with clipping it {_reach_in_words(table, clipped)}, without it "
        f"{_reach_in_words(table, unclipped)}"
    )
    lag = table.lags(clipped)[-1]
    if reach(table, clipped) == lag:
        return Part(OPEN, f"{measured}: no lag was too long with it; longer --lags would tell")
    first, *_, last = table.gradients(clipped, lag, "after")
    if not first or last is None:
        return Part(OPEN, f"{measured}; trained with it for lag {lag}, the gradient is no number")
    share = last / first
    measured += f"; trained with it for lag {lag}, {share:.1e} of the gradient at the end reaches the first symbol"
    return Part(HOLDS if share < VANISHED else FAILS, measured)


# --- initial weights


def _initializer(table: Table, arguments: RecallArguments) -> list[Part]:
    return [
        _helps(table, cell, training_lags, name, ("orthogonal", name))
        for cell in arguments.cell_names
        for training_lags in arguments.training_lag_names
        for name in arguments.initializer_names
    ]


def _forget_bias(table: Table, arguments: RecallArguments) -> list[Part]:
    if "lstm" not in arguments.cell_names:
        return [Part(OPEN, "lstm was not tried; add it to --cells")]
    return [
        _helps(table, "lstm", training_lags, NO_FORGET_BIAS, ("a bias of 1", "0"))
        for training_lags in arguments.training_lag_names
    ]


def _helps(table: Table, cell: str, training_lags: str, other: str, names: tuple[str, str]) -> Part:
    """Whether the standard condition is better than the other: more right answers, or else as many in fewer steps."""
    groups = [Group(cell, condition, training_lags) for condition in (STANDARD, other)]
    pairs = list(zip(*map(table.rows, groups), strict=True))
    right = [table.right(group) for group in groups]
    steps = [statistics.fmean(row["steps"] for row in table.rows(group)) for group in groups]
    measured = (
        f"{_named(groups[0])}: {right[0]:.2f} right with {names[0]}, {right[1]:.2f} with {names[1]}, mean over the "
        f"lags; {steps[0]:.0f} and {steps[1]:.0f} steps of training"
    )
    gained = _by_seed(pairs, lambda one, two: one["accuracy"] - two["accuracy"])
    saved = _by_seed(pairs, lambda one, two: (two["steps"] - one["steps"]) / steps[1])
    for values, counts in ((gained, ACCURACY_THAT_COUNTS), (saved, STEPS_THAT_COUNT)):
        if abs(statistics.fmean(values)) > max(counts, 2.0 * _standard_error(values)):
            return Part(HOLDS if statistics.fmean(values) > 0.0 else FAILS, measured)
    return Part(FAILS, f"{measured}: as good")


def _by_seed(pairs: list[tuple[dict, dict]], difference) -> list[float]:
    """The mean difference of each seed over the lags."""
    seeds = sorted({one["seed"] for one, _ in pairs})
    return [statistics.fmean(difference(*pair) for pair in pairs if pair[0]["seed"] == seed) for seed in seeds]


def _standard_error(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
