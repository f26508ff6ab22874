"""What counts as a copied passage."""

from tasks.chargen.memorization import longest_common_passage, shorten_runs


def test_a_run_of_one_character_is_no_copied_text():
    text, other = "ab" + "-" * 80 + "\n  xyz", "cd" + "-" * 60 + "\n" + " " * 40 + "x"
    assert longest_common_passage(shorten_runs(text), shorten_runs(other)) == "-" * 8 + "\n  "
    unchanged = "a  bb    ccc\n\n\n" + "=" * 8
    assert shorten_runs(unchanged) == unchanged
    assert shorten_runs("\n" * 9 + "ㅋ" * 30 + "ab" * 20) == "\n" * 8 + "ㅋ" * 8 + "ab" * 20
