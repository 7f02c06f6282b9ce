"""`python -m confbus health`: for the health check of a container in which only the core is installed."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from confbus.address import with_password_file
from confbus.errors import ConfBusError, InvalidSettings, Unreachable
from confbus.health import Instance, instances
from confbus.names import host_name
from confbus.publisher_health import PLACE, ask

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

DONE, FAILED, USAGE = 0, 1, 64
_LONGEST_S = 10.0
_MOST_S = 1e6
_EPILOG = """\
Done (0) when each process of this host that reports has a configuration, and there are enough of them; failed (1) when
not. While Redis is away nothing can be told, and that is no reason to restart a worker: it is done, unless told
otherwise. CONFBUS_URL, CONFBUS_PASSWORD_FILE and CONFBUS_NAMESPACE stand for --url, --password-file
and -n. With --publisher it asks one that was started with http: or --listen, at CONFBUS_LISTEN, else at
127.0.0.1:9630: done (0) while its loop turns, with --ready while it is at work; failed (1) when not, and when nobody
answers. Everything else is in the command confbus.
"""


class Arguments(argparse.ArgumentParser):
    """Leaves with the exit code of the other commands when it is called wrongly."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out what the command line says, and return the exit code."""
    given = _parsed(arguments)
    with _within(2 * given.timeout + _LONGEST_S):
        return _publisher(given) if given.publisher else _workers(given)


def _workers(given: argparse.Namespace) -> int:
    try:
        found = instances(given.url, given.namespace, given.host)
    except Unreachable as error:
        print(error, file=sys.stderr)
        return FAILED if given.require_redis else DONE
    except ConfBusError as error:
        print(error, file=sys.stderr)
        return FAILED
    complaints = {each.name: each.complaint(given.max_age) for each in found}
    print(_as_json(found, complaints) if given.output == "json" else _as_text(found, complaints), end="")
    is_up = len(found) >= given.instances and not any(complaints.values())
    if len(found) < given.instances:
        few = f"{len(found)} of {given.instances} processes report to {given.namespace} from {given.host}."
        print(f"{few} Is it the namespace of the workers?" if not found else few, file=sys.stderr)
    return DONE if is_up else FAILED


@contextmanager
def _within(longest_s: float) -> Generator[None]:
    """Take an answer that comes byte by byte, without end, for none; not where alarms mean something else."""
    is_free = threading.current_thread() is threading.main_thread() and not callable(signal.getsignal(signal.SIGALRM))
    if is_free:
        signal.signal(signal.SIGALRM, _too_late)
        signal.setitimer(signal.ITIMER_REAL, longest_s)
    try:
        yield
    finally:
        if is_free:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _too_late(_number: int, _frame: object) -> NoReturn:
    raise TimeoutError("its answer has no end")


def _publisher(given: argparse.Namespace) -> int:
    try:
        verdict = ask(given.publisher, wants_ready=given.ready, timeout_s=given.timeout)
    except ConfBusError as error:
        print(error, file=sys.stderr)
        return USAGE if isinstance(error, InvalidSettings) else FAILED
    print(json.dumps(verdict.facts) if given.output == "json" else verdict)
    return DONE if verdict.is_good else FAILED


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= _MOST_S:
        raise ValueError(text)
    return seconds


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Arguments(
        prog="python -m confbus",
        description="The health check of a host or container in which only the core is installed.",
        epilog="Everything else is in the command confbus: pip install 'confbus[publisher]', then confbus --help.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    health = commands.add_parser("health", help="whether workers of this host, or a publisher, are up", epilog=_EPILOG)
    health.add_argument("--url", default=os.environ.get("CONFBUS_URL"), help="the server, such as redis://localhost")
    file = os.environ.get("CONFBUS_PASSWORD_FILE")
    health.add_argument("--password-file", default=file, metavar="FILE", help="what has the password of the URL's user")
    health.add_argument("-n", "--namespace", default=os.environ.get("CONFBUS_NAMESPACE"), help="which configuration")
    health.add_argument("--host", default=host_name(), help="the host in the names of its instances")
    health.add_argument("--instances", type=int, default=1, metavar="N", help="how many must report (1)")
    health.add_argument("--max-age", type=_seconds, metavar="SECONDS", help="how old a report may be (three intervals)")
    health.add_argument("--require-redis", action="store_true", help="fail when Redis does not answer")
    health.add_argument("--output", choices=("text", "json"), default="text", help="for people (text), or programs")
    place = os.environ.get("CONFBUS_LISTEN") or PLACE
    health.add_argument("--publisher", nargs="?", const=place, metavar="HOST:PORT", help="ask a publisher over HTTP")
    health.add_argument("--ready", action="store_true", help="whether the publisher is at work, not only alive")
    health.add_argument("--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="how long to wait for it (5)")
    given = parser.parse_args(arguments)
    if given.publisher:
        return given
    if given.ready:
        health.error("--ready is about a --publisher")
    for name, flag in (("url", "--url"), ("namespace", "-n")):
        if not getattr(given, name):
            health.error(f"{flag} is missing, and so is CONFBUS_{name.upper()}")
    if given.password_file:
        given.url = with_password_file(given.url, given.password_file)
    return given


def _as_text(found: list[Instance], complaints: dict[str, str]) -> str:
    lines = [
        f"{each.name} {each.role} {_version(each)}{each.state}, "
        f"heard {each.heard_s:g} s ago{': ' if complaints[each.name] else ''}{complaints[each.name]}\n"
        for each in found
    ]
    return "".join(lines)


def _version(instance: Instance) -> str:
    if instance.version:
        return f"version {instance.version} "
    return "nothing " if instance.role == "subscriber" else ""


def _as_json(found: list[Instance], complaints: dict[str, str]) -> str:
    facts = [{**each._asdict(), "reason": complaints[each.name]} for each in found]
    facts = [{**each, "status": "unhealthy" if each["reason"] else "healthy"} for each in facts]
    return f"{json.dumps(facts)}\n"


if __name__ == "__main__":
    sys.exit(main())
