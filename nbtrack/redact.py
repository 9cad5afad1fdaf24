"""Secrets are taken out of params and source before anything is written.

By the look of a value (keys of known services, tokens, private keys, a password in a
URL), by the name it stands under (`api_key`, `password`, `auth_token`), as whole
words, so that `num_memory_tokens` and `tokenizer` stay, and by having stood under such
a name before: what `WANDB_API_KEY` holds is gone from a printed line too. Every pattern
runs in linear time: no nested repetition, bounded tails. What is redacted is gone, not
encoded.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"
MAX_SCANNED = 5_000_000  # characters of one text; more is no source of a cell

# One alternative a service. Each starts with a literal or a short class, so that the
# engine cannot wander; `(?<!\w)` keeps ids inside longer words out.
_VALUES = [
    r"sk-ant-[\w-]{20,200}",  # Anthropic
    # OpenAI and its like; `sk-learn-pipeline-example` has no digit
    r"(?<!-)sk-(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{16,200}",
    r"hf_[A-Za-z0-9]{16,100}",  # Hugging Face
    r"api_org_[A-Za-z0-9]{20,100}",
    r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{20,255}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{22,255}",
    r"glpat-[\w-]{20,100}",  # GitLab
    r"gl(?:dt|ft|rt|cbt|ptt|agent|soat)-[\w-]{20,100}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,250}",  # Slack
    r"xapp-\d-[A-Za-z0-9-]{10,250}",
    r"AIza[\w-]{35}",  # Google
    r"ya29\.[\w-]{20,500}",
    r"GOCSPX-[\w-]{20,60}",
    r"1//0[\w-]{30,200}",
    r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}",  # Stripe
    r"whsec_[A-Za-z0-9+/=]{20,100}",
    r"sq0(?:atp|csp)-[\w-]{22,60}",  # Square
    r"EAAA[\w-]{50,100}",
    r"SG\.[\w-]{16,32}\.[\w-]{32,64}",  # SendGrid
    r"key-[0-9a-f]{32}(?![0-9a-f])",  # Mailgun
    r"AC[0-9a-f]{32}(?![0-9a-f])|SK[0-9a-f]{32}(?![0-9a-f])",  # Twilio
    r"npm_[A-Za-z0-9]{36}",  # npm
    r"pypi-[\w-]{50,300}",  # PyPI
    r"dop_v1_[0-9a-f]{64}|do[or]_v1_[0-9a-f]{64}",  # DigitalOcean
    r"dapi[0-9a-f]{32}(?:-\d)?",  # Databricks
    r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",  # Shopify
    r"hvs\.[\w-]{24,200}|hvb\.[\w-]{24,300}",  # Vault
    r"lin_api_[A-Za-z0-9]{32,60}",  # Linear
    r"NRAK-[A-Z0-9]{20,40}",  # New Relic
    r"gsk_[A-Za-z0-9]{32,80}",  # Groq
    r"r8_[A-Za-z0-9]{30,60}",  # Replicate
    r"pplx-[A-Za-z0-9]{32,80}",  # Perplexity
    r"xai-[A-Za-z0-9]{40,120}",
    r"nvapi-[\w-]{40,120}",  # NVIDIA
    r"tvly-[A-Za-z0-9-]{20,60}",  # Tavily
    r"wandb_v1_[\w-]{20,120}",
    r"rpa_[A-Z0-9]{30,60}",  # RunPod
    r"secret_[A-Za-z0-9]{40,60}|ntn_[A-Za-z0-9]{40,60}",  # Notion
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",  # Airtable
    r"figd_[\w-]{36,60}",  # Figma
    r"sntrys_[\w+/=.-]{40,300}",  # Sentry
    r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",  # Grafana
    r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
    r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{0,1000}",  # JSON web token
]
_VALUE = re.compile(r"(?<!\w)(?:" + "|".join(_VALUES) + ")")
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"[^-]{0,20000}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
)
_URL_LOGIN = re.compile(
    r"(?P<head>\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/@'\"]{0,100}):"
    r"(?P<secret>[^\s/@'\"]{1,200})@(?=[\w\[])"
)
_HEADER = re.compile(
    r"(?P<head>\b(?:Bearer|Basic|Token)[ ]{1,4})(?P<secret>[A-Za-z0-9+/=._~-]{16,2000})"
)
_ACCOUNT_KEY = re.compile(
    r"(?P<head>\b(?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd|sig)=)"
    r"(?P<secret>[^;&\s'\"]{8,500})"
)
_SLACK_HOOK = re.compile(
    r"(?P<head>https://(?:hooks\.slack\.com/(?:services|workflows)|"
    r"(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks)/)(?P<secret>[\w/-]{20,200})"
)
_TELEGRAM = re.compile(r"(?<![\w])\d{8,10}:AA[\w-]{33}(?![\w-])")
_WITH_HEAD = (_URL_LOGIN, _HEADER, _ACCOUNT_KEY, _SLACK_HOOK)
_WHOLE = (_KEY_BLOCK, _VALUE, _TELEGRAM)

# ---- names


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_ALWAYS = _words(
    "password passwd passphrase passwort pwd pw secret secrets credential credentials "
    "apikey accesskey secretkey privatekey authtoken "
)
_WHEN_LONG = _words("token auth authorization bearer pass pat jwt cookie ")
_KEY_KINDS = _words(
    "api access secret private auth account signing encryption service ssh license "
    "app client master openai wandb aws azure hf huggingface anthropic kaggle neptune "
    "comet google gcp stripe deploy shared session storage "
)
# `pad_token`, `max_tokens`, `token_dim`, `secret_santa_n`: no secrets.
_HARMLESS = _words(
    "num n max min total count pad eos bos sep cls mask unk special image prefix "
    "suffix start stop end id ids dim size len length type types name names emb embed "
    "embedding per limit budget level mode bucket file path dir url host field column "
    "env drop pattern idx index vocab prompt mixing memory register masked expires "
    "expiry ttl required enabled resource scheme method provider "
)
_HOOKS = _words("webhook webhooks")
_SPECIAL_TOKEN = re.compile(r"[<\[|{].{0,60}[>\]|}]\Z", re.DOTALL)
_ASSIGNED = re.compile(
    r"(?P<head>(?<![\w])(?P<name>[A-Za-z_]\w{0,80})(?P<close>['\"]?\]?)"
    r"[ \t]{0,20}(?::[ \t]{0,4}str[ \t]{0,4}=|:|=|,)[ \t]{0,20}[rbuf]{0,2})"
    # A quote in a quote: `-p api_key='"..."'` of a magic.
    r"['\"]?(?P<quote>\"\"\"|'''|['\"])(?P<secret>[^'\"\n]{1,2000})(?P=quote)"
)
# `login("...")`: the name of the call tells; only what looks random is taken.
_LOGIN_CALL = re.compile(
    r"(?P<head>(?<![\w])\w{0,40}(?:login|authenticate|set_api_key|set_token)"
    r"\([ \t]{0,4})"
    r"(?P<quote>['\"])(?P<secret>[\w+/=.~-]{16,500})(?P=quote)"
)
# `DB_PASSWORD=hunter2` of a .env file, `password: hunter2` of a YAML file, also with
# the + or - of a diff before it. A bare word there may be a type: it needs a digit or
# a sign.
_SETTING = re.compile(
    r"(?P<head>^[+\- \t]{0,20}(?:export[ ])?(?P<name>[A-Za-z_][\w.-]{1,80})"
    r"(?::[ \t]{1,4}|[ \t]{0,4}=[ \t]{0,4}))"
    r"(?P<secret>(?=[^\s]{0,200}[0-9!$%^&*])[^\s'\"(){}\[\],]{6,200})[ \t]{0,20}$",
    re.MULTILINE,
)
_ENV_LINE = re.compile(
    r"(?P<head>(?:^|[\s;])(?:%env|%set_env|export|set)[ \t]{1,4}"
    r"(?P<name>[A-Za-z_]\w{0,80})[ \t]{0,4}[= ][ \t]{0,4})"
    r"(?P<secret>[^\s'\";]{1,2000})",
    re.MULTILINE,
)


_NAMED = (_ASSIGNED, _ENV_LINE, _SETTING, _LOGIN_CALL)


class KnownSecrets:
    """Values that stood under a secret's name in this process; gone wherever they are.

    >>> known = KnownSecrets()
    >>> known.learn("correct-horse-7")
    >>> known.clear("logged in with correct-horse-7")
    ('logged in with [redacted]', 1)
    """

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._lock = threading.Lock()

    def learn(self, value: str) -> None:
        """Remember a value; a plain word is none, it stands in other places too."""
        value = value.strip()
        is_word = value.replace("_", "").replace("-", "").isalpha()
        if REDACTED in value or is_word or len(value) < 6:
            return
        with self._lock:
            self._values[value] = None
            while len(self._values) > _MAX_KNOWN:
                del self._values[next(iter(self._values))]

    def learn_environment(self, environment: Mapping[str, str]) -> None:
        """Remember what the variables with a secret's name hold now; paths are none."""
        # Names alone: decoding all values took most of the time of redacting.
        for name in filter(_may_name_secret, list(environment)):
            value = environment.get(name, "")
            is_path = value.startswith(("/", "~", "."))
            if not is_path and is_secret(name, value):
                self.learn(value)

    def forget(self) -> None:
        """Know nothing any more."""
        with self._lock:
            self._values.clear()

    def clear(self, text: str) -> tuple[str, int]:
        """Take the known values out of a text; the longest first."""
        n_found = 0
        for value in sorted(self._values, key=len, reverse=True):
            n = text.count(value)
            if n:
                n_found += n
                text = text.replace(value, REDACTED)
        return text, n_found


_MAX_KNOWN = 500  # of one process
known_secrets = KnownSecrets()


@lru_cache(maxsize=2000)
def _may_name_secret(name: str) -> bool:
    return is_secret(name, "aB3-" * 10) or is_secret(name, "https://aB3-")


def redact(text: str) -> tuple[str, int]:
    """Take secrets out of a text by their look; the text and how many there were.

    >>> redact("login('hf_abcdefghijklmnopqrstuvwx')")
    ("login('[redacted]')", 1)
    """
    if len(text) > MAX_SCANNED:
        return f"{REDACTED} ({len(text)} characters, too long to look through)", 1
    known_secrets.learn_environment(os.environ)
    text, n_found = known_secrets.clear(text)
    for pattern in _WHOLE:
        text, n = pattern.subn(REDACTED, text)
        n_found += n
    for pattern in _WITH_HEAD:
        n_found += sum(m["secret"] != REDACTED for m in pattern.finditer(text))
        text = pattern.sub(_keep_head, text)
    return text, n_found


def redact_source(source: str) -> tuple[str, int]:
    """Take secrets out of source, a diff or a printed text: also by the names in it.

    >>> redact_source("password = 'hunter2'; lr = 0.1")
    ("password = '[redacted]'; lr = 0.1", 1)
    """
    source, n_found = redact(source)
    n_named, learned = 0, set()

    def clear(found: re.Match[str]) -> str:
        nonlocal n_named
        secret, groups = found["secret"], found.groupdict()
        name = groups.get("name")
        told = _looks_random(secret) if name is None else is_secret(name, secret)
        if groups.get("head", "").rstrip(" \trbuf").endswith(","):
            # `setdefault("API_KEY", "a1b2")`, but also `("token", "column_id")`.
            told = told and not secret.replace("_", "").isalpha()
        if secret == REDACTED or not told:
            return found[0]
        n_named += 1
        learned.add(secret)
        return _keep_head(found)

    for pattern in _NAMED:
        source = pattern.sub(clear, source)
    for secret in learned:
        known_secrets.learn(secret)
    if learned:  # it may stand elsewhere in the same text, under no name
        source, n_again = known_secrets.clear(source)
        n_named += n_again
    return source, n_found + n_named


def redact_param(name: str, value: Any) -> tuple[Any, int]:  # Any: a JSON-able leaf
    """Take secrets out of one param, by its dotted name and by the look of its value.

    >>> redact_param("login.api_key", "abc123def456"), redact_param("max_tokens", "512")
    (('[redacted]', 1), ('512', 0))
    """
    if isinstance(value, str):
        if is_secret(name.rpartition(".")[2].strip("'"), value):
            known_secrets.learn(value)
            return REDACTED, 1
        return redact(value)
    if isinstance(value, list):
        pairs = [redact_param(name, item) for item in value]
        return [item for item, _ in pairs], sum(n for _, n in pairs)
    if isinstance(value, dict):
        cleared = {key: redact_param(str(key), item) for key, item in value.items()}
        found = sum(n for _, n in cleared.values())
        return {key: item for key, (item, _) in cleared.items()}, found
    return value, 0


def redact_json(value: Any) -> Any:  # Any: what JSON can hold
    """Take secrets out of every string of a JSON-able value, keys included.

    >>> redact_json({"by": ["hf_abcdefghijklmnopqrstuvwx", 3]})
    {'by': ['[redacted]', 3]}
    """
    if isinstance(value, str):
        return redact(value)[0]
    if isinstance(value, list | tuple):
        return [redact_json(item) for item in value]
    if isinstance(value, dict):
        return {redact(str(key))[0]: redact_json(item) for key, item in value.items()}
    return value


def is_secret(name: str, value: str) -> bool:
    """Whether a text under this name has to be a secret.

    >>> is_secret("db_password", "x"), is_secret("pad_token", "<pad>")
    (True, False)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if not _HOOKS.isdisjoint(words):  # whoever knows the address may post to it
        return "://" in value
    if not words or not value.strip() or not _HARMLESS.isdisjoint(words):
        return False
    if not _ALWAYS.isdisjoint(words):
        return True
    if not _WHEN_LONG.isdisjoint(words):
        return _may_be_secret(value, 8)
    if words[-1] in ("key", "keys"):
        kinds = _KEY_KINDS.intersection(words[:-1])
        return _may_be_secret(value, 6) if kinds else _looks_random(value)
    return False


def _may_be_secret(value: str, shortest: int) -> bool:
    if len(value) < shortest or _SPECIAL_TOKEN.match(value):
        return False
    return not any(character.isspace() for character in value)


def _looks_random(value: str) -> bool:
    """Letters and digits mixed, one long word: nobody's dictionary key."""
    return (
        len(value) >= 20
        and value.replace("-", "").replace("_", "").isalnum()
        and sum(character.isdigit() for character in value) >= 4
        and any(character.isalpha() for character in value)
    )


def _keep_head(found: re.Match[str]) -> str:
    start, end = (place - found.start() for place in found.span("secret"))
    return found[0][:start] + REDACTED + found[0][end:]
