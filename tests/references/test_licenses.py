"""References by their licenses: chosen by name in the recipe, counted, and not passed on where that is not allowed."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dataset_samples import NAMES, Gallery, coco_document, rows_of, small_recipe, write_coco
from hypothesis import given
from hypothesis import strategies as st

from distortlab.analysis.findings import check_balance, list_findings
from distortlab.analysis.sharing_rights import count_licenses, count_no_derivatives
from distortlab.analysis.statistics import collect_statistics
from distortlab.core.errors import BadRecipe, UserError
from distortlab.dataset.reader import open_data
from distortlab.generation.generate import generate
from distortlab.recipe import LicenseRules, load_recipe, parse_recipe
from distortlab.references import licenses, open_references
from distortlab.sharing.export import export
from distortlab.sharing.push import push

COMMONS = {
    1: ("Attribution-NonCommercial-ShareAlike License", "by-nc-sa"),
    2: ("Attribution-NonCommercial License", "by-nc"),
    3: ("Attribution-NonCommercial-NoDerivs License", "by-nc-nd"),
    4: ("Attribution License", "by"),
    5: ("Attribution-ShareAlike License", "by-sa"),
    6: ("Attribution-NoDerivs License", "by-nd"),
}
"""COCO's, by their ids."""
TEXTS = {key: f"{name} (http://creativecommons.org/licenses/{short}/2.0/)" for key, (name, short) in COMMONS.items()}
KNOWN = dict.fromkeys(TEXTS.values(), 2)


def licensed(folder: Path, pictures: int = 12) -> str:
    """A COCO file whose pictures have the six licenses in turn."""
    spec = write_coco(folder, pictures)
    document = coco_document(pictures)
    for number, image in enumerate(document["images"]):
        image["license"] = number % 6 + 1
    address = "http://creativecommons.org/licenses/{}/2.0/"
    document["licenses"] = [
        {"id": key, "name": name, "url": address.format(short)} for key, (name, short) in COMMONS.items()
    ]
    (folder / "instances.json").write_text(json.dumps(document))
    return spec


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> str:
    return licensed(tmp_path_factory.mktemp("licensed") / "coco")


@pytest.fixture(scope="module")
def data(coco: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "data"
    generate(small_recipe(n=24), coco, out, workers=1)
    return out


def texts_of(spec: str, **rules: Any) -> Counter[str]:
    references = open_references(spec, licenses=LicenseRules(**rules))
    return Counter(entry.license for entry in references.entries(references.count or 5))  # type: ignore[attr-defined]


def test_excerpts_of_coco_that_lost_the_table_have_its_licenses(coco: str, tmp_path: Path) -> None:
    """Their images still name the id; so do images of others, whose ids mean nothing without a table."""
    spec = licensed(tmp_path / "excerpt")
    file = tmp_path / "excerpt" / "instances.json"
    document = json.loads(file.read_text())
    del document["licenses"]
    for image in document["images"]:
        image["coco_url"] = f"http://images.cocodataset.org/train2017/{image['file_name']}"
    file.write_text(json.dumps(document))
    assert texts_of(spec) == texts_of(coco)
    assert not any("NoDerivs" in text for text in texts_of(spec, deny=("NoDerivs",)))
    for image in document["images"]:
        image["coco_url"] = f"http://example.org/{image['file_name']}"
    file.write_text(json.dumps(document))
    assert not any("License" in text for text in texts_of(spec))


# --- names ----------------------------------------------------------------------------------------------------------

NAMED = [
    ("no-derivatives", {3, 6}),
    ("NoDerivs", {3, 6}),
    ("non-commercial", {1, 2, 3}),
    ("NonCommercial", {1, 2, 3}),
    ("Attribution License", {4}),
    ("attribution-noderivs license", {6}),
    ("by-nd", {6}),
    ("cc-by-nd", {6}),
    ("CC-BY-ND-2.0", {6}),
    ("by", {4}),
    (TEXTS[5], {5}),
]


@pytest.mark.parametrize(("name", "meant"), NAMED)
def test_a_name_means_its_licenses_and_no_others(coco: str, name: str, meant: set[int]) -> None:
    assert set(texts_of(coco, allow=[name])) == {TEXTS[key] for key in meant}
    assert set(texts_of(coco, deny=[name])) == {text for key, text in TEXTS.items() if key not in meant}


@given(st.lists(st.sampled_from([name for name, _ in NAMED])), st.lists(st.sampled_from([name for name, _ in NAMED])))
def test_what_is_denied_is_never_used(allow: list[str], deny: list[str]) -> None:
    meant = dict(NAMED)
    for key, text in TEXTS.items():
        expected = (not allow or any(key in meant[name] for name in allow)) and not any(
            key in meant[name] for name in deny
        )
        assert licenses.is_allowed(text, allow, deny) == expected


@pytest.mark.parametrize("key", ["allow", "deny"])
def test_an_unknown_name_is_refused_with_those_that_there_are(coco: str, key: str) -> None:
    with pytest.raises(BadRecipe) as error:
        texts_of(coco, **{key: ["Attribution Licen"]})
    sentence = str(error.value)
    assert f"references.licenses.{key}: no license called 'Attribution Licen'" in sentence
    assert all(repr(name) in sentence for name, _ in COMMONS.values())
    assert "'no-derivatives'" in sentence


def test_a_choice_that_leaves_nothing_is_refused(coco: str) -> None:
    with pytest.raises(BadRecipe, match="leaves none"):
        texts_of(coco, allow=["by"], deny=["Attribution License"])


def test_what_is_left_out_is_counted_and_what_is_left_has_its_own_names(coco: str) -> None:
    kept = open_references(coco, licenses=LicenseRules(deny=("no-derivatives",)))
    assert kept.count == 8
    assert kept.skipped["license left out by the recipe"] == 4
    assert kept.fingerprint != open_references(coco).fingerprint
    assert set(kept.vocabulary) == set(NAMES)


@pytest.mark.parametrize("kind", ["scenes", "folder"])
def test_a_source_under_one_license(coco: str, kind: str) -> None:
    spec = "scenes" if kind == "scenes" else f"folder:{coco.partition(',')[2]}"
    assert open_references(spec, licenses=LicenseRules(deny=("no-derivatives",))).license
    with pytest.raises(BadRecipe, match="no license called 'by-nd'"):
        open_references(spec, licenses=LicenseRules(deny=("by-nd",)))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"licenses": {"denny": []}}, "references.licenses.denny"),
        ({"licenses": {"deny": "by-nd"}}, "deny"),
        ({"licenses": {"deny": [3]}}, "deny"),
        ({"licenses": {"deny": [" "]}}, "blank"),
        ({"licenses": ["by"]}, "licenses"),
    ],
)
def test_the_key_is_checked(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRecipe, match=sentence):
        parse_recipe({"references": values})


def test_the_carried_recipe_shows_the_key() -> None:
    assert load_recipe("refine-perception-20k").references.licenses == LicenseRules()


# --- data sets ------------------------------------------------------------------------------------------------------


def test_a_data_set_without_them(coco: str, tmp_path: Path) -> None:
    recipe = small_recipe(n=12, references={"licenses": {"deny": ["no-derivatives"]}})
    generate(recipe, coco, tmp_path / "data", workers=1)
    kept = {row["reference_license"] for row in rows_of(tmp_path / "data", "images")}
    assert kept
    assert not any(map(licenses.forbids_changes, kept))
    assert 'licenses = {"allow"' not in (tmp_path / "data" / "README.md").read_text()
    assert 'licenses = {allow = [], deny = ["no-derivatives"]}' in (tmp_path / "data" / "README.md").read_text()


def test_references_from_elsewhere_are_held_to_it_too(tmp_path: Path) -> None:
    """A source that somebody else wrote does not know the rule: what it loads is looked at."""
    recipe = small_recipe(n=4, references={"licenses": {"deny": ["made in code"]}})
    account = generate(recipe, Gallery(), tmp_path / "data", workers=1)
    assert account.images == 0
    assert account.counts["screened"]["license left out by the recipe"]


def fixed_in(data: Path) -> int:
    return sum(licenses.forbids_changes(row["reference_license"]) for row in rows_of(data, "images"))


def test_stats_counts_them(data: Path) -> None:
    found = collect_statistics(open_data(data))
    assert count_no_derivatives(found.licenses) == fixed_in(data) > 0
    assert found.licenses == count_licenses(open_data(data))
    (sentence,) = [text for text in list_findings(found, check_balance(found)) if "NoDerivatives" in text]
    assert sentence.startswith(f"{fixed_in(data)} of {len(rows_of(data, 'images'))} images")
    assert 'references.licenses.deny = ["no-derivatives"]' in sentence
    assert 'references.licenses.deny = ["no-derivatives"]' in (data / "README.md").read_text()


@pytest.mark.parametrize("dry_run", [False, True])
def test_push_refuses_before_it_asks_anybody(data: Path, dry_run: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distortlab.sharing.push.connect", lambda *_, **__: pytest.fail("asked the Hub"))
    with pytest.raises(UserError) as error:
        push(data, "user/name", dry_run=dry_run)
    assert str(error.value).startswith(f"{fixed_in(data)} of {len(rows_of(data, 'images'))} images")
    assert 'references.licenses.deny = ["no-derivatives"]' in str(error.value)
    assert "--allow-no-derivatives" in str(error.value)


def test_push_goes_on_where_it_is_allowed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(Exception):
        pass

    def connect(*_: Any, **__: Any) -> None:
        raise Asked

    monkeypatch.setattr("distortlab.sharing.push.connect", connect)
    with pytest.raises(Asked):
        push(data, "user/name", allow_no_derivatives=True)


def test_export_counts_them(data: Path, tmp_path: Path) -> None:
    done = export(data, tmp_path / "out", "jsonl")
    assert done.no_derivatives == fixed_in(data)
    assert json.loads((tmp_path / "out" / "EXPORT.json").read_text())["no_derivatives"] == fixed_in(data)
