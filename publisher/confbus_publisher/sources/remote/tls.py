"""What a source trusts and shows when it connects with TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tls:
    """`ca` is trusted in place of the system's authorities; `certificate` is shown, with its `key` or one inside it."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What a connection needs, from the files as they are now. Raises `Unfit`, naming the file."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ValueError) as failure:
            raise Unfit(f"the authorities in {self.ca} are of no use: {_reason(failure)}", "Mend `ca:`.") from None
        if self.certificate is not None:
            try:
                # An encrypted key would make OpenSSL ask on the terminal.
                context.load_cert_chain(self.certificate, self.key, password="")
            except (OSError, ValueError) as failure:
                reason = f"the certificate in {self.certificate} is of no use: {_reason(failure)}"
                advice = "Its key must be in the same file or in `certificate_key:`, and not be encrypted."
                raise Unfit(reason, advice) from None
        return context


SYSTEM_TLS = Tls()
"""The system's authorities, and no certificate of our own."""


def _reason(failure: OSError | ValueError) -> str:
    if isinstance(failure, ssl.SSLError):
        return (failure.reason or "it is no PEM").lower().replace("_", " ")
    return getattr(failure, "strerror", None) or "it is no PEM"
