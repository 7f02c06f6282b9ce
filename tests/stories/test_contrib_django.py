"""confbus in a Django project: its commands, its checks, its requests and its tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.releases import Releases

NOBODY = "redis://127.0.0.1:1"
SETTINGS = """
import json, os

SECRET_KEY = "none"
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["confbus.contrib.django"]
MIDDLEWARE = ["confbus.contrib.django.middleware.PinMiddleware"]
if "TERMS" in os.environ:
    CONFBUS = json.loads(os.environ["TERMS"])
"""
URLS = """
from asgiref.sync import sync_to_async
from django.http import JsonResponse
from django.urls import path

from confbus.contrib.django import config

meanwhile = lambda: None


def number(request):
    before = config["web.number"]
    meanwhile()
    return JsonResponse([before, config["web.number"]], safe=False)


async def later(request):
    read = sync_to_async(lambda: [config["web.number"], config.get("web.name", "none")])
    return JsonResponse(await read(), safe=False)


def positive(candidate):
    if candidate["web.number"] < 0:
        raise ValueError("the number is negative")


urlpatterns = [path("number", number), path("later", later)]
"""
TESTS = """
import os

import urls
from confbus.contrib.django import config, override_config
from django.test import AsyncClient, Client, SimpleTestCase, override_settings
from support.releases import Releases


class Requests(SimpleTestCase):
    def setUp(self):
        self.releases = Releases(os.environ["SERVER"], os.environ["NAMESPACE"])
        self.addCleanup(self.releases.__exit__, None, None, None)

    def test_a_request_reads_one_version_while_a_release_passes(self):
        config.wait_for(version=self.releases.publish(web={"number": 1}))
        urls.meanwhile = lambda: config.wait_for(version=self.releases.publish(web={"number": 2}))
        self.addCleanup(setattr, urls, "meanwhile", lambda: None)

        assert Client().get("/number").json() == [1, 1]
        assert config["web.number"] == 2

    async def test_an_async_view_reads_it_as_well(self):
        config.wait_for(version=self.releases.publish(web={"number": 5}))

        assert (await AsyncClient().get("/later")).json() == [5, "none"]

    def test_an_override_is_put_on_top_of_what_is_configured(self):
        config.wait_for(version=self.releases.publish(web={"number": 7, "name": "shop"}))

        with override_config({"web.number": 8, "web.pool.max": 3}):
            assert config.section("web") == {"number": 8, "name": "shop", "pool": {"max": 3}}
            assert Client().get("/number").json() == [8, 8]
            assert config["web.name"] == "shop"
            assert "web.pool.max" in config and "web.pool.min" not in config
            with override_config(web__number=9):
                assert config.snapshot == {"web": {"number": 9, "name": "shop", "pool": {"max": 3}}}
        assert config.section("web") == {"number": 7, "name": "shop"}

    def test_a_validator_is_named_by_its_path(self):
        version = self.releases.publish(web={"number": 3})
        self.releases.publish(web={"number": 4})
        config.wait_for(version=version + 1)
        self.releases.publish(web={"number": -1})

        while config.status().state != "vetoing":
            pass
        assert config["web.number"] == 4

    def test_other_settings_make_another_subscriber(self):
        first = config.subscriber
        with override_settings(CONFBUS={"url": os.environ["SERVER"], "namespace": "other"}):
            with Releases(os.environ["SERVER"], "other") as other:
                other.publish(web={"number": 77})
                assert config["web.number"] == 77
        assert first.status().state == "closed"
        assert config["web.number"] != 77
"""
ALONE = """
from confbus.contrib.django import config, override_config
from confbus.errors import UnknownPath
from django.core.checks import run_checks
from django.test import SimpleTestCase, override_settings


@override_config({"web": {"number": 1}})
class Alone(SimpleTestCase):
    def test_what_is_overridden_needs_no_redis(self):
        assert config["web.number"] == 1
        assert config.get("web.name", "none") == "none"
        try:
            config["web.nummer"]
        except UnknownPath:
            pass

    @override_config(web__number=2)
    def test_a_method_overrides_its_class(self):
        assert config["web.number"] == 2

    @override_config(web__number=3)
    async def test_a_coroutine_may_override_too(self):
        assert config["web.number"] == 3

    def test_the_check_tells_what_is_wrong_with_settings(self):
        wrong = {
            "confbus.E002": [],
            "confbus.E003": {"url": "redis://here"},
            "confbus.E004": {"url": "redis://here", "namespace": "a b"},
        }
        for number, settings in wrong.items():
            with override_settings(CONFBUS=settings):
                assert [problem.id for problem in run_checks()] == [number]

    def test_nothing_was_connected(self):
        assert repr(config) == "LazyConfig(not connected)"
"""


class Project:
    """A Django project in a directory, whose commands run in processes of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name, text in {"settings": SETTINGS, "urls": URLS}.items():
            (directory / f"{name}.py").write_text(text)

    def manage(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        tests = Path(__file__).parents[1]
        environment = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": f"{self.directory}:{tests}", **variables}
        command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "django", *words]
        return subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def terms(url: str, namespace: str) -> str:
    return json.dumps({"url": url, "namespace": namespace, "validators": ["urls.positive"], "timeout_s": 5})


def test_requests_and_overrides_in_a_project_with_a_server(project: Project, redis_url: str, namespace: str) -> None:
    (project.directory / "test_all.py").write_text(TESTS)
    with Releases(redis_url, namespace) as releases:
        releases.publish(web={"number": 0})

        run = project.manage("test", TERMS=terms(redis_url, namespace), SERVER=redis_url, NAMESPACE=namespace)

        assert run.returncode == 0, run.stderr
        assert "Ran 5 tests" in run.stderr


def test_a_command_and_tests_that_override_what_they_read_need_no_server(project: Project) -> None:
    (project.directory / "test_alone.py").write_text(ALONE)

    checked = project.manage("check", TERMS=terms(NOBODY, "shop"))
    tested = project.manage("test", TERMS=terms(NOBODY, "shop"))

    assert checked.returncode == 0, checked.stderr
    assert tested.returncode == 0, tested.stderr
    assert "Ran 5 tests" in tested.stderr


def test_the_check_of_a_project_tells_that_its_settings_are_missing(project: Project) -> None:
    run = project.manage("check")

    assert run.returncode == 1
    assert "(confbus.E001) settings.CONFBUS is missing" in run.stderr
    assert "HINT: CONFBUS = {" in run.stderr
