"""Names that earlier versions used: an old name is an error that mentions the new one. Imports no TensorFlow."""

from collections.abc import Sequence

from tasks.errors import UserError

# Old name -> new name, of settings and options.
SETTINGS = {
    "spatial_dropout": "embedding_dropout",
    "head_dropout": "output_dropout",
    "stride": "pool_size",
    "average_weights": "ema_momentum",
    "class_weights": "class_weight",
    "block_repeats": "no_repeat_ngram_size",
    "n_best": "num_return_sequences",
    "max_pair_ratio": "max_pair_length_ratio",
    "segmentation_alpha": "subword_regularization",
}
# Old name -> new name, of groups in a settings file.
GROUPS = {"classifier": "network", "characters": "vocabulary"}


def check_options(argv: Sequence[str]) -> None:
    """Raise `UserError` if an option has an old name."""
    for word in argv:
        option = word.partition("=")[0]
        name = option.removeprefix("--").removeprefix("no-").replace("-", "_")
        if option.startswith("--") and name in SETTINGS:
            raise UserError(f"{option} is now called --{SETTINGS[name].replace('_', '-')}")


def check_settings(path: object, stored: dict) -> None:
    """Raise `UserError` if a group or a setting of a settings file has an old name.

    Args:
        path: The file, for the message.
        stored: Its content: group -> settings.
    """
    for group, values in stored.items():
        if group in GROUPS:
            raise UserError(f"{path}: the group {group} is now called {GROUPS[group]}")
        for name in values if isinstance(values, dict) else ():
            if name in SETTINGS:
                raise UserError(f"{path}: {group}.{name} is now called {group}.{SETTINGS[name]}")
