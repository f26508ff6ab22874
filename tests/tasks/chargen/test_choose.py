"""Generation where the user chooses each character."""

import pytest

pytestmark = pytest.mark.slow


def test_the_user_chooses_among_the_most_probable(chargen_process, finished_run):
    typed = b"\n2\nq\n"
    answer = chargen_process("generate", "--run", finished_run, "The ", "--choose", "3", input=typed)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    steps = [line for line in lines if "%" in line]
    assert len(steps) == 9  # three steps of three, the last one answered by q
    shares = [float(line.split()[-1].rstrip("%")) for line in steps[:3]]
    assert shares == sorted(shares, reverse=True) and sum(shares) <= 100.1
    first = steps[0].split("'")[1]
    second = steps[4].split("'")[1]
    assert lines[-1] == f"The {first}{second}"
    # The most probable is what greedy generation takes.
    greedy = chargen_process("generate", "--run", finished_run, "The ", "--length", "1", "--temperature", "0")
    assert greedy.out == f"The {first}\n"


def test_a_character_may_be_typed_and_after_nonsense_it_asks_again(chargen_process, finished_run):
    answer = chargen_process("generate", "--run", finished_run, "--choose", "2", input="Q\n9\n책\n".encode())
    assert answer.code == 0, answer.err
    assert "'9' is neither a number from 1 to 2 nor a character that the model knows" in answer.out
    assert answer.out.rstrip().endswith("책")
