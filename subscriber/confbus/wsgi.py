"""For WSGI applications: requests that work with one version of the configuration until their last byte is out, and an
application for health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.errors import ConnectFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from confbus.health_route import Found
    from confbus.pins import Pin
    from confbus.subscriber import Subscriber

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PinMiddleware:
    """`app`, each of whose requests pins `config`, also while its answer is made piece by piece, and in its `close`.

    `config` is a subscriber, or finds the one of an environ, or None. Between the pieces of an answer its thread reads
    the newest version: a server may have other work for it. A list, a tuple, and the server's own file wrapper go out
    as they are. While there is no release yet, nothing is pinned, and reads tell why.
    """

    def __init__(self, app: Application, config: Subscriber | Callable[[dict[str, Any]], Subscriber | None]) -> None:
        self._app = app
        self._config = config

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        pin = self._pin(environ)
        if pin is None:
            return self._app(environ, start_response)
        files = _Files(environ)
        with pin:
            answer = self._app(environ, start_response)
            if isinstance(answer, list | tuple) or files.has_made(answer):
                return answer
            return PinnedAnswer(answer, pin.again())

    def _pin(self, environ: dict[str, Any]) -> Pin | None:
        config: Any = self._config
        found: Subscriber | None = config if hasattr(config, "pin") else config(environ)
        try:
            return None if found is None else found.pin()
        except ConnectFailed:
            return None


class HealthApp:
    """As `confbus.asgi.HealthApp`; `config` may be a function of the environ."""

    def __init__(
        self, config: Subscriber | Callable[[dict[str, Any]], Found], *, max_age_s: float | None = None
    ) -> None:
        self._config = config
        self._max_age_s = max_age_s

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        from confbus.health_route import answer

        status, headers, body = answer(environ["REQUEST_METHOD"], self._config, environ, self._max_age_s)
        start_response(f"{int(status)} {status.phrase}", list(headers.items()))
        return [body]


class PinnedAnswer:
    """The pieces of `answer`, each made with `pin` in force. The server's `close` ends it."""

    def __init__(self, answer: Iterable[bytes], pin: Pin) -> None:
        self._answer = answer
        self._pin = pin
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> PinnedAnswer:
        return self

    def __next__(self) -> bytes:
        self._pin.resume()
        try:
            if self._pieces is None:
                self._pieces = iter(self._answer)
            return next(self._pieces)
        finally:
            self._pin.pause()

    def close(self) -> None:
        self._pin.resume()
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            self._pin.__exit__()


class _Files:
    """Tells what the file wrapper of a server made. It is a class, which some servers ask for later, or a function."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._wrapper = environ.get("wsgi.file_wrapper")
        self._made: object = None
        if self._wrapper is not None and not isinstance(self._wrapper, type):
            environ["wsgi.file_wrapper"] = self._wrap

    def has_made(self, answer: object) -> bool:
        if isinstance(self._wrapper, type):
            return isinstance(answer, self._wrapper)
        return answer is self._made

    def _wrap(self, *file: Any) -> Any:
        self._made = self._wrapper(*file)  # type: ignore[misc]  # there is one, else this would not be called
        return self._made
