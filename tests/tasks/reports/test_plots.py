"""Plots: saved atomically, and legible in Korean."""

import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager, image

from tasks.errors import UserError
from tasks.reports import classification_plots, explanation_plots, plots


def test_hangul_labels_have_a_font(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a character that no font has
        path = classification_plots.confusion_matrix(
            np.array([[5, 2], [1, 9]]), ["부정", "긍정"], tmp_path / "matrix.png"
        )
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_settings_of_matplotlib_are_the_callers_and_their_fonts_do_not_matter(tmp_path):
    counts = np.array([[5, 2], [1, 9]])
    with matplotlib.rc_context({"font.family": "serif", "text.usetex": True, "figure.dpi": 33}):
        before, fonts = str(matplotlib.rcParams), list(font_manager.fontManager.ttflist)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            classification_plots.confusion_matrix(counts, ["부정_$", "긍정"], tmp_path / "matrix.png")
            with pytest.raises(UserError):
                classification_plots.confusion_matrix(counts, ["a", "b"], tmp_path / "matrix.foo")
        assert (str(matplotlib.rcParams), font_manager.fontManager.ttflist) == (before, fonts)


def test_a_class_with_dollar_signs_is_no_formula(tmp_path):
    for label in ("$$", "a$x_$b"):
        curve = (f"p({label})", np.array([0.2, 0.7]))
        path = explanation_plots.explanation(["a", "$b$"], curve, {"state": np.eye(2, 3)}, tmp_path / "picture.png")
        assert path.read_bytes().startswith(b"\x89PNG")


def test_a_text_with_fewer_tokens_than_share_a_timestep_is_drawn_without_a_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve = ("p(good)", np.array([0.2, 0.7]))
        states = {"state": np.eye(1, 3)}
        path = explanation_plots.explanation(["a", "b"], curve, states, tmp_path / "picture.png", pool_size=4)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_learning_curves_draw_a_panel_for_each_validated_figure(tmp_path):
    row = {"epoch": 1, "loss": 0.7, "val_loss": 0.6, "seconds": 3.0}
    one = plots.learning_curves([row], tmp_path / "one.png").stat().st_size
    two = plots.learning_curves([row | {"accuracy": 0.5, "val_accuracy": 0.6}], tmp_path / "two.png").stat().st_size
    assert two > one
    assert not list(tmp_path.glob(".writing*"))


def test_a_figure_that_is_measured_in_some_epochs_is_drawn_through_the_others(tmp_path):
    def drawn(name, values):
        history = [{"epoch": epoch, "val_bleu": value} for epoch, value in enumerate(values, start=1)]
        pixels = image.imread(plots.learning_curves(history, tmp_path / name))
        return np.count_nonzero(pixels[..., 2] > pixels[..., 0] + 0.3)  # blue

    assert drawn("some.png", [10.0, None, 30.0, None, 50.0]) > 0.8 * drawn("all.png", [10.0, 20.0, 30.0, 40.0, 50.0])


def test_a_picture_is_of_the_kind_that_its_name_ends_in(tmp_path):
    figure, _ = plots.new_figure()
    for name, begins in (("picture", b"\x89PNG"), ("picture.PNG", b"\x89PNG"), ("picture.pdf", b"%PDF")):
        assert plots.save(figure, tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(UserError, match=r"\.foo is no kind of picture; take one of .*png"):
        plots.save(figure, tmp_path / "picture.foo")
    assert not [path for path in tmp_path.iterdir() if "writing" in path.name or path.suffix == ".foo"]
