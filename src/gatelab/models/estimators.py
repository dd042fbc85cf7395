"""Labels of sequences in scikit-learn's manner: fit, predict and score on arrays.

They pose the same tasks as the command line does (``classify`` and ``frames``), train the same way, and save
the same folders; scikit-learn is not needed for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence, pad_packed_sequence

from gatelab.data.scale import Scale
from gatelab.errors import ConfigError, RunError, ShapeError
from gatelab.models.estimator import Estimator
from gatelab.models.folder import Model
from gatelab.models.given import Floats, digest, held_out, is_array, numbered, sequences
from gatelab.tasks.classify import ClassifyTask
from gatelab.tasks.frames import FrameTask
from gatelab.tasks.order import in_order
from gatelab.tasks.ragged import Part, Posed, RaggedTask
from gatelab.tasks.task import SEQUENCES, STEPS, About


class LabelEstimator(Estimator):
    """What labels sequences or their steps; a subclass says which."""

    task: ClassVar[type[ClassifyTask] | type[FrameTask]]
    classes_: NDArray[Any]
    scale_: Scale

    def _pose(
        self,
        x: Sequence[Floats],
        y: Sequence[Any],
        classes: NDArray[Any],
        strata: NDArray[np.int64],
        groups: ArrayLike | None,
    ) -> Self:
        """Hold sequences out, scale all by those that train, and train; ``y`` are places in ``classes``."""
        train, valid = held_out(x, strata, self.validation, self.seed, groups)
        scale = Scale.of([x[k] for k in train])
        parts = {
            name: Part([scale.apply(x[k]) for k in rows], [y[k] for k in rows])
            for name, rows in (("train", train), ("valid", valid))
        }
        parts["test"] = parts["valid"]  # nothing is told of it
        kept = {"inputs": "values", "scale": scale.to_data(), "classes": classes.tolist()}
        about = About("arrays", "Arrays", "arrays in memory", digest([*x, *map(np.asarray, y)]))
        posed = Posed(about, parts, tuple(map(str, classes.tolist())), kept)
        made: RaggedTask = self.task(posed)
        return self._train(made)

    def _restore(self, model: Model) -> None:
        if model.kind != self.task.kind:
            raise ConfigError(
                f"{type(self).__name__} wanted a model of kind {self.task.kind}, got one of kind {model.kind}"
            )
        kept = model.card.kept
        try:
            mean, deviation = (np.asarray(kept["scale"][k], np.float64) for k in ("mean", "deviation"))
            classes = np.asarray(kept["classes"] if "classes" in kept else kept["names"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"model.json: what it keeps of its data is no estimator's ({error!r})") from None
        if classes.shape != (model.card.blueprint.outputs,) or mean.shape != (model.card.blueprint.inputs,):
            raise RunError("model.json: its classes or its scale do not fit the network; was it changed?")
        super()._restore(model)
        self.classes_, self.scale_ = classes, Scale(mean, deviation)

    @torch.no_grad()
    def _answers(self, x: Any) -> Iterator[tuple[int, Tensor]]:
        """Yield the place of each sequence, and the probabilities of the classes: [C], or [T, C]."""
        network = self._fitted().network.eval()  # whatever was done with it
        given = sequences(x, self.model_.card.blueprint.inputs)
        for chosen in in_order([len(s) for s in given], SEQUENCES, STEPS):
            rows = [torch.from_numpy(self.scale_.apply(given[k])) for k in chosen]
            packed = pack_sequence(rows, enforce_sorted=False)
            yield from zip(chosen, self._split(network(packed).softmax(-1), packed), strict=True)

    def _split(self, chances: Tensor, packed: PackedSequence) -> Sequence[Tensor]:
        raise AssertionError("a subclass says what it answers")


class Classifier(LabelEstimator):
    """The class of a sequence; parameters and attributes are those of :class:`Estimator`.

    ``classes_`` has the classes, sorted.

    Examples
    --------
    >>> import gatelab, numpy as np
    >>> random = np.random.default_rng(0)
    >>> X = [random.normal(k % 2, 0.1, size=(random.integers(3, 9), 2)) for k in range(40)]
    >>> y = ["low", "high"] * 20
    >>> model = gatelab.Classifier("gru", hidden_size=8, learning_rate=0.02, max_epochs=8).fit(X, y)
    >>> model.predict(X[:2]).tolist(), model.predict_proba(X[:2]).shape, model.score(X, y)
    (['low', 'high'], (2, 2), 1.0)
    """

    task = ClassifyTask

    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Learn the classes of sequences.

        Parameters
        ----------
        X
            ``[N, T, I]``, or a list of N arrays ``[T_i, I]``.
        y
            ``[N]``: numbers or texts.
        groups
            Which sequences belong together (a speaker's, a patient's), ``[N]``: all of a group train, or all
            of it validates. None: equal sequences do.

        Raises
        ------
        ShapeError, DataError, ConfigError
            Where arrays or parameters are not what they should be.
        RunError
            The training diverged.
        """
        x = sequences(X)
        classes, places = numbered(y)
        if len(places) != len(x):
            raise ShapeError(f"y: wanted one label a sequence, {len(x)}, got {len(places)}")
        return self._pose(x, places.tolist(), classes, places, groups)

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class, ``[N, C]``."""
        found = dict(self._answers(X))
        return torch.stack([found[k] for k in range(len(found))]).numpy()

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest class of each sequence, ``[N]``."""
        chances = self.predict_proba(X)
        found: NDArray[Any] = self.classes_[chances.argmax(-1)]
        return found

    def score(self, X: Any, y: ArrayLike) -> float:
        """Return the share of sequences whose class is found."""
        found, wanted = self.predict(X), np.asarray(y)
        if wanted.shape != found.shape:
            raise ShapeError(f"y: wanted one label a sequence, {len(found)}, got {list(wanted.shape)}")
        return float((found == wanted).mean())

    def _split(self, chances: Tensor, packed: PackedSequence) -> Sequence[Tensor]:
        return list(chances)


class Labeller(LabelEstimator):
    """The class of each step; parameters and attributes are those of :class:`Estimator`.

    ``classes_`` has the classes, sorted.

    Examples
    --------
    >>> import gatelab, numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 1))
    >>> y = (X[..., 0] > 0).astype(int)
    >>> model = gatelab.Labeller("gru", hidden_size=8, learning_rate=0.02, max_epochs=20).fit(X, y)
    >>> model.predict(X).shape, model.predict_proba(X).shape, model.score(X, y) > 0.9
    ((40, 6), (40, 6, 2), True)
    """

    task = FrameTask

    def fit(self, X: Any, y: Any, groups: ArrayLike | None = None) -> Self:
        """Learn the classes of steps.

        Parameters
        ----------
        X
            ``[N, T, I]``, or a list of N arrays ``[T_i, I]``.
        y
            ``[N, T]``, or a list of N arrays ``[T_i]``: numbers or texts.
        groups
            As in :meth:`Classifier.fit`.

        Raises
        ------
        ShapeError, DataError, ConfigError, RunError
            As in :meth:`Classifier.fit`.
        """
        x = sequences(X)
        labels = _by_sequence(y, [len(s) for s in x])
        classes, places = numbered(np.concatenate(labels))
        ends = np.cumsum([len(s) for s in x])[:-1]
        return self._pose(x, np.split(places, ends), classes, np.zeros(len(x), np.int64), groups)

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class at each step: ``[N, T, C]``, or a list of ``[T_i, C]``."""
        found = {k: chances.numpy() for k, chances in self._answers(X)}
        listed = [found[k] for k in range(len(found))]
        return np.stack(listed) if is_array(X) else listed

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each step: ``[N, T]``, or a list of ``[T_i]``."""
        found = self.predict_proba(X)
        if is_array(X):
            return self.classes_[found.argmax(-1)]
        return [self.classes_[chances.argmax(-1)] for chances in found]

    def score(self, X: Any, y: Any) -> float:
        """Return the share of steps whose class is found."""
        found = list(self.predict(X))
        wanted = _by_sequence(y, [len(s) for s in found])
        return float((np.concatenate(found) == np.concatenate(wanted)).mean())

    def _split(self, chances: Tensor, packed: PackedSequence) -> Sequence[Tensor]:
        padded, lengths = pad_packed_sequence(packed._replace(data=chances))
        return [padded[:n, k] for k, n in enumerate(lengths.tolist())]


def _by_sequence(y: Any, lengths: Sequence[int]) -> list[NDArray[Any]]:
    """Return the labels of each sequence, [T_i]."""
    found = [np.asarray(labels) for labels in y]
    if len(found) != len(lengths):
        raise ShapeError(f"y: wanted labels of {len(lengths)} sequences, got {len(found)}")
    for k, (labels, steps) in enumerate(zip(found, lengths, strict=True)):
        if labels.shape != (steps,):
            raise ShapeError(f"y[{k}]: wanted a label a step, [{steps}], got {list(labels.shape)}")
    return found
