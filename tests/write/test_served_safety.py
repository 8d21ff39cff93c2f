"""A key goes to the server that the author named and to no other, and nothing of it stays behind."""

from __future__ import annotations

import logging
import shutil
import ssl
import subprocess
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_server import Answer, Talk, chunk, events, plain, refused, said, serving
from served_kit import ASK, PATIENT, SHAPE, TEXT, failure, model, written

from engine.errors import UsageError
from engine.write.address import key_for, parse
from engine.write.model import WriterError
from engine.write.served import ServedModel

KEY, OPENAI = "mk-0123456789-secret", "sk-9876543210-secret"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIKEBOT_API_KEY", "OPENAI_API_KEY", *PROXIES, *map(str.upper, PROXIES)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIKEBOT_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI)


@pytest.mark.parametrize(
    ("url", "mine", "theirs", "sent"),
    [
        ("https://api.openai.com", KEY, OPENAI, KEY),
        ("https://api.openai.com/v1", "", OPENAI, OPENAI),
        ("https://API.OpenAI.com:443/v1", "", OPENAI, OPENAI),
        ("http://api.openai.com/v1", "", OPENAI, ""),
        ("https://api.openai.com:8443/v1", "", OPENAI, ""),
        ("https://api.openai.com.example/v1", "", OPENAI, ""),
        ("https://apixopenai.com/v1", "", OPENAI, ""),
        ("https://models.example/api.openai.com", "", OPENAI, ""),
        ("https://models.example/v1", KEY, OPENAI, KEY),
        ("http://models.example/v1", KEY, OPENAI, ""),
        ("http://192.168.1.5:8000/v1", KEY, OPENAI, ""),
        ("http://127.0.0.1.example:8000", KEY, OPENAI, ""),
        ("http://127.0.0.1:8000", KEY, OPENAI, KEY),
        ("http://127.0.0.1:8000", "", OPENAI, ""),
        ("http://localhost:8000", KEY, "", KEY),
        ("http://[::1]:8000", KEY, "", KEY),
        ("http://0.0.0.0:8000", KEY, "", KEY),
        ("https://models.example", f" {KEY}\n", "", KEY),
    ],
)
def test_each_key_goes_where_it_belongs(
    url: str, mine: str, theirs: str, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIKEBOT_API_KEY", mine)
    monkeypatch.setenv("OPENAI_API_KEY", theirs)
    assert key_for(parse(url)) == sent


def test_a_server_that_the_author_named_gets_the_key(keys: None) -> None:
    with serving(said(TEXT)) as server:
        written(model(server))
        assert [heard.headers.get("authorization") for heard in server.heard] == [f"Bearer {KEY}"] * 2


def test_a_server_that_was_found_gets_none(keys: None) -> None:
    with serving(refused(401, "a key, please")) as server:
        assert failure(model(server, keyed=False)) == (
            "the server at ADDRESS answers with 401: a key, please\n"
            "  Name the server with --model served:ADDRESS: then MIKEBOT_API_KEY of the environment is sent to it."
        )
        assert [heard.headers.get("authorization") for heard in server.heard] == [None, None]


def test_a_key_is_not_sent_over_a_line_that_others_can_read(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(refused(401, "a key, please")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert failure(ServedModel("http://models.example:8000", limits=PATIENT)) == (
            "the server at ADDRESS answers with 401: a key, please\n"
            "  MIKEBOT_API_KEY is not sent over a line that others can read: give an https address, or a tunnel to it."
        )
        assert [heard.path for heard in proxy.heard] == [
            "http://models.example:8000/v1/models",
            "http://models.example:8000/v1/chat/completions",
        ]
        assert [heard.headers.get("authorization") for heard in proxy.heard] == [None, None]


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(refused(500)) as proxy, serving(said(TEXT)) as server:
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert written(model(server)) == TEXT
        assert written(ServedModel(server.url.replace("127.0.0.1", "localhost"), limits=PATIENT)) == TEXT
        assert proxy.heard == []


@pytest.mark.parametrize("key", ["two words", "new\nline", "schlüssel", "\x00"])
def test_what_cannot_be_a_key_is_not_sent(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if key != "\x00":  # No environment can hold it.
        monkeypatch.setenv("MIKEBOT_API_KEY", key)
        with serving(said(TEXT)) as server:
            assert failure(model(server)) == (
                "MIKEBOT_API_KEY holds spaces, line breaks or letters that no key has\n  Set it again, or unset it."
            )
            assert server.heard == []


def echo(talk: Talk) -> None:
    """A server that says all that it heard, as servers for testing do."""
    plain(repr(dict(talk.heard.headers)).encode(), 418, "text/plain")(talk)


def broken_echo(talk: Talk) -> None:
    talk.head()
    talk.event(chunk({"content": "{"}))
    talk.event(b"{" + b"x" * 60 + talk.heard.headers["authorization"].encode())


LEAKY: dict[str, Answer] = {
    "its words": refused(401, f"Incorrect API key provided: {KEY}."),
    "an echo": echo,
    "an echo within rubbish": broken_echo,
    "a page": lambda talk: plain(talk.heard.headers["authorization"].encode(), 200, "text/html")(talk),
    "an error in the stream": lambda talk: events({"error": talk.heard.headers["authorization"]})(talk),
    "a redirect": plain(b"", 302, Location=f"http://127.0.0.1:1/{KEY}?key={KEY}"),
    "stumbling": refused(500, KEY),
    "an empty connection": lambda talk: talk.reset(),
    "no HTTP": lambda talk: talk.raw(talk.heard.headers["authorization"].encode() + b"\r\n\r\n"),
    "bad packing": plain(KEY.encode(), Content_Encoding="gzip"),
    "silence": lambda talk: talk.wait(),
}


@pytest.mark.parametrize("name", LEAKY)
def test_nothing_of_a_key_stays_behind(
    name: str, keys: None, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    with serving(LEAKY[name]) as server:
        writer = model(server, name="x", limits=PATIENT._replace(first=0.5))
        with pytest.raises(WriterError) as caught:
            list(writer.stream(ASK, SHAPE, seed=1, most_tokens=9, tell=lambda _: None))
        assert server.heard[0].headers["authorization"] == f"Bearer {KEY}"
    left = [*everything(caught.value), *everything(writer), caplog.text, repr(caplog.records)]
    assert [text for text in left if "0123456789" in text] == []
    assert list(tmp_path.iterdir()) == []


def everything(thing: Any) -> Iterator[str]:
    """All that a log, a debugger or a report of a crash could show of it."""
    yield from (str(thing), repr(thing), repr(vars(thing)))
    if isinstance(thing, BaseException):
        assert (thing.__cause__, thing.__context__) == (None, None)
        ours = (frame for frame, _ in traceback.walk_tb(thing.__traceback__) if "engine" in frame.f_code.co_filename)
        for frame in ours:
            yield from (
                f"{name} = {value!r} {getattr(value, '__dict__', '')}" for name, value in frame.f_locals.items()
            )


def test_nobody_is_followed_to_another_server(keys: None) -> None:
    for status in (301, 302, 303, 307, 308):
        with serving(said(TEXT)) as other, serving(plain(b"", status, Location=f"{other.url}/v1/x?a=b")) as server:
            assert failure(model(server)) == (
                f"the server at ADDRESS answers with a redirect ({status}) to {other.url}/v1/x, which is not followed"
            )
            assert other.heard == []


NAMES_NO_HOST = "the address of a model's server names no host"
UNREADABLE = "the address of a model's server cannot be read"
NO_SCHEME = "the address of a model's server begins with http:// or https://"
INVISIBLE = "the address of a model's server holds spaces or invisible characters"
EXAMPLE = "\n  Write it like http://127.0.0.1:8000, or https://HOST/v1."


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8000", NO_SCHEME + EXAMPLE),
        ("", NO_SCHEME + EXAMPLE),
        ("ftp://someone:secret@models.example", f"{NO_SCHEME}, not ftp://{EXAMPLE}"),
        ("file:///etc/passwd", f"{NO_SCHEME}, not file://{EXAMPLE}"),
        ("http://", NAMES_NO_HOST + EXAMPLE),
        ("http://:8000", NAMES_NO_HOST + EXAMPLE),
        ("http://bücher.example", NAMES_NO_HOST + EXAMPLE),
        ("http://a%2eb", NAMES_NO_HOST + EXAMPLE),
        ("http://[::1", UNREADABLE + EXAMPLE),
        ("http://a:99999", UNREADABLE + EXAMPLE),
        ("http://a:b", UNREADABLE + EXAMPLE),
        ("http://a b", INVISIBLE + EXAMPLE),
        ("http://a\r\nX: y", INVISIBLE + EXAMPLE),
        (
            "https://someone:secret@models.example",
            "the address of a model's server may not hold a name or a password\n"
            "  Set MIKEBOT_API_KEY in the environment: it is sent to the server that you name.",
        ),
        (
            "https://models.example/v1?key=secret",
            "the address of a model's server ends before ? and #\n  A model's name follows as served:URL#MODEL.",
        ),
    ],
)
def test_what_is_no_address_is_the_author_s_mistake(url: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ServedModel(url)
    assert str(caught.value) == message
    assert "secret" not in "".join(traceback.format_exception(caught.value)).replace(repr(url), "")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://LOCALHOST:80/", "http://localhost/v1"),
        ("https://models.example:443", "https://models.example/v1"),
        ("https://models.example:8443/api/v1/", "https://models.example:8443/api/v1"),
        ("http://[0:0::1]:8000", "http://[0:0::1]:8000/v1"),
    ],
)
def test_an_address_is_shown_as_it_is_asked(url: str, shown: str) -> None:
    assert str(parse(url)) == shown
    assert repr(ServedModel(url, "x")) == f"ServedModel({shown!r}, 'x')"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, with its key in the same file."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl makes the certificate")
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mikebot"
    names = "-addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:TRUE"
    command = [openssl, *made.split(), *names.split(), "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_is_trusted_lets_a_text_through(
    certificate: Path, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with serving(said(TEXT), tls=tls(certificate)) as server:
        assert written(model(server)) == TEXT


def test_a_certificate_that_is_not_trusted_ends_it_before_anything_is_said(certificate: Path, keys: None) -> None:
    with serving(said(TEXT), tls=tls(certificate)) as server:
        assert failure(model(server)) == ("the server at ADDRESS cannot be spoken to safely (self-signed certificate)")
        assert server.heard == []


def test_a_server_without_encryption_is_not_spoken_to_as_if_it_had_some() -> None:
    with serving(said(TEXT)) as server:
        writer = ServedModel(server.url.replace("http:", "https:"), "x", limits=PATIENT)
        assert failure(writer).startswith("the server at ADDRESS cannot be spoken to safely (")
