"""What there is: sets, protocols, models, and what is found on disk."""

import sys
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from refine_bench.cli.printing import print_table
from refine_bench.datasets import SETS, find_folder, load, load_questions, parse_spec
from refine_bench.models import KINDS
from refine_bench.prompts.protocols import PROTOCOLS

__all__ = ["collect_listing", "print_listing"]


def collect_listing(data: Path | None) -> dict[str, Any]:
    """Ready for JSON. What is found below `data` is read: its n, its range, its hash."""
    if data is not None and not data.is_dir():
        raise UserError(f"{data} is not a folder")
    return {
        "sets": [_describe_set(name, data) for name in SETS],
        "protocols": [
            {
                "name": p.name,
                "version": p.version,
                "sha256": p.sha256,
                "for": p.kind,
                "reader": p.reader,
                "source": p.source,
            }
            for p in PROTOCOLS.values()
        ],
        "models": [{"name": name, "what": what} for name, what in KINDS],
    }


def _describe_set(name: str, data: Path | None) -> dict[str, Any]:
    facts = SETS[name].FACTS
    spec = parse_spec(name) if facts.labels else None
    found: dict[str, Any] = {
        "name": name,
        "title": facts.title,
        "kind": facts.kind,
        "variants": {axis.name: list(axis.options) for axis in facts.axes},
        "n": facts.count(spec.choice) if spec else None,
        "citation": facts.citation,
        "url": facts.url,
        "notes": list(facts.notes),
    }
    if facts.scales and spec:
        scale = facts.scale(spec.choice)
        found |= {"low": scale.low, "high": scale.high, "direction": "up" if scale.higher_is_better else "down"}
    if data is not None and spec and (folder := find_folder(facts, data)) is not None:
        found["found"] = {"folder": str(folder), **_describe_folder(name, facts.kind, data)}
    return found


def _describe_folder(name: str, kind: str, data: Path) -> dict[str, Any]:
    try:
        if kind == "rated":
            rated = load(name, data, images=False, strict=False)
            there, left = [row.image for row in rated.rows], len(rated.problems)
        else:
            asked = load_questions(name, data, images=False, strict=False)
            there, left = [row.images[0] for row in asked.rows], len(asked.problems)
    except UserError as error:
        return {"error": str(error)}
    lacking = sum(not path.is_file() for path in there)
    digest = rated.sha256 if kind == "rated" else asked.sha256
    return {"n": len(there), "sha256": digest, "left_out": left, "without_image": lacking}


def print_listing(found: dict[str, Any]) -> None:
    """Three tables."""
    rows = [
        [s["name"], s["title"], _format_range(s), _format_count(s["n"]), _format_variants(s), _format_disk(s)]
        for s in found["sets"]
    ]
    rows.append(["local:FOLDER", "data sets made by distortlab", "", "", "+train +validation +test", ""])
    print_table("Sets", ("name", "title", "range", "n", "variants, the first is the default", "on disk"), rows, left=6)
    rows = [[p["name"], p["for"], p["reader"], p["sha256"][:8], p["source"]] for p in found["protocols"]]
    print_table("Protocols", ("name", "for", "reads", "hash", "source"), rows, left=5)
    print_table("Models", ("--model", "what"), [[m["name"], m["what"]] for m in found["models"]], left=2)
    sys.stdout.write("a variant is named behind a colon, options with a plus between: koniq:zscore+512\n")


def _format_range(entry: dict[str, Any]) -> str:
    return f"{entry['low']:g}-{entry['high']:g} {entry['direction']}" if "low" in entry else ""


def _format_count(n: int | None) -> str:
    return "" if n is None else f"{n:,}"


def _format_variants(entry: dict[str, Any]) -> str:
    return "; ".join(" ".join(options) for options in entry["variants"].values())


def _format_disk(entry: dict[str, Any]) -> str:
    found = entry.get("found")
    if found is None:
        return ""
    if "error" in found:
        return f"{found['folder']}: {found['error']}"
    left = "".join(
        f", {found[key]:,} {what}"
        for key, what in (("left_out", "left out"), ("without_image", "without image"))
        if found[key]
    )
    return f"{found['folder']}: {found['n']:,}{left}, sha256 {found['sha256'][:8]}"
