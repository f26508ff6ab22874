"""What a training on several workers costs: the formula, and the command that measures a network."""

import pytest

from tasks.cli.cluster import main
from tasks.training.scaling import Costs, seconds_of_step
from tests.tasks.training.worker_cases import CLASSIFIER, write_data

COSTS = Costs(rows=10, seconds=1.0, fixed_seconds=0.2, dense_bytes=8e6, sparse_bytes=4e6, all_dense_bytes=1e8)


def test_a_step_takes_its_share_of_the_rows_and_the_time_to_send_the_gradients():
    assert seconds_of_step(COSTS, 1, 1e6, 1.0) == 1.0
    # Of 8 MB dense, 2 * 3/4 are sent, and of 4 MB of rows 3/4; 0.8 s are divided by 4.
    assert seconds_of_step(COSTS, 4, 1e6, 0.0) == pytest.approx(0.2 + 0.2 + 12.0 + 3.0)
    assert seconds_of_step(COSTS, 4, 1e6, 0.1) == pytest.approx(15.4 + 0.1 * 6 * 3)


@pytest.mark.slow
def test_the_command_measures_a_network_and_prints_a_row_for_each_number_of_workers(tmp_path, monkeypatch, capsys):
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["scaling", "sentiment", *CLASSIFIER, "--workers", "1", "2", "--steps", "2"]) == 0
    *head, names, one, two = capsys.readouterr().out.splitlines()
    assert "MB dense" in " ".join(head) and names.split()[:2] == ["workers", "MB"]
    assert one.split()[:2] == ["1", "0.00"] and two.split()[0] == "2"
    assert not (tmp_path / "runs").exists()
