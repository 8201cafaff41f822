"""Downloads from addresses, with range requests: what came before a break is kept, if the file is still the same."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from distortlab.core.errors import BuildFailed, UserError
from distortlab.storage.atomic import read_json, write_text
from distortlab.storage.hub_client import Patience

__all__ = ["Terms", "download", "find_size"]

_HEADERS = {"Accept-Encoding": "identity"}  # else sizes and ranges are those of another representation


@dataclass(frozen=True, slots=True)
class Terms:
    """How a server is asked.

    Attributes
    ----------
    headers
        Sent with every request; what authorizes is not sent on to another host.
    identity
        A hash of the file that is known beforehand: what is there of it is continued without asking whether it is the
        same one still. Empty where none is known.
    explain
        The error for the user that stands for one of the transport.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    explain: Callable[[str, httpx.HTTPError], UserError] = lambda url, error: _explain(url, error)


def find_size(url: str, patience: Patience) -> int | None:
    """Return the size of a file in bytes, or None where the server does not say; raises as `download` does."""

    def ask(client: httpx.Client) -> int | None:
        with client.stream("GET", url) as response:
            response.raise_for_status()
            return _read_length(response)

    return _repeat(url, patience, Terms(), ask, lambda: 0)


def download(
    url: str, path: Path, patience: Patience, progress: Callable[[int], None], terms: Terms | None = None
) -> None:
    """Download a file; until it is whole it is called `path.part`.

    Parameters
    ----------
    url
        Where it is.
    path
        Where it goes; one that is there already is taken for whole.
    patience
        How often a request is made again after which nothing more came.
    progress
        Called with the bytes that came since the last call; with fewer than none where a download starts again.
    terms
        How the server is asked; None for an address that anybody may read.

    Raises
    ------
    UserError
        Where the server refuses; `BuildFailed` where it does not answer.
    """
    part = path.with_name(f"{path.name}.part")
    if path.is_file():
        progress(path.stat().st_size)
        return
    progress(_measure(part))
    asked = terms or Terms()
    _repeat(url, patience, asked, lambda client: _continue(client, url, part, asked, progress), lambda: _measure(part))
    part.replace(path)
    _validator_of(part).unlink(missing_ok=True)


def _measure(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _validator_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _continue(client: httpx.Client, url: str, part: Path, terms: Terms, progress: Callable[[int], None]) -> None:
    """Fetch what is missing of a file; all of it where the server has another one by now."""
    there, known = _measure(part), read_json(_validator_of(part))
    validator = known.get("validator") if isinstance(known, dict) else None
    same = validator == terms.identity if terms.identity else bool(validator)
    headers = {"Range": f"bytes={there}-"} if there and same else {}
    if headers and not terms.identity:
        headers["If-Range"] = str(validator)
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            progress(-there)
            raise httpx.ReadError(f"{url} has changed")
        response.raise_for_status()
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {there}-")
        if not goes_on:
            progress(-there)
        write_text(_validator_of(part), json.dumps({"validator": terms.identity or _read_validator(response)}))
        with part.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_raw():  # as they come: a break loses none of them
                file.write(chunk)
                progress(len(chunk))


def _read_validator(response: httpx.Response) -> str:
    """What tells one version of a file from another: the ETag if it is a strong one, or the date."""
    mark = response.headers.get("ETag", "")
    return response.headers.get("Last-Modified", "") if mark.startswith("W/") or not mark else mark


def _repeat(
    url: str, patience: Patience, terms: Terms, call: Callable[[httpx.Client], Any], measure: Callable[[], int]
) -> Any:
    """What a call returns, made again after a fault that passes; the count starts anew whenever more has come."""
    attempt = 1
    with httpx.Client(follow_redirects=True, timeout=60.0, headers={**terms.headers, **_HEADERS}) as client:
        while True:
            before = measure()
            with _explain_protocol(url):
                try:
                    return call(client)
                except httpx.HTTPError as error:
                    attempt = 1 if measure() > before else attempt
                    pause = patience.pause(error, attempt)
                    if pause is None:
                        raise terms.explain(url, error) from error
            time.sleep(pause)
            attempt += 1


@contextmanager
def _explain_protocol(url: str) -> Iterator[None]:
    """One sentence for addresses that are none; a redirect may lead to such."""
    try:
        yield
    except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
        raise UserError(f"{url} leads to no file: {error}") from error


def _explain(url: str, error: httpx.HTTPError) -> UserError:
    host = urlsplit(url).netloc
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        if status in (404, 410):
            return UserError(f"{url} is not there any more ({status})")
        if status >= 500 or status in (408, 425, 429):
            return BuildFailed(f"{host} has trouble ({status}); run the same command again later, it goes on from here")
        return UserError(f"{host} does not give {url} ({status})")
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    if "CERTIFICATE" in reason.upper():
        return UserError(f"{host} has no valid certificate, and nothing is fetched from it: {reason}")
    return BuildFailed(
        f"{host} cannot be reached ({reason}); run the same command again when the network is back, it goes on from "
        "here"
    )


def _read_length(response: httpx.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None
