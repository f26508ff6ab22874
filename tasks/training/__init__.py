"""Training: optimizers, checkpoints, callbacks, and the folders of runs."""
