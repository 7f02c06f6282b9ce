"""docker-compose.yml at work, its services run by hand."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from redis import AuthenticationError, Redis
from redis import ConnectionError as UnreachableServer
from redis.exceptions import NoPermissionError

from support.compose import Stack, free_port
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def ask(port: int, page: str = "/") -> Any:
    """The JSON of the page, or None while nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{page}", timeout=10) as answer:
            return json.load(answer)
    except HTTPError as refusal:
        with refusal:
            return json.load(refusal)
    except (URLError, ConnectionError):
        return None


@pytest.mark.slow
def test_the_services_of_compose_serve_an_edit_survive_their_publisher_and_their_server(tmp_path: Path) -> None:
    publishers = {name: free_port() for name in ("publisher-a", "publisher-b")}
    workers = {f"worker-{number}": free_port() for number in (1, 2, 3)}
    with Stack(tmp_path) as stack:
        stack.finish("access")
        stack.start("valkey")
        for name, port in publishers.items():
            stack.start(name, port=port)
        for name, port in workers.items():
            stack.start("worker", name=name, port=port)
        seen = [eventually(partial(ask, port), describe=lambda: told(stack)) for port in workers.values()]
        assert [(each["version"], each["database"]) for each in seen] == [(1, "postgres")] * 3
        statuses = {name: eventually(partial(ask, port, "/status")) for name, port in publishers.items()}
        (active,) = (name for name, status in statuses.items() if status["is_active"])

        edit(stack, "new_cart: {enabled: true", "new_cart: {enabled: false")
        eventually(lambda: carts(workers.values(), "enabled") == [False] * 3)
        assert stack.stop(active) == 0
        edit(stack, "rollout_percentage: 50", "rollout_percentage: 90")
        eventually(lambda: carts(workers.values(), "rollout_percentage") == [90] * 3)
        stack.stop("valkey")

        answers = [ask(port, "/healthz") for port in workers.values()]
        assert [answer["status"] for answer in answers] == ["healthy"] * 3, answers
        assert "confbus_subscriber_version" in metrics(workers["worker-1"])


@pytest.mark.slow
def test_a_worker_of_compose_may_not_write_and_nobody_enters_without_a_password(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.finish("access")
        stack.start("valkey")
        password = stack.path("worker", "/access/password").read_text()
        worker = Redis.from_url(stack.server_url, username="checkout-subscriber", password=password)
        stranger = Redis.from_url(stack.server_url)
        eventually(lambda: can_connect(worker))

        with pytest.raises(NoPermissionError):
            worker.hset("confbus:{checkout}:head", "version", "9")
        with pytest.raises(AuthenticationError):
            stranger.ping()
        worker.close()
        stranger.close()


def test_the_passwords_of_a_first_start_stay(tmp_path: Path) -> None:
    stack = Stack(tmp_path)

    stack.finish("access")
    first = stack.path("worker", "/access/password").read_text()
    users = stack.path("valkey", "/access/users.acl").read_text()
    stack.finish("access")

    assert len(first) == 64
    assert stack.path("worker", "/access/password").read_text() == first
    assert stack.path("valkey", "/access/users.acl").read_text() == users
    assert first not in users


def carts(ports: Iterable[int], key: str) -> list[Any]:
    return [ask(port)["features"]["new_cart"][key] for port in ports]


def edit(stack: Stack, old: str, new: str) -> None:
    file = stack.path("publisher-a", "/etc/app/config") / "app.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def metrics(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics/", timeout=10) as answer:
        return str(answer.read(), "utf-8")


def can_connect(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except UnreachableServer:
        return False


def told(stack: Stack) -> str:
    return "\n".join(f"{name}: {stack.said(name)}" for name in ("valkey", "publisher-a", "publisher-b", "worker-1"))
