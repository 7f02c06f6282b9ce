"""Where releases are written and kept. Only this package changes configuration in Redis.

`Ledger` has the operations; `RedisStore` and `MemoryStore` keep the same promises to it.
"""

from confbus_publisher.ledger.draft import State, Why, state_of
from confbus_publisher.ledger.ledger import Ledger
from confbus_publisher.ledger.store import Amendment, Holds, LogEntry, Overrides, Store

__all__ = ["Amendment", "Holds", "Ledger", "LogEntry", "Overrides", "State", "Store", "Why", "state_of"]
