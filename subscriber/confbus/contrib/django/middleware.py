"""One version for a whole request."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from asgiref.sync import markcoroutinefunction

from confbus.contrib.django.lazy import config

if TYPE_CHECKING:
    from collections.abc import Callable


class PinMiddleware:
    """Everything that a request reads of `config` is of the release that it began with.

    What a streaming response reads while it is sent is not: hold `config.snapshot` there.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self._is_async:
            return self._later(request)
        with config.pin():
            return self._get_response(request)

    async def _later(self, request: Any) -> Any:
        with config.pin():
            return await self._get_response(request)
