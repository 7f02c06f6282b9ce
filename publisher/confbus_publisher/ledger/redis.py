"""The store in Redis or Valkey: plain reads, and one script for each write that must be atomic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from redis.exceptions import AuthenticationError, InvalidResponse, RedisError, ResponseError, WatchError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from confbus.client import notice_word
from confbus.errors import Malformed, OutcomeUnknown, Refused, Unreachable
from confbus.link import reason_of
from confbus.names import printable
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus_publisher.guard import guard as guards
from confbus_publisher.ledger.answer import judge_commit, judge_install, refusal, refused
from confbus_publisher.ledger.call import flat, install_call, leave_call, publish_call
from confbus_publisher.ledger.scripts import script
from confbus_publisher.ledger.store import Amendment, Commit, Holds, LogEntry, Overrides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from redis import Redis

    from confbus.wire.head import Head
    from confbus.wire.keys import Keys
    from confbus.wire.release import Release
    from confbus_publisher.guard.guard import Guard
    from confbus_publisher.ledger.image import Image

T = TypeVar("T")
_TRANSIENT = (RedisConnectionError, RedisTimeoutError, InvalidResponse, WatchError)
"""No answer, or one that is no Redis's, such as a proxy's page of HTTP; the last is a transaction without an answer."""


class RedisStore:
    """Releases in Redis. `client` must not retry by itself and must not decode; the store closes it.

    Reads are tried again for up to `patience_s`, and so are commits: their change id makes that harmless.
    """

    def __init__(self, client: Redis, keys: Keys, *, where: str, patience_s: float = 10.0) -> None:
        self._client: Any = client
        self.keys = keys
        self._where = where
        self._patience_s = patience_s
        self._notice_word = notice_word(client)

    @property
    def where(self) -> str:
        return self._where

    def head(self) -> Head | None:
        fields = self._read(lambda: self._client.hgetall(self.keys.head))
        return heads.parse(_texts(fields)) if fields else None

    def releases(self, versions: Sequence[int]) -> list[Release]:
        def read() -> Any:
            pipeline = self._client.pipeline(transaction=False)
            for version in versions:
                pipeline.hgetall(self.keys.release(version))
            replies = pipeline.execute(raise_on_error=False)
            for reply in replies:
                # Something else in a release's place is no release; whatever else went wrong, it may still be there.
                if isinstance(reply, RedisError) and "WRONGTYPE" not in str(reply):
                    raise reply
            return replies

        found = map(_release, versions, self._read(read) if versions else ())
        return [release for release in found if release]

    def blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        wanted = list(digests)
        if not wanted:
            return {}
        values = self._read(lambda: self._client.hmget(self.keys.blobs, wanted))
        return {name: value for name, value in zip(wanted, values, strict=True) if value is not None}

    def blob_names(self) -> set[str]:
        names = self._read(lambda: self._client.hkeys(self.keys.blobs))
        return {name.decode("utf-8", "surrogateescape") for name in names}  # a stranger's may be no text

    def commit(self, commit: Commit) -> str:
        keys, args = publish_call(self.keys, commit, self._notice_word)
        try:
            reply = self._persist(lambda: script("publish").call(self._client, keys, args))
        except _TRANSIENT as error:
            raise OutcomeUnknown("the change", commit.head.change, type(error).__name__) from error
        except RedisError as error:
            raise refusal(error) from error
        return judge_commit(reply, commit)

    def leave(self, blobs: Mapping[str, bytes], releases: Sequence[Release] = ()) -> None:
        keys, args = leave_call(self.keys, blobs, releases)
        judge_install(*self._amend("leave", keys, args, ("what was left without", "a head")))

    def install(self, image: Image, *, tail: str) -> None:
        keys, args = install_call(self.keys, image, self._notice_word, tail=tail)
        judge_install(*self._amend("install", keys, args, ("the import of", image.head.change)))

    def quarantine(self) -> dict[str, str]:
        return _texts(self._read(lambda: self._client.hgetall(self.keys.quarantine)))

    def overrides(self) -> Overrides:
        return Overrides(*self._beside(self.keys.overrides))

    def holds(self) -> Holds:
        return Holds(*self._beside(self.keys.holds))

    def approvals(self) -> dict[str, str]:
        return _texts(self._read(lambda: self._client.hgetall(self.keys.approvals)))

    def amend(self, amendment: Amendment) -> bool:
        places = {"overrides": self.keys.overrides, "approvals": self.keys.approvals, "holds": self.keys.holds}
        keys = [places[amendment.kind], self.keys.log, self.keys.notices]
        texts = [amendment.field, amendment.text or "", amendment.expected or ""]
        args: list[str | bytes | int] = [self._notice_word, *texts, *flat(amendment.entry)]
        return self._amend("amend", keys, args, ("the amendment of", amendment.field))[0] == "amended"

    def guard(self) -> Guard | None:
        return guards.parse(_texts(self._read(lambda: self._client.hgetall(self.keys.guard))))

    def end_guard(self, guard: Guard, entry: Mapping[str, str]) -> bool:
        keys = [self.keys.guard, self.keys.log]
        args: list[str | bytes | int] = [guard.change, *flat(entry)]
        return self._amend("unguard", keys, args, ("the end of the guard of version", str(guard.version)))[0] == "ended"

    def log(self, count: int, *, after: str = "", before: str = "") -> list[LogEntry]:
        first, last = f"({after}" if after else "-", f"({before}" if before else "+"
        entries = self._read(lambda: self._client.xrevrange(self.keys.log, last, first, count))
        return [LogEntry(entry_id.decode(), _texts(fields)) for entry_id, fields in entries]

    def note(self, entry: Mapping[str, str]) -> None:
        self._read(lambda: self._client.xadd(self.keys.log, dict(entry), maxlen=10000, approximate=True))

    def fleet(self) -> dict[str, bytes]:
        fields = self._read(lambda: self._client.hgetall(self.keys.fleet))
        return {name.decode("utf-8", "replace"): value for name, value in fields.items()}

    def report(self, instance: str, report: bytes) -> None:
        self._read(lambda: self._client.hset(self.keys.fleet, instance, report))

    def forget(self, instances: Iterable[str]) -> None:
        names = list(instances)
        if names:
            self._read(lambda: self._client.hdel(self.keys.fleet, *names))

    def listeners(self) -> int:
        try:
            is_sharded = self._notice_word == "SPUBLISH"
            count = self._client.pubsub_shardnumsub if is_sharded else self._client.pubsub_numsub
            return int(self._read(lambda: count(self.keys.notices))[0][1])
        except Refused:
            return 0

    def time_ms(self) -> int:
        seconds, micros = self._read(self._client.time)
        return _ms(seconds, micros)

    def age_s(self) -> float:
        try:
            return float(self._read(lambda: self._client.info("server"))["uptime_in_seconds"])
        except (Refused, KeyError):
            return float("inf")

    def lease(self) -> str:
        return printable((self._read(lambda: self._client.get(self.keys.lease)) or b"").decode("utf-8", "replace"))

    def lease_ends_in_s(self) -> float:
        left_ms: int = self._read(lambda: self._client.pttl(self.keys.lease))
        return max(0, left_ms) / 1000

    def take_lease(self, holder: str, ttl_ms: int) -> str:
        return printable(self._read(lambda: script("lease").call(self._client, [self.keys.lease], [holder, ttl_ms]))[1])

    def drop_lease(self, holder: str) -> None:
        self._read(lambda: script("unlease").call(self._client, [self.keys.lease], [holder]))

    def close(self) -> None:
        self._client.close()

    def _beside(self, key: str) -> tuple[dict[str, str], str, int]:
        """What people put there, the head's change and the time, all of one moment."""

        def read() -> Any:
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hgetall(key).hget(self.keys.head, "change").time()
            return pipeline.execute()

        fields, change, (seconds, micros) = self._read(read)
        return _texts(fields), (change or b"").decode("utf-8", "replace"), _ms(seconds, micros)

    def _amend(
        self, name: str, keys: list[str], args: list[str | bytes | int], what: tuple[str, str]
    ) -> tuple[str, ...]:
        """The word that the script answers with, and its values; its refusals are raised."""
        try:
            word, *values = self._persist(lambda: script(name).call(self._client, keys, args))
        except _TRANSIENT as error:
            raise OutcomeUnknown(*what, type(error).__name__, told_by="confbus status") from error
        except RedisError as error:
            raise refusal(error) from error
        if word in {"type", "denied"}:
            raise refused(word, values)
        return (word, *values)

    def _read(self, call: Callable[[], T]) -> T:
        try:
            return self._persist(call)
        except _TRANSIENT as error:
            raise Unreachable(self._where, reason_of(error)) from error
        except ResponseError as error:
            raise refusal(error) from error

    def _persist(self, call: Callable[[], T]) -> T:
        try:
            return call()  # the common case does not pay for the machinery below
        except _TRANSIENT as error:
            if self._patience_s <= 0 or isinstance(error, AuthenticationError):  # which waiting seldom mends
                raise
        retrying = Retrying(
            retry=retry_if_exception_type(_TRANSIENT),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            stop=stop_after_delay(self._patience_s),
            reraise=True,
        )
        return retrying(call)


def _release(version: int, fields: Any) -> Release | None:
    """The release in `fields`; None when there is none, or not the one that the key names."""
    if not isinstance(fields, dict) or not fields:
        return None
    try:
        release = releases.parse(_texts(cast("dict[bytes, bytes]", fields)))
    except Malformed:
        return None
    return release if release.version == version else None


def _ms(seconds: Any, micros: Any) -> int:
    return int(seconds) * 1000 + int(micros) // 1000


def _texts(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in fields.items()}
