"""Work done with many images, in worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from polydata.errors import PolydataError
from polydata.images.several import AHEAD, FEW, in_processes


def own_process(number: int) -> tuple[int, int]:
    return number, os.getpid()


def killed_at(last: int, number: int) -> int:
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refused_at(last: int, number: int) -> int:
    if number == last:
        raise ValueError(f"not {number}")
    return number


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 2 * AHEAD + FEW])
def test_results_come_in_order_from_workers_where_there_are_enough(count: int) -> None:
    results = list(in_processes(own_process, range(count), 2))
    assert [number for number, _ in results] == list(range(count))
    assert (os.getpid() in {process for _, process in results}) == (0 < count <= FEW)


def test_one_worker_is_this_process() -> None:
    assert {process for _, process in in_processes(own_process, range(FEW + 1), 1)} == {os.getpid()}


def test_a_killed_worker_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(PolydataError, match="killed") as caught:
        list(in_processes(partial(killed_at, 0), range(40), 2))
    assert "--workers" in caught.value.hint


def test_what_work_raises_comes_in_its_turn() -> None:
    done = []
    with pytest.raises(ValueError, match="not 15"):
        for result in in_processes(partial(refused_at, 15), range(40), 2):
            done.append(result)
    assert done == list(range(15))


SLOW = """
import signal
import time
from polydata.images.several import in_processes
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs that a shell runs in the background ignore it
    for result in in_processes(time.sleep, [0.1] * 400, 2):
        print(result, flush=True)
"""


def test_ctrl_c_ends_all_of_it_without_a_word_of_the_workers(tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "None\n"
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the group is told
        words = process.stderr.read()
        assert process.wait(30) == -signal.SIGINT
    assert words.count("Traceback") == 1 and words.rstrip().endswith("KeyboardInterrupt")
