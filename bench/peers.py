"""What one read costs in this process, beside other libraries for configuration and flags that read from memory.

Each is asked by the call that its own documentation shows, offline, with what it holds given at its start: one value of
a document of 100 sections, or one flag of 100 that is on for everybody. Flag libraries evaluate rules and tell of each
answer to whoever listens; that is a feature, and part of what their call costs. Peers come with
`pip install --group bench`; one that is not installed is named as absent.
"""

from __future__ import annotations

import importlib
import json
import logging
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.rounds import Row, interleave, rows
from bench.timer import timer
from bench.worlds import published
from confbus.flags import Flags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Peer = tuple[str, dict[str, Any]]
    """An expression, and the names in it."""

_READS = 4_000
_ROUNDS = 15
_FLAG = "flag50"


def run() -> Iterator[Row | str]:
    """Nanoseconds for each way to read one value, or to ask for one flag."""
    document: dict[str, Any] = {f"s{number}": {"b": number, "c": 2} for number in range(99)}
    document["features"] = {f"flag{number}": True for number in range(100)}
    with ExitStack() as stack:
        config = stack.enter_context(published(document))
        contestants = {
            'd["s50"]["b"]': timer('d["s50"]["b"]', {"d": document}),
            'confbus: config["s50.b"]': timer('config["s50.b"]', {"config": config}),
            'confbus: section["b"], held': timer('section["b"]', {"section": config.section("s50")}),
            "confbus: flags.is_enabled(name)": timer(f"flags.is_enabled({_FLAG!r})", {"flags": Flags(config)}),
        }
        for package, peer in _PEERS.items():
            try:
                expression, things = peer(stack)
            except ModuleNotFoundError:
                yield f"{package} is absent: pip install --group bench"
                continue
            assert eval(expression, dict(things)) in (50, True), package
            call = expression.partition("(")[0]
            contestants[f"{package} {version(package)}: {call}"] = timer(expression, things, reads=_READS)
        yield from rows(interleave(contestants, _ROUNDS), unit="ns", targets={})


def _dynaconf(stack: ExitStack) -> Peer:
    dynaconf = importlib.import_module("dynaconf")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    file = folder / "settings.json"
    file.write_text(json.dumps({f"s{number}": {"b": number, "c": 2} for number in range(99)}))
    return "settings.S50.b", {"settings": dynaconf.Dynaconf(settings_files=[str(file)])}


def _launchdarkly(stack: ExitStack) -> Peer:
    ldclient = importlib.import_module("ldclient")
    data = importlib.import_module("ldclient.integrations.test_data").TestData.data_source()
    for number in range(100):
        data.update(data.flag(f"flag{number}").boolean_flag().variation_for_all(variation=True))
    options = {"update_processor_class": data, "send_events": False, "diagnostic_opt_out": True}
    client = ldclient.LDClient(ldclient.Config("sdk-bench", **options))
    stack.callback(client.close)
    someone = ldclient.Context.create("someone")
    return f"client.variation({_FLAG!r}, someone, False)", {"client": client, "someone": someone}


def _unleash(stack: ExitStack) -> Peer:
    unleash, cache = importlib.import_module("UnleashClient"), importlib.import_module("UnleashClient.cache")
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    kept = cache.FileCache("bench", directory=folder)
    features = [
        {"name": f"flag{number}", "type": "release", "enabled": True, "strategies": [{"name": "default"}]}
        for number in range(100)
    ]
    kept.bootstrap_from_dict({"version": 1, "features": features})
    offline = {"disable_metrics": True, "disable_registration": True}
    client = unleash.UnleashClient("http://127.0.0.1:9", "bench", cache=kept, **offline)
    client.initialize_client(fetch_toggles=False)
    stack.callback(client.destroy)
    return f"client.is_enabled({_FLAG!r})", {"client": client}


def _openfeature(_stack: ExitStack) -> Peer:
    api = importlib.import_module("openfeature.api")
    memory = importlib.import_module("openfeature.provider.in_memory_provider")
    flag = memory.InMemoryFlag("on", {"on": True, "off": False})
    api.set_provider(memory.InMemoryProvider({f"flag{number}": flag for number in range(100)}), domain="bench")
    return f"client.get_boolean_value({_FLAG!r}, False)", {"client": api.get_client("bench")}


def _growthbook(stack: ExitStack) -> Peer:
    growthbook = importlib.import_module("growthbook")
    client = growthbook.GrowthBook(features={f"flag{number}": {"defaultValue": True} for number in range(100)})
    stack.callback(client.destroy)
    return f"client.is_on({_FLAG!r})", {"client": client}


def _configcat(stack: ExitStack) -> Peer:
    configcat = importlib.import_module("configcatclient")
    local = importlib.import_module("configcatclient.localdictionarydatasource").LocalDictionaryFlagOverrides
    only = importlib.import_module("configcatclient.overridedatasource").OverrideBehaviour.LocalOnly
    flags = local({f"flag{number}": True for number in range(100)}, only)
    options = configcat.ConfigCatOptions(flag_overrides=flags)
    client = configcat.get("configcat-sdk-1/bench-bench-bench-bench-00/bench-bench-bench-bench-00", options)
    stack.callback(client.close)
    return f"client.get_value({_FLAG!r}, False)", {"client": client}


def _flagsmith(stack: ExitStack) -> Peer:
    flagsmith = importlib.import_module("flagsmith")
    offline = importlib.import_module("flagsmith.offline_handlers")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    file = folder / "environment.json"
    file.write_text(json.dumps(_ENVIRONMENT))
    client = flagsmith.Flagsmith(offline_mode=True, offline_handler=offline.LocalFileHandler(str(file)))
    return f"client.get_environment_flags().is_feature_enabled({_FLAG!r})", {"client": client}


_ENVIRONMENT: dict[str, Any] = {
    "id": 1,
    "api_key": "bench",
    "name": "bench",
    "project": {
        "id": 1,
        "name": "bench",
        "hide_disabled_flags": False,
        "organisation": {
            "id": 1,
            "name": "bench",
            "feature_analytics": False,
            "stop_serving_flags": False,
            "persist_trait_data": False,
        },
        "segments": [],
    },
    "segment_overrides": [],
    "feature_states": [
        {
            "django_id": number,
            "enabled": True,
            "feature": {"id": number, "name": f"flag{number}", "type": "STANDARD"},
            "feature_state_value": None,
            "featurestate_uuid": f"00000000-0000-0000-0000-{number:012}",
            "multivariate_feature_state_values": [],
        }
        for number in range(100)
    ],
}
_PEERS: dict[str, Callable[[ExitStack], Peer]] = {
    "dynaconf": _dynaconf,
    "launchdarkly-server-sdk": _launchdarkly,
    "UnleashClient": _unleash,
    "openfeature-sdk": _openfeature,
    "growthbook": _growthbook,
    "configcat-client": _configcat,
    "flagsmith": _flagsmith,
}
logging.getLogger("UnleashClient").setLevel(logging.ERROR)
