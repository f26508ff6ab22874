"""The progress of a command is shown on the terminal when its answers go into a pipe."""

import contextlib
import fcntl
import os
import pty
import struct
import termios

import pytest


@pytest.mark.slow
def test_progress_is_shown_on_the_terminal_when_the_answers_go_into_a_pipe(small, process):
    unit, texts = "answers", ("A good film.", "The queen saw the moon.")
    if small.name == "chargen":  # a single text is written while it is generated
        unit, texts = "characters", texts[:1]
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = ("-m", f"tasks.{small.name}", small.predict_command, *texts, "--run", small.untrained_run)
    started = process(*command, stderr=end)
    os.close(end)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux reports the end of a terminal
        while part := os.read(terminal, 4096):
            shown += part
    assert started.communicate()[0] and started.returncode == 0
    assert f" {unit}/s]".encode() in shown and b"100%" in shown
    os.close(terminal)
