"""The card: what the Hub reads of it, and what a stranger reads."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from dataset_samples import Gallery, rows_of, small_recipe
from huggingface_hub import DatasetCard, DatasetCardData
from set_samples import SETS

from distortlab import generate
from distortlab.analysis.shortcuts import Shortcuts
from distortlab.dataset.composition import describe_kind, find_kind, share_kinds
from distortlab.generation.card.card import render_card
from distortlab.generation.card.front_matter import render_front_matter
from distortlab.generation.plan import make_plan
from distortlab.generation.report import Account
from distortlab.recipe import DEFAULT_TASKS, Recipe, parse_recipe
from distortlab.references import licenses
from distortlab.severity.human_scores import describe_basis, describe_severities
from distortlab.tasks.terms import DIFFICULTIES

BY = "Attribution License (http://creativecommons.org/licenses/by/2.0/)"
BY_ND = "Attribution-NoDerivs License (http://creativecommons.org/licenses/by-nd/2.0/)"
BY_NC = "Attribution-NonCommercial License (http://creativecommons.org/licenses/by-nc/2.0/)"


@pytest.fixture(scope="module")
def loaded(data: Path) -> DatasetCard:
    return DatasetCard.load(data / "README.md")


def front(data: DatasetCardData) -> dict[str, Any]:
    return dict(data.to_dict())


def test_the_front_matter_is_what_the_hub_takes(loaded: DatasetCard, data: Path) -> None:
    values = front(loaded.data)
    assert values["task_categories"] == ["image-text-to-text", "visual-question-answering"]
    assert values["size_categories"] == ["n<1K"]
    assert values["annotations_creators"] == values["language_creators"] == ["machine-generated"]
    assert values["task_ids"] == ["visual-question-answering"]
    assert {"image-quality-assessment", "image-distortions", "synthetic"} <= set(values["tags"])
    assert [config["config_name"] for config in values["configs"]] == ["rft", "images", "samples"]
    assert values["configs"][0]["default"] is True
    again = DatasetCardData(**values)
    assert front(again) == values


@pytest.mark.parametrize("config", ["rft", "images", "samples"])
def test_counts_are_exact(loaded: DatasetCard, data: Path, config: str) -> None:
    info = next(info for info in front(loaded.data)["dataset_info"] if info["config_name"] == config)
    counts = {split["name"]: split["num_examples"] for split in info["splits"]}
    assert sum(counts.values()) == len(rows_of(data, config))
    for split, count in counts.items():
        rows = [row for row in rows_of(data, config) if row["image_id"].startswith(split)]
        assert len(rows) == count


def test_every_task_is_shown_as_it_is_asked(loaded: DatasetCard, data: Path) -> None:
    for row in rows_of(data, "samples"):
        if f"`{row['sample_id']}`" in loaded.text:
            shown = re.sub(r"^    ", "", loaded.text, flags=re.MULTILINE)
            assert row["prompt"][0]["content"] in shown
            assert f"solution: {row['solution']}\n" in shown
    assert {task for task in DEFAULT_TASKS if f"`{task}`, e.g." in loaded.text} == set(DEFAULT_TASKS)


def test_the_recipe_can_be_taken_out_and_used(loaded: DatasetCard) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", loaded.text, re.DOTALL)
    assert parse_recipe(tomllib.loads(text)) == small_recipe()


SECTIONS = ("Tasks", "Distortions", "References and licence", "How it was made", "Known limits", "Citation")


@pytest.mark.parametrize("section", SECTIONS)
def test_sections(loaded: DatasetCard, section: str) -> None:
    assert f"\n## {section}\n" in loaded.text


def test_the_viewer_is_named_among_the_limits(loaded: DatasetCard) -> None:
    assert "JPEG thumbnails" in loaded.text.partition("## Known limits")[2]


def test_shares_of_the_families_add_up(loaded: DatasetCard) -> None:
    shares = [float(share) for share in re.findall(r"\| ([\d.]+) % \|", loaded.text)]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_difficulties_are_counted(loaded: DatasetCard, data: Path) -> None:
    counts = Counter(row["regions"][0]["difficulty"] for row in rows_of(data, "images"))
    shown = ", ".join(f"{name} {counts[name]}" for name in DIFFICULTIES if counts[name])
    assert f"who sees the reference as well: {shown}\n" in loaded.text


# --- licences -------------------------------------------------------------------------------------------------------

NAMES = {
    BY: "cc-by-2.0",
    BY_NC: "cc-by-nc-2.0",
    BY_ND: None,  # the Hub has no name for its version 2.0
    "cc-by-4.0": "cc-by-4.0",
    "CC0-1.0": "cc0-1.0",
    "https://creativecommons.org/publicdomain/zero/1.0/": "cc0-1.0",
    "https://creativecommons.org.example.net/licenses/by/4.0/": None,
    "all rights reserved": None,
    "": None,
}


@pytest.mark.parametrize("text", NAMES)
def test_names_of_licenses(text: str) -> None:
    assert licenses.hub_name(text) == NAMES[text]


def test_only_changes_are_forbidden_by_no_derivatives() -> None:
    assert [licenses.forbids_changes(text) for text in (BY, BY_ND, BY_NC, "cc-by-nc-nd-4.0")] == [0, 1, 0, 1]


def written(
    counts: Mapping[str, int],
    samples: Sequence[Mapping[str, Any]] = (),
    kinds: Mapping[str, int] | None = None,
    **recipe: Any,
) -> str:
    plan = make_plan(small_recipe(**recipe), Gallery())
    tables = ("tasks", "severities", "variants", "rejected", "screened", "references")
    account = Account(
        Path("nowhere"),
        True,
        12,
        12,
        32,
        splits={"train": 12},
        counts={**{t: {} for t in tables}, "licenses": {**counts}, **({"kinds": {**kinds}} if kinds else {})},
    )
    return render_card(plan, account, {}, Shortcuts(12, 12, ()), samples)


LICENSES = {
    "one that the Hub knows": ({BY: 12}, {"license": "cc-by-2.0"}),
    "one that it does not": ({"mine": 12}, {"license": "other", "license_name": "see-card"}),
    "several": ({BY: 6, BY_NC: 6}, {"license": "other", "license_name": "mixed-see-card"}),
}


@pytest.mark.parametrize("case", LICENSES)
def test_what_a_data_set_says_of_its_license(case: str) -> None:
    counts, expected = LICENSES[case]
    values = front(DatasetCard(written(counts)).data)
    assert {key: values[key] for key in values if key.startswith("license")} == expected


def test_every_license_is_counted_and_no_derivatives_is_told() -> None:
    text = written({BY: 6, BY_ND: 5, "odd | one": 1})
    assert f"| {BY} | 6 |" in text
    assert "| odd \\| one | 1 |" in text
    assert "**5 images are made from references whose licence does not allow changed versions" in text
    assert "NoDerivatives" not in written({BY: 12})


BY_SA = "Attribution-ShareAlike License (http://creativecommons.org/licenses/by-sa/2.0/)"


def test_licenses_are_summed_up_with_the_strictest_named() -> None:
    text = written({BY: 6, BY_NC: 3, BY_SA: 2, "CC0-1.0": 1})
    assert "ask for: no commercial use (3 images), changed copies under the same license (2 images), credit (11" in text
    assert f"The strictest is {BY_NC} (3 images)." in text
    assert "none of these" not in text
    assert f"The strictest is {BY_ND} (1 image)." in written({BY_ND: 1, BY_NC: 5})
    assert "The terms of 4 images are none of these: read them." in written({"mine": 4, BY: 8})
    assert "Taken together" not in written({"CC0-1.0": 6, "public domain": 6})


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("cc-by-nc-sa-4.0", (0, 1, 1, 1)),
        ("https://creativecommons.org/licenses/by-nd/4.0/", (1, 0, 0, 1)),
        ("mit", (0, 0, 0, 0)),
    ],
)
def test_what_a_license_asks_for(text: str, asked: tuple[int, ...]) -> None:
    assert licenses.summarize_terms({text: 1}).count("(1 image)") == sum(asked) + bool(sum(asked))


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("scenes", "original"),
        ("coco", "extended|other"),
        ("hf:user/set.x@abc:train?bbox=xyxy", "user/set.x"),
        ("folder", "extended|other"),
    ],
)
def test_where_the_references_are_from(source: str, word: str) -> None:
    account = Account(Path("nowhere"), True, 1, 1, 1, splits={"train": 1}, counts={})
    assert yaml.safe_load(render_front_matter(account, {}, source))["source_datasets"] == [word]


def test_text_from_elsewhere_is_neither_markdown_nor_a_place_of_the_template() -> None:
    prompt = "<script> $name ${version}\n# heading\n| a | b |\n```\n$$"
    row = {"task": "object", "sample_id": "x-object", "prompt": [{"content": prompt}], "solution": "$seed"}
    text = written({"$license ${plan}\n| x": 1, BY: 1}, [row])
    assert "\n".join(f"    {line}" for line in prompt.splitlines()) in text
    assert "\n    solution: $seed\n" in text
    assert "| $license ${plan} \\| x | 1 |" in text
    own = (
        text.replace(prompt.splitlines()[0], "").replace("$$", "").replace("$seed", "").replace("$license ${plan}", "")
    )
    assert "$" not in own, "every place of the template has its value"


def test_many_licenses_are_summed_up() -> None:
    assert "| 15 others | 15 |" in written({f"licence {n}": 1 for n in range(35)})


def test_what_people_would_say_is_told_of_the_ladder_that_has_targets() -> None:
    assert describe_severities() in written({})
    text = written({}, profile="dq", severity="ladder")
    assert describe_severities() not in text
    assert "Nobody was asked what people say of these severities." in text


def test_variants_that_nobody_judged_are_named(loaded: DatasetCard, data: Path) -> None:
    _, _, named = loaded.text.partition("Extrapolated from other distortions for ")
    regions = [region for row in rows_of(data, "images") for region in row["regions"]]
    found = {f"{region['distortion']}.{region['variant']}" for region in regions}
    assert set(named.partition(".\n")[0].split(", ")) == {name for name in found if describe_basis(name) == "-"}


@pytest.mark.parametrize("kept", [True, False])
def test_whether_metadata_were_kept_is_told(kept: bool) -> None:
    text = written({}, references={"keep_metadata": kept})
    assert ("keep their metadata" in text) == kept
    assert isinstance(small_recipe(), Recipe)


# --- what images consist of -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of every kind."""
    out = tmp_path_factory.mktemp("card") / "sets"
    generate(SETS, Gallery(), out, workers=1)
    return out


def test_one_region_is_the_rule() -> None:
    text = written({})
    assert "\n12 images, each with one distortion in one region, and 32 questions about them" in text
    assert "One distortion per image." in text
    assert "pretty_name: Locally distorted images (12)" in text
    assert "| family | images |" in text
    assert "images that are" not in text


def test_kinds_are_told_with_the_shares_that_were_made(sets: Path) -> None:
    text, rows = (sets / "README.md").read_text(encoding="utf-8"), rows_of(sets, "images")
    kinds = Counter(map(find_kind, rows))
    assert set(kinds) == {"pristine", "whole", "1", "2", "3"}
    for kind, count in kinds.items():
        asked = share_kinds(SETS.composition)[kind]
        line = f"| {describe_kind(kind)} | {count} | {100 * count / len(rows):.1f} % | {100 * asked:.1f} % |"
        assert line in text
    manifest = json.loads((sets / "MANIFEST.json").read_text(encoding="utf-8"))
    assert manifest["counts"]["kinds"] == kinds
    shares = [100 * sum(kinds[kind] for kind in group) / len(rows) for group in (("pristine",), ("whole",), "123")]
    words = "{:.1f} % pristine, {:.1f} % distorted as a whole, {:.1f} % distorted in 1, 2 or 3 regions".format(*shares)
    assert f"\n{len(rows)} images ({words}) and " in text
    assert "each with one distortion" not in text
    assert "One distortion per image" not in text
    assert "V of each is measured in the finished image; regions are disjoint" in text
    assert f"pretty_name: Distorted images ({len(rows)})" in text
    assert "| family | distortions |" in text


def test_kinds_that_could_not_be_made_stand_with_their_share() -> None:
    asked = {"pristine": 1, "whole": 3, "local": 0}
    text = written({}, kinds={"whole": 12}, composition=asked, tasks={"diagnosis": 1}, samples_per_image=1)
    assert "| pristine | 0 | 0.0 % | 25.0 % |" in text
    assert "\n12 images (100.0 % distorted as a whole) and " in text


def test_a_part_made_by_an_earlier_version_has_the_shares_that_were_asked_for() -> None:
    text = written({}, composition={"local": 1, "regions": {"2": 1}}, tasks={"diagnosis": 1}, samples_per_image=1)
    assert "\n12 images (100.0 % distorted in 2 regions) and " in text
