"""Sentences in, translations out, in the order of the sentences."""

import gzip
import json

import pytest

from tasks.serving import inference
from tasks.serving.batched_inference import string_tensor
from tasks.translation.task import TRANSLATION

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(small_tasks):
    """The folder of an exported model, with one version."""
    return small_tasks["translation"].model().parent


def lines(answer) -> list[str]:
    assert answer.code == 0, answer.err
    return answer.out.splitlines()


def test_a_batch_gives_each_sentence_what_it_gets_alone(translator, answers, pairs):
    assert len({answer["translation"] for answer in answers}) > 50
    for (source, _), together in list(zip(pairs, answers, strict=True))[::10]:
        [alone] = translator.predict([source])
        assert alone["translation"] == together["translation"]
        assert alone["score"] == pytest.approx(together["score"], abs=1e-4)


def test_files_pipes_and_arguments_are_translated_in_their_order(translation, finished_run, answers, pairs, tmp_path):
    expected = [answer["translation"] for answer in answers]
    sources = [source for source, _ in pairs]
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in sources), encoding="utf-8")
    with gzip.open(tmp_path / "in.txt.gz", "wt", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in sources)
    run = ("translate", "--run", finished_run)
    assert lines(translation(*run, *sources[:5])) == expected[:5]
    assert lines(translation(*run, "--input", tmp_path / "in.txt")) == expected
    assert lines(translation(*run, "--input", tmp_path / "in.txt.gz")) == expected
    assert translation(*run, "--input", tmp_path / "in.txt", "--output", tmp_path / "out.txt").out == ""
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines() == expected


def test_standard_input_and_an_exported_model_in_a_process_of_their_own(
    translation_process, finished_run, exported, answers, pairs
):
    text = "".join(f"{source}\n" for source, _ in pairs).encode()
    for model in (("--run", finished_run), ("--model", exported)):
        answer = translation_process("translate", *model, "--input", "-", "--json", input=text)
        found = [json.loads(line) for line in lines(answer)]
        assert [one["translation"] for one in found] == [one["translation"] for one in answers]
        assert [one["score"] for one in found] == pytest.approx([one["score"] for one in answers], abs=1e-4)
        assert [one["text"] for one in found] == [source for source, _ in pairs]


def test_several_translations_are_in_order_and_begin_with_the_best(translation, finished_run, exported, answers, pairs):
    for model in (("--run", finished_run), ("--model", exported / "1")):
        out = lines(
            translation("translate", *model, "--num-return-sequences", "4", *(source for source, _ in pairs[:3]))
        )
        rows = [line.split("\t") for line in out]
        assert [row[0] for row in rows] == ["1"] * 4 + ["2"] * 4 + ["3"] * 4
        for number in range(3):
            scores = [float(row[1]) for row in rows[4 * number : 4 * number + 4]]
            assert scores == sorted(scores, reverse=True)
            assert len({row[2] for row in rows[4 * number : 4 * number + 4]}) > 1
            assert rows[4 * number][2] == answers[number]["translation"]
        [one] = lines(translation("translate", *model, "--num-return-sequences", "2", "--json", pairs[0][0]))
        found = json.loads(one)
        assert found["translation"] == found["translations"][0]["translation"] and len(found["translations"]) == 2


def test_beam_size_and_length_penalty_can_be_chosen(translation, finished_run, exported, pairs, tmp_path):
    version = exported / "1"
    sources, found = [source for source, _ in pairs[:40]], {}
    for options in ((), ("--beam-size", "1"), ("--length-penalty", "0"), ("--length-penalty", "3")):
        by_run = lines(translation("translate", "--run", finished_run, *options, *sources))
        assert lines(translation("translate", "--model", version, *options, *sources)) == by_run
        found[options] = by_run
    assert found[()] != found["--beam-size", "1"]
    length = lambda rows: sum(map(len, rows))  # noqa: E731
    assert length(found["--length-penalty", "0"]) < length(found["--length-penalty", "3"])
    # An export follows the options in its translations; its attention is that of its stored search.
    path = tmp_path / "attention.png"
    message = translation("translate", "--model", version, "--beam-size", "1", "--attention", path, sources[0]).error()
    assert "--beam-size does not go with it" in message and not path.exists()
    lines(translation("translate", "--model", version, "--attention", path, sources[0]))
    assert path.exists()


def test_attention_is_drawn(translation, finished_run, pairs, tmp_path):
    path = tmp_path / "attention.png"
    out = lines(translation("translate", "--run", finished_run, "--attention", path, *(pair[0] for pair in pairs[:2])))
    assert len(out) == 2 and path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["", " ", "\u200b"])
def test_a_sentence_without_a_piece_has_no_attention_to_draw(translation, finished_run, tmp_path, text):
    path = tmp_path / "attention.png"
    message = translation("translate", "--run", finished_run, "--attention", path, text, "two").error()
    assert "first sentence is empty" in message and not path.exists()


def test_align_returns_the_pieces_and_what_was_attended_to(translator, answers, pairs):
    sources = [source for source, _ in pairs[:20]]
    out = {name: value.numpy() for name, value in translator.align(string_tensor([*sources, ""])).items()}
    for row, answer in enumerate(answers[:20]):
        read, written = ([p.decode() for p in out[f"{side}_pieces"][row] if p] for side in ("source", "target"))
        assert out["translation"][row].decode() == answer["translation"]
        assert "".join(read) == "▁" + sources[row].replace(" ", "▁") + "</s>"
        assert "".join(written).replace("▁", " ").strip() == f"{answer['translation']}</s>"
        weights = out["attention"][row]
        assert weights[: len(written)].sum(axis=1) == pytest.approx(1.0, abs=1e-4)
        assert not weights[len(written) :].any() and not weights[:, len(read) :].any()
    assert out["translation"][20] == b"" and not out["attention"][20].any()


def test_the_score_of_a_translation_is_its_normalized_probability(finished_run, pairs):
    translator = inference.load(TRANSLATION, finished_run, coverage_penalty=0.0, beam_size=1, length_penalty=1.0)
    sources = [source for source, _ in pairs[:30]]
    found = list(translator.predict(sources))
    whole = translator.module.score(string_tensor(sources), string_tensor(one["translation"] for one in found))
    compared = 0
    for one, log_probability, pieces in zip(
        found, *(whole[k].numpy() for k in ("log_probability", "pieces")), strict=True
    ):
        # Only where the text is segmented into the pieces that were generated.
        if one["score"] == pytest.approx(log_probability / ((5 + pieces) / 6), abs=1e-4):
            compared += 1
    assert compared > 20
