"""Each example runs as its header says, and shows what it is there to show."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from support.eventually import eventually
from support.web import fetched

EXAMPLES = Path(__file__).parents[2] / "examples"
_PREFIXES = ("APP_", "SHOP_", "CONFBUS_")


def start(name: str, url: str = "", **variables: str) -> subprocess.Popen[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(_PREFIXES)}
    return subprocess.Popen(
        [sys.executable, EXAMPLES / name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {"CONFBUS_URL": url} | variables,
    )


def run(name: str, url: str = "", **variables: str) -> str:
    """What the example says when it is run to its end; what is logged goes elsewhere."""
    process = start(name, url, **variables)
    said, logged = process.communicate(timeout=60)
    assert process.returncode == 0, logged
    return said


def test_every_example_is_run_here() -> None:
    assert {file.name for file in EXAMPLES.iterdir() if file.is_file()} == {
        "01_read.py",
        "02_react.py",
        "03_publish.py",
        "04_one_process.py",
        "05_own_source.py",
        "06_typed_views.py",
        "07_pins.py",
        "08_testing.py",
        "10_fastapi.py",
        "11_django.py",
        "12_secrets.py",
        "13_sealed.py",
    }


def test_01_reads_values_a_default_a_section_and_a_snapshot(redis_url: str) -> None:
    run("03_publish.py", redis_url)

    said = run("01_read.py", redis_url)

    assert said.splitlines() == [
        "free shipping from 50",
        "first carrier dhl",
        "wrapping paper",
        "database host db-1.internal",
        "database port 5432",
        "version 1 has Driftwood in EUR",
        "version 1 runs",
    ]


def test_02_tells_what_changes_until_it_unsubscribes(redis_url: str) -> None:
    run("03_publish.py", redis_url)
    with start("02_react.py", redis_url) as listener:
        assert listener.stdin
        assert listener.stdout
        assert listener.stdout.readline() == "listening at version 1\n"

        run("03_publish.py", redis_url, APP_CHECKOUT__FREE_SHIPPING_FROM="39", APP_SHOP_CURRENCY="CHF")

        assert listener.stdout.readline() == "checkout.free_shipping_from: 50 -> 39 (modified)\n"
        listener.stdin.close()
        assert listener.stdout.read() == "no longer listening\n"
        assert listener.wait() == 0


def test_03_publishes_a_merge_once_and_a_changed_one_again(redis_url: str) -> None:
    first = run("03_publish.py", redis_url)
    again = run("03_publish.py", redis_url)
    changed = run("03_publish.py", redis_url, APP_CHECKOUT__FREE_SHIPPING_FROM="39")

    assert first == "published version 1\n"
    assert again == "that is what is published already\n"
    assert changed == "published version 2\n"


def test_04_follows_an_edit_refuses_a_bad_one_and_goes_back_without_a_server() -> None:
    said = run("04_one_process.py")
    with_variable = run("04_one_process.py", SHOP_DATABASE_HOST="db-2.internal")

    assert said.splitlines() == [
        "host db-1.internal",
        "wrapping paper",
        "rolled back and the pool has 20",
        "database.pool.max: 20 -> 40",
        "rolled back to 20",
        "the file is held",
    ]
    assert with_variable.splitlines()[0] == "host db-2.internal"


def test_05_asks_its_own_source_and_keeps_what_was_good_when_that_refuses() -> None:
    said = run("05_own_source.py")

    assert said.splitlines() == [
        "lamps 12 sofas 0",
        "stock.lamp: 12 -> 11",
        "stock.sofa: 0 -> 3",
        "validation failed warehouse: its values were refused: stock.lamp is negative.",
        "lamps 11",
    ]


def test_07_reads_one_version_inside_a_pin_and_its_own_values_over_each() -> None:
    said = run("07_pins.py")
    with_variable = run("07_pins.py", SHOP_DATABASE__HOST="localhost")

    assert said.splitlines() == [
        "of its own: database.pool",
        "version 1 is db-1:5432, pool 5",
        "version 1 is db-1:5432, pool 5 still",
        "version 2 is db-2:6432, pool 5",
    ]
    assert with_variable.splitlines()[0] == "of its own: database.host database.pool"
    assert with_variable.splitlines()[-1] == "version 2 is localhost:6432, pool 5"


def test_08_tests_without_a_server() -> None:
    said = run("08_testing.py")

    assert said.splitlines() == [
        "refused: is_generous: that would be stingy",
        "state: lost",
        "state: live",
    ]


def test_12_reads_a_secret_that_never_goes_over_the_bus() -> None:
    said = run("12_secrets.py")

    assert said.splitlines() == [
        "published: Reference",
        "read: 13 characters, version 1",
        "Change(modified database.password) in version 1",
        "read: 14 characters",
        "refused: database.host: !secret env:NOT_SET_HERE: the variable is not set here",
    ]


def test_10_serves_what_is_published(redis_url: str) -> None:
    run("03_publish.py", redis_url)
    with start("10_fastapi.py", redis_url, PORT="0") as server:
        assert server.stderr
        running = next(found for line in server.stderr if (found := re.search(r"running on (http://[\w.:]+)", line)))

        said = fetched(f"{running[1]}/shipping")

        server.send_signal(signal.SIGINT)
        server.stderr.read()
        assert said == {"shop": "Driftwood", "free_from": 50, "version": 1}


def test_06_shows_what_fits_and_says_what_was_refused(redis_url: str) -> None:
    run("03_publish.py", redis_url)
    with start("06_typed_views.py", redis_url) as looking:
        assert looking.stdin
        assert looking.stdout

        def look() -> str:
            assert looking.stdin
            assert looking.stdout
            looking.stdin.write("\n")
            looking.stdin.flush()
            return looking.stdout.readline()

        assert looking.stdout.readline() == "database at db-1.internal:5432\n"
        assert looking.stdout.readline() == "free from 50 with dhl in 0:00:05\n"
        run("03_publish.py", redis_url, APP_CHECKOUT__FREE_SHIPPING_FROM="39")
        eventually(lambda: look() == "free from 39 with dhl in 0:00:05\n")

        run("03_publish.py", redis_url, APP_CHECKOUT__FREE_SHIPPING_FROM="soon")
        eventually(lambda: look() == "refused: checkout.free_shipping_from: expected float, found str\n")
        assert looking.stdout.readline() == "free from 39 with dhl in 0:00:05\n"
        looking.stdin.close()
        assert looking.wait() == 0


def test_11_connects_at_the_first_read_and_overrides_for_a_test(redis_url: str) -> None:
    run("03_publish.py", redis_url)

    said = run("11_django.py", redis_url)

    assert said.splitlines() == [
        "LazyConfig(not connected)",
        "{'free_from': 50, 'carrier': 'dhl'}",
        "{'free_from': 0, 'carrier': 'dhl'}",
    ]


def test_13_opens_a_sealed_section_under_one_key_after_the_other() -> None:
    assert run("13_sealed.py").splitlines() == [
        "with the key: 13 characters",
        "without it: database is sealed; the port is 80",
        "without the new one: 13 characters, as before",
        "with the new one: 14 characters",
    ]
