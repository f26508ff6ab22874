"""Results of an evaluation as a table on standard output."""

from collections.abc import Mapping


def print_results(results: Mapping[str, float | int | None]) -> None:
    """Print the name and the value of each result, one on each line."""
    width = max(map(len, results)) + 2
    for name, value in results.items():
        print(f"{name:<{width}} {format_figure(value)}")


def format_figure(value: float | int | None) -> str:
    """Format a number: floats with four decimals, integers with thousands separators, None as "none"."""
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
