"""The rows of one distorted image: that of `images`, and those of its questions."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from distortlab import __version__
from distortlab.dataset.schema import ImageRecord, Picture, Sample
from distortlab.distortions.catalog import find
from distortlab.generation.candidates import count_instances
from distortlab.generation.draw import DistortedImage
from distortlab.generation.questions import Subject, ask, list_choices
from distortlab.generation.set_questions import SetQuestion, ask_about_nothing, ask_about_set, is_whole
from distortlab.generation.task_balance import TaskBalance
from distortlab.recipe import Recipe
from distortlab.severity.difficulty import find_difficulty
from distortlab.tasks import TASKS

__all__ = ["make_image_record", "make_questions", "make_samples", "make_subject", "select_pictures"]

P = TypeVar("P")


def make_image_record(image: DistortedImage, recipe: Recipe, is_encoded: bool = True) -> ImageRecord:
    """The row of `images`; the picture may be left without its bytes."""
    reference = image.reference
    rows, columns = reference.image.shape[:2]
    original = Picture(reference.encoded, f"{reference.id}.{reference.extension}")
    return ImageRecord(
        image_id=image.slot.image_id,
        image=Picture(image.encode() if is_encoded else b"", f"{image.slot.image_id}.{recipe.codec}"),
        width=columns,
        height=rows,
        pixels_sha256=image.pixels_sha256,
        reference_id=reference.id,
        reference=original if recipe.keep_references else None,
        reference_source=reference.source,
        reference_license=reference.license,
        edits=image.edits,
        objects=tuple(place.object for place in image.places),
        difficulties=tuple(find_difficulty(edit.distortion, edit.severity, recipe.profile) for edit in image.edits),
        seed=recipe.seed,
        generator_version=__version__,
        control=image.working.control,
    )


def select_pictures(task: str, reference: P, image: P, before: P | None = None) -> tuple[P, ...]:
    """The pictures that a question shows, in order. `before` is the other one of two images that are compared."""
    if TASKS[task].shows_reference:
        return (reference, image)
    if TASKS[task].images == 1:
        return (image,)
    assert before is not None, f"{task} is about two images"
    return (before, image)


def make_subject(image: DistortedImage, record: ImageRecord, with_objects: bool = True) -> Subject | None:
    """What can be asked about the only distortion of an image; None where there is not exactly one.

    What lies inside its region is for the object task only.
    """
    if len(image.edits) != 1:
        return None
    edit, place, reference = image.edits[0], image.places[0], image.reference
    whole = is_whole(edit)
    with_objects = with_objects and not whole
    return Subject(
        image_id=record.image_id,
        family=find(edit.distortion).family,
        severity=edit.severity,
        box=edit.bbox,
        size=(record.width, record.height),
        object=place.object,
        distractors=image.distractors,
        alone=all(other.object in (None, place.object) for other in reference.regions),
        is_whole=whole,
        inside=image.working.loaded.groups.find_names_inside(place.region) if with_objects else frozenset(),
        instances=count_instances(reference),
    )


def make_questions(
    image: DistortedImage,
    record: ImageRecord,
    balance: TaskBalance,
    recipe: Recipe,
    vocabulary: Mapping[str, float],
    before: ImageRecord | None = None,
) -> list[Sample]:
    """The rows of `rft` for one image, about which all that can be asked is asked that was planned.

    Parameters
    ----------
    image
        What is asked about.
    record
        Its row of `images`.
    balance
        Says which task takes the place of one that cannot be asked.
    recipe
        Its rules for questions; its seed draws candidates and wording.
    vocabulary
        Names by how often each is the only one of an image.
    before
        The image that was made before it, with which it may be compared.
    """
    wants_object = balance.wants_object(image.slot.tasks)
    subject = make_subject(image, record, wants_object)
    is_local = subject is not None and not subject.is_whole
    candidates = list_choices(subject, recipe, vocabulary) if subject and is_local and wants_object else ()
    tasks = balance.settle(
        image.slot.tasks,
        len(candidates),
        subject.family if subject else "",
        is_local=is_local,
        can_compare=lambda task: ask_about_set(task, record, recipe, before) is not None,
    )
    return make_samples(subject, record, tasks, recipe, vocabulary, before)


def make_samples(
    subject: Subject | None,
    record: ImageRecord,
    tasks: Sequence[str],
    recipe: Recipe,
    vocabulary: Mapping[str, float],
    before: ImageRecord | None = None,
) -> list[Sample]:
    """The rows of `rft` for one image.

    Parameters
    ----------
    subject
        What is asked about in tasks about one distortion; None where none of the tasks is.
    record
        The row of the image.
    tasks
        Those in which it can be asked about.
    recipe
        Its rules for questions.
    vocabulary
        Names by how often each is the only one of an image.
    before
        The image with which it is compared, where one of the tasks does that.
    """
    return [
        _make_region_sample(task, subject, record, recipe, vocabulary)
        if subject is not None and TASKS[task].subject == "region"
        else _make_set_sample(task, record, recipe, before)
        for task in tasks
    ]


def _make_region_sample(
    task: str, subject: Subject, record: ImageRecord, recipe: Recipe, vocabulary: Mapping[str, float]
) -> Sample:
    """A question about one region."""
    question = ask(task, subject, recipe, vocabulary)
    assert question is not None, f"{task} of {subject.image_id} cannot be asked"
    return Sample(
        sample_id=f"{record.image_id}-{task}",
        image_id=record.image_id,
        prompt=question[0],
        images=tuple(p for p in select_pictures(task, record.reference, record.image) if p is not None),
        solution=question[1],
        task=task,
        bbox=subject.box,
        distortion=subject.family,
        severity=subject.severity,
        difficulty=record.difficulties[0],
    )


def _make_set_sample(task: str, record: ImageRecord, recipe: Recipe, before: ImageRecord | None) -> Sample:
    """A question about all edits of an image, about a pair, or about a region where there is none."""
    if TASKS[task].subject == "region":
        assert not record.edits, f"{task} of {record.image_id} is about one region"
        question: SetQuestion | None = ask_about_nothing(task, record, recipe)
    else:
        question = ask_about_set(task, record, recipe, before)
    assert question is not None, f"{task} of {record.image_id} cannot be asked"
    pictures = select_pictures(task, record.reference, record.image, before.image if before else None)
    return Sample(
        sample_id=f"{record.image_id}-{task}",
        image_id=record.image_id,
        prompt=question.prompt,
        images=tuple(picture for picture in pictures if picture is not None),
        solution=question.solution,
        task=task,
        bbox=(0, 0, record.width, record.height),
        distortion=None,
        severity=None,
        difficulty=None,
        boxes=question.boxes,
        other_image_id=before.image_id
        if before and TASKS[task].subject == "pair" and TASKS[task].images == 2
        else None,
    )
