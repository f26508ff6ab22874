"""Results as they are printed."""

from tasks.reports.tables import print_results


def test_results_are_printed_in_aligned_columns(capsys):
    print_results({"accuracy": 0.87654321, "examples": 25_000, "bleu": None})
    assert capsys.readouterr().out == "accuracy   0.8765\nexamples   25,000\nbleu       none\n"
