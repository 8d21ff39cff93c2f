"""The address of a model's server: what may stand in it, how it is shown, and which key may be sent there."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from ..errors import UsageError, plain
from .model import WriterError

KEY, OPENAI_KEY = "MIKEBOT_API_KEY", "OPENAI_API_KEY"
EXAMPLE = "Write it like http://127.0.0.1:8000, or https://HOST/v1."
_OPENAI = ("https", "api.openai.com", 443)
_KEY = re.compile(r"[!-~]+")  # What a header can hold: visible ASCII.
_HOST = re.compile(r"[0-9A-Za-z.:_-]+")


class Address(NamedTuple):
    """Where a server answers; it holds no password, so it may be shown."""

    scheme: str
    host: str
    port: int
    path: str  # Without a slash at its end.

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme] == self.port
        return f"{self.scheme}://{host}{'' if usual else f':{self.port}'}{self.path}"

    @property
    def loopback(self) -> bool:
        """Whether it is this machine by its very name, whatever a name server may say."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            found = ip_address(self.host)
        except ValueError:
            return False
        return found.is_loopback or found.is_unspecified  # vLLM says that it listens on 0.0.0.0.


def parse(text: str) -> Address:
    """The address that an author wrote; without a path, it is the server's /v1. Raises UsageError."""
    if not text.isprintable() or " " in text:
        raise UsageError("the address of a model's server holds spaces or invisible characters", EXAMPLE)
    if "://" not in text:
        raise UsageError("the address of a model's server begins with http:// or https://", EXAMPLE)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("the address of a model's server cannot be read", EXAMPLE) from None
    _admit(parts, host)
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return Address(parts.scheme, host, port or {"http": 80, "https": 443}[parts.scheme], path)


def _admit(parts: SplitResult, host: str) -> None:
    """Refuse what is no address, without repeating what may be secret in it."""
    if parts.scheme not in ("http", "https"):
        scheme = plain(parts.scheme)
        raise UsageError(f"the address of a model's server begins with http:// or https://, not {scheme}://", EXAMPLE)
    if "@" in parts.netloc:
        raise UsageError(
            "the address of a model's server may not hold a name or a password",
            f"Set {KEY} in the environment: it is sent to the server that you name.",
        )
    if not _HOST.fullmatch(host):
        raise UsageError("the address of a model's server names no host", EXAMPLE)
    if parts.query or parts.fragment:
        raise UsageError(
            "the address of a model's server ends before ? and #", "A model's name follows as served:URL#MODEL."
        )


def key_for(address: Address) -> str:
    """The key of the environment that may be sent there, or ""; only to be called where the author named the address.

    Not over a line that others can read, and OpenAI's own key to OpenAI alone. Raises WriterError.
    """
    mine, theirs = (os.environ.get(name, "").strip() for name in (KEY, OPENAI_KEY))
    if mine and not exposed(address):
        return _checked(KEY, mine)
    if theirs and address[:3] == _OPENAI:
        return _checked(OPENAI_KEY, theirs)
    return ""


def exposed(address: Address) -> bool:
    """Whether what is sent there goes over a network as plain text."""
    return address.scheme == "http" and not address.loopback


def _checked(name: str, key: str) -> str:
    if not _KEY.fullmatch(key):
        raise WriterError(f"{name} holds spaces, line breaks or letters that no key has", "Set it again, or unset it.")
    return key


def hushed(text: str) -> str:
    """What a server said, in one line and not for ever, without the keys that it may have repeated."""
    for name in (KEY, OPENAI_KEY):
        if key := os.environ.get(name, "").strip():
            text = text.replace(key, "***")
    line = plain(" ".join(text.split()))
    return line if len(line) <= 300 else f"{line[:297]}..."
