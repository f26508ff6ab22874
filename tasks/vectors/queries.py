"""The commands that query trained vectors: neighbours, analogy, plot and export."""

import json
import logging
from pathlib import Path

import numpy as np

from tasks import atomic_files
from tasks.errors import UserError
from tasks.vectors.settings import AnalogyArguments, ExportVectorsArguments, NeighboursArguments, PlotArguments
from tasks.vectors.stored_vectors import Word, WordVectors

log = logging.getLogger(__name__)


def neighbours(arguments: NeighboursArguments) -> None:
    """Print the nearest words of each word: the word, the similarity and the neighbour in each line."""
    vectors = WordVectors(arguments.run)
    found = [vectors.find(word) for word in arguments.words]  # before anything is printed
    for asked, word in zip(arguments.words, found, strict=True):
        nearest = vectors.neighbours(asked, arguments.count)
        if arguments.json_:
            answer = {"word": word.name, "composed": word.composed, "neighbours": _as_objects(nearest)}
            print(json.dumps(answer, ensure_ascii=False))
            continue
        if word.composed:
            log.info("%r does not occur often enough in the texts: its vector is composed of its n-grams", word.name)
        for name, similarity in nearest:
            print(f"{word.name}\t{similarity:.4f}\t{name}")


def analogy(arguments: AnalogyArguments) -> None:
    """Print the best answers: the similarity and the word in each line."""
    answers = WordVectors(arguments.run).analogy(*arguments.words, count=arguments.count)
    if arguments.json_:
        print(json.dumps({"words": list(arguments.words), "answers": _as_objects(answers)}, ensure_ascii=False))
        return
    for name, similarity in answers:
        print(f"{similarity:.4f}\t{name}")


def _as_objects(nearest: list[tuple[str, float]]) -> list[dict]:
    return [{"word": name, "similarity": similarity} for name, similarity in nearest]


def plot(arguments: PlotArguments) -> None:
    """Draw words in the plane of their two principal components, and print the name of the picture."""
    vectors = WordVectors(arguments.run)
    words = {word.name: word for word in map(vectors.find, arguments.words)}  # two spellings may be one word
    if len(words) < 3:
        raise UserError(f"{len(words)} different words: {', '.join(words)}; give three or more, which span a plane")
    points, shares = principal_components(list(words.values()))
    picture = draw(list(words), points, shares, arguments.picture)
    if arguments.json_:
        places = {name: point.tolist() for name, point in zip(words, points, strict=True)}
        print(json.dumps({"points": places, "variance": shares.tolist(), "plot": str(picture)}, ensure_ascii=False))
    else:
        print(picture)


def principal_components(words: list[Word]) -> tuple[np.ndarray, np.ndarray]:
    """Return the two principal components of vectors that were brought to length 1.

    Returns:
        The points, float (words, 2), and the share of the variance that each component explains, float (2,).
    """
    from sklearn.decomposition import PCA  # here, since it takes a second that other queries need not

    rows = np.stack([word.vector for word in words])
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    analysis = PCA(2, svd_solver="full")
    return analysis.fit_transform(rows), analysis.explained_variance_ratio_


def draw(names: list[str], points: np.ndarray, shares: np.ndarray, path: Path) -> Path:
    """Draw named points; see `principal_components`."""
    from tasks.reports import plots

    path.parent.mkdir(parents=True, exist_ok=True)
    with plots.drawing():
        figure, (panel,) = plots.new_figure(width=6.0, height=5.0)
        panel.scatter(*points.T, s=16)
        for name, point in zip(names, points, strict=True):
            panel.annotate(name, point, xytext=(4, 3), textcoords="offset points", parse_math=False)
        for set_label, number, share in zip((panel.set_xlabel, panel.set_ylabel), (1, 2), shares, strict=True):
            set_label(f"component {number} ({share:.0%} of the variance)")
        panel.margins(0.15)
        panel.grid(alpha=0.3)
        return plots.save(figure, path)


def export(arguments: ExportVectorsArguments) -> None:
    """Write the vectors in the .vec format, and print the name of the file."""
    print(export_vectors(arguments.run, arguments.to))


def export_vectors(run: Path | str, to: Path | str | None = None) -> Path:
    """Write the vectors of a run as text: a line with their number and dimension, then a word and its vector in each.

    Args:
        run: A finished run.
        to: The file, compressed if it ends in .gz; saved_models/ and the run's name with .vec if None.

    Returns:
        The file.

    Raises:
        UserError: If the run is missing, not finished or damaged.
    """
    vectors = WordVectors(run)
    path = Path(to) if to is not None else Path("saved_models") / f"{Path(run).resolve().name}.vec"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_files.replacing(path) as temporary:
        vectors.complete().save_word2vec_format(str(temporary))
    size = vectors.settings.training.embedding_size
    log.info("for python -m tasks.sentiment train --vectors %s --embedding-size %d", path, size)
    return path
