"""Signals at a chosen moment of a training within the process of a test."""

import signal

from tasks.training.callbacks import TrainingCallback


def interrupt_at(monkeypatch, method: str, epoch: int, step: int, *numbers: signal.Signals) -> None:
    """Sends signals to this process just before a method of the training's callback, once."""
    called, left = getattr(TrainingCallback, method), list(numbers)

    def interrupted(self, *arguments, **named):
        if left and self.progress.epoch >= epoch and self.progress.step >= step:
            while left:
                signal.raise_signal(left.pop(0))
        return called(self, *arguments, **named)

    monkeypatch.setattr(TrainingCallback, method, interrupted)
