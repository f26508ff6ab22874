"""The figures of the runs -> a row for each variation, as text, CSV and JSON."""

import statistics
from pathlib import Path

from tabulate import tabulate

from tasks import atomic_files
from tasks.comparison.settings import Comparison
from tasks.metrics import Metric

# What marks the times of trainings that shared a machine, and what it means.
MARK = "*"
NOTE = f"{MARK} trainings shared a machine: their times are no measure of the variations"


def rows(comparison: Comparison, results: dict[str, list[dict]]) -> list[dict]:
    """Return a row for each variation.

    Args:
        comparison: The comparison.
        results: Variation -> the figures of its runs, one for each seed.

    Returns:
        For each variation its options; the metric (mean over the seeds), `spread` (standard deviation over the seeds,
        with n - 1; None for one seed), `runs`; `parameters`; `seconds_per_pass` over the training data and
        `tokens_per_second` (means of training steps alone, without the first epoch, in which the graph is built);
        `peak_memory` (bytes, the highest; it includes the preparation of the data, but after an interruption only the
        last process); `quality`, `quality_of` (the column of the history that it belongs to), `validated_part` (the
        part of the network that this column measures; empty if it is the whole), `seconds_to_quality`
        (mean over the runs that reached it; training alone, with the building of the graph) and `reached` (number of
        runs); `shared_machine` (number of runs beside which another training of the comparison ran on the same
        machine, so that their times are longer); `diverged` (number of runs).
    """
    compared, metric = comparison.task.compared_metric, comparison.metric.name
    quality = comparison.arguments.quality
    if quality is None:
        best = [compared.best(_column(run, compared.column)) for runs in results.values() for run in runs]
        # The best value that all of them reach.
        quality = min((value for value in best if value is not None), key=compared.score, default=None)
    table = []
    for name, runs in results.items():
        values = [run["evaluated"][comparison.arguments.split][metric] for run in runs]
        histories = [run["trained"]["history"] for run in runs]
        speeds = [_speed(history) for history in histories if history]
        times = [time for history in histories if (time := _seconds_to(quality, history, compared)) is not None]
        table.append(
            comparison.arguments.variations[name]
            | {
                metric: _mean(values),
                "spread": statistics.stdev(values) if len(values) > 1 and None not in values else None,
                "runs": len(runs),
                "parameters": runs[0]["trained"]["parameters"],
                "seconds_per_pass": _mean([seconds for seconds, _ in speeds]),
                "tokens_per_second": _mean([tokens for _, tokens in speeds]),
                "peak_memory": max(run["trained"]["peak_memory"] for run in runs),
                "quality": quality,
                "quality_of": compared.column,
                "validated_part": validated_part(runs),
                "seconds_to_quality": _mean(times),
                "reached": len(times),
                "shared_machine": sum(run["trained"].get("shared_machine", False) for run in runs),
                "diverged": sum(run["trained"]["diverged"] for run in runs),
            }
        )
    return table


def validated_part(runs: list[dict]) -> str:
    """Return the part of the network that the history of the runs measures; empty if it is the whole network."""
    return next((part for run in runs if (part := run["trained"].get("validated_part"))), "")


def _column(run: dict, name: str) -> list[float | None]:
    return [row.get(name) for row in run["trained"]["history"]]


def _mean(values: list[float | None]) -> float | None:
    return None if not values or None in values else statistics.fmean(values)


def _speed(history: list[dict]) -> tuple[float | None, float | None]:
    """Return the seconds of a pass, and the tokens per second; None if there was no training step."""
    epochs = [row for row in history if row["epoch"]]  # epoch 0 validates what was fitted before the training
    if not epochs:
        return None, None
    first, *rest = epochs
    passes = epochs[-1]["passes"] - (first["passes"] if rest else 0.0)
    rest = rest or [first]
    seconds = sum(row["seconds"] for row in rest)
    return seconds / passes, sum(row["tokens_per_second"] * row["seconds"] for row in rest) / seconds


def _seconds_to(quality: float | None, history: list[dict], compared: Metric) -> float | None:
    """Return the seconds of training until the metric reached the quality; None if it did not."""
    seconds = 0.0
    for row in history:
        seconds += row["seconds"]
        value = row.get(compared.column)
        if value is not None and quality is not None and compared.score(value) >= compared.score(quality):
            return seconds
    return None


def as_text(table: list[dict]) -> str:
    """Return the table in Markdown, with a note below it if times are marked."""
    parts = {row["validated_part"] for row in table}
    shown = [_shown(row, row["validated_part"] if len(parts) == 1 else "") for row in table]
    text = tabulate(shown, headers="keys", disable_numparse=True, tablefmt="github")
    notes = [NOTE] if any(row["shared_machine"] for row in table) else []
    if len(parts) > 1:
        notes += [
            f"{row['quality_of']} of {label(row)} is that of the {row['validated_part']}"
            for row in table
            if row["validated_part"]
        ]
    return "\n\n".join([text, *notes])


def label(row: dict) -> str:
    """Return the options of a row, such as "lstm, units 64": the keys before the metric and `spread`."""
    *options, _ = list(row)[: list(row).index("spread")]
    return ", ".join(row[name] if name == "cell" else f"{name} {row[name]}" for name in options)


def _shown(row: dict, part: str) -> dict[str, str]:
    """Return a row as text; the options and the metric are the keys before `spread`."""
    names = list(row)
    *options, metric = names[: names.index("spread")]
    value = "none" if row[metric] is None else f"{row[metric]:.4f}"
    spread = "" if row["spread"] is None else f" ± {row['spread']:.4f}"
    reached = "-" if not row["reached"] else f"{row['seconds_to_quality']:.0f}"
    if row["reached"] < row["runs"]:
        reached += f" ({row['reached']} of {row['runs']})"
    quality = "quality" if row["quality"] is None else f"{row['quality_of']} {row['quality']:.4g}"
    number = lambda name, digits=0: "-" if row[name] is None else f"{row[name]:,.{digits}f}"  # noqa: E731
    time = lambda text: text + MARK if row["shared_machine"] and text[0] != "-" else text  # noqa: E731
    return {name: row[name] for name in options} | {
        metric: value + spread,
        "parameters": number("parameters"),
        "s/pass": time(number("seconds_per_pass", 1)),
        "tokens/s": time(number("tokens_per_second")),
        "peak MiB": f"{row['peak_memory'] / 2**20:,.0f}",
        f"s to {quality}" + (f" ({part})" if part else ""): time(reached),
        **({"diverged": str(row["diverged"])} if row["diverged"] else {}),
    }


def write(table: list[dict], folder: Path) -> None:
    """Write table.txt, table.csv and table.json."""
    with atomic_files.replacing(folder / "table.txt") as path:
        path.write_text(as_text(table) + "\n", encoding="utf-8")
    atomic_files.write_json(folder / "table.json", {"rows": table})
    atomic_files.write_csv(folder / "table.csv", table)
