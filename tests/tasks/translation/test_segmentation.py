"""Subword regularization: the segmentations of a word, their probabilities, and that they can be sampled again."""

from collections import Counter

import numpy as np
import pytest

from tasks.translation import data
from tasks.translation.segmentation import Segmentations, WordIds


def test_segmentations_are_sampled_with_their_probabilities(prepared, tmp_path):
    _, run = prepared(vocabulary={"vocabulary_type": "unigram"})
    words_of = WordIds(data.load_vocabularies(run.vocabulary)[0])
    sentence = words_of.processor.encode("The children bought three tickets yesterday.")
    words = words_of(sentence)
    assert [i for word in list(words_of._words) for i in word] == sentence
    found = words_of.segmentations(0.5, "unigram")
    for (segmentations, probabilities), word in zip(found, words_of._words, strict=True):
        assert segmentations[0] == word and probabilities.sum() == pytest.approx(1.0)
        scores = [sum(map(words_of.processor.get_score, ids)) for ids in segmentations]
        expected = np.exp(0.5 * np.array(scores))
        assert probabilities == pytest.approx(expected / expected.sum(), rel=1e-6)
    Segmentations.write(tmp_path / "segmentations.npz", found)
    stored = Segmentations(tmp_path / "segmentations.npz")
    number = max(range(len(found)), key=lambda index: len(found[index][0]))
    random, counts = np.random.default_rng(0), Counter()
    for _ in range(4000):
        counts[tuple(stored.sample(np.array([number]), random).tolist())] += 1
    for ids, probability in zip(*found[number], strict=True):
        assert counts[ids] / 4000 == pytest.approx(probability, abs=0.03)
    assert words == list(range(len(words)))


def test_dropped_merges_are_those_of_bpe_dropout(prepared, sample_pairs):
    """Without dropout the pieces are SentencePiece's own; with it, as many on average as SentencePiece samples."""
    _, run = prepared()
    processor = data.load_vocabularies(run.vocabulary)[1]
    words_of = WordIds(processor)
    for _, text in sample_pairs("train", 400):
        words_of(processor.encode(text))
    for [ids], _ in words_of.segmentations(1e-12, "bpe"):
        surface = "".join(map(processor.id_to_piece, ids))
        assert list(ids) == processor.encode(surface.replace("▁", " ").strip())
    sampled = words_of.segmentations(0.3, "bpe")
    texts = [processor.decode(list(word)) for word in words_of._words]
    own = np.mean([sum(len(ids) * share for ids, share in zip(*found, strict=True)) for found in sampled])
    theirs = np.mean([len(processor.encode(t, enable_sampling=True, alpha=0.3)) for t in texts for _ in range(20)])
    assert own == pytest.approx(theirs, rel=0.02)


def test_segmentations_are_the_same_in_each_process(prepared, process):
    """A training that was killed while it prepared its data samples what it would have sampled."""
    _, run = prepared()
    program = """if True:
        import sys, sentencepiece
        from tasks.translation.segmentation import WordIds
        words_of = WordIds(sentencepiece.SentencePieceProcessor(model_file=sys.argv[1]))
        words_of(words_of.processor.encode("The children bought three tickets yesterday."))
        print([(ids, shares.tolist()) for ids, shares in words_of.segmentations(0.3, "bpe")])
    """
    model = next(run.vocabulary.glob("source*"))
    one, two = (process("-c", program, model).communicate()[0] for _ in range(2))
    assert one and one == two
