"""Only the page itself is answered: what another site, another program or broken HTTP asks for is refused, in time."""

from __future__ import annotations

import json
import random
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kit import (
    EDIT,
    PATIENCE,
    Answer,
    Ear,
    Line,
    Told,
    among,
    ask,
    doors,
    edit,
    editing,
    get,
    request,
    soon,
)

from engine.preview import doors as door
from engine.preview import guard
from engine.preview.server import Server

STATE = "the state of the session"
FILM = b"the bytes of the film" * 1000
OTHER_ADDRESS = "this address is not the page's own"
OTHER_PAGE = "another page may not speak to this one"
OTHER_SITE = "another page may not load what belongs to this one"
NO_TOKEN = "the page's token is missing or old"


@pytest.fixture(autouse=True)
def film(live: Told) -> str:
    """What there is to be stolen."""
    live.state |= {"title": STATE}
    live.edits.clear()
    return live.show(FILM)


def refused(found: Answer | None, status: int, message: str) -> None:
    """It was turned away, and nothing but the reason was said."""
    assert found is not None
    assert (found.status, found.said["message"]) == (status, message)
    assert found.headers["connection"] == "close"
    assert found.headers["cache-control"] == "no-store"


# Who asks.

HOSTS = (
    "",
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1:0{port}",
    "localhost",
    "localhost.:{port}",
    "localhost:{port}.evil.example",
    "evil.example@127.0.0.1:{port}",
    "127.0.0.1:{port}, evil.example",
    "127.0.0.1:{port}/",
    "127.1:{port}",
    "127.0.0.2:{port}",
    "0.0.0.0:{port}",
    "2130706433:{port}",
    "[::1]:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "127.0.0.1:{port}\r\n evil.example",
)
NO_HOSTS = (
    None,
    "evil.example\r\nHost: 127.0.0.1:{port}",
    "127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}",
    "127.0.0.1:{port}\r\nhost: evil.example",
)


@pytest.mark.parametrize("host", HOSTS, ids=repr)
@pytest.mark.parametrize("path", ["/", "/state", "/events", "/media/{film}", "/edit", "/nothing"])
def test_another_name_of_this_address_is_refused(server: Server, film: str, path: str, host: str) -> None:
    """Names that resolve here are anybody's (DNS rebinding)."""
    host = host.format(port=server.port)
    refused(ask(server, request(server, path.format(film=film), Host=host)), 421, OTHER_ADDRESS)
    refused(edit(server, Host=host), 421, OTHER_ADDRESS)


@pytest.mark.parametrize("host", NO_HOSTS, ids=repr)
def test_a_host_that_is_missing_or_doubled_is_no_http(server: Server, film: str, host: str | None) -> None:
    host = host and host.format(port=server.port)
    for raw in (request(server, f"/media/{film}", Host=host), editing(server, Host=host)):
        found = ask(server, raw)
        assert found is not None
        assert (found.status, found.body) == (400, b"Invalid HTTP request received.")


def test_a_host_that_is_missing_is_refused_in_old_http_too(server: Server) -> None:
    refused(ask(server, b"GET /state HTTP/1.0\r\n\r\n"), 421, OTHER_ADDRESS)


def test_both_names_of_the_page_are_good(server: Server, film: str) -> None:
    for host in (f"127.0.0.1:{server.port}", f"localhost:{server.port}"):
        assert get(server, Host=host).status == 200
        assert get(server, f"/media/{film}", Host=host).body == FILM
        assert edit(server, Host=host, Origin=f"http://{host}").status == 200


def test_browsers_leave_out_the_port_of_the_web() -> None:
    assert guard.Guard(lambda *_: None, "", 80)._hosts == [[b"127.0.0.1"], [b"localhost"]]


@pytest.mark.parametrize("where", ["http://evil.example", "http://127.0.0.1:{port}", "127.0.0.1:{port}", ""])
@pytest.mark.parametrize("path", ["/state", "/media/{film}", "/"])
def test_what_is_asked_of_a_proxy_is_not_here(server: Server, film: str, where: str, path: str) -> None:
    """The Host of such a request says nothing; a browser never sends one here."""
    target = where.format(port=server.port) + path.format(film=film)
    found = ask(server, request(server, target if where else f"/{target}"))
    assert found is not None
    assert found.status == 404
    assert STATE.encode() not in found.body


@pytest.mark.parametrize("method", ["CONNECT", "OPTIONS"])
@pytest.mark.parametrize("target", ["*", "127.0.0.1:{port}", "evil.example:443"])
def test_it_is_no_proxy(server: Server, method: str, target: str) -> None:
    raw = request(server, target.format(port=server.port), method, Content_Length=None)
    for asked in (raw, raw.replace(server.token.encode(), b"")):
        found = ask(server, asked)
        assert found is not None
        assert found.status in (403, 404)


ORIGINS = (
    "null",
    "",
    "http://evil.example",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}.evil.example",
    "http://localhost:{port}",  # Another origin than the address that was asked.
    "http://[::1]:{port}",
    "file://",
    "chrome-extension://abc",
    "http://127.0.0.1:{port}\r\nOrigin: http://evil.example",
)


@pytest.mark.parametrize("origin", ORIGINS, ids=repr)
def test_another_origin_is_refused(server: Server, live: Told, film: str, origin: str) -> None:
    origin = origin.format(port=server.port)
    for path in ("/", "/state", "/events", f"/media/{film}"):
        refused(get(server, path, Origin=origin), 403, OTHER_PAGE)
    refused(edit(server, Origin=origin), 403, OTHER_PAGE)
    assert live.edits == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "x", "same-origin\r\nSec-Fetch-Site: cross-site"])
@pytest.mark.parametrize(
    ("mode", "dest"),
    [
        (None, None),
        ("no-cors", "image"),
        ("no-cors", "video"),
        ("no-cors", "script"),
        ("cors", "empty"),
        ("navigate", "iframe"),
        ("navigate", "object"),
        ("websocket", "websocket"),
    ],
)
def test_another_site_loads_nothing(server: Server, film: str, site: str, mode: str | None, dest: str | None) -> None:
    for path in ("/", "/state", "/events", f"/media/{film}", "/edit"):
        found = get(server, path, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode, Sec_Fetch_Dest=dest)
        refused(found, 403, OTHER_SITE)


def test_another_site_may_link_to_the_page_alone(server: Server, film: str) -> None:
    def follow(path: str) -> Answer:
        how = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
        return get(server, path, Sec_Fetch_Site="cross-site", **how)

    assert follow("/").status == 200
    for path in ("/state", "/events", f"/media/{film}"):
        refused(follow(path), 403, OTHER_SITE)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_page_itself_and_the_address_bar_load_all(server: Server, film: str, site: str) -> None:
    for path in ("/", "/state", f"/media/{film}"):
        assert get(server, path, Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors").status == 200


# Who writes.


@pytest.mark.parametrize(
    "token", [None, "", "x", "{token}x", "{token}, {token}", "{token}\r\nX-Mikebot-Token: {token}"]
)
def test_nothing_is_written_without_the_token(server: Server, live: Told, token: str | None) -> None:
    token = token.format(token=server.token) if token is not None else None
    found = edit(server, X_Mikebot_Token=token)
    refused(found, 403, NO_TOKEN)
    assert found.said["hint"] == "load the page again"
    assert live.edits == []


def test_the_token_is_read_nowhere_else(server: Server, live: Told) -> None:
    body = json.dumps({**EDIT, "token": server.token}).encode()
    elsewhere = {"Cookie": f"token={server.token}", "Authorization": f"Bearer {server.token}"}
    for path in (f"/edit?token={server.token}", f"/edit?X-Mikebot-Token={server.token}"):
        refused(ask(server, request(server, path, "POST", body, X_Mikebot_Token=None, **elsewhere)), 403, NO_TOKEN)
    assert get(server, f"/edit?token={server.token}&scene=hook&field=take&value=2&base=ab").status == 405
    assert live.edits == []


def test_a_form_of_another_site_writes_nothing(server: Server, live: Told) -> None:
    """A form can send JSON as text/plain, without asking beforehand; but no header of its own."""
    form = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
        refused(edit(server, X_Mikebot_Token=None, Content_Type=kind), 403, NO_TOKEN)
        refused(edit(server, X_Mikebot_Token=None, Content_Type=kind, Origin="null"), 403, OTHER_PAGE)
        refused(edit(server, X_Mikebot_Token=None, Content_Type=kind, **form), 403, OTHER_SITE)
        refused(edit(server, Content_Type=kind), 415, "only JSON is read here")
    assert live.edits == []


def test_nobody_is_told_that_he_may_ask_from_elsewhere(server: Server) -> None:
    asking = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Private_Network": "true"}
    for origin in ("http://evil.example", f"http://127.0.0.1:{server.port}"):
        found = ask(server, request(server, "/edit", "OPTIONS", Origin=origin, X_Mikebot_Token=None, **asking))
        assert found is not None
        assert found.status == 403
        assert not any(name.startswith("access-control") for name in found.headers)


@pytest.mark.parametrize("kind", ["websocket", "h2c", "websocket, h2c"])
def test_no_other_protocol_is_spoken(server: Server, kind: str) -> None:
    key = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Version": "13"}
    found = get(server, "/events/", Connection="Upgrade", Upgrade=kind, **key)
    assert found.status == 404
    found = get(server, "/state", Connection="Upgrade", Upgrade=kind, Origin="http://evil.example", **key)
    refused(found, 403, OTHER_PAGE)
    assert get(server, "/state", Connection="Upgrade", Upgrade=kind, **key).status == 200  # As if it had not asked.


# What is asked for.

OUTSIDE = (
    "/../../etc/passwd",
    "/media/../../../etc/passwd",
    "/media/..%2f..%2f..%2fetc%2fpasswd",
    "/media/%2e%2e/%2e%2e/etc/passwd",
    "/media/%252e%252e%252fetc%252fpasswd",
    "/media/..\\..\\etc\\passwd",
    "/media/..%5c..%5cetc%5cpasswd",
    "/media//etc/passwd",
    "/media/%2fetc%2fpasswd",
    "/media/C:%5cWindows%5cwin.ini",
    "/media/{film}%00.png",
    "/media/%00{film}",
    "/media/{film}%0a",
    "/media/{film}/",
    "/media/./{film}",
    "/media/x/../{film}",
    "/media/x%2f..%2f{film}",
    "/media/{film}.mp4",
    "/media/{film};x",
    "/MEDIA/{film}",
    "/media/{FILM}",
    "/media/" + "0" * 64 + ".mp4",
    "/media/" + "0" * 64 + ".html",
    "/media/" + "０" * 64 + ".mp4",
    "/media/%c0%ae%c0%ae/x",
    "/page.html",
    "/../server.py",
    "/%2e%2e/server.py",
    "/./page.css",
    "/.git/config",
    "/static/../state",
    "/state%2f",
    "/%73tate/",
)


@pytest.mark.parametrize("path", OUTSIDE, ids=ascii)
def test_no_path_leads_out(server: Server, film: str, path: str) -> None:
    path = path.replace("{film}", film).replace("{FILM}", film.upper())
    found = ask(server, request(server, path.encode().decode("latin-1")))
    assert found is not None
    assert found.status == (404 if path.isascii() else 400)
    assert b"root:" not in found.body


@pytest.mark.parametrize("kind", ["link to a file", "link to nothing", "link to a folder", "folder", "nothing", "long"])
def test_only_a_file_is_a_film(server: Server, live: Told, kind: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"root:")
    path = tmp_path / ("x" * 5000 if kind == "long" else "film")
    if kind == "folder":
        path.mkdir()
    elif kind.startswith("link"):
        path.symlink_to(tmp_path / {"link to a file": "secret", "link to a folder": "."}.get(kind, "none"))
    name = "1" * 64 + ".mp4"
    live.files[name] = path
    refused(get(server, f"/media/{name}"), 404, "there is no such file here")
    refused(get(server, f"/media/{name}", "HEAD")._replace(body=b'{"message": ""}'), 404, "")


@pytest.mark.parametrize("suffix", ["html", "svg", "js", "xml", "pdf", "yaml", "MP4"])
def test_what_could_be_a_page_is_no_film(server: Server, live: Told, suffix: str) -> None:
    refused(get(server, f"/media/{live.show(b'<script>', suffix)}"), 404, "there is no such file here")


# How it is asked.

BROKEN = (
    b"",
    b"\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /state\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300) + b"\r\n\r\n",
    b"GET /state HTTP/1.1\r\nHost : {host}\r\n\r\n",
    b"GET /state HTTP/1.1\r\n Host: {host}\r\n\r\n",
    b"GET /state HTTP/1.1\r\nHost: {host}\r\nX: \x00\r\n\r\n",
    b"GET /sta\x00te HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /sta te HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /state\x7f HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /state HTTP/1.1\r\nHost: {host}\r\nno colon\r\n\r\n",
    b"GET /state HTTP/1.1\r\nHost: {host}\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 300_000 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /state HTTP/1.1\r\nHost: {host}\r\n" + b"X: x\r\n" * 50_000 + b"\r\n",
)


def test_newer_http_is_not_spoken(server: Server) -> None:
    refused(ask(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 421, OTHER_ADDRESS)


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: repr(raw[:40]))
def test_what_is_not_http_is_refused(server: Server, raw: bytes) -> None:
    with Line(server) as line:
        line.say(raw.replace(b"{host}", f"127.0.0.1:{server.port}".encode()) or b"\x00\r\n\r\n")
        got = line.rest()
    assert got == b"" or got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert STATE.encode() not in got


EMBEDDED = b"GET /state HTTP/1.1\r\nHost: {host}\r\n\r\n"
LENGTH = str(len(EMBEDDED.replace(b"{host}", b"127.0.0.1:12345")))
SMUGGLED = (
    ({"Transfer_Encoding": "chunked", "Content_Length": "5"}, 411),
    ({"Transfer_Encoding": "chunked", "Content_Length": None}, 411),
    ({"Transfer_Encoding": "Chunked", "Content_Length": None}, 411),
    ({"Transfer_Encoding": "chunked, identity", "Content_Length": "5"}, 400),
    ({"Transfer_Encoding": "identity", "Content_Length": "5"}, 400),
    ({"Transfer_Encoding": "xchunked", "Content_Length": "5"}, 400),
    ({"Transfer_Encoding": "chunked\r\nTransfer-Encoding: identity", "Content_Length": "5"}, 400),
    ({"Transfer_Encoding": "\r\n chunked", "Content_Length": "5"}, 411),
    ({"Transfer_Encoding\t": "chunked", "Content_Length": "5"}, 400),
    ({"Transfer_Encoding ": "chunked", "Content_Length": "5"}, 400),
    ({"Content_Length": "5\r\nContent-Length: 0"}, 400),
    ({"Content_Length": "5, 0"}, 400),
    ({"Content_Length": "5\r\n 0"}, 400),
    ({"Content_Length": "+5"}, 400),
    ({"Content_Length": "-1"}, 400),
    ({"Content_Length": "0x5"}, 400),
    ({"Content_Length": "5_0"}, 400),
    ({"Content_Length": "٥".encode().decode("latin-1")}, 400),
    ({"Content_Length": "9" * 5000}, 400),
    ({"Content_Length": "99999999999999999999"}, 413),
    ({"Content_Length": "65537"}, 413),
)


@pytest.mark.parametrize(("headers", "status"), SMUGGLED, ids=str)
def test_where_a_request_ends_is_never_in_doubt(
    server: Server, live: Told, headers: dict[str, str | None], status: int
) -> None:
    """Nothing after a doubtful head is taken for another request."""
    inner = EMBEDDED.replace(b"{host}", f"127.0.0.1:{server.port}".encode())
    with Line(server) as line:
        line.say(editing(server, said=b"0\r\n\r\n" + inner, **headers))
        got = line.rest()
    assert got == b"" or re.match(b"HTTP/1.1 %d " % status, got)
    assert got.count(b"HTTP/1.1") <= 1
    assert STATE.encode() not in got
    assert live.edits == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_reads_sends_no_body(server: Server, method: str) -> None:
    refused(ask(server, request(server, "/state", "GET", b"x", Content_Length="1")), 413, TOO_LONG.format(0))
    found = ask(server, request(server, "/state", "GET", b"1\r\nx\r\n0\r\n\r\n", Transfer_Encoding="chunked"))
    refused(found, 411, "a request says beforehand how long it is")
    assert get(server, "/state", Content_Length="0").status == 200


TOO_LONG = "this request may hold {} bytes, not more"


def test_a_giant_body_is_refused_before_it_is_sent(server: Server, live: Told) -> None:
    found = ask(server, editing(server, said=b"", Content_Length=str(10**12)))
    refused(found, 413, TOO_LONG.format(65536))
    with Line(server) as line:  # And if it comes nevertheless, it ends in nothing.
        line.say(editing(server, said=b"x" * 20_000_000))
        assert line.rest()[:12] in (b"", b"HTTP/1.1 413")
    assert live.edits == []


def test_endless_chunks_are_refused(server: Server) -> None:
    with Line(server) as line:
        line.say(editing(server, said=b"", Content_Length=None, Transfer_Encoding="chunked"))
        line.say(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")
        assert line.rest()[:12] in (b"", b"HTTP/1.1 411")


def test_more_than_was_announced_is_another_request(server: Server, live: Told) -> None:
    said = json.dumps(EDIT).encode()
    with Line(server) as line:
        line.say(editing(server, said=said + b"GARBAGE\r\n\r\n", Content_Length=str(len(said))))
        first = line.answer()
        assert first is not None
        assert first.status == 200
        assert line.rest().startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert live.edits == [("hook", "take", 2, "ab")]


def test_requests_on_one_connection_are_answered_in_their_order(server: Server, film: str) -> None:
    with Line(server) as line:
        paths = ("/state", f"/media/{film}", "/nothing", "/state")
        line.say(b"".join(request(server, path) for path in paths))
        answers = [line.answer() for _ in paths]
    assert [answer.status for answer in answers if answer] == [200, 200, 404, 200]


def test_who_breaks_off_leaves_nothing(server: Server, live: Told) -> None:
    whole = editing(server)
    for end in range(1, len(whole), 9):
        with Line(server) as line:
            line.say(whole[:end])
    assert soon(lambda: len(doors(server)) == 0 or not any(one.cycle for one in doors(server)))
    assert live.edits == []


# Who takes his time.


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /state HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: "])
def test_who_does_not_ask_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.1)
    with Line(server) as line:
        line.say(begun.replace(b"{port}", str(server.port).encode()))
        assert line.rest() == b""


def trickled(line: Line, piece: bytes) -> bytes:
    """What comes back until the other side ends, while the same is said for ever."""
    got, end = b"", time.monotonic() + PATIENCE
    line.socket.settimeout(0.01)
    while time.monotonic() < end:
        try:
            line.socket.sendall(piece)
            if not (heard := line.socket.recv(65536)):
                return got
            got += heard
        except TimeoutError:
            continue
        except ConnectionError:
            return got
    raise AssertionError("it was listened to for ever")


def test_who_asks_a_letter_at_a_time_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.1)
    with Line(server) as line:
        line.say(b"GET /state HTTP/1.1\r\n")
        assert trickled(line, b"X: x\r\n") == b""
    with Line(server) as line:  # Also after an answer.
        line.say(request(server, "/state"))
        assert line.answer() is not None
        assert trickled(line, b"G") == b""


def test_who_writes_a_letter_at_a_time_is_let_go(server: Server, live: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.1)
    late = "the request did not come to its end"
    refused(ask(server, editing(server, said=b"{", Content_Length="60000")), 408, late)
    expecting = editing(server, said=b"", Content_Length="60000", Expect="100-continue")
    with Line(server) as line:
        line.say(expecting)
        refused(line.answer(), 408, late)
    with Line(server) as line:
        line.say(editing(server, said=b"{", Content_Length="60000"))
        assert trickled(line, b" ").startswith(b"HTTP/1.1 408 ")
    assert live.edits == []


def test_a_body_that_nobody_reads_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.1)
    with Line(server) as line:
        line.say(request(server, "/state", "POST", b"", Content_Length="60000"))
        assert trickled(line, b"x").startswith(b"HTTP/1.1 405 ")


def test_who_is_answered_slowly_is_not_let_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.02)
    with Ear(server) as ear:
        ear.event()
        time.sleep(0.1)
        assert len(doors(server)) == 1


def test_a_film_that_is_paused_at_its_end_is_not_cut_off(
    server: Server, live: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last part may lie in the server long after all of it was said."""
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.1)
    content = FILM * 100
    with Line(server, buffer=65536) as line:
        assert soon(lambda: len(doors(server)) == 1)
        [held] = doors(server)
        held.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        held.transport.set_write_buffer_limits(len(content))
        line.say(request(server, f"/media/{live.show(content)}"))
        assert soon(lambda: held.cycle and held.cycle.response_complete)
        assert held.transport.get_write_buffer_size() > 0
        assert soon(held.transport.is_closing)
        got = line.rest()
    assert got.partition(b"\r\n\r\n")[2] == content


def test_idle_connections_keep_nobody_out(server: Server, film: str) -> None:
    with Ear(server) as ear, among(server, 300) as idle:
        ear.event()
        assert get(server, f"/media/{film}").body == FILM
        assert edit(server).status == 200
        assert soon(lambda: len(doors(server)) <= door.MOST_OPEN)
        idle[0].socket.settimeout(None)
        assert idle[0].rest() == b""  # The first that came went first,
        idle[-1].say(request(server, "/state"))
        assert idle[-1].answer() is not None  # and the last is still welcome.


def test_who_is_being_answered_is_not_put_out(server: Server, live: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    assert soon(lambda: not doors(server))
    monkeypatch.setattr(door, "MOST_OPEN", 5)
    with among(server, 5, Ear) as ears:
        for ear in ears:
            ear.event()
        with Line(server) as late:
            assert late.rest() == b""
        count = live.count()
        assert [ear.event()[1]["top"]["count"] for ear in ears] == [count] * 5


# Where it is, and what it says.


def test_it_is_on_loopback_alone(server: Server) -> None:
    assert server._socket.getsockname() == ("127.0.0.1", server.port)
    for address in ("127.0.0.2", "::1", *others()):
        with pytest.raises(OSError):
            socket.create_connection((address, server.port), timeout=2).close()


def others() -> list[str]:
    """Addresses of this machine in its networks, without asking anybody."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [asking.getsockname()[0]]


def answers(server: Server, live: Told, film: str) -> list[tuple[int, bytes]]:
    """A request for each way of answering."""
    media = f"/media/{film}"
    return [
        (200, request(server, "/")),
        (200, request(server, "/state")),
        (200, request(server, "/events")),
        (200, request(server, media)),
        (206, request(server, media, Range="bytes=0-3")),
        (206, request(server, media, Range="bytes=0-3,9-12")),
        (304, request(server, media, If_None_Match=f'"{film}"')),
        (400, request(server, media, Range="bytes=x")),
        (400, editing(server, said=b"{")),
        (400, b"nonsense\r\n\r\n"),
        (403, editing(server, X_Mikebot_Token=None)),
        (403, request(server, "/state", Origin="null")),
        (404, request(server, "/nothing")),
        (404, request(server, "/media/nothing")),
        (405, request(server, "/edit")),
        (408, editing(server, Content_Length="60000")),
        (411, request(server, "/state", Transfer_Encoding="chunked")),
        (413, editing(server, Content_Length="70000")),
        (415, editing(server, Content_Type="text/plain")),
        (416, request(server, media, Range="bytes=99999999-")),
        (421, request(server, "/", Host="evil.example")),
    ]


STRICT = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


def strict(head: bytes) -> None:
    """Every header is there once, and no script but the page's own can run."""
    lines = head.decode("latin-1").lower().split("\r\n")
    for name, value in STRICT.items():
        assert lines.count(f"{name}: {value.lower()}") == 1
    [policy] = [line for line in lines if line.startswith("content-security-policy: ")]
    rules = dict(rule.split(" ", 1) for rule in policy.partition(": ")[2].split("; "))
    assert (rules["default-src"], rules["script-src"]) == ("'none'", "'self'")
    assert (rules["frame-ancestors"], rules["base-uri"], rules["form-action"]) == ("'none'",) * 3
    assert "unsafe" not in policy
    assert not any(line.startswith(("server:", "access-control")) for line in lines)


def test_every_answer_is_strict(server: Server, live: Told, film: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.02)
    for status, raw in answers(server, live, film):
        strict(head_of(server, raw, status))


def head_of(server: Server, raw: bytes, status: int) -> bytes:
    with Line(server) as line:
        line.say(raw)
        got = b""
        while b"\r\n\r\n" not in got:
            piece = line.socket.recv(65536)
            assert piece
            got += piece
    assert got.startswith(b"HTTP/1.1 %d " % status)
    return got.partition(b"\r\n\r\n")[0]


def test_what_fails_within_is_not_told(server: Server, live: Told, film: str) -> None:
    for failure in (RuntimeError("/secret/place"), OSError(2, "no such file", "/secret/place"), KeyError("secret")):
        live.failure = failure
        for raw in (request(server, "/state"), request(server, f"/media/{film}"), editing(server)):
            strict(head_of(server, raw, 500))
            found = ask(server, raw)
            assert found is not None
            assert (found.status, found.body) == (500, b"Internal Server Error")
    live.failure = None
    assert get(server, "/state").said == live.state


def test_a_state_that_is_no_json_fails_alone(server: Server, live: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(live.state, "title", object())
    assert get(server, "/state").body == b"Internal Server Error"


# Anything.


def mutated(chance: random.Random, raw: bytes) -> bytes:
    """The same with a few things done to it that happen or that somebody thought of."""
    for _ in range(chance.randint(1, 4)):
        at, end = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
        lines = raw.split(b"\r\n")
        line = chance.randrange(len(lines))
        odd = chance.choice((b"\0", b"\r\n", b"\n", b" ", b"\t", b":", b"%00", b"../", b"\xff\xfe", b"-1", b"9" * 30))
        raw = (
            chance.choice(
                (
                    raw[:at] + odd + raw[at:],
                    raw[:at] + raw[end:],
                    raw[:at] + chance.randbytes(5) + raw[at:],
                    raw[:end],
                    raw + raw[at:end],
                    b"\r\n".join([*lines[:line], *lines[line + 1 :]]),
                    b"\r\n".join([*lines[:line], lines[line], *lines[line:]]),
                    b"\n".join(lines),
                    raw.replace(b"HTTP/1.1", b"HTTP/1.0"),
                    raw.swapcase() if chance.random() < 0.2 else raw,
                )
            )
            or raw
        )
    return raw


def test_three_hundred_odd_requests(server: Server, live: Told, film: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    live.edits.clear()

    def one(seed: int) -> None:
        chance = random.Random(seed)
        foreign = seed % 2 == 1
        host = {"Host": f"evil.example:{server.port}"} if foreign else {}
        path = chance.choice(("/state", f"/media/{film}", "/", "/nothing"))
        part = {"Range": "bytes=0-99"} if chance.random() < 0.5 else {}
        raw = chance.choice((request(server, path, **host, **part), editing(server, **host)))
        with Line(server) as line:
            line.say(mutated(chance, raw))
            got = line.rest()
        assert got == b"" or re.match(rb"HTTP/1\.1 [2-5]\d\d [ -~]*\r\n", got), (seed, got[:100])
        assert not foreign or (STATE.encode() not in got and FILM[:50] not in got), seed
        assert not foreign or b"HTTP/1.1 2" not in got, seed

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(300)))
    assert all(edited == ("hook", "take", edited[2], edited[3]) for edited in live.edits)
