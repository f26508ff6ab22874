"""Every setting of the tagger, in groups."""

from typing import Literal

from pydantic import model_validator

from models.network_settings import NetworkSettings, refuse
from models.recurrent_settings import Settings
from tasks.settings import BucketedTrainingSettings, RecurrentOptions, SourceSettings


class TaggerNetworkSettings(NetworkSettings, defaults={"embedding_size": 8}):
    """The network around the recurrent stack."""


class TaggerRecurrentOptions(
    RecurrentOptions, defaults={"cell": "gru", "units": 8, "bidirectional": True, "return_sequences": True}
):
    """The recurrent stack: the cell, the number of layers, and every option of the Keras layer."""


class TaggerTrainingSettings(
    BucketedTrainingSettings, defaults={"epochs": 2, "tokens_per_batch": 512, "learning_rate": 0.02}
):
    """How the network is trained."""

    monitor: Literal["loss", "error_rate"] = "loss"
    """The validation metric that selects the weights to save."""


class TaggerSettings(Settings):
    """Trains a tagger: a text in, a tag for each of its characters out."""

    data: SourceSettings = SourceSettings()
    network: TaggerNetworkSettings = TaggerNetworkSettings()
    recurrent: TaggerRecurrentOptions = TaggerRecurrentOptions()
    training: TaggerTrainingSettings = TaggerTrainingSettings()

    @model_validator(mode="after")
    def _groups_agree(self):
        refuse(self.recurrent, "a tagger", stateful="its texts are independent", unroll="its texts differ in length")
        if not self.recurrent.return_sequences:
            raise ValueError("return_sequences=False makes no sense for a tagger: it tags every character")
        return self
