"""confbus as a provider of OpenFeature: its flags are the values of one section, and a release is an event.

Booleans are flags as in `confbus.flags`, rolled out by the targeting key. Texts, numbers, lists and mappings are
themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from confbus.errors import ConfBusError, InvalidPath
from confbus.flags import fault, is_flag, is_on
from confbus.wire.frozen import is_list, is_mapping
from confbus.wire.path import parse, render

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable

    from openfeature.evaluation_context import EvaluationContext

    from confbus.changes import Subscription
    from confbus.subscriber import Subscriber
    from confbus.wire.diff import Change

_ABSENT = object()
_WRONG = object()


class ConfbusProvider(AbstractProvider):
    """For `api.set_provider`. Reads `section` of a subscriber that stays yours: it is not closed with the provider.

    A key is a path below the section. A null is no flag. After each release that changed something there, the event
    PROVIDER_CONFIGURATION_CHANGED names what changed, from the outermost key inwards.
    """

    def __init__(self, config: Subscriber, section: str = "features") -> None:
        super().__init__()
        self._config = config
        self._section = section
        self._depth = len(parse(section))
        self._subscription: weakref.ref[Subscription] | None = None

    def get_metadata(self) -> Metadata:
        return Metadata("confbus")

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 — OpenFeature's signature
        """Raises `ConnectFailed` where the subscriber has no release yet."""
        _ = self._config.snapshot
        self._subscription = self._config.subscribe(self._announce, self._section)

    def shutdown(self) -> None:
        if self._subscription is not None:
            self._config.unsubscribe(self._subscription)
            self._subscription = None

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 — OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        user = evaluation_context.targeting_key if evaluation_context else None
        return self._resolve(flag_key, default_value, lambda flag: _decided(flag_key, flag, user))

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, default_value, lambda flag: _static(flag if isinstance(flag, str) else _WRONG))

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[int]:
        return self._resolve(flag_key, default_value, lambda flag: _static(_integer(flag)))

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[float]:
        return self._resolve(
            flag_key, default_value, lambda flag: _static(float(flag) if type(flag) in (int, float) else _WRONG)
        )

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Any,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[Any]:
        return self._resolve(
            flag_key, default_value, lambda flag: _static(flag if is_mapping(flag) or is_list(flag) else _WRONG)
        )

    def _resolve(
        self, key: str, default: Any, decide: Callable[[Any], FlagResolutionDetails[Any]]
    ) -> FlagResolutionDetails[Any]:
        try:
            flag = self._config.get(f"{self._section}.{key}", None)
        except InvalidPath:
            flag = None
        except ConfBusError as error:
            return _error(default, ErrorCode.PROVIDER_NOT_READY, str(error))
        if flag is None:
            return _error(default, ErrorCode.FLAG_NOT_FOUND, f"There is no flag {key!r} in {self._section!r}.")
        details = decide(flag)
        if details.error_code is not None:
            return _error(default, details.error_code, f"The flag {key!r} {details.error_message}.")
        return details

    def _announce(self, changes: list[Change]) -> None:
        paths = (change.parts[self._depth :] for change in changes)
        keys = {render(path[:length]): None for path in paths for length in range(1, len(path) + 1)}
        self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=list(keys)))


def _decided(key: str, flag: Any, user: str | None) -> FlagResolutionDetails[Any]:
    """What `confbus.flags` answers, and why."""
    if isinstance(flag, bool):
        return FlagResolutionDetails(flag, reason=Reason.STATIC, variant=_variant(flag))
    if not is_flag(flag):
        return _static(_WRONG)
    wrong = fault(flag)
    if wrong:
        return _error(None, ErrorCode.PARSE_ERROR, f"cannot be understood: {wrong}")
    value = is_on(key, flag, user)
    if not flag.get("enabled", False):
        reason = Reason.DISABLED
    elif flag.get("rollout_percentage", 100) >= 100:
        reason = Reason.STATIC
    else:
        reason = Reason.SPLIT if user else Reason.DEFAULT
    return FlagResolutionDetails(value, reason=reason, variant=_variant(value))


def _variant(value: bool) -> str:  # noqa: FBT001 — its one argument is what it is about
    return "on" if value else "off"


def _static(value: Any) -> FlagResolutionDetails[Any]:
    if value is _WRONG:
        return _error(None, ErrorCode.TYPE_MISMATCH, "is of another type")
    return FlagResolutionDetails(value, reason=Reason.STATIC)


def _integer(flag: Any) -> Any:
    """A whole number, however it is written; half of one is never made whole."""
    if type(flag) is float and flag.is_integer():
        return int(flag)
    return flag if type(flag) is int else _WRONG


def _error(value: Any, code: ErrorCode, message: str) -> FlagResolutionDetails[Any]:
    return FlagResolutionDetails(value, error_code=code, error_message=message, reason=Reason.ERROR)
