"""The linear model that is fitted before the training, against scikit-learn's own on the same n-grams."""

import csv
import json
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from models.linear_ngrams import LinearNgrams
from models.ngram_counts import frequent_ngrams
from tasks.data.sequence_store import pad_sequences
from tasks.sentiment import linear_model
from tasks.sentiment.task import SENTIMENT
from tasks.serving import inference
from tests.tasks.examples import reviews

FITTED = ("--wide-ngrams", "2", "--wide-features", "tf_idf", "--wide-min-texts", "1", "--epochs", "1")


def sequences(classes, count=120):
    """Sequences of ids whose frequencies depend on the class."""
    random = np.random.default_rng(3)
    labels = random.permutation(np.arange(count) % classes)
    usual = random.dirichlet(np.full(30, 0.3), classes)
    return [random.choice(np.arange(1, 31), random.integers(2, 12), p=usual[label]) for label in labels], labels


def ratios_of(features, labels):
    """The largest log-count ratio of a feature (Wang and Manning 2012), by the formula."""
    ratios = []
    for label in set(labels.tolist()):
        p, q = 0.1 + features[labels == label].sum(axis=0), 0.1 + features[labels != label].sum(axis=0)
        ratios.append(np.abs(np.log((p / p.sum()) / (q / q.sum()))))
    return np.max(ratios, axis=0)


@pytest.mark.parametrize("classes", [2, 4, 12])
def test_the_layer_computes_what_scikit_learn_fitted(classes):
    texts, labels = sequences(classes)
    train = [(pad_sequences(texts[start : start + 40]), labels[start : start + 40]) for start in (0, 40)]
    keys = frequent_ngrams((ids for ids, _ in train), 1, 2, min_count=1, max_size=10_000)
    weights = np.linspace(1.0, 2.0, classes).astype(np.float32)
    model, predicted = linear_model.fit(train, keys, 2, weights)
    layer = LinearNgrams(1, 2, len(keys), classes)
    held_out = pad_sequences(texts[80:])
    layer.build(held_out.shape)
    layer.set_keys(keys)
    layer.set_model(model)
    logits = np.asarray(layer(held_out), np.float64)

    def ngrams(ids):
        return [tuple(ids[start : start + n]) for n in (1, 2) for start in range(len(ids) - n + 1)]

    vectorizer = TfidfVectorizer(analyzer=ngrams, binary=True)
    features, others = vectorizer.fit_transform(texts[:80]).toarray(), vectorizer.transform(texts[80:]).toarray()
    ratios = ratios_of(features, labels[:80])
    models = [(1.0, {}), (ratios, {"factors": linear_model.log_count_ratios})]
    models = models[: 1 if classes > 10 else 2]  # with many classes, logistic regression alone
    expected = 0.0
    for factors, options in models:
        of_text = weights[labels[:80]]
        strength = linear_model.fit_logistic_regression(csr_matrix(features), labels[:80], of_text, **options).model.C
        reference = LogisticRegression(C=strength, max_iter=1_000, tol=1e-8)
        reference.fit(features * factors, labels[:80], sample_weight=of_text)
        expected += reference.predict_log_proba(others * factors) / len(models)
    found = logits - logits.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected - expected.mean(axis=1, keepdims=True), atol=0.02)
    assert (found.argmax(axis=1) == labels[80:]).mean() > 1.5 / classes
    assert predicted.shape == (80, classes) and (predicted.argmax(axis=1) == labels[:80]).mean() > 1.2 / classes


@pytest.mark.parametrize("classes", [2, 3])
def test_held_out_predictions_that_are_certain_are_finite(classes):
    """The logarithm of their rounded probabilities is not, and scikit-learn warns of it."""
    labels = np.arange(60) % classes
    features = np.eye(classes, dtype=np.float32)[labels]
    features[0] = 1e4 * features[1]  # a text of another class than it seems
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # of scikit-learn's call of a newer SciPy
        fitted = linear_model.fit_logistic_regression(features, labels, np.ones(60), (1.0,), count=classes)
    assert np.isfinite(fitted.held_out).all() and fitted.held_out.min() < -800


def test_the_ratios_of_held_out_texts_do_not_know_their_labels():
    """With ratios of all texts, chance would be taken for knowledge."""
    random = np.random.default_rng(5)
    features, labels = csr_matrix(random.random((200, 3_000)) < 0.01, dtype=float), random.permutation(200) % 2
    fitted = linear_model.fit_logistic_regression(features, labels, factors=linear_model.log_count_ratios)
    assert (fitted.held_out.argmax(axis=1) == labels).mean() < 0.6


def test_a_class_with_one_text_is_fitted_too():
    texts, labels = sequences(3, 40)
    labels = np.where(np.arange(40) == 7, 3, labels)
    batch = [(pad_sequences(texts), labels)]
    keys = frequent_ngrams([batch[0][0]], 1, 1, min_count=1, max_size=100)
    model, predicted = linear_model.fit(batch, keys, 1, np.ones(4, np.float32))
    assert np.isnan(predicted[7]).all()  # a class with one text is not held out
    assert model.weight.shape == (len(keys) + 1, 4) and np.isfinite(model.weight).all()


@pytest.fixture(scope="module")
def fitted_run(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted") / "run"
    answer = train(folder, *FITTED)
    assert answer.code == 0
    return folder


@pytest.mark.slow
def test_a_run_with_it_is_exported_and_explained_as_any_other(sentiment, fitted_run, tmp_path):
    texts = [text for text, _ in reviews("test", 60)]
    of_run = list(inference.load(SENTIMENT, fitted_run).predict(texts))
    assert sentiment("export", "--run", fitted_run, "--to", tmp_path / "model").code == 0
    of_export = list(inference.load(SENTIMENT, tmp_path / "model").predict(texts))
    assert [row["label"] for row in of_export] == [row["label"] for row in of_run]
    assert [row["probability"] for row in of_export] == pytest.approx([row["probability"] for row in of_run], abs=1e-5)
    explained = json.loads(sentiment("explain", "--run", fitted_run, texts[0], "--json").out)
    assert explained["label"] == of_run[0]["label"]


@pytest.mark.slow
def test_evaluate_reports_the_accuracy_of_a_linear_model_next_to_the_networks(sentiment, corpus, fitted_run):
    result = json.loads(sentiment("evaluate", "--run", fitted_run, "--json").out)
    stored = json.loads((fitted_run / "evaluation.json").read_text())
    name = "characters 1-4" if "characters 1-4" in stored["baseline"] else "words 1-2"
    options = {"analyzer": "char", "ngram_range": (1, 4)} if name == "characters 1-4" else {"ngram_range": (1, 2)}
    with open(corpus / "train.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    vectorizer = TfidfVectorizer(**options)
    strength = float(stored["baseline"].split("C=")[1].split(")")[0])
    model = LogisticRegression(C=strength, max_iter=1_000)
    model.fit(vectorizer.fit_transform([row[0] for row in rows]), [row[1] for row in rows])
    test = reviews("test", 1000)
    expected = model.score(vectorizer.transform([text for text, _ in test]), [label for _, label in test])
    assert result["baseline_accuracy"] == pytest.approx(expected, abs=0.01)
    assert f"fitted on {len(rows)} training texts" in stored["baseline"]
    without = json.loads(sentiment("evaluate", "--run", fitted_run, "--no-baseline", "--json").out)
    assert without["baseline_accuracy"] is None and without["accuracy"] == result["accuracy"]


@pytest.mark.slow
def test_without_the_training_texts_the_evaluation_goes_on(sentiment, train, easy, tmp_path, caplog):
    data = tmp_path / "words.csv"
    data.write_bytes((easy / "train.csv").read_bytes())
    assert train(tmp_path / "run", "--epochs", "1", data=data).code == 0
    data.unlink()
    answer = sentiment("evaluate", "--run", tmp_path / "run", "--data", easy / "validation.csv", "--json")
    assert answer.code == 0 and "no linear model next to the network" in caplog.text
    assert json.loads(answer.out)["baseline_accuracy"] is None
