"""Registers every Keras class of the suite.

Import this module before `keras.saving.load_model` opens a saved network.
"""

from models import classifier, language_model, translator

__all__ = ["classifier", "language_model", "translator"]
