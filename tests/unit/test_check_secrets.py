"""The scan for secrets: by form and by name, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus.wire.frozen import freeze
from confbus.wire.path import Pattern, parse
from confbus.wire.reference import Reference
from confbus_publisher.checks import Problem, run_checks
from confbus_publisher.checks.secrets import Allowed, Mode, SecretCheck
from confbus_publisher.secret_patterns import find, forms, is_placeholder, masked
from support.candidates import candidate
from support.scale import scaled

A, F = "A1b2" * 20, "0f" * 40

# In pieces, so that no scanner takes this file for a leak.
SECRETS = {
    "a password in a URL": ["postgres://ann:" + "hunter2@db/app", "redis://:" + "hunter2@r:6379"],
    "a private key": ["-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE", "-----BEGIN " + "PRIVATE KEY-----\nMIIE"],
    "an AWS access key": ["AKIA" + "QWERTYUIOPASDFGH"],
    "a Google API key": ["AIza" + A[:35]],
    "a Google OAuth secret": ["GOCSPX-" + A[:28]],
    "a GitHub token": ["gh" + "p_" + A[:36], "github" + "_pat_" + A[:22] + "_" + A[:59]],
    "a GitLab token": ["glp" + "at-" + A[:20]],
    "a Slack token": ["xox" + "b-" + "1" * 12 + "-" + A[:24]],
    "a Slack webhook": ["https://hooks.slack.com/services/" + "T0AAAAAAA/B0AAAAAAA/" + A[:24]],
    "a Discord webhook": ["https://discord.com/api/webhooks/" + "1" * 18 + "/" + A[:68]],
    "a Stripe key": ["sk_" + "live_" + A[:24], "rk_" + "test_" + A[:24]],
    "an Anthropic key": ["sk-" + "ant-api03-" + A[:40]],
    "an OpenAI key": ["sk-" + "proj-" + A[:40], "sk-" + A[:20] + "T3Blbk" + "FJ" + A[:20]],
    "a Hugging Face token": ["hf" + "_" + A[:34]],
    "a Vault token": ["hv" + "s." + A[:24]],
    "a Terraform token": [A[:14] + ".atlas" + "v1." + A[:67]],
    "an npm token": ["np" + "m_" + A[:36]],
    "a PyPI token": ["pyp" + "i-" + A[:60]],
    "a Docker token": ["dckr" + "_pat_" + A[:27]],
    "a SendGrid key": ["S" + "G." + A[:22] + "." + A[:43]],
    "a Twilio key": ["S" + "K" + F[:32]],
    "a Mailgun key": ["ke" + "y-" + F[:32]],
    "a Telegram token": ["123456789:" + "AA" + A[:33]],
    "a DigitalOcean token": ["dop" + "_v1_" + F[:64]],
    "a Databricks token": ["dap" + "i" + F[:32]],
    "a Shopify token": ["shp" + "at_" + F[:32]],
    "a Grafana token": ["gls" + "a_" + A[:32] + "_" + F[:8]],
    "a New Relic key": ["NRA" + "K-" + "A" * 27],
    "an age key": ["AGE-SECRET" + "-KEY-1" + "Q" * 58],
    "an Azure key": ["AccountName=x;Account" + "Key=" + A[:80] + "==;"],
    "a JSON Web Token": ["ey" + "J" + A[:20] + ".ey" + "J" + A[:40] + "." + A[:43]],
    "a bearer token": ["Bearer " + A[:32]],
}
PASSWORD = "correct-horse"


def problems(
    tree: dict[str, Any], *, mode: Mode = Mode.BLOCK, allowed: tuple[Allowed, ...] = (), **facts: Any
) -> tuple[Problem, ...]:
    return run_checks([SecretCheck(mode, allowed)], candidate(tree, **facts))


def test_every_form_is_tried() -> None:
    assert {form.kind for form in forms()} == SECRETS.keys()


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_known_by_its_form_wherever_it_stands_and_is_never_shown(kind: str) -> None:
    for secret in SECRETS[kind]:
        found = problems({"plain": secret, "list": [{"x": f"see {secret}"}]})

        assert [problem.message for problem in found] == [f"{kind} is written here"] * 2
        assert all(problem.is_error for problem in found)
        assert secret not in repr(found)
        assert masked(f"see {secret}") != f"see {secret}"


NAMED = [
    "password",
    "db.dbPassword",
    "auth.api_key",
    "stripe.secret-key",
    "SECRET",
    "accessToken",
    "smtp.pass",
    "secrets.smtp.user",
    "client_secret",
    "password2",
    "private_key",
    "credentials[0]",
    "tokens[1]",
    "jwt.signing_key",
]


def tree_with(path: str, value: Any) -> dict[str, Any]:
    tree: Any = value
    for part in reversed(parse(path)):
        tree = {part: tree} if isinstance(part, str) else [tree] * (part + 1)
    whole: dict[str, Any] = tree
    return whole


@pytest.mark.parametrize("path", NAMED)
def test_a_secret_is_known_by_its_name(path: str) -> None:
    found = problems(tree_with(path, PASSWORD))

    assert found
    assert all("named like a secret" in problem.message for problem in found)
    assert PASSWORD not in repr(found)


HARMLESS = {
    "pangram": ("text", "the quick brown fox jumps over the lazy dog"),
    "length": ("password_min_length", 12),
    "long length": ("password_min_length", 12_000),
    "policy": ("passwordPolicy", "strict"),
    "ttl": ("token_ttl", 30),
    "ttl in words": ("token_ttl", "30m"),
    "refresh": ("refresh_token", "30d"),
    "many tokens": ("max_tokens", 4096),
    "tokens": ("tokens", 4096),
    "file": ("password_file", "x"),
    "path": ("password", "/run/secrets/db_password"),
    "path from home": ("private_key", "~/.ssh/id_rsa"),
    "file beside": ("private_key", "keys/server.pem"),
    "flag": ("password", True),
    "flag in words": ("csrf_token", "false"),
    "null": ("password", None),
    "empty": ("password", ""),
    "blank": ("password", "  "),
    "placeholder": ("password", "changeme"),
    "another": ("password", "<your-password>"),
    "template": ("password", "{{ db_password }}"),
    "variable": ("password", "${DB_PASSWORD}"),
    "crosses": ("api_key", "xxxx"),
    "example": ("api_key", "example"),
    "vault": ("password", "vault:secret/data/db#password"),
    "encrypted": ("password", "ENC[AES256_GCM,data:abc]"),
    "arn": ("secret", "arn:aws:secretsmanager:eu-1:1:secret:db"),
    "name of a secret": ("secret_name", "my-tls"),
    "key id": ("access_key_id", "main"),
    "public": ("public_key", "ssh-ed25519 AAAA"),
    "word": ("tokenizer", "bpe"),
    "key": ("key", "value"),
    "url": ("token_url", "https://login.example.com/oauth"),
    "url without password": ("database_url", "postgres://ann@db:5432/app"),
    "url with placeholder": ("database_url", "postgres://ann:<password>@db/app"),
    "documented key": ("id", "AKIA" + "IOSFODNN7EXAMPLE"),
    "sha": ("revision", "0f" * 20),
    "provider": ("secrets.provider", "vault"),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_only_looks_like_a_secret_is_left_alone(case: str) -> None:
    path, value = HARMLESS[case]

    assert problems(tree_with(path, value)) == ()


def test_a_password_may_be_a_number() -> None:
    assert len(problems({"password": 12345678})) == 1


@pytest.mark.parametrize(("mode", "errors"), [(Mode.OFF, []), (Mode.WARN, [False]), (Mode.BLOCK, [True])])
def test_the_mode_says_what_a_written_secret_does(mode: Mode, errors: list[bool]) -> None:
    assert [problem.is_error for problem in problems({"password": PASSWORD}, mode=mode)] == errors


PROVIDED: dict[str, dict[str, Any]] = {
    "variable": {"kind": "env"},
    "mounted file": {"kind": "secrets"},
    "vault": {"kind": "vault"},
    "reference": {"raw": {"database": {"password": "${PW}"}}, "expanded": [("database", "password")]},
}


@pytest.mark.parametrize("how", PROVIDED)
def test_a_secret_from_elsewhere_does_not_go_to_redis_as_plain_text(how: str) -> None:
    tree = {"database": {"password": PASSWORD}}

    strict = problems(tree, **PROVIDED[how])
    loose = problems(tree, mode=Mode.WARN, **PROVIDED[how])

    assert [problem.is_error for problem in (*strict, *loose)] == [True, False]
    assert strict[0].message.endswith("would go out as plain text, to all who may read Redis")
    for way in ("seal: [database]", "!secret env:", "checks.secrets_allow"):
        assert way in strict[0].advice


@pytest.mark.parametrize("how", PROVIDED)
def test_each_of_the_ways_out_is_one(how: str) -> None:
    tree = {"database": {"password": PASSWORD}}
    allowed = (Allowed(Pattern("database.password"), "a database on this machine"),)

    assert problems(tree, sealed=["database"], **PROVIDED[how]) == ()
    assert problems(tree, allowed=allowed, **PROVIDED[how]) == ()
    assert problems({"database": {"password": Reference("env:PW")}}) == ()
    assert [problem.is_error for problem in problems(tree, sealed=["other"], **PROVIDED[how])] == [True]


def test_a_seal_is_no_excuse_for_what_is_written_down() -> None:
    assert [each.is_error for each in problems({"database": {"password": PASSWORD}}, sealed=["database"])] == [True]


def test_what_stands_at_the_top_by_itself_cannot_be_sealed_there() -> None:
    [problem] = problems({"password": PASSWORD}, kind="env")

    assert "below a key" in problem.advice


@pytest.mark.parametrize("how", PROVIDED)
def test_in_memory_a_secret_from_elsewhere_is_a_warning_for_the_strict(how: str) -> None:
    tree = {"database": {"password": PASSWORD}}

    strict = problems(tree, is_shared=False, **PROVIDED[how])
    loose = problems(tree, is_shared=False, mode=Mode.WARN, **PROVIDED[how])

    assert [(problem.is_error, "in memory" in problem.message) for problem in strict] == [(False, True)]
    assert loose == ()


EXPANDED = {
    "whole": ("${PW}", False),
    "part": ("postgres://ann:${PW}@db", False),
    "shell default": ("${PW:-correct-horse}", True),
    "default": ("${PW:correct-horse}", True),
    "default in a URL": ("postgres://ann:${PW:-correct-horse}@db", True),
    "placeholder by default": ("${PW:-changeme}", False),
    "message": ("${PW:?set it}", False),
    "beside": ("gh" + "p_" + "A1b2" * 9 + "${X:-}", True),
}


@pytest.mark.parametrize("case", EXPANDED)
def test_of_an_expanded_value_only_what_stands_in_the_file_is_written_down(case: str) -> None:
    raw, is_error = EXPANDED[case]

    found = problems({"password": PASSWORD}, raw={"password": raw}, expanded=[("password",)], is_shared=False)

    assert [problem.is_error for problem in found] == [is_error]


def test_what_is_allowed_with_a_reason_is_left_alone() -> None:
    allowed = (Allowed(Pattern("dev.**.password"), "a database on this machine"),)

    found = problems({"dev": {"db": {"password": PASSWORD}}, "db": {"password": PASSWORD}}, allowed=allowed)

    assert [problem.path for problem in found] == [("db", "password")]


def test_what_did_not_change_is_found_again_and_what_changed_is_searched() -> None:
    check = SecretCheck(Mode.BLOCK)
    db, other = freeze({"password": PASSWORD}), freeze({"x": {"password": PASSWORD}, "y": {"a": 1}})
    first = run_checks([check], candidate({"db": db, "other": other}))

    again = run_checks([check], candidate({"db": db, "other": {**other, "y": {"token": PASSWORD}}}))
    mended = run_checks([check], candidate({"db": {"password": ""}, "other": {"y": {"a": 1}}}))

    assert [problem.path for problem in first] == [("db", "password"), ("other", "x", "password")]
    assert [problem.path for problem in again] == [*(problem.path for problem in first), ("other", "y", "token")]
    assert mended == ()


@pytest.mark.parametrize(
    "text", ["changeme", "CHANGE_ME", "xxx", "***", "<x>", "your-api-key", "todo", "N/A", "not set"]
)
def test_what_asks_to_be_replaced_is_a_placeholder(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["password", "secret", "change", "hunter2", "your", "x1"])
def test_a_weak_password_is_none(text: str) -> None:
    assert not is_placeholder(text)


BRICKS = [
    "eyJ",
    ".",
    "://",
    ":",
    "@",
    "AAAA",
    "-----BEGIN ",
    "A ",
    "PRIVATE KEY",
    "Bearer ",
    "SG.",
    "${",
    "}",
    "/",
    "ghp_",
    "<",
]


@given(st.sampled_from(BRICKS), st.sampled_from(BRICKS))
@settings(max_examples=scaled(test=20, soak=300))
def test_a_long_text_of_any_bricks_is_searched_through(one: str, other: str) -> None:
    text = (one + other) * 10_000

    find(text)
    masked(text)

    is_placeholder(text)
