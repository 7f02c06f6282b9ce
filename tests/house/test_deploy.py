"""The files under deploy/, docker-compose.yml and the Dockerfiles name only what there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from confbus_publisher.environment_settings import environment_settings
from support.promtool import promtool

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
UNIT = ROOT / "deploy" / "systemd" / "confbus-publisher.service"
DOCKERFILES = [ROOT / "publisher" / "Dockerfile", ROOT / "deploy" / "worker" / "Dockerfile"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def manifests() -> list[dict[str, Any]]:
    files = sorted(KUBERNETES.glob("*.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


def pods() -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each["spec"]["template"] for each in manifests() if each["kind"] == "Deployment"}


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_what_an_image_copies_is_there_and_sent_to_the_engine(file: Path) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    lines = re.findall(r"^COPY (.+) \S+$", file.read_text(), re.MULTILINE)
    copied = [name for line in lines for name in line.split() if not name.startswith("--")]

    assert {"pyproject.toml", "lua", "subscriber", "publisher"} <= {*copied}
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored or f"!{Path(name).parent}" in ignored


def test_all_that_compose_mounts_and_builds_is_there() -> None:
    for service in COMPOSE["services"].values():
        sources = [volume.split(":")[0] for volume in service.get("volumes", [])]
        assert all((ROOT / source).exists() for source in sources if source.startswith("."))
        assert all(source in COMPOSE["volumes"] for source in sources if not source.startswith("."))
        assert not (build := service.get("build")) or (ROOT / build["dockerfile"]).is_file()
        assert {*service.get("secrets", [])} <= COMPOSE["secrets"].keys()
    assert all((ROOT / secret["file"]).is_file() for secret in COMPOSE["secrets"].values())


def test_prometheus_scrapes_services_of_compose() -> None:
    settings = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())

    names = [name for job in settings["scrape_configs"] for each in job["dns_sd_configs"] for name in each["names"]]

    assert sorted(names) == ["publisher-a", "publisher-b", "worker"]
    assert COMPOSE["services"].keys() >= {*names}


def test_prometheus_understands_its_settings_and_finds_its_rules() -> None:
    said = promtool("check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml")

    assert "1 rule files found" in said


def test_grafana_finds_the_dashboard_and_the_source_that_it_asks() -> None:
    grafana = ROOT / "deploy" / "grafana"
    mounts = [volume.rsplit(":", 1)[0] for volume in COMPOSE["services"]["grafana"]["volumes"]]
    (provider,) = yaml.safe_load((grafana / "provisioning/dashboards/confbus.yml").read_text())["providers"]
    (source,) = yaml.safe_load((grafana / "provisioning/datasources/prometheus.yml").read_text())["datasources"]

    assert f"./deploy/grafana:{provider['options']['path']}" in mounts
    assert (grafana / "confbus.json").is_file()
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in COMPOSE["services"]


@pytest.mark.parametrize("pod", pods().values(), ids=pods())
def test_a_pod_finds_what_it_mounts_and_cannot_become_root(pod: dict[str, Any]) -> None:
    there = {(each["kind"], each["metadata"]["name"]) for each in manifests()}
    (container,) = pod["spec"]["containers"]

    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    needed = [("Secret", each["secret"]["secretName"]) for each in volumes.values() if "secret" in each]
    needed += [("ConfigMap", each["configMap"]["name"]) for each in volumes.values() if "configMap" in each]

    assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
    assert not any("subPath" in mount for mount in container["volumeMounts"])
    assert there >= {*needed}
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_every_selector_finds_a_pod() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods().values()]

    selectors = [each["spec"]["selector"]["matchLabels"] for each in manifests() if "selector" in each.get("spec", {})]
    policies = [each["spec"]["podSelector"]["matchLabels"] for each in manifests() if each["kind"] == "NetworkPolicy"]

    for selector in (*selectors, *(each for each in policies if each != {"app.kubernetes.io/name": "redis"})):
        assert any(selector.items() <= each.items() for each in labels), selector


def test_the_publisher_of_the_cluster_reads_its_config_map(tmp_path: Path) -> None:
    (files,) = (each["data"] for each in manifests() if each["kind"] == "ConfigMap")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (container,) = pods()["confbus-publisher"]["spec"]["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    (worker,) = pods()["prompt-improver"]["spec"]["containers"]

    settings = environment_settings({**variables, "CONFIG_DIR": str(tmp_path)})

    assert variables["CONFIG_DIR"] in [mount["mountPath"] for mount in container["volumeMounts"]]
    assert sorted(files) == ["database.yaml", "features.yaml"]
    assert re.findall(r"!secret env:(\w+)", files["database.yaml"]) == [
        each["name"] for each in worker["env"] if "valueFrom" in each
    ]
    assert [type(source).__name__ for source in settings.sources] == ["DirectorySettings"]


def test_the_unit_starts_what_there_is() -> None:
    (command,) = re.findall(r"^ExecStart=(\S+) run (.+)$", UNIT.read_text(), re.MULTILINE)

    assert command == ("/opt/confbus/bin/confbus", "-c /etc/confbus/confbus.yaml")
    assert re.search(r"^Type=notify$", UNIT.read_text(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on PATH")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"/opt/confbus/bin/confbus", "/bin/true", UNIT.read_text()))

    environment = {**os.environ, "LANG": "C"}
    answer = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, env=environment
    )

    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")
