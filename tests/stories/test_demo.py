"""The product's first minute: what `confbus demo` promises to show, and that it shows it truly."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING

import pytest

import confbus
from support.demo import Demo
from support.picture import PICTURE, gist, shown, story
from support.processes import PROC

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CONFBUS = "from confbus_publisher.cli import main; main()"

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="processes are counted in /proc, which is not here")


@pytest.fixture(scope="module")
def told() -> Iterator[Demo]:
    """A demo that told its whole story and ended."""
    with Demo() as demo:
        demo.read_until("worker 4")
        pids = demo.pids()
        assert demo.finish() == (0, "")
        demo.assert_leaves_nothing(of=pids)
        yield demo


@pytest.fixture(scope="module")
def staying() -> Iterator[Demo]:
    """A demo that stays."""
    with Demo(stay=True) as demo:
        demo.read_until("config[")
        yield demo
        demo.end(SIGINT)


def step(demo: Demo, number: int) -> str:
    """What it told under that number."""
    return re.split(r"^\d  ", demo.said, flags=re.MULTILINE)[number]


def test_the_story_has_six_steps(told: Demo) -> None:
    assert re.findall(r"^(\d)  ", told.said, re.MULTILINE) == list("123456")


def test_the_recording_in_the_readme_is_of_this_story(told: Demo) -> None:
    recorded = shown(PICTURE.read_text())

    assert gist(recorded) == gist(story(told.said)), "run `make pictures`"
    assert f"({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text()


def test_every_process_is_introduced_with_its_pid_and_what_it_runs(told: Demo) -> None:
    workers = re.findall(r"worker (\d) +pid (\d+) +runs version 1, checkout.free_shipping_from is 50", step(told, 1))

    assert [number for number, _ in workers] == list("1234")
    assert len({pid for _, pid in workers} | {told.pid("publisher"), told.pid("server")}) == 6


def test_an_edit_is_shown_with_the_time_it_took_to_each_worker(told: Demo) -> None:
    text = step(told, 2)

    assert "config/app.yaml:6" in text
    assert "-  free_shipping_from: 50" in text
    assert "+  free_shipping_from: 39" in text
    times_ms = re.findall(r"worker \d +version 2 +checkout.free_shipping_from is 39 +([\d.]+) ms", text)
    assert len(times_ms) == 4
    assert f"within {max(map(float, times_ms))} ms" in text


def test_a_broken_edit_is_shown_with_its_place_while_every_worker_reads_on(told: Demo) -> None:
    text = step(told, 3)

    assert re.search(r"publisher +config/app.yaml:2:18: mapping values are not allowed", text)
    assert len(re.findall(r"worker \d +version 2 +100,000 reads, \d+ ns each, every one 39", text)) == 4


def test_a_rollback_is_shown_with_who_when_why_and_what_is_held(told: Demo) -> None:
    text = " ".join(step(told, 4).split())

    assert len(re.findall(r"worker \d version 3 checkout.free_shipping_from is 0 ", text)) == 4
    assert len(re.findall(r"worker \d version 4 checkout.free_shipping_from is 39 ", text)) == 4
    assert "version 4 has the content of version 2 again" in text
    assert re.search(r"held checkout: rolled back by \S+@\S+ at \S+Z: every order ships free", text)
    assert len(re.findall(r"worker \d version 5 checkout.free_shipping_from is 45 ", text)) == 4


def test_redis_is_shown_with_the_head_and_the_audit_trail(told: Demo) -> None:
    text = step(told, 5)

    assert re.search(r"HGETALL confbus:{shop}:head\n +epoch +[0-9a-f]{16}\n", text)
    assert re.search(r"^ +version +5$", text, re.MULTILINE)
    assert re.search(r"publish 5 .*\n +rollback 4 .* every order ships free\n +publish 3 ", text)


def test_the_story_fits_a_terminal_and_is_plain_where_there_is_none(told: Demo) -> None:
    assert [line for line in told.said.splitlines() if len(line) > 80] == []
    assert told.said.isascii()
    assert "\x1b" not in told.said


@pytest.mark.slow
def test_who_stays_can_edit_the_file_and_sees_it_arrive(staying: Demo) -> None:
    file = Path(next(line.strip() for line in staying.said.splitlines() if line.endswith("shop/config/app.yaml")))

    draft = file.with_name("draft")
    draft.write_text(file.read_text().replace("payment_timeout: 2.5", "payment_timeout: 4"))
    draft.replace(file)

    line = staying.read_until("changed in 4 workers")
    assert "version 6 " in line
    assert "checkout.payment_timeout" in line


@pytest.mark.slow
def test_who_stays_can_read_the_same_configuration_as_the_workers(staying: Demo) -> None:
    url = re.findall(r'url = "(unix:[^"]+)"', staying.said)[-1]

    with confbus.connect(url, namespace="shop") as config:
        assert config["database.host"] == "db-2.internal"


@pytest.mark.slow
def test_who_stays_can_ask_for_the_status_with_the_command_that_is_named(staying: Demo) -> None:
    command = next(line.split() for line in staying.said.splitlines() if "confbus status" in line)

    shown = subprocess.run([sys.executable, "-c", CONFBUS, *command[1:]], capture_output=True, text=True, check=True)

    assert "version 5" in shown.stdout or "version 6" in shown.stdout


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("redis-cli"), reason="redis-cli is not on PATH")
def test_who_stays_can_look_into_redis_with_the_command_that_is_named(staying: Demo) -> None:
    command = next(line.strip() for line in staying.said.splitlines() if "redis-cli" in line and "'" in line)

    shown = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.splitlines()

    assert dict(zip(shown[::2], shown[1::2], strict=True))["protocol"] == "1"


@pytest.mark.slow
def test_staying_ends_with_ctrl_c_and_leaves_nothing() -> None:
    with Demo(stay=True) as demo:
        demo.read_until("config[")
        pids = demo.pids()

        code = demo.end(SIGINT)

        assert code == 0
        demo.assert_leaves_nothing(of=pids)
