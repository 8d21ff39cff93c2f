"""A server that fails, talks rubbish or says nothing is asked again where that may help, or is a clear error, soon.

What a server may do is in the tables: failures before and after the first piece, rubbish, silence, streams without end.
"""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fake_server import Answer, Talk, chunk, events, plain, refused, said, serving, whole
from served_kit import ASK, PATIENT, SHAPE, TEXT, failure, model, notes, written

from engine.write import events as incoming
from engine.write.model import Unfinished
from engine.write.served import ServedModel
from engine.write.wire import Limits

ROOT = Path(__file__).parents[2]


def test_a_server_that_stumbles_is_asked_again() -> None:
    with serving(refused(500), refused(502, "gateway"), refused(504), said(TEXT)) as server:
        writer = model(server)
        assert written(writer) == TEXT
        assert len(server.asked) == 4
    assert [note.split(";")[0] for note in notes(writer)] == [
        "the server at ADDRESS answers with 500",
        "the server at ADDRESS answers with 502: gateway",
        "the server at ADDRESS answers with 504",
    ]


def test_the_waits_between_come_from_the_seed() -> None:
    with serving(*[refused(500), refused(500), refused(500), said(TEXT)] * 3) as server:
        first, same, other = model(server), model(server), model(server)
        for writer, seed in ((first, 1), (same, 1), (other, 2)):
            written(writer, seed=seed)
    assert first.notes == same.notes
    assert first.notes != other.notes


def test_a_server_says_itself_when_it_may_be_asked_again() -> None:
    with serving(refused(429, "slow down", Retry_After="0.05"), said(TEXT)) as server:
        writer = model(server)
        assert written(writer) == TEXT
    assert notes(writer) == ["the server at ADDRESS answers with 429: slow down; it is asked again in 0.05 s"]


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    with serving(refused(503, Retry_After=past), refused(503, Retry_After="soon"), said(TEXT)) as server:
        writer = model(server)
        assert written(writer) == TEXT
    assert notes(writer)[0] == "the server at ADDRESS answers with 503; it is asked again in 0 s"


def test_a_server_that_wants_to_be_left_alone_for_long_is() -> None:
    with serving(refused(429, "quota", Retry_After="3600")) as server:
        assert failure(model(server)) == (
            "the server at ADDRESS answers with 429: quota\n  It asks to be left alone for 3600 s."
        )
        assert len(server.asked) == 1


def test_a_server_that_only_stumbles_is_an_error_after_so_many_times() -> None:
    with serving(refused(500, "out of memory")) as server:
        assert failure(model(server)) == (
            "the server at ADDRESS answers with 500: out of memory (4 times)\n  Its own log may say more."
        )
        assert len(server.asked) == 4


def hang_up(talk: Talk) -> None:
    talk.reset()


def after_head(talk: Talk) -> None:
    talk.head()
    talk.event(chunk({"role": "assistant", "content": ""}))
    talk.reset()


@pytest.mark.parametrize("breaks", [hang_up, after_head])
def test_a_connection_that_breaks_before_the_first_piece_is_made_again(breaks: Answer) -> None:
    with serving(breaks, said(TEXT)) as server:
        assert written(model(server)) == TEXT
        assert len(server.asked) == 2


def test_a_connection_that_always_breaks_is_an_error() -> None:
    with serving(hang_up) as server:
        assert failure(model(server)) == ("the server at ADDRESS closed the connection without an answer (4 times)")


def breaking(*payloads: object, then: Answer) -> Answer:
    def answer(talk: Talk) -> None:
        talk.head()
        for payload in payloads:
            talk.event(payload)
        then(talk)

    return answer


def leave(talk: Talk) -> None:
    """End as if all had been said."""
    talk.end()


STARTED = chunk({"content": '{"title": "Gr'})


@pytest.mark.parametrize(
    ("then", "message"),
    [
        (hang_up, "broke the connection off in the middle"),
        (leave, "broke off in the middle\n  What came is kept; ask for the rest."),
        (lambda talk: talk.event(b"{half"), "sends what is not JSON: '{half'"),
        (
            lambda talk: talk.event({"error": {"message": "CUDA out of memory", "code": 500}}),
            "says that something is wrong: CUDA out of memory\n  Its own log may say more.",
        ),
        (
            lambda talk: talk.event({"object": "error", "message": "gone", "code": 400}),
            "says that something is wrong: gone",
        ),
    ],
    ids=["reset", "ended", "rubbish", "an error", "an error otherwise"],
)
def test_what_fails_after_the_first_piece_is_not_asked_for_again(then: Answer, message: str) -> None:
    came: list[str] = []
    with serving(breaking(STARTED, then=then)) as server:
        writer = model(server)
        with pytest.raises(Unfinished) as caught:
            came.extend(writer.stream(ASK, SHAPE, seed=1, most_tokens=9, tell=lambda _: None))
        assert len(server.asked) == 1
    assert str(caught.value).replace(str(writer.address), "ADDRESS") == f"the server at ADDRESS {message}"
    assert came == ['{"title": "Gr']


BAD: dict[str, tuple[Answer, str]] = {
    "a page": (
        plain(b"<!doctype html>\n<p>It works!", kind="text/html"),
        "answers with what is no stream of events: '<!doctype html>'",
    ),
    "a text": (plain(b"I am a teapot", kind="text/plain"), "answers with what is no stream of events: 'I am a teapot'"),
    "another JSON": (plain(b'{"hello": "world"}'), """sends JSON that is no answer: '{"hello": "world"}'"""),
    "a list": (plain(b"[1, 2]"), "sends JSON that is no answer: '[1, 2]'"),
    "half a JSON": (plain(b'{"choices": [{"mess'), """sends what is not JSON: '{"choices": [{"mess'"""),
    "events of another kind": (events([1, 2]), "sends JSON that is no answer: '[1, 2]'"),
    "deep JSON": (plain(b"[" * 100_000), f"sends what is not JSON: '{'[' * 77}...'"),
    "other letters": (events(b'{"choices": "\xff\xfe"}'), """sends what is not UTF-8: '{"choices": "\ufffd\ufffd"}'"""),
    "no byte": (plain(b""), "wrote nothing\n  Try another model."),
    "no text": (events(), "wrote nothing\n  Try another model."),
    "spaces": (said(" \n "), "wrote nothing\n  Try another model."),
    "thoughts alone": (said("<think>I could", done=True), "wrote nothing\n  Try another model."),
    "a tool": (
        events(chunk({"tool_calls": [{"function": {"name": "write", "arguments": TEXT}}]}), chunk({}, "tool_calls")),
        "calls a tool in place of writing\n  Try another model.",
    ),
    "a refusal": (
        events(chunk({"refusal": "I'm sorry."})),
        "refuses to write this: I'm sorry.\n  Word it otherwise, or try another model.",
    ),
    "its limit": (
        said('{"title": "Gr', finish="length"),
        "stopped in the middle, at the limit of 100 tokens or of its memory\n"
        "  Ask for less at a time, or give the server a longer context.",
    ),
    "its filter": (
        said('{"title": "Gr', finish="content_filter"),
        "stopped, because a filter of the server did not let the text pass\n  Word it otherwise.",
    ),
    "its limit, whole": (
        whole('{"title": "Gr', finish="length"),
        "stopped in the middle, at the limit of 100 tokens or of its memory\n"
        "  Ask for less at a time, or give the server a longer context.",
    ),
    "no access": (
        refused(401, "who are you?"),
        "answers with 401: who are you?\n"
        "  It takes no request without a key that it knows: set MIKEBOT_API_KEY in the environment.",
    ),
    "a teapot": (plain(b"<h1>short and stout", 418, "text/html"), "answers with 418"),
    "words that a terminal obeys": (
        plain(b"\x1b[31mred\n\n  alert", 403, "text/plain"),
        "answers with 403: \ufffd[31mred alert\n"
        "  It takes no request without a key that it knows: set MIKEBOT_API_KEY in the environment.",
    ),
    "a long complaint": (plain(b"no " * 1000, 418, "text/plain"), f"answers with 418: {('no ' * 99)}..."),
    "bad packing": (
        lambda talk: (talk.head(Content_Encoding="gzip"), talk.send(b"data: {}"), talk.end())[0],
        "sends what cannot be unpacked",
    ),
    "no HTTP": (
        lambda talk: talk.raw(b"220 mail.example ESMTP\r\n\r\n"),
        "closed the connection without an answer (4 times)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_rubbish_is_a_clear_error(name: str) -> None:
    answer, message = BAD[name]
    with serving(answer) as server:
        assert failure(model(server)) == f"the server at ADDRESS {message}"


def test_a_text_without_end_is_ended() -> None:
    def answer(talk: Talk) -> None:
        talk.head()
        talk.event(STARTED)
        while True:
            talk.event(chunk({"content": " " * 500}))

    with serving(answer) as server:
        assert failure(model(server)) == (
            "the server at ADDRESS goes on and on: 6013 characters, where 100 tokens were asked for"
        )
        assert server.left.wait(20)


def test_a_line_without_end_is_ended() -> None:
    def answer(talk: Talk) -> None:
        talk.head()
        talk.send(b"data: ")
        while True:
            talk.send(b"x" * 100_000)

    with serving(answer) as server:
        assert failure(model(server)) == "the server at ADDRESS sends a line of more than 4 MB"
        assert server.left.wait(20)


def test_a_stream_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MOST_BYTES", 1024**2)

    def answer(talk: Talk) -> None:
        talk.head()
        while True:
            talk.send(b": still here\n\n" * 1000)

    with serving(answer) as server:
        assert failure(model(server)) == "the server at ADDRESS sends more than 1 MB and does not end"
        assert server.left.wait(20)


def silent(talk: Talk) -> None:
    talk.wait()


def trickling_head(talk: Talk) -> None:
    talk.raw(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        talk.raw(b"x")
        talk.wait(0.05)


def murmuring(talk: Talk) -> None:
    talk.head()
    comments(talk)


def comments(talk: Talk) -> None:
    """They are no sign that anything will come."""
    while True:
        talk.send(b": still here\n\n")
        talk.wait(0.05)


def empty(talk: Talk) -> None:
    """Nor are events that say nothing."""
    talk.head()
    while True:
        talk.event(chunk({"role": "assistant", "content": ""}))
        talk.wait(0.05)


def trickling(talk: Talk) -> None:
    talk.head()
    while True:
        talk.event(chunk({"content": "{"}))
        talk.wait(0.05)


SOON = "\n  Its own log says what it does; a smaller model answers sooner."


NOTHING = "has written nothing after 0.3 s"
STOPPED = "has stopped in the middle, for 0.3 s"
FIRST, BETWEEN, WHOLE = Limits(first=0.3), Limits(between=0.3), Limits(whole=0.6)
SLOW: dict[str, tuple[Answer, Limits, str]] = {
    "silence": (silent, FIRST, NOTHING),
    "a slow head": (trickling_head, FIRST, NOTHING),
    "comments": (murmuring, FIRST, NOTHING),
    "empty events": (empty, FIRST, NOTHING),
    "silence after a piece": (breaking(STARTED, then=silent), BETWEEN, STOPPED),
    "comments after a piece": (breaking(STARTED, then=comments), BETWEEN, STOPPED),
    "a trickle": (trickling, WHOLE, "has not come to an end after 0.6 s"),
}


@pytest.mark.parametrize("name", SLOW)
def test_no_server_is_waited_for_without_end(name: str) -> None:
    answer, limits, message = SLOW[name]
    with serving(answer) as server:
        assert failure(model(server, name="tiny", limits=limits)) == f"the server at ADDRESS {message}{SOON}"
        assert server.left.wait(20)


def test_who_reads_may_take_time() -> None:
    with serving(said(TEXT, size=20)) as server:
        pieces = model(server, limits=Limits(between=0.5)).stream(
            ASK, SHAPE, seed=1, most_tokens=9, tell=lambda _: None
        )
        first = next(pieces)
        threading.Event().wait(0.6)  # Longer than it would wait for a piece.
        assert first + "".join(pieces) == TEXT


def test_a_text_that_is_whole_does_not_wait_for_a_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.write.served._GRACE", 0.05)
    with serving(breaking(chunk({"content": TEXT}, "stop"), then=silent)) as server:
        assert written(model(server)) == TEXT
        assert server.left.wait(20)


@pytest.mark.parametrize("how", ["closed", "forgotten"])
def test_a_text_that_is_not_wanted_any_more_ends_the_server_s_work(how: str) -> None:
    with serving(trickling) as server:
        pieces = model(server).stream(ASK, SHAPE, seed=1, most_tokens=9, tell=lambda _: None)
        assert next(pieces) == "{"
        if how == "closed":
            pieces.close()  # type: ignore[attr-defined]
        del pieces
        gc.collect()
        assert server.left.wait(20)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
@pytest.mark.parametrize("answer", [silent, trickling], ids=["before the first piece", "between pieces"])
def test_an_interrupt_ends_the_wait_and_the_server_s_work(answer: Answer) -> None:
    asking = threading.Event()
    code = (
        "import sys; from engine.write.served import ServedModel; from engine.write.model import Message\n"
        "list(ServedModel(sys.argv[1], 'x').stream([Message('user', 'x')], {}, seed=1, most_tokens=10**6, tell=id))"
    )

    def noticed(talk: Talk) -> None:
        asking.set()
        answer(talk)

    with serving(noticed) as server:
        command = [sys.executable, "-c", code, server.url]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            assert asking.wait(20)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert server.left.wait(20)


def test_nothing_that_is_heavy_is_imported_before_a_text_is_wanted() -> None:
    code = "import sys, engine.write.choose, engine.write.served as s; s.ServedModel('http://x'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"httpx", "torch", "transformers"} & set(done.stdout.split()) == set()


def test_where_nothing_listens_the_error_says_so() -> None:
    with serving(said(TEXT)) as server:
        pass
    assert failure(model(server, name="x")) == (
        "the server at ADDRESS does not answer (nothing listens there)\n"
        "  Start the server, or choose another model with --model or MIKEBOT_MODEL."
    )


def test_a_name_that_nobody_knows_is_said() -> None:
    writer = ServedModel("http://mikebot.invalid:8000", "x", limits=PATIENT)
    assert failure(writer) == (
        "the server at ADDRESS does not answer (nobody knows the name mikebot.invalid)\n"
        "  Start the server, or choose another model with --model or MIKEBOT_MODEL."
    )
