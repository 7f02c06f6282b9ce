"""A WSGI request works with one version of the configuration, however its answer is made."""

from __future__ import annotations

import contextvars
import io
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from confbus import Subscriber
from confbus.wsgi import PinMiddleware
from support.resting import offer, resting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def environ() -> dict[str, Any]:
    variables: dict[str, Any] = {"QUERY_STRING": ""}
    setup_testing_defaults(variables)
    return variables


def ask(app: Callable[..., Iterable[bytes]], variables: dict[str, Any] | None = None) -> Iterable[bytes]:
    """What a server would get, before it asks for the first piece."""
    return app(variables or environ(), start)


def start(_status: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
    return io.BytesIO().write


def wrapped(file: Any) -> FileWrapper:
    return FileWrapper(file)


def text(config: Subscriber) -> bytes:
    return b"%d" % config["number"]


def test_an_answer_in_pieces_is_of_one_version_while_its_thread_follows_between_them() -> None:
    config = resting({"number": 1})

    def app(_environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            yield text(config)
            yield text(config)
        finally:
            said.append(config["number"])

    said: list[int] = []
    answer = ask(validator(PinMiddleware(validator(app), config)))
    pieces = iter(answer)
    first = next(pieces)
    offer(config, {"number": 2})

    assert config["number"] == 2
    assert [first, *pieces] == [b"1", b"1"]
    answer.close()  # type: ignore[attr-defined]
    assert said == [1]
    assert type(config) is Subscriber


def test_two_requests_that_overlap_a_release_have_each_their_own_version() -> None:
    config = resting({"number": 1})

    def app(_environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield text(config)
        yield text(config)

    middleware = PinMiddleware(app, config)
    one = ask(middleware)
    offer(config, {"number": 2})
    other = ask(middleware)

    assert [piece for pair in zip(one, other, strict=True) for piece in pair] == [b"1", b"2", b"1", b"2"]


def test_an_answer_may_be_sent_by_another_thread() -> None:
    config = resting({"number": 1})
    answer = ask(PinMiddleware(lambda _environ, _start: (text(config) for _ in range(2)), config))
    offer(config, {"number": 2})

    assert contextvars.Context().run(list, answer) == [b"1", b"1"]


def test_a_list_goes_out_as_it_is() -> None:
    config = resting({"number": 1})
    answer = [b"whole"]

    assert ask(PinMiddleware(lambda _environ, _start: answer, config)) is answer
    assert type(config) is Subscriber


@pytest.mark.parametrize("wrapper", [FileWrapper, wrapped], ids=["class", "function"])
def test_a_file_goes_out_as_the_server_wrapped_it(wrapper: Any) -> None:
    config = resting({"number": 1})
    variables = environ() | {"wsgi.file_wrapper": wrapper}

    def app(environ: dict[str, Any], _start_response: Any) -> Any:
        return environ["wsgi.file_wrapper"](io.BytesIO(b"much"))

    assert type(ask(PinMiddleware(app, config), variables)) is FileWrapper
    assert type(config) is Subscriber


def test_what_an_application_raises_ends_the_pin() -> None:
    config = resting({"number": 1})

    def fails(_environ: dict[str, Any], _start_response: Any) -> Any:
        raise ZeroDivisionError

    def fails_late(_environ: dict[str, Any], _start_response: Any) -> Iterator[bytes]:
        yield b"begin"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(PinMiddleware(fails, config))
    answer = ask(PinMiddleware(fails_late, config))
    with pytest.raises(ZeroDivisionError):
        list(answer)
    answer.close()  # type: ignore[attr-defined]

    assert type(config) is Subscriber


def test_before_the_first_release_requests_are_served_without_a_pin() -> None:
    config = Subscriber("redis://127.0.0.1:1", namespace="none")

    assert ask(PinMiddleware(lambda _environ, _start: [b"up"], config)) == [b"up"]


def test_the_configuration_may_be_found_by_the_request() -> None:
    config = resting({"number": 1})
    middleware = PinMiddleware(lambda _environ, _start: (text(config) for _ in range(1)), lambda found: found["ours"])

    answer = ask(middleware, environ() | {"ours": config})
    offer(config, {"number": 2})

    assert list(answer) == [b"1"]
    assert list(ask(middleware, environ() | {"ours": None})) == [b"2"]
