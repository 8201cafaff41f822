"""Questions about images made fresh by `distortlab.stream`, in the shares of a recipe or in those of a sampler."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

import distortlab
from distortlab.core.errors import UserError
from distortlab.core.image import Image
from distortlab.generation.rows import select_pictures
from distortlab.generation.stream import SampleStream
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


class ItemSampler(Protocol):
    """Chooses what the items of a generation of answers are about."""

    def weigh_families(self, generation: int) -> Mapping[str, float]:
        """The probabilities of families."""

    def weigh_severities(self, generation: int) -> Mapping[str, float] | None:
        """The probabilities of severities, "1" to "5"; None: as in the recipe."""


def load_stream_recipe(rules: DataRules) -> Recipe:
    """Read the recipe of a stream, with one question about each image, and the tasks and families that are asked for.

    Raises
    ------
    BadRecipe
        Where there is no such recipe, or none of its tasks or families is left.
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
    return load_recipe(source, **chosen)


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
    return FreshQuestions(source, policy, coordinates)


class FreshQuestions:
    """Makes training rows from the samples of a stream.

    Parameters
    ----------
    source
        A stream: the sample of a number and of given shares is always the same.
    policy, coordinates
        The size at which the model sees an image, and how it answers with a box.
    """

    def __init__(self, source: SampleStream, policy: ImagePolicy, coordinates: Coordinates) -> None:
        self._source, self._policy, self._coordinates = source, policy, coordinates
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

    def make_row(self, number: int, generation: int) -> TrainingRow:
        """Make the question of the sample with this number, by the sampler's shares for a generation of answers."""
        families = self.sampler.weigh_families(generation) if self.sampler else None
        severities = self.sampler.weigh_severities(generation) if self.sampler else None
        sample = self._source.draw(number, families=families, severities=severities)
        if not sample.questions:
            raise UserError(
                f"image {number} of the stream has no question: none of the tasks of the recipe can be asked about it; "
                "change its shares (tasks, composition)"
            )
        question = cast(QuestionRow, sample.questions[0])
        pictures = [_make_picture(array) for array in select_pictures(question["task"], sample.reference, sample.image)]
        return prepare_shown_question(question, pictures, self._policy, self._coordinates)

    def check(self) -> None:
        """Make the first sample and check its question. Raises `UserError`."""
        for question in self._source.draw(0).questions:
            check_row(question)
            check_truth(question)


def _make_picture(array: Image) -> "PilImage":
    import PIL.Image

    return PIL.Image.fromarray(array)
