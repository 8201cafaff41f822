"""How patiently the Hub is asked, and how it is told."""

import email.utils
import time
from types import SimpleNamespace
from typing import Any

import pytest
from stand_in_hub import StandInHub

from distortlab.core.errors import BuildFailed, UserError
from distortlab.storage.hub_client import Patience, connect


class Answered(OSError):
    """An error with an answer, as the client raises it."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(f"{status} Error")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = SimpleNamespace(status_code=status, headers=named)


def in_seconds(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


PAUSES: dict[str, tuple[BaseException, int, Any]] = {
    "the first": (Answered(503), 1, 1.0),
    "each is longer": (Answered(503), 4, 8.0),
    "the last try": (Answered(503), 6, None),
    "as asked": (Answered(429, Retry_After="7"), 1, 7.0),
    "in the past": (Answered(503, Retry_After=in_seconds(-30)), 1, 0.0),
    "the window of the Hub": (Answered(429, RateLimit='"api";r=0;t=55'), 1, 55.0),
    "too long": (Answered(429, Retry_After="4000"), 1, None),
    "not to be read": (Answered(503, Retry_After="soon"), 2, 2.0),
    "the connection": (ConnectionResetError("gone"), 1, 1.0),
    "the clock": (TimeoutError("late"), 3, 4.0),
    "refused": (Answered(403), 1, None),
    "not there": (Answered(404), 1, None),
    "somebody was first": (Answered(412), 1, None),
    "the disk": (OSError("no space left"), 1, None),
}


@pytest.mark.parametrize("case", PAUSES)
def test_pauses(case: str) -> None:
    error, attempt, expected = PAUSES[case]
    assert Patience().pause(error, attempt) == expected


def test_a_date_to_wait_for() -> None:
    pause = Patience().pause(Answered(429, Retry_After=in_seconds(300)), 1)
    assert pause is not None
    assert 290 < pause < 301


def test_an_error_inside_of_others_is_found() -> None:
    def upload() -> None:
        try:
            raise Answered(503)
        except OSError as inner:
            raise RuntimeError("Error while uploading") from inner

    with pytest.raises(RuntimeError) as outer:
        upload()
    assert Patience().pause(outer.value, 1) == 1.0


def test_the_token_is_in_no_sentence(hub: StandInHub) -> None:
    asked = connect("user/name")
    for error in (Answered(500), Answered(400), ValueError("bad hf_writer"), ConnectionError("no hf_writer")):
        error.args = (f"said hf_writer {error}",)
        said = asked.explain(error, "write")
        assert isinstance(said, UserError)
        assert "hf_writer" not in str(said)
        assert "\n" not in str(said)


def test_a_fault_of_the_code_is_not_dressed_up(hub: StandInHub) -> None:
    with pytest.raises(ZeroDivisionError):
        connect("user/name").ask(lambda: 1 // 0)


def test_tries_are_counted(hub: StandInHub) -> None:
    calls: list[int] = []

    def failing() -> None:
        calls.append(1)
        raise Answered(503)

    with pytest.raises(BuildFailed, match="4 tries"):
        connect("user/name", patience=Patience(tries=4, first_s=0.001)).ask(failing)
    assert len(calls) == 4
