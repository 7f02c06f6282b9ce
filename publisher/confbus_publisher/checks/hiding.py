"""What code of somebody else says of a document, without the secrets in it: exceptions like to quote values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.checks.candidate import scalars
from confbus_publisher.secret_names import is_secret
from confbus_publisher.secret_patterns import HIDDEN, masked

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def without_secrets(text: str, document: Mapping[Any, Any], *, sealed: Collection[str] = ()) -> str:
    """`text` with *** for every value of `document` that is named like a secret or lies below one of the keys `sealed`,
    and for whatever looks like one."""
    secrets = [
        str(value)
        for path, value in scalars(document)
        if _could_tell(value) and (path[0] in sealed or (is_secret(path) and isinstance(value, str)))
    ]
    for secret in sorted(secrets, key=len, reverse=True):  # One may be the beginning of another.
        text = text.replace(secret, HIDDEN)
    return masked(text)


def _could_tell(value: Any) -> bool:
    """Whether somebody who meets it in a text learns anything; of small numbers and words there are many."""
    return len(str(value)) > 3 if isinstance(value, int | float) else isinstance(value, str) and bool(value)
