"""Talking to the Hugging Face Hub: who asks, how patiently, and one sentence for whatever it answers.

A passing fault (429, 5xx, a broken connection) is waited out a few times, as long as the Hub asks (`Retry-After`). All
else, and a fault that does not pass, becomes a `UserError`. No sentence ever holds the token.
"""

import contextlib
import email.utils
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from distortlab.core.errors import BuildFailed, UserError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["BranchMoved", "Hub", "Patience", "connect", "quiet_client"]

T = TypeVar("T")
PASSING = (408, 425, 429, 500, 502, 503, 504)
_CAUGHT = (OSError, ValueError, RuntimeError)
"""What the client raises for an answer that it does not like, beside the errors of its transport."""


class BranchMoved(UserError):
    """The branch is not where it was when the commit was prepared (412)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How patiently the Hub is asked.

    Attributes
    ----------
    tries
        How often a request is made at most.
    first_s
        The first pause in seconds; each later one is twice as long, unless the Hub names another.
    longest_s
        The longest pause in seconds.
    """

    tries: int = 6
    first_s: float = 1.0
    longest_s: float = 320.0

    def pause(self, error: BaseException, attempt: int) -> float | None:
        """Seconds to wait before the next try, or None where there must be none. `attempt` counts from 1."""
        status, headers = _answer(error)
        passing = status in PASSING if status else _is_transport(error)
        if not passing or attempt >= self.tries:
            return None
        wanted = _read_retry_after(headers)
        pause = self.first_s * 2 ** (attempt - 1) if wanted is None else wanted
        return pause if pause <= self.longest_s else None


@dataclass(frozen=True, slots=True)
class Hub:
    """The Hub, asked for one repository. `what` names it in sentences: `the data set user/name`."""

    api: "HfApi"
    repo: str
    patience: Patience = field(default_factory=Patience)

    def ask(self, call: Callable[..., T], *arguments: object, doing: str = "read", **named: object) -> T:
        """Return what `call(*arguments, **named)` does, made again after a fault that passes.

        Parameters
        ----------
        call
            A method of `api`.
        *arguments, **named
            For `call`.
        doing
            "read" or "write", for the sentence of an error.

        Raises
        ------
        UserError
            For a fault that does not pass; `BranchMoved` where a branch has moved.
        BuildFailed
            For a Hub that does not answer.
        """
        attempt = 1
        while True:
            try:
                return call(*arguments, **named)
            except Exception as error:
                if isinstance(error, UserError) or not (isinstance(error, _CAUGHT) or _is_transport(error)):
                    raise
                pause = self.patience.pause(error, attempt)
                if pause is None:
                    raise self.explain(error, doing) from error
            time.sleep(pause)
            attempt += 1

    def explain(self, error: BaseException, doing: str) -> UserError:
        """Return the error for the user that stands for an error of the client. `doing`: read or write."""
        status, _ = _answer(error)
        name = type(error).__name__
        if name in ("OfflineModeIsEnabled", "LocalTokenNotFoundError"):
            return UserError(
                "the Hub is switched off here: HF_HUB_OFFLINE is set"
                if name.startswith("Off")
                else "no token: run `hf auth login`, or set HF_TOKEN"
            )
        if status == 412:
            return BranchMoved(f"{self.repo} was changed by somebody else in the meantime")
        if status is not None:
            return self._refusal(status, name, error, doing)
        if _is_transport(error):
            return BuildFailed(
                f"the Hub at {self.api.endpoint} cannot be reached ({self._plain(error)}); run the same command "
                "again when the network is back"
            )
        return UserError(f"{self.repo}: {self._plain(error)}")

    def _refusal(self, status: int, name: str, error: BaseException, doing: str) -> UserError:
        reason = self._plain(error)
        if name == "GatedRepoError":
            return UserError(f"{self.repo} is gated: ask for access at {self.url}, then try again")
        if name == "RevisionNotFoundError":
            return UserError(f"{self.repo} has no such revision ({reason})")
        if status == 401 and self.api.token and doing == "write":
            return UserError(
                "the Hub does not accept the token (mistyped, expired or revoked): run `hf auth login`, or set HF_TOKEN"
            )
        if status == 401 or name == "RepositoryNotFoundError":
            if not self.api.token and doing == "write":
                return UserError("no token: run `hf auth login`, or set HF_TOKEN")
            hint = (
                "this token may not see it" if self.api.token else "it is private: run `hf auth login`, or set HF_TOKEN"
            )
            return UserError(f"there is no data set {self.repo} at {self.api.endpoint}, or {hint}")
        if status == 403:
            return UserError(
                f"this token may not {doing} {self.repo}: it needs the right to {doing} there "
                f"({self.api.endpoint}/settings/tokens); the Hub says: {reason}"
            )
        if status in PASSING:
            many = "is asked too often (429)" if status == 429 else f"has trouble ({status})"
            return BuildFailed(
                f"the Hub {many} and did not recover in {self.patience.tries} tries; nothing is lost: run the same "
                "command again later"
            )
        return UserError(f"the Hub refused to {doing} {self.repo} ({status}): {reason}")

    @property
    def url(self) -> str:
        """The page of the data set."""
        return f"{self.api.endpoint}/datasets/{self.repo}"

    def _plain(self, error: BaseException) -> str:
        """What the Hub said, in one line and without the token."""
        reason = getattr(_with_response(error), "server_message", None) or str(error) or type(error).__name__
        text = " ".join(str(reason).split())
        return (text.replace(self.api.token, "***") if isinstance(self.api.token, str) else text)[:200]


def connect(repo: str, *, patience: Patience | None = None, endpoint: str | None = None) -> Hub:
    """The Hub (`HF_ENDPOINT`), with the token of this machine (`HF_TOKEN`, or that of `hf auth login`) if there is one.

    Raises `UserError` for a name that is none, and where huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import HfApi, get_token
    except ImportError:
        raise UserError("the Hub needs huggingface_hub: pip install 'refine-iqa[hub]'") from None
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo, re.ASCII) or any(bad in repo for bad in ("--", "..", "/.", "/-")):
        raise UserError(f"{repo!r} is no name of a data set; it is written user/name, with letters, digits, -, _ and .")
    return Hub(HfApi(endpoint, token=get_token() or False), repo, patience or Patience())


@contextmanager
def quiet_client() -> Iterator[None]:
    """Without the progress bars and warnings of huggingface_hub: what there is to say is said here."""
    import logging as levels

    from huggingface_hub.utils import logging
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    disabled, verbosity = are_progress_bars_disabled(), logging.get_verbosity()
    disable_progress_bars()
    logging.set_verbosity(levels.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if not disabled:
            enable_progress_bars()


# --- reading errors: huggingface_hub 1 stands on httpx, 2 on httpx2, and both wrap errors in others -------------------


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _with_response(error: BaseException) -> BaseException:
    return next((e for e in _chain(error) if getattr(e, "response", None) is not None), error)


def _answer(error: BaseException) -> tuple[int | None, Mapping[str, str]]:
    """Status and headers of the answer that an error stands for, if there was one."""
    response = getattr(_with_response(error), "response", None)
    return (None, {}) if response is None else (int(response.status_code), response.headers)


def _is_transport(error: BaseException) -> bool:
    names = {kind.__name__ for e in _chain(error) for kind in type(e).__mro__}
    return bool(names & {"TransportError", "ConnectionError", "TimeoutError"}) and "OfflineModeIsEnabled" not in names


def _read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait: `Retry-After` as a number or a date, or the Hub's `RateLimit: ...;t=55`."""
    text = headers.get("Retry-After")
    if text and text.strip().isdecimal():
        return float(text)
    if text:
        with contextlib.suppress(TypeError, ValueError):
            return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    window = re.search(r"\bt=(\d+)", headers.get("RateLimit") or "")
    return float(window[1]) if window else None
