"""Questions about images made fresh by `distortlab.stream`, in the shares of a recipe or in those of a sampler."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import distortlab
from distortlab.core.errors import UserError
from distortlab.core.image import Image
from distortlab.generation.stream import SampleStream, StreamSample
from distortlab.generation.stream_plan import recall
from distortlab.recipe import Recipe, load_recipe
from distortlab.tasks.grounding import Coordinates
from refine_iqa_train.config.schema import DataRules, find_stream_recipe
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.prompts import prepare_shown_question
from refine_iqa_train.data.row_checks import check_row, check_truth
from refine_iqa_train.models.rows import QuestionRow, TrainingRow

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["FreshQuestions", "ItemSampler", "load_stream_recipe", "open_fresh_questions"]


_KEPT_SAMPLES = 2


class ItemSampler(Protocol):
    """Chooses what the items of a generation of answers are about."""

    def weigh_families(self, generation: int) -> Mapping[str, float]:
        """The probabilities of families."""

    def weigh_severities(self, generation: int) -> Mapping[str, float] | None:
        """The probabilities of severities, "1" to "5"; None: as in the recipe."""


def load_stream_recipe(rules: DataRules) -> Recipe:
    """Read the recipe of a stream, with `data.questions_per_image` questions about each image, and the tasks and
    families that are asked for.

    Raises
    ------
    BadRecipe
        Where there is no such recipe, or none of its tasks or families is left.
    UserError
        Where it asks fewer tasks than there are to be questions about an image.
    """
    source = str(find_stream_recipe(rules))
    recipe = load_recipe(source)
    chosen: dict[str, object] = {"samples_per_image": 1}
    for key, shares, names in (("tasks", recipe.tasks, rules.tasks), ("families", recipe.families, rules.families)):
        if names:
            chosen[key] = {name: share for name, share in shares.items() if name in names}
            if not any(chosen[key].values()):  # type: ignore[attr-defined]
                known = ", ".join(name for name, share in shares.items() if share)
                raise UserError(f"data.{key} = {', '.join(names)}: the recipe {source} has none of them, but {known}")
    recipe, count = load_recipe(source, **chosen), rules.questions_per_image
    if count > len(recipe.asked_tasks):
        raise UserError(
            f"data.questions_per_image = {count}: the recipe {source} asks {len(recipe.asked_tasks)} tasks "
            f"({', '.join(recipe.asked_tasks)}), each at most once about an image; give so many or fewer"
        )
    return replace(recipe, samples_per_image=float(count))


def open_fresh_questions(
    rules: DataRules, seed: int, policy: ImagePolicy, coordinates: Coordinates
) -> "FreshQuestions":
    """Open the stream that `data.perception` and `data.references` name; an image is made when it is asked for.

    Raises
    ------
    UserError
        For a recipe or references that do not exist.
    """
    source = distortlab.stream(load_stream_recipe(rules), str(rules.references), seed=seed)
    return FreshQuestions(source, policy, coordinates, rules.questions_per_image)


class FreshQuestions:
    """Makes training rows from the samples of a stream.

    Parameters
    ----------
    source
        A stream: the sample of a number and of given shares is always the same.
    policy, coordinates
        The size at which the model sees an image, and how it answers with a box.
    per_image
        How many rows are made of each image. Where there are fewer questions about one, those about the image that
        would take its place follow.
    """

    def __init__(self, source: SampleStream, policy: ImagePolicy, coordinates: Coordinates, per_image: int = 1) -> None:
        self._source, self._policy, self._coordinates = source, policy, coordinates
        self._per_image = per_image
        self._recent: dict[tuple[int, int, int], StreamSample] = {}
        self.families = source.families
        self.severities = tuple(name for name, share in source.recipe.severities.items() if share)
        self.sampler: ItemSampler | None = None
        """Without one images are made in the shares of the recipe."""

    @property
    def identity(self) -> str:
        """What decides which sample a number stands for: recipe, references and code, as hashes of 16 digits."""
        state = self._source.state_dict()
        recipe, references, code = (str(state[key])[:16] for key in ("recipe", "references", "code"))
        return f"recipe {recipe} over references {references} by code {code}"

    @property
    def replaced(self) -> Mapping[str, int]:
        """Images that this process could not make, and made others for, by reason."""
        return self._source.replaced

    def make_row(self, number: int, generation: int) -> TrainingRow:
        """Make the question of this number, by the sampler's shares for a generation of answers."""
        sample, question = self._find_question(*divmod(number, self._per_image), generation)
        pictures = [_make_picture(array) for array in sample.select_pictures(question)]
        return prepare_shown_question(cast(QuestionRow, question), pictures, self._policy, self._coordinates)

    def _find_question(self, index: int, place: int, generation: int) -> tuple[StreamSample, Mapping[str, Any]]:
        """The question at a place among those about an image, and about the images that would take its place."""
        sample = self._draw(index, 0, generation)
        while place >= len(sample.questions):
            place -= len(sample.questions)
            sample = self._draw(index, sample.replacement + 1, generation)
        return sample, sample.questions[place]

    def _draw(self, index: int, replacement: int, generation: int) -> StreamSample:
        """A sample by the sampler's shares. The last ones are kept: other questions about them come next."""
        families = self.sampler.weigh_families(generation) if self.sampler else None
        severities = self.sampler.weigh_severities(generation) if self.sampler else None
        return recall(
            self._recent,
            (index, replacement, generation if self.sampler else 0),
            lambda key: self._source.draw(index, families, severities, replacement=replacement),
            _KEPT_SAMPLES,
        )

    def check(self) -> None:
        """Make the first sample and check its question. Raises `UserError`."""
        for question in self._source.draw(0).questions:
            check_row(question)
            check_truth(question)


def _make_picture(array: Image) -> "PilImage":
    import PIL.Image

    return PIL.Image.fromarray(array)
