"""From a text to characters and ids."""

import collections

import numpy as np
import pytest

from models.characters import UNKNOWN, Characters, CharacterText, normalize
from tasks.chargen import data
from tasks.chargen.settings import ChargenSettings
from tasks.errors import UserError
from tasks.training.runs import Run


def test_ids_are_those_of_the_training_text_alone(tmp_path):
    (tmp_path / "train.txt").write_text("abcabcd\n")
    (tmp_path / "val.txt").write_text("abxd\n")
    settings = ChargenSettings(data={"data": str(tmp_path)}, vocabulary={"min_count": 2})
    run = Run(tmp_path / "run")
    run.checkpoint.mkdir(parents=True)
    data.prepare(settings, run)
    (tmp_path / "train.txt").unlink()  # the source is needed no more
    characters = data.TextWindows(settings, run).characters
    assert characters.characters == ("a", "b", "c") and characters.counts == (2, 2, 2, 2)
    train, validation = (np.load(run.checkpoint / f"{split}.npy").tolist() for split in data.SPLITS)
    assert train == [1, 2, 3, 1, 2, 3, UNKNOWN, UNKNOWN]
    assert validation == [1, 2, UNKNOWN, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("hangul", ["syllables", "jamo"])
def test_ids_on_disk_are_those_of_the_graph(hangul):
    text = "나그네가 값비싼 책을 naïve 😀\n" * 3
    read = normalize(text, "nfc", hangul)
    characters = Characters.learned(collections.Counter(read), hangul=hangul)
    ids = CharacterText(characters).ids(np.array([text.encode()]))
    assert ids.to_list()[0] == data.encode(read, characters).tolist()


def test_characters_are_stored_with_their_counts(tmp_path):
    characters = Characters.learned(collections.Counter('aa\n"\u2028é한'), min_count=1, hangul="jamo")
    data.save_characters(characters, tmp_path)
    assert data.load_characters(tmp_path) == characters
    (tmp_path / "characters.json").write_text("{}")
    with pytest.raises(UserError, match="--overwrite"):
        data.load_characters(tmp_path)
