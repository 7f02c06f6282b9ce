"""`file:` URLs: files as a worker's configuration, without a server."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.errors import ConnectFailed, InvalidSettings
from support.eventually import eventually

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_an_edit_of_the_file_is_read_and_a_broken_one_keeps_the_last_good(folder: Path) -> None:
    file = folder / "app.yaml"
    file.write_text("web: {port: 80}\n")

    with confbus.connect("file:app.yaml", namespace="dev") as config:
        assert config["web.port"] == 80

        file.write_text("web: {port: 81}\n")
        eventually(lambda: config["web.port"] == 81)

        file.write_text("web:\n  port: 81\n  port: 82\n")
        eventually(lambda: "app.yaml:3" in config.status().error, describe=config.status)
        assert config["web.port"] == 81

        file.write_text("web: {port: 83}\n")
        eventually(lambda: config["web.port"] == 83)
        eventually(lambda: config.status().state == "live")
        assert config.status().error == ""


@pytest.mark.slow
def test_a_file_that_cannot_be_read_at_first_says_where_and_why(folder: Path) -> None:
    (folder / "app.yaml").write_text("web: {port: [}\n")

    with pytest.raises(ConnectFailed, match=r"app\.yaml:1"):
        confbus.connect("file:app.yaml", namespace="dev", timeout_s=0.5)


def test_a_directory_is_read_as_one_configuration(folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf" / "a.yaml").write_text("web: {port: 80}\n")
    (folder / "conf" / "b.toml").write_text("[cache]\nttl = 5\n")

    with confbus.connect("file:conf", namespace="dev") as config:
        assert config.snapshot == {"web": {"port": 80}, "cache": {"ttl": 5}}


def test_a_settings_file_gives_its_sources_and_its_checks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEV_WEB__PORT", "81")
    (folder / "app.yaml").write_text("web: {port: 80, host: a}\n")
    (folder / "confbus.yaml").write_text(
        'namespace: shop\nsources: [{file: app.yaml}, {env: DEV_, priority: 5}]\nchecks: {rules: ["web.port < 1000"]}\n'
    )

    with confbus.connect(f"file://{folder}/confbus.yaml", namespace="shop") as config:
        assert (config["web.port"], config["web.host"]) == (81, "a")
        assert "env" in str(config.explain("web.port"))


def test_what_stays_in_this_process_may_hold_a_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "correct-horse")
    (folder / "app.yaml").write_text("db: {password: '${DB_PASSWORD}', again: !secret env:DB_PASSWORD}\n")
    (folder / "confbus.yaml").write_text("namespace: shop\nsources: [{file: app.yaml}]\nseal: [db]\n")

    with confbus.connect(f"file://{folder}/confbus.yaml", namespace="shop") as config:
        assert config["db"] == {"password": "correct-horse", "again": "correct-horse"}


def test_two_subscribers_of_one_file_agree_and_the_last_one_ends_the_work(folder: Path) -> None:
    file = folder / "app.yaml"
    file.write_text("web: {port: 80}\n")

    with confbus.connect("file:app.yaml", namespace="dev") as one:
        with confbus.connect("file:app.yaml", namespace="dev") as other:
            assert one.snapshot == other.snapshot
            assert one.snapshot.epoch == other.snapshot.epoch
        file.write_text("web: {port: 81}\n")
        eventually(lambda: one["web.port"] == 81)

    with confbus.connect("file:app.yaml", namespace="dev") as again:
        assert again["web.port"] == 81


def test_a_forked_child_goes_on_reading_the_file(folder: Path) -> None:
    file = folder / "app.yaml"
    file.write_text("web: {port: 80}\n")

    with confbus.connect("file:app.yaml", namespace="dev") as config:
        child = os.fork()
        if child == 0:
            try:
                eventually(lambda: config["web.port"] == 81)
                os._exit(0)
            finally:
                os._exit(1)
        file.write_text("web: {port: 81}\n")
        eventually(lambda: config["web.port"] == 81)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_without_the_publishers_packages_the_error_says_what_to_install(folder: Path) -> None:
    program = """
import sys
sys.modules["yaml"] = None
import confbus
try:
    confbus.connect("file:app.yaml", namespace="dev")
except confbus.ConfBusError as error:
    print(error)
"""

    said = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert "pip install 'confbus[publisher]'" in said


@pytest.mark.parametrize("url", ["file:", "file://elsewhere/app.yaml"])
def test_what_names_no_file_of_this_machine_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"file:config/app\.yaml"):
        confbus.connect(url, namespace="dev")
