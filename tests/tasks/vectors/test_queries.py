"""Neighbours, analogies, plots, and the answer to a word without a vector."""

import json
import shutil

import numpy as np
import pytest

from tasks.vectors.stored_vectors import WordVectors
from tests.tasks.vectors.conftest import ANIMALS, FOODS, MOVIES


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_words_with_the_same_neighbours_are_near(vectors, trained, algorithm):
    answer = vectors("neighbours", "--run", trained(algorithm), "cat", "영화", "--count", "3")
    assert answer.code == 0, answer.err
    rows = [line.split("\t") for line in answer.out.splitlines()]
    found = {word: {name for one, _, name in rows if one == word} for word in ("cat", "영화")}
    assert len(found["cat"] & {*ANIMALS}) >= 2 and not found["cat"] & {*FOODS}
    assert len(found["영화"] & {*MOVIES}) >= 1
    similarities = [float(similarity) for word, similarity, _ in rows if word == "cat"]
    assert similarities == sorted(similarities, reverse=True) and similarities[0] <= 1.0


def test_a_word_is_asked_for_as_texts_have_it(vectors, trained):
    run = trained("word2vec")
    of_plain = vectors("neighbours", "--run", run, "cat", "--json")
    assert vectors("neighbours", "--run", run, "Cat!", "--json").out == of_plain.out
    answer = json.loads(of_plain.out)
    assert answer["word"] == "cat" and answer["composed"] is False and len(answer["neighbours"]) == 10
    assert {"word", "similarity"} == {*answer["neighbours"][0]}


def test_a_word_without_a_vector_is_answered_with_similar_spellings(vectors, trained):
    answer = vectors("neighbours", "--run", trained("word2vec"), "cat", "rabit")
    message = answer.error()
    assert "'rabit'" in message and "rabbit" in message and "fasttext" in message
    assert answer.out == ""  # nothing is printed before all words are found
    assert "드라마" in vectors("neighbours", "--run", trained("word2vec"), "드라미").error()  # one letter differs
    assert "not one word" in vectors("neighbours", "--run", trained("word2vec"), "cat dog").error()
    assert "'xqzw'" in vectors("analogy", "--run", trained("word2vec"), "cat", "dog", "xqzw").error()


def test_fasttext_composes_the_vector_of_another_word(vectors, trained, caplog):
    answer = vectors("neighbours", "--run", trained("fasttext"), "rabit", "--count", "3")
    assert answer.code == 0 and "composed of its n-grams" in caplog.text
    assert "rabbit" in answer.out
    assert json.loads(vectors("neighbours", "--run", trained("fasttext"), "rabit", "--json").out)["composed"] is True


def test_an_analogy_leaves_its_own_words_out(vectors, trained):
    answer = vectors("analogy", "--run", trained("word2vec"), "cat", "dog", "horse", "--json", "--count", "5")
    answers = json.loads(answer.out)["answers"]
    assert len(answers) == 5 and not {"cat", "dog", "horse"} & {one["word"] for one in answers}
    stored = WordVectors(trained("word2vec"))
    a, b, c = (stored.find(word).vector / np.linalg.norm(stored.find(word).vector) for word in ("cat", "dog", "horse"))
    target, best = b - a + c, stored.find(answers[0]["word"]).vector
    cosine = target @ best / np.linalg.norm(target) / np.linalg.norm(best)
    assert answers[0]["similarity"] == pytest.approx(cosine, abs=1e-5)
    assert "three" in vectors("analogy", "--run", trained("word2vec"), "cat", "dog").error()


def test_a_plot_shows_the_words_in_a_plane(vectors, trained, tmp_path):
    picture = tmp_path / "new" / "words.png"
    words = (*ANIMALS, *FOODS, "영화", "$_x")[:-1]
    answer = vectors("plot", "--run", trained("word2vec"), *words, "--plot", picture)
    assert (answer.code, answer.out) == (0, f"{picture}\n"), answer.err
    assert picture.read_bytes().startswith(b"\x89PNG") and "missing from font" not in answer.err
    shown = json.loads(vectors("plot", "--run", trained("word2vec"), *words, "--plot", picture, "--json").out)
    points = {word: np.array(point) for word, point in shown["points"].items()}
    assert {*points} == {*words} and 0 < sum(shown["variance"]) <= 1
    middle = {group: np.mean([points[word] for word in group], axis=0) for group in (ANIMALS, FOODS)}
    between = np.linalg.norm(middle[ANIMALS] - middle[FOODS])
    assert all(np.linalg.norm(points[word] - middle[group]) < between for group in middle for word in group)
    assert "three or more" in vectors("plot", "--run", trained("word2vec"), "cat", "dog", "cat").error()
    assert "three or more" in vectors("plot", "--run", trained("word2vec"), "cat", "dog", "Cat").error()
    assert ".xyz" in vectors("plot", "--run", trained("word2vec"), *words, "--plot", tmp_path / "a.xyz").error()


def test_a_run_that_cannot_be_used_is_named(vectors, trained, small_tasks, tmp_path):
    assert "no such run" in vectors("neighbours", "--run", tmp_path / "none", "cat").error()
    other = small_tasks["sentiment"].untrained_run
    assert "a run of the task sentiment" in vectors("neighbours", "--run", other, "cat").error()
    assert (
        "a run of the task vectors"
        in small_tasks["sentiment"].command("evaluate", "--run", trained("word2vec")).error()
    )
    message = small_tasks["sentiment"].train(trained("word2vec")).error()
    assert "a run of the task vectors; name another folder" in message and "--overwrite" not in message
    message = vectors("train", "--run", other).error()
    assert "a run of the task sentiment; name another folder" in message and "--overwrite" not in message
    shutil.copytree(trained("word2vec"), tmp_path / "a")
    file = tmp_path / "a" / "vectors.npz"
    file.write_bytes(file.read_bytes()[:1000])
    message = vectors("neighbours", "--run", tmp_path / "a", "cat").error()
    assert "vectors.npz" in message and "--overwrite" in message
    shutil.copy(trained("word2vec") / "vectors.npz", file)
    words = tmp_path / "a" / "vocabulary" / "words.tsv"
    words.write_text("".join(words.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    assert "vectors.npz" in vectors("neighbours", "--run", tmp_path / "a", "cat").error()
