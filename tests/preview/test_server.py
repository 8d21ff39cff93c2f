"""The live page's server gives the page, the whole state, each change in order, the film's files and three edits."""

from __future__ import annotations

import asyncio
import email
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kit import EDIT, Ear, Line, Told, among, ask, doors, edit, editing, get, request, soon

from engine.errors import MikebotError
from engine.preview import server as served
from engine.preview import stream
from engine.preview.server import Server

ROOT = Path(__file__).parents[2]
FILM = bytes(range(256)) * 4


# The page and the state.


def test_the_page_holds_the_token(server: Server) -> None:
    page = get(server, "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-store"
    assert f'<meta name="token" content="{server.token}">' in page.body.decode()


def test_a_token_is_text_in_the_page(live: Told) -> None:
    with Server(live, token='"><script>') as server:
        assert 'content="&quot;&gt;&lt;script&gt;"' in get(server, "/").body.decode()
        assert edit(server).status == 200


def test_each_server_has_a_token_of_its_own(live: Told) -> None:
    with Server(live) as one, Server(live) as other:
        assert one.token != other.token
        assert edit(one, X_Mikebot_Token=other.token).status == 403


def test_every_file_of_the_page_is_served_with_its_type(server: Server) -> None:
    for file in served.PAGE.iterdir():
        if file.name != "page.html" and file.suffix in served.TYPES:
            found = get(server, f"/{file.name}")
            assert (found.status, found.body) == (200, file.read_bytes())
            assert found.headers["content-type"].split(";")[0] == served.TYPES[file.suffix]


def test_what_the_page_names_is_there(server: Server) -> None:
    named = set(re.findall(r'(?:href|src)="(/[^"]*)"', get(server, "/").body.decode()))
    assert [path for path in sorted(named) if get(server, path).status != 200] == []


def test_the_state_is_what_the_session_says(server: Server, live: Told) -> None:
    found = get(server, "/state")
    assert (found.status, found.said) == (200, live.state)
    assert found.headers["content-type"] == "application/json"
    assert found.headers["cache-control"] == "no-store"


def test_a_name_that_utf_8_cannot_say_is_told(server: Server, live: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(live.state, "title", os.fsdecode(b"caf\xe9"))
    assert get(server, "/state").said["title"] == "caf\udce9"
    with Ear(server) as ear:
        assert ear.event()[1]["title"] == "caf\udce9"


@pytest.mark.parametrize("path", ["/", "/state", "/events"])
def test_a_head_has_no_body(server: Server, path: str) -> None:
    with Line(server) as line:
        line.say(request(server, path, "HEAD"))
        found = line.answer("HEAD")
        assert found is not None
        assert (found.status, found.body) == (200, b"")
        line.say(request(server, "/state"))  # The connection goes on, and no body was in it.
        assert line.answer() is not None


@pytest.mark.parametrize(
    "path", ["/nothing", "/state/", "//state", "/page.html", "/media", "/media/", "/edit/", "/STATE"]
)
def test_what_is_not_there_is_not_found(server: Server, path: str) -> None:
    assert get(server, path).status == 404


# Events.


def test_events_are_the_whole_state_and_then_each_change(server: Server, live: Told) -> None:
    with Ear(server) as ear:
        assert ear.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert ear.response.headers["cache-control"] == "no-store"
        assert ear.event() == ("state", live.state)
        for _ in range(20):
            count = live.count()
            assert ear.event() == ("patch", {"top": {"count": count}})


def test_a_state_in_between_is_told_whole(server: Server, live: Told) -> None:
    with Ear(server) as ear:
        assert ear.event()[0] == "state"
        for hear in live.hears:
            hear("state", {"count": 7})
        assert ear.event() == ("state", {"count": 7})


def test_who_comes_again_gets_the_whole_state_first(server: Server, live: Told) -> None:
    for _ in range(3):
        count = live.count()
        with Ear(server) as ear:
            assert ear.event() == ("state", {**live.state, "count": count})
    assert soon(lambda: not server._hub._listeners)


def test_silence_is_broken_by_a_comment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
    with Ear(server) as ear:
        ear.event()
        lines = {ear.line() for _ in range(12)}
    assert lines == {"", ":"}


def test_many_hear_the_same(server: Server, live: Told) -> None:
    with among(server, 30, Ear) as ears:
        assert {ear.event()[0] for ear in ears} == {"state"}
        counts = [live.count() for _ in range(10)]
        for ear in ears:
            assert [ear.event()[1]["top"]["count"] for _ in counts] == counts


def test_who_does_not_read_holds_up_nobody_and_is_caught_up(server: Server, live: Told) -> None:
    large, rounds = "x" * 60_000, 300  # More than the system keeps for a connection.
    with Ear(server, buffer=4096) as slow, Ear(server) as ear:
        slow.event()
        ear.event()
        for _ in range(rounds):
            count = live.count(large=large)
            assert ear.event()[1]["top"]["count"] == count
            assert all(len(listener._waiting) <= stream.MOST_WAITING for listener in server._hub._listeners)
        assert sum(door.transport.get_write_buffer_size() for door in doors(server)) < 2 * stream.MOST_WAITING
        heard = 0
        while (told := slow.event())[0] == "patch":
            heard += 1
        assert told == ("state", live.state)
        assert 0 < heard < rounds
        count = live.count()
        assert slow.event()[1]["top"]["count"] == count


def test_a_state_that_fails_ends_the_stream_alone(server: Server, live: Told) -> None:
    with Ear(server) as ear:
        ear.event()
        live.failure = RuntimeError("/secret")
        with Ear(server) as other:
            rest = other.rest()
            assert b"event" not in rest
            assert not rest.endswith(b"0\r\n\r\n")  # Cut off: the browser comes again by itself.
        live.failure = None
        count = live.count()
        assert ear.event() == ("patch", {"top": {"count": count}})


def test_the_order_of_events_is_kept_while_browsers_come_and_go(server: Server, live: Told) -> None:
    def tell() -> None:
        for _ in range(50):
            live.count()

    def come_and_go() -> None:
        while any(teller.is_alive() for teller in tellers):
            with Ear(server) as passing:
                passing.event()

    tellers = [threading.Thread(target=tell) for _ in range(8)]
    guests = [threading.Thread(target=come_and_go) for _ in range(4)]
    with Ear(server) as ear:
        first = ear.event()[1]["count"]
        for thread in (*tellers, *guests):
            thread.start()
        counts = [ear.event()[1]["top"]["count"] for _ in range(400)]
        for thread in (*tellers, *guests):
            thread.join()
    assert counts == list(range(first + 1, first + 401))


# Media.


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("mp4", "video/mp4"),
        ("wav", "audio/wav"),
        ("vtt", "text/vtt; charset=utf-8"),
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("webp", "image/webp"),
    ],
)
def test_media_are_whole_typed_and_kept(server: Server, live: Told, suffix: str, kind: str) -> None:
    name = live.show(FILM, suffix)
    found = get(server, f"/media/{name}")
    assert (found.status, found.body) == (200, FILM)
    assert found.headers["content-type"] == kind
    assert found.headers["content-length"] == str(len(FILM))
    assert found.headers["accept-ranges"] == "bytes"
    assert found.headers["etag"] == f'"{name}"'
    assert found.headers["cache-control"] == "private, max-age=31536000, immutable"
    head = get(server, f"/media/{name}", "HEAD")
    assert head == found._replace(body=b"", headers={**found.headers, "date": head.headers["date"]})


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-3", 0, 4),
        ("bytes=7-7", 7, 8),
        ("bytes=1000-", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=0-", 0, 1024),
        ("bytes=1000-99999", 1000, 1024),
        ("bytes=-99999", 0, 1024),
        ("bytes=0-9,5-19", 0, 20),  # What overlaps is one.
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_range_is_a_part(server: Server, live: Told, method: str, wanted: str, start: int, end: int) -> None:
    found = get(server, f"/media/{live.show(FILM)}", method, Range=wanted)
    assert (found.status, found.body) == (206, FILM[start:end] if method == "GET" else b"")
    assert found.headers["content-range"] == f"bytes {start}-{end - 1}/1024"
    assert found.headers["content-length"] == str(end - start)
    assert found.headers["content-type"] == "video/mp4"


def test_two_ranges_are_two_parts(server: Server, live: Told) -> None:
    found = get(server, f"/media/{live.show(FILM)}", Range="bytes=0-3,1000-")
    assert (found.status, int(found.headers["content-length"])) == (206, len(found.body))
    head = f"Content-Type: {found.headers['content-type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + found.body).get_payload()
    assert isinstance(parts, list)
    assert [part["content-range"] for part in parts] == ["bytes 0-3/1024", "bytes 1000-1023/1024"]
    assert FILM[:4] in found.body
    assert FILM[1000:] in found.body


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(server: Server, live: Told, wanted: str) -> None:
    found = get(server, f"/media/{live.show(FILM)}", Range=wanted)
    assert (found.status, found.headers["content-range"], found.body) == (416, "bytes */1024", b"")


@pytest.mark.parametrize("wanted", ["bytes=9-3", "bytes=", "bytes=a-b", "nonsense", "bytes=-"])
def test_a_range_that_is_none_gets_nothing(server: Server, live: Told, wanted: str) -> None:
    found = get(server, f"/media/{live.show(FILM)}", Range=wanted)
    assert found.status == 400
    assert FILM not in found.body


def test_a_part_is_given_only_of_the_same_file(server: Server, live: Told) -> None:
    name = live.show(FILM)
    for tag, status in ((f'"{name}"', 206), (f'"{"0" * 64}.mp4"', 200), (f'W/"{name}"', 200)):
        found = get(server, f"/media/{name}", Range="bytes=4-7", If_Range=tag)
        assert (found.status, found.body) == (status, FILM[4:8] if status == 206 else FILM)


@pytest.mark.parametrize("known", ['"{}"', 'W/"{}"', '"x", "{}"'])
def test_what_the_browser_has_is_not_sent_again(server: Server, live: Told, known: str) -> None:
    name = live.show(FILM)
    found = get(server, f"/media/{name}", If_None_Match=known.format(name), Range="bytes=0-3")
    assert (found.status, found.body, found.headers["etag"]) == (304, b"", f'"{name}"')
    assert "content-length" not in found.headers
    assert get(server, f"/media/{name}", If_None_Match='"x"').status == 200


def test_an_empty_file_is_empty(server: Server, live: Told) -> None:
    name = live.show(b"", "vtt")
    found = get(server, f"/media/{name}")
    assert (found.status, found.headers["content-length"], found.body) == (200, "0", b"")
    assert get(server, f"/media/{name}", Range="bytes=0-").headers["content-range"] == "bytes */0"


def test_a_film_of_more_than_four_gigabytes_is_sought_in(server: Server, live: Told) -> None:
    name, size = live.show(b"huge"), 2**32 + 1000
    with live.files[name].open("r+b") as file:
        file.seek(size - 4)
        file.write(b"last")
    assert get(server, f"/media/{name}", "HEAD").headers["content-length"] == str(size)
    for wanted in ("bytes=-4", f"bytes={size - 4}-", f"bytes={size - 4}-{size + 9}"):
        found = get(server, f"/media/{name}", Range=wanted)
        assert (found.status, found.body) == (206, b"last")
        assert found.headers["content-range"] == f"bytes {size - 4}-{size - 1}/{size}"
    assert get(server, f"/media/{name}", Range="bytes=4294967295-4294967297").body == b"\0\0\0"
    with Line(server) as line:  # Who has enough of the beginning just leaves.
        line.say(request(server, f"/media/{name}", Range="bytes=0-"))
        assert line.socket.recv(12) == b"HTTP/1.1 206"
    live.files[name].unlink()


def test_a_film_that_is_freed_while_it_is_served(server: Server, live: Told) -> None:
    content = FILM * 10_000
    name = live.show(content)
    with Line(server) as line:
        line.say(request(server, f"/media/{name}", Connection="close"))
        got = line.socket.recv(1000)
        while not got.partition(b"\r\n\r\n")[2]:
            got += line.socket.recv(1000)
        live.files[name].unlink()  # It is open by now.
        assert (got + line.rest()).partition(b"\r\n\r\n")[2] == content
    missing = get(server, f"/media/{name}")
    assert (missing.status, missing.said) == (404, {"message": "there is no such file here", "hint": ""})
    assert missing.headers["cache-control"] == "no-store"


def test_a_film_that_shrank_is_cut_off_and_not_filled_up(server: Server, live: Told) -> None:
    name = live.show(FILM * 40_000)
    with Line(server, buffer=4096) as line:
        line.say(request(server, f"/media/{name}"))
        line.socket.recv(1000)
        os.truncate(live.files[name], 1000)
        assert len(line.rest()) < len(FILM) * 40_000


# Edits.


def test_an_edit_reaches_the_session(server: Server, live: Told) -> None:
    wanted = (("take", 1), ("take", 2**53), ("seed", 0), ("seed", 2**53), ("hold", True), ("hold", False))
    for field, value in wanted:
        found = edit(server, said={**EDIT, "field": field, "value": value})
        assert (found.status, found.said) == (200, {"written": True})
        assert live.edits[-1] == ("hook", field, value, "ab")
        assert type(live.edits[-1][2]) is type(value)
    assert edit(server, Content_Type="Application/JSON; charset=utf-8").status == 200


def test_what_the_session_refuses_is_said(server: Server, live: Told) -> None:
    live.failure = MikebotError("the text of caf\udce9 changed meanwhile", "look at it and try again")
    found = edit(server)
    assert found.status == 409
    assert found.said == {"message": "the text of caf\udce9 changed meanwhile", "hint": "look at it and try again"}


NO_JSON = "this is not JSON"
NO_EDIT = "an edit has a scene, a field, a value and a base"
NO_TEXT = "scene, field and base of an edit are text"
NO_VALUE = "an edit sets take or seed to a number, or hold to true or false"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"", NO_JSON),
        (b"{", NO_JSON),
        (b"\xff\xfe\xfd", NO_JSON),
        (b"[" * 60_000, NO_JSON),
        (b'{"scene": ' + b"9" * 6000 + b"}", NO_JSON),
        (b"[]", NO_EDIT),
        (b"null", NO_EDIT),
        ({}, NO_EDIT),
        ({**EDIT, "more": 1}, NO_EDIT),
        ({name: value for name, value in EDIT.items() if name != "base"}, NO_EDIT),
        ({**EDIT, "scene": 1}, NO_TEXT),
        ({**EDIT, "base": None}, NO_TEXT),
        ({**EDIT, "field": ["take"]}, NO_TEXT),
        ({**EDIT, "field": "narration", "value": "mine now"}, NO_VALUE),
        ({**EDIT, "field": "__class__"}, NO_VALUE),
        ({**EDIT, "value": 0}, NO_VALUE),
        ({**EDIT, "value": True}, NO_VALUE),
        ({**EDIT, "value": 2.0}, NO_VALUE),
        ({**EDIT, "value": "2"}, NO_VALUE),
        ({**EDIT, "value": float("nan")}, NO_VALUE),
        ({**EDIT, "field": "seed", "value": -1}, NO_VALUE),
        ({**EDIT, "field": "seed", "value": 2**53 + 1}, NO_VALUE),
        ({**EDIT, "field": "hold", "value": 1}, NO_VALUE),
    ],
    ids=str,
)
def test_what_is_no_edit_is_refused(server: Server, live: Told, said: object, message: str) -> None:
    before = list(live.edits)
    found = edit(server, said=said)
    assert (found.status, found.said) == (400, {"message": message, "hint": ""})
    assert live.edits == before


def test_an_edit_that_is_too_long_is_refused(server: Server) -> None:
    found = ask(server, editing(server, said=b"", Content_Length="65537"))
    assert found is not None
    assert (found.status, found.said["message"]) == (413, "this request may hold 65536 bytes, not more")
    assert edit(server, said=b" " * (65536 - 2) + b"[]").said["message"] == NO_EDIT


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_an_edit_that_is_not_json_is_refused(server: Server, kind: str | None) -> None:
    found = edit(server, Content_Type=kind)
    assert (found.status, found.said["message"]) == (415, "only JSON is read here")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "post"])
def test_an_edit_is_posted(server: Server, live: Told, method: str) -> None:
    before = list(live.edits)
    found = get(server, "/edit", method)
    assert (found.status, found.headers["allow"]) == (405, "POST")
    assert live.edits == before


@pytest.mark.parametrize("path", ["/", "/state", "/events", "/media/x"])
def test_nothing_else_is_posted(server: Server, path: str) -> None:
    assert get(server, path, "POST").status == 405


# Beginning and end.


def test_fifty_browsers_are_served(server: Server, live: Told) -> None:
    name = live.show(FILM)
    with among(server, 50, Ear) as ears:
        for _ in range(20):
            live.count()
            assert get(server, "/state").said == live.state
            assert get(server, f"/media/{name}", Range="bytes=-4").body == FILM[-4:]
        assert edit(server).status == 200
        for ear in ears:
            while (told := ear.event())[0] != "patch" or told[1]["top"]["count"] != live.state["count"]:
                pass


def test_it_ends_while_all_are_listening(live: Told) -> None:
    server = Server(live)
    server._uvicorn.config.timeout_graceful_shutdown = None  # It would wait for ever.
    server.start()
    with among(server, 20, Ear) as ears, Line(server) as film, Line(server), Line(server) as half:
        film.say(request(server, f"/media/{live.show(FILM * 40_000)}"))
        half.say(b"POST /edit HTTP/1.1\r\n")
        film.socket.recv(100)
        server.stop()
        assert not server._thread.is_alive()
        for ear in ears:
            ear.rest()
    server.stop()  # Once more does no harm.


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what is open in /proc")
def test_it_begins_and_ends_without_a_trace(live: Told) -> None:
    def left() -> tuple[set[threading.Thread], int]:
        return set(threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))

    heard = list(live.hears)
    threads, files = left()
    first = Server(live)
    first.stop()
    for _ in range(20):
        with Server(live, first.port) as server, Ear(server) as ear:
            ear.event()
            get(server, "/state")
            server.stop()
    assert soon(lambda: left()[0] <= threads and left()[1] <= files)
    assert live.hears == heard


def test_after_the_end_nothing_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    live, failures, going = Told(tmp_path), [], True

    def tell() -> None:
        try:
            while going:
                hear("patch", {"top": {}})
        except Exception as failure:
            failures.append(failure)

    with Server(live) as server, Ear(server) as ear:
        ear.event()
        [hear] = live.hears
        tellers = [threading.Thread(target=tell) for _ in range(4)]
        for teller in tellers:
            teller.start()
        ear.event()
        server.stop()
        assert live.hears == []
    hear("state", {})
    going = False
    for teller in tellers:
        teller.join()
    assert failures == []


def test_what_is_told_while_it_ends_is_told_to_nobody(live: Told) -> None:
    hub = stream.Hub(live)
    hub._loop = asyncio.new_event_loop()
    hub._loop.close()
    hub._listeners.add(stream._Listener())
    hub.hear("patch", {})


def test_a_port_that_is_taken_is_said(live: Told) -> None:
    with Server(live) as server, pytest.raises(MikebotError) as caught:
        Server(live, server.port)
    assert caught.value.message == f"port {server.port} cannot be used"
    assert caught.value.hint == "name another with --port; 0 takes one that is free"


def test_a_port_is_taken_before_it_is_served(live: Told) -> None:
    server = Server(live)
    with pytest.raises(MikebotError):
        Server(live, server.port)
    server.stop()
    Server(live, server.port).stop()


@pytest.mark.parametrize("port", [70000, -1])
def test_a_port_that_is_none_is_said(live: Told, port: int) -> None:
    with pytest.raises(MikebotError) as caught:
        Server(live, port)
    assert caught.value.message == f"port {port} cannot be used"


def test_its_address_has_its_port(server: Server) -> None:
    assert server.port > 0
    assert server.url == f"http://127.0.0.1:{server.port}/"


def test_a_session_that_cannot_be_heard_frees_the_port(live: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(live)
    monkeypatch.setattr(live, "subscribe", lambda hear: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        server.start()
    monkeypatch.undo()
    Server(live, server.port).stop()


ALONE = """
import sys
from pathlib import Path
from kit import Ear, Told, edit, get
from engine.preview.server import Server
with Server(Told(Path())) as server, Ear(server) as ear:
    print(get(server, "/").status, get(server).status, edit(server).status, ear.event()[0])
print([name for name in ("uvloop", "httptools", "websockets", "wsproto") if name in sys.modules])
"""


def test_no_other_parser_or_loop_is_used_if_there_is_one(tmp_path: Path) -> None:
    for name in ("uvloop", "httptools", "websockets", "wsproto"):
        (tmp_path / f"{name}.py").write_text("")
    place = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT, Path(__file__).parent)))}
    place |= {"WEB_CONCURRENCY": "many", "FORWARDED_ALLOW_IPS": "*"}
    python = [sys.executable, "-W", "error", "-c", ALONE]
    done = subprocess.run(python, cwd=tmp_path, env=place, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("200 200 200 state\n[]\n", "")
