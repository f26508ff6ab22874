"""Registers every Keras class of the suite.

Import this module before `keras.saving.load_model` opens a model of the suite, also one that was compiled and trained.
"""

from models import classifier, language_model, losses, metrics, translator

__all__ = ["classifier", "language_model", "losses", "metrics", "translator"]
