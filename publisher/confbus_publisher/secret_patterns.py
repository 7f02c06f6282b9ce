"""What secrets look like, whatever their name: the forms that well-known services give to theirs.

Each expression begins only where no word goes on, and every repetition in it is of one class, so that a search takes
time in proportion to the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of secret. No text without one of `marks` holds it; group 1, if there is one, is the secret part."""

    kind: str
    marks: tuple[str, ...]
    expression: re.Pattern[str] = field(repr=False)


def find(text: str) -> str:
    """What kind of secret stands in `text`, such as "a GitHub token", or the empty text."""
    if not _is_marked(text):
        return ""
    for form in forms():
        if any(mark in text for mark in form.marks):
            for found in form.expression.finditer(text):
                secret = _secret_part(found)
                if "example" not in secret.lower() and not is_placeholder(secret):
                    return form.kind
    return ""


def masked(text: str) -> str:
    """`text` with *** in place of every secret in it."""
    if not _is_marked(text):
        return text
    for form in forms():
        if any(mark in text for mark in form.marks):
            text = form.expression.sub(_hidden, text)
    return text


def is_placeholder(text: str) -> bool:
    """True for what stands where a secret belongs and is none: `changeme`, `<password>`, `xxx`, `{{ secret }}`."""
    return _PLACEHOLDER.fullmatch(text.strip()) is not None


def _is_marked(text: str) -> bool:
    """False for most texts, which none of the forms has to look at."""
    return any(mark in text for mark in _marks())


def _secret_part(found: re.Match[str]) -> str:
    return found[found.re.groups]


def _hidden(found: re.Match[str]) -> str:
    whole, secret = found[0], _secret_part(found)
    at = found.start(found.re.groups) - found.start()
    return whole[:at] + HIDDEN + whole[at + len(secret) :]


_PLACEHOLDER = re.compile(
    r"[x*.\-_?]+|<[^<>]*>|\{\{[^{}]*\}\}|\$?\{[^{}]*\}|\$[A-Z_]+|%\([^()]*\)s|"
    r"(?:an?[ _-])?(?:change|replace|fill|set)[ _-]?(?:me|this|it|in)[!.]*|your[ _-][\w -]*|example(?:[ _-][\w -]*)?|"
    r"placeholder|dummy|fake|redacted|hidden|todo|tbd|none|null|nil|unset|not[ _-]?set|n/a",
    re.IGNORECASE,
)

_START = r"(?<![A-Za-z0-9_-])"


def _form(kind: str, marks: str, expression: str) -> Form:
    return Form(kind, tuple(marks.split()), re.compile(expression))


def _token(kind: str, marks: str, expression: str) -> Form:
    return _form(kind, marks, _START + expression)


@cache
def forms() -> tuple[Form, ...]:
    """All forms. Compiled when first asked for: most commands never are."""
    return (
        _form("a password in a URL", "://", r"://[^/?#@:\s]{0,200}[:]([^/?#@\s]{1,500})@"),
        _form("a private key", "PRIVATE", r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]*"),
        _token("an AWS access key", "AKIA ASIA", r"A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])"),
        _token("a Google API key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
        _token("a Google OAuth secret", "GOCSPX- ya29.", r"(?:GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,})"),
        _token("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,}"),
        _token("a GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,}"),
        _token("a GitLab token", "glpat- gldt- glrt- glptt- glcbt-", r"gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_.-]{20,}"),
        _token("a Slack token", "xox xapp-", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
        _form("a Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{20,})"),
        _form("a Discord webhook", "/api/webhooks/", r"/api/webhooks/[0-9]{15,20}/([A-Za-z0-9_-]{60,})"),
        _token("a Stripe key", "_live_ _test_ whsec_", r"(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,}"),
        _token("an Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{20,}"),
        _token("an OpenAI key", "sk-proj- sk-svcacct- sk-admin-", r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}"),
        _token("an OpenAI key", "T3BlbkFJ", r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
        _token("a Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{34}"),
        _token("a Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
        _token("a Terraform token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
        _token("an npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
        _token("a PyPI token", "pypi-", r"pypi-[A-Za-z0-9_-]{50,}"),
        _token("a Docker token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),
        _token("a SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
        _token("a Twilio key", "SK", r"SK[0-9a-f]{32}(?![A-Za-z0-9])"),
        _token("a Mailgun key", "key-", r"key-[0-9a-f]{32}(?![A-Za-z0-9])"),
        _token("a Telegram token", ":AA", r"[0-9]{8,10}[:]AA[A-Za-z0-9_-]{33}"),
        _token("a DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
        _token("a Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-[0-9])?(?![A-Za-z0-9])"),
        _token("a Shopify token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
        _token("a Grafana token", "glsa_ glc_", r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32,})"),
        _token("a New Relic key", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
        _token("an age key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
        _form("an Azure key", "Key=", r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,}={0,2})"),
        _token("a JSON Web Token", "eyJ", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
        _form("a bearer token", "earer ", r"\b[Bb]earer {1,4}([A-Za-z0-9._~+/-]{16,}={0,2})"),
    )


@cache
def _marks() -> tuple[str, ...]:
    return tuple(mark for form in forms() for mark in form.marks)
