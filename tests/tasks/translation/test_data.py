"""Pairs on their way from files to batches."""

import json

import numpy as np
import pytest

from tasks.data import bucketing as batching
from tasks.training.runs import Run
from tasks.translation import data
from tasks.translation.segmentation import Ways, WordIds
from tasks.translation.settings import TranslationSettings

TRAINED = 1500  # pairs of the corpus


def settings(folder, **groups) -> TranslationSettings:
    groups = {"data": {}, "vocabulary": {}} | groups
    groups["data"] = {"data": str(folder), "source_lang": "en", "target_lang": "ko"} | groups["data"]
    groups["vocabulary"] = {"vocabulary_size": 600} | groups["vocabulary"]
    return TranslationSettings.model_validate(groups)


@pytest.fixture
def prepare(tmp_path):
    def run(chosen: TranslationSettings) -> Run:
        run = Run(tmp_path / "run")
        run.checkpoint.mkdir(parents=True)
        data.prepare(chosen, run)
        return run

    return run


def test_what_is_stored_is_what_was_written(corpus, prepare, sample_pairs):
    run = prepare(settings(corpus))
    source, target = data.load_vocabularies(run.vocabulary)
    pairs = data.Pairs(run.checkpoint, "train", 1000)
    for index, (english, korean) in enumerate(sample_pairs("train", TRAINED)):
        ids, border = pairs.store[index].tolist(), pairs.store.labels[index]
        assert (source.decode(ids[:border]), target.decode(ids[border:])) == (english, korean)


def test_a_batch_is_teacher_forcing(corpus, prepare, sample_pairs):
    run = prepare(settings(corpus))
    source, target = data.load_vocabularies(run.vocabulary)
    pairs, seen = data.Pairs(run.checkpoint, "train", 1000), set()
    for (read, before), after, weights in pairs.training_batches(seed=0, epoch=0, step=0).take(pairs.steps_per_pass):
        read, before, after, weights = (tensor.numpy() for tensor in (read, before, after, weights))
        assert (read.shape[1] + after.shape[1]) * len(read) <= 1000
        assert (before[:, 0] == 2).all() and np.array_equal(before[:, 1:], np.where(after == 3, 0, after)[:, :-1])
        assert np.array_equal(weights, after != 0)
        for row, translated in zip(read.tolist(), after.tolist(), strict=True):
            row, translated = ([i for i in ids if i] for ids in (row, translated))
            assert row.pop() == 3 and translated.pop() == 3
            seen.add((source.decode(row), target.decode(translated)))
    assert seen == set(sample_pairs("train", TRAINED))


@pytest.mark.parametrize("alpha", [None, 0.3])
def test_an_epoch_goes_on_in_its_middle_as_it_would_have_gone(corpus, prepare, alpha):
    run = prepare(settings(corpus, vocabulary={"segmentation_alpha": alpha}))
    pairs = data.Pairs(run.checkpoint, "train", 1000, alpha is not None)
    whole = list(pairs.training_batches(3, 1, 0).take(pairs.steps_per_pass + 3).as_numpy_iterator())
    rest = list(pairs.training_batches(3, 1, 5).take(pairs.steps_per_pass - 2).as_numpy_iterator())
    for ((one, _), *_), ((other, _), *_) in zip(whole[5:], rest, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_sampled_segmentation_cuts_words_anew_and_keeps_the_text(corpus, prepare, kind, sample_pairs):
    run = prepare(settings(corpus, vocabulary={"segmentation_alpha": 0.2, "vocabulary_type": kind}))
    source, target = data.load_vocabularies(run.vocabulary)
    pairs = data.Pairs(run.checkpoint, "train", 1000, sampled=True)
    texts, cuts = set(sample_pairs("train", TRAINED)), {}
    for epoch in range(3):
        for (read, _), after, _ in pairs.training_batches(0, epoch, 0).take(pairs.steps_per_pass).as_numpy_iterator():
            for row, translated in zip(read.tolist(), after.tolist(), strict=True):
                row, translated = ([i for i in ids if i > 3] for ids in (row, translated))
                pair = (source.decode(row), target.decode(translated))
                assert pair in texts
                cuts.setdefault(pair, set()).add((tuple(row), tuple(translated)))
    assert cuts.keys() == texts
    assert np.mean([len(ways) for ways in cuts.values()]) > 2.0


def test_ways_are_drawn_as_often_as_their_probabilities_say(corpus, prepare, tmp_path):
    run = prepare(settings(corpus, vocabulary={"vocabulary_type": "unigram"}))
    words_of = WordIds(data.load_vocabularies(run.vocabulary)[0])
    sentence = words_of.processor.encode("The children bought three tickets yesterday.")
    words = words_of(sentence)
    assert [i for word in list(words_of._words) for i in word] == sentence
    found = words_of.ways(0.5, "unigram")
    for (ways, probabilities), word in zip(found, words_of._words, strict=True):
        assert ways[0] == word and probabilities.sum() == pytest.approx(1.0)
        scores = [sum(map(words_of.processor.get_score, way)) for way in ways]
        expected = np.exp(0.5 * np.array(scores))
        assert probabilities == pytest.approx(expected / expected.sum(), rel=1e-6)
    Ways.write(tmp_path / "ways.npz", found)
    stored, number = Ways(tmp_path / "ways.npz"), max(range(len(found)), key=lambda index: len(found[index][0]))
    random, counts = np.random.default_rng(0), {}
    for _ in range(4000):
        way = tuple(stored.sampled(np.array([number]), random).tolist())
        counts[way] = counts.get(way, 0) + 1
    for way, probability in zip(*found[number], strict=True):
        assert counts.get(way, 0) / 4000 == pytest.approx(probability, abs=0.03)
    assert words == list(range(len(words)))


def test_merges_that_are_left_out_are_those_of_bpe(corpus, prepare, sample_pairs):
    """Without dropout they give SentencePiece's own pieces; with it, as many on average as SentencePiece draws."""
    run = prepare(settings(corpus))
    processor = data.load_vocabularies(run.vocabulary)[1]
    words_of = WordIds(processor)
    for _, text in sample_pairs("train", 400):
        words_of(processor.encode(text))
    for [way], _ in words_of.ways(1e-12, "bpe"):
        surface = "".join(map(processor.id_to_piece, way))
        assert list(way) == processor.encode(surface.replace("▁", " ").strip())
    drawn = words_of.ways(0.3, "bpe")
    texts = [processor.decode(list(word)) for word in words_of._words]
    own = np.mean([sum(len(way) * share for way, share in zip(*found, strict=True)) for found in drawn])
    theirs = np.mean([len(processor.encode(t, enable_sampling=True, alpha=0.3)) for t in texts for _ in range(20)])
    assert own == pytest.approx(theirs, rel=0.02)


def test_ways_are_the_same_in_each_process(corpus, prepare, process):
    """A training that was killed while it prepared its data draws what it would have drawn."""
    run = prepare(settings(corpus))
    program = """if True:
        import sys, sentencepiece
        from tasks.translation.segmentation import WordIds
        words_of = WordIds(sentencepiece.SentencePieceProcessor(model_file=sys.argv[1]))
        words_of(words_of.processor.encode("The children bought three tickets yesterday."))
        print([(ways, shares.tolist()) for ways, shares in words_of.ways(0.3, "bpe")])
    """
    model = next(run.vocabulary.glob("source*"))
    one, two = (process("-c", program, model).communicate()[0] for _ in range(2))
    assert one and one == two


def test_pairs_that_are_empty_too_long_or_odd_are_left_out_and_named(
    train, tmp_path, sample_pairs, write_aligned, caplog
):
    pairs = sample_pairs("train", 120)
    pairs[6] = ("", "비었어요.")
    pairs[8] = ("This one is blank.", "  ")
    pairs[10] = ("word " * 60, "단어 " * 60)
    pairs[11] = ("It is a very odd pair of sentences, is it not, my dear friend?", "네")
    write_aligned(tmp_path / "data", "train", pairs)
    write_aligned(tmp_path / "data", "validation", sample_pairs("validation", 20))
    answer = train(tmp_path / "run", "--epochs", "1", "--max-pair-ratio", "6", data=tmp_path / "data")
    assert answer.code == 0
    [line] = [line for line in caplog.messages if "train pairs" in line and line.startswith("left out")]
    assert line.startswith("left out 4 of 120 train pairs: 2 with an empty side (the first at ")
    assert "train.en:7, train.ko:7" in line and "1 with more than 40 pieces" in line and "1 with 6 times" in line
    assert any(line.startswith("116 pairs to train on") for line in caplog.messages)


def test_one_vocabulary_may_serve_both_languages(corpus, prepare):
    run = prepare(settings(corpus, vocabulary={"joint_vocabulary": True}))
    source, target = ((run.vocabulary / f"{side}.model").read_bytes() for side in data.SIDES)
    assert source == target
    pieces = {data.load_vocabularies(run.vocabulary)[0].id_to_piece(index) for index in range(600)}
    assert "▁the" in pieces and any("가" <= piece[-1] <= "힣" for piece in pieces if len(piece) > 1)


def test_buckets_hold_pairs_of_like_lengths_on_both_sides_within_the_budget():
    random = np.random.default_rng(0)
    one = random.integers(1, 60, 5000)
    other = np.maximum(1, one + random.integers(-15, 15, 5000))
    buckets = batching.pair_buckets(one, other, 2000)
    assert sorted(np.concatenate([bucket.members for bucket in buckets])) == list(range(5000))
    filled = padded = 0
    for members in batching.ordered_batches(buckets):
        size = len(members) * (one[members].max() + other[members].max())
        assert size <= 2000 or len(members) == 1
        filled, padded = filled + (one[members] + other[members]).sum(), padded + size
    assert filled / padded > 0.8  # in one heap it would be half


def test_the_samples_languages_need_no_names_and_can_be_turned_round(sample_pairs):
    assert TranslationSettings().data.names == ("en", "ko")
    for named in ({"source_lang": "ko"}, {"target_lang": "en"}):
        assert TranslationSettings.model_validate({"data": named}).data.names == ("ko", "en")
    turned = TranslationSettings.model_validate({"data": {"source_lang": "ko", "target_lang": "en"}})
    record = next(data.pair_source(turned.data).records("test"))
    assert record.values == sample_pairs("test", 1)[0][::-1]


def test_a_table_may_name_its_columns(tmp_path):
    (tmp_path / "pairs.tsv").write_text("nr\tleft\tright\n1\ta\tb\n2\tc\td\n", encoding="utf-8")
    named = {"data": str(tmp_path / "pairs.tsv"), "source_column": "right", "target_column": "left"}
    source = data.pair_source(TranslationSettings.model_validate({"data": named}).data)
    assert [record.values for record in source.records("all")] == [("b", "a"), ("d", "c")]


def test_stored_settings_say_what_the_two_sides_were(finished_run):
    stored = json.loads((finished_run / "settings.json").read_text(encoding="utf-8"))
    assert (stored["data"]["source_lang"], stored["data"]["target_lang"]) == ("en", "ko")
