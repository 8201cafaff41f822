"""What Croissant's vocabulary for responsible AI asks of a data set, answered for one made by `distortlab`."""

from collections.abc import Mapping
from typing import Any

from distortlab.dataset.manifest import Manifest

__all__ = ["describe_responsibly"]


def describe_responsibly(manifest: Manifest) -> dict[str, Any]:
    """Return the properties of http://mlcommons.org/croissant/RAI/1.0, from the counts of the manifest.

    Parameters
    ----------
    manifest
        Of a finished data set; counts that an earlier version did not keep are left out of the sentences.
    """
    counts = manifest.get("counts") or {}
    version = f"distortlab {manifest.get('generator_version') or ''}".strip()
    return {
        "rai:dataCollection": (
            "Reference images are taken from one source, screened for defects (small, blurred, blocky, gray), and "
            "distorted by operators with known settings, in regions or as a whole; questions with their answers follow "
            "from these settings. The recipe is in README.md."
        ),
        "rai:dataCollectionType": ["Secondary Data analysis", "Software Collection"],
        "rai:dataCollectionRawData": _describe_references(counts),
        "rai:dataCollectionMissingData": _describe_missing(manifest),
        "rai:dataPreprocessingProtocol": [
            "References are turned upright and converted to 8-bit RGB; those longer than the recipe allows are shrunk.",
            "Splits share no reference. Whether metadata (EXIF, XMP) were taken out of the references: README.md.",
        ],
        "rai:dataManipulationProtocol": (
            f"Made by {version} with addressed randomness: the same recipe and references give the same pixels. Every "
            "image keeps the settings of its distortions and the SHA-256 of its pixels, and `distortlab verify` "
            "renders it again and compares."
        ),
        "rai:dataAnnotationProtocol": [
            "Labels (family, variant, severity, region, difficulty) are the settings that the image was made with; no "
            "person labeled it. A label is kept only if its effect is visible by a model of visibility (V), and goes "
            f"the right way.{_describe_rejections(counts)}"
        ],
        "rai:dataAnnotationAnalysis": [
            "README.md says, task by task, what is won without looking at the images, beside chance."
        ],
        "rai:annotationsPerItem": "0 by people; one set of labels by program",
        "rai:machineAnnotationTools": [version],
        "rai:dataBiases": _list_biases(counts),
        "rai:dataLimitations": [
            "Distortions are synthetic; a severity is a value of V, a model of visibility, and not a rating by people.",
            "Not for comparing the quality of cameras, people or places, and no benchmark of natural degradations.",
        ],
        "rai:dataUseCases": [
            "Training, Fine Tuning, Validation: vision-language models that perceive image quality (what is distorted, "
            "how much, where).",
            "Testing: the same tasks on references that were not trained on.",
        ],
        "rai:dataSocialImpact": (
            "Models that see image quality can choose or reject pictures of people: check them on the pictures that "
            "they will judge, as references here are biased the way that their source is."
        ),
        "rai:personalSensitiveInformation": [
            "References can show people, number plates and places, as their source does; nothing of that is labeled. "
            "Who shares the data set should look at its source's terms."
        ],
        "rai:dataReleaseMaintenancePlan": (
            "Whoever publishes a data set maintains it. MANIFEST.json has the SHA-256 of every file; a changed data "
            "set has another manifest and should get another tag."
        ),
    }


def _describe_references(counts: Mapping[str, Mapping[str, int]]) -> str:
    used, licenses = sum(counts.get("references", {}).values()), counts.get("licenses", {})
    number = f"{used:,} reference images" if used else "Reference images"
    kinds = f", under {len(licenses):,} {'license' if len(licenses) == 1 else 'licenses'}" if licenses else ""
    return (
        f"{number}{kinds}. Where each is from is in the column reference_source, its license in reference_license; a "
        "distorted image is under the license of its reference."
    )


def _describe_missing(manifest: Manifest) -> str:
    failures = manifest.get("failures") or {}
    return (
        f"{failures.get('unfilled', 0):,} planned images could not be made, {failures.get('references', 0):,} "
        "references could not be read; MANIFEST.json counts them. Null in a column means that it does not apply."
    )


def _describe_rejections(counts: Mapping[str, Mapping[str, int]]) -> str:
    rejected = sum(counts.get("rejected", {}).values())
    return f" {rejected:,} draws were rejected for that." if rejected else ""


def _list_biases(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    biases = ["What the references show is what their source shows, with its selection of places, people and objects."]
    for name, what in (("severities", "Distortions by severity"), ("tasks", "Questions by task")):
        if found := counts.get(name):
            biases.append(f"{what}: {', '.join(f'{key} {count:,}' for key, count in sorted(found.items()))}.")
    return biases
