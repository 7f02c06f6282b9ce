"""How long a publisher that just began holds back from a server that lost data, so that whoever knows more can say so.

What one instance alone has seen was published all the same. A publisher that saw the head before the loss need not
wait: it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confbus_publisher.ledger import Store


@dataclass(slots=True)
class Patience:
    """One publisher's patience, from its first look at a loss on.

    It has an end: after `report_s` for instances that listen and have not reported, and when the server has been up
    for `return_s`, in which instances that lost their connections find it again.
    """

    report_s: float
    return_s: float
    _report_until: float | None = None
    _return_until: float = 0.0

    def waits_for(self, store: Store, reported: int, *, now_s: float) -> str:
        """Whom it waits for, of those who may know more than `reported` instances said; empty: for nobody.

        Raises `Unreachable`.
        """
        if self._report_until is None:
            self._report_until = now_s + self.report_s
            self._return_until = now_s + self.return_s - store.age_s()
        if now_s < self._return_until:
            return "the server began a moment ago, instances get the time to find it"
        if now_s < self._report_until and store.listeners() > reported:
            return "instances listen but have not reported yet"
        return ""
