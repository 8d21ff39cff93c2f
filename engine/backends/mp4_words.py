"""What an MP4 says in words: subtitles, chapters, names, and that the film is synthetic.

- Subtitles: 3GPP timed text, a sample for each caption and for each gap (3GPP TS 26.245, 5.16 and 5.17).
- Chapters: a QuickTime text track that the video's tref names (QuickTime File Format, "Chapter lists"), and
  `chpl`, which older players read; it counts to 255, so a longer film does without.
- Names: the `ilst` of iTunes, in udta/meta.
- XMP (ISO 16684-1; its part 3 gives the uuid): IPTC's digital source type says how the film came to be.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from .boxes import box, full

CHAPTER_LIST = 255
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
UTF8 = box(b"encd", struct.pack(">I", 0x100))
FONT = box(b"ftab", struct.pack(">HHB", 1, 1, 10), b"Sans-Serif")
TEXT_HEADER = box(
    b"gmhd",
    full(b"gmin", 0, 0, struct.pack(">HHHHHH", 0x40, 0x8000, 0x8000, 0x8000, 0, 0)),
    box(b"text", struct.pack(">H8IH", 1, 0, 0, 0, 1, 0, 0, 0, 0x4000, 0)),
)
NO_HEADER = full(b"nmhd", 0, 0)
SYNTHETIC = "This film and its voice are synthetic: made from a storyboard with mikebot."
# Two letters of ISO 639-1, then three of ISO 639-2/T.
CODES = """
afafr arara bgbul bnben cacat csces cycym dadan dedeu elell eneng eoepo esspa etest eueus fafas
fifin frfra gagle glglg guguj heheb hihin hrhrv huhun hyhye idind isisl itita jajpn kakat kkkaz
knkan kokor lalat ltlit lvlav mkmkd mlmal mrmar msmsa nbnob nenep nlnld nnnno nonor papan plpol
ptpor roron rurus skslk slslv sqsqi srsrp svswe swswa tatam tetel ththa trtur ukukr ururd uzuzb
vivie zhzho
"""
LANGUAGES = {code[:2]: code[2:] for code in CODES.split()}


def language(tag: str) -> str:
    """ISO 639-2/T's three letters for a BCP 47 tag; `und` for those that we do not know."""
    first = tag.lower().replace("_", "-").split("-")[0]
    if len(first) == 3 and first.isascii() and first.isalpha():
        return first
    return LANGUAGES.get(first, "und")


def subtitle_entry(height: int) -> bytes:
    """How captions look where a player lets the file say so: white, in the middle, at the bottom."""
    look = struct.pack(">IbbI", 0, 1, -1, 0) + struct.pack(">4H", 0, 0, 0, 0)
    style = struct.pack(">HHHBB4B", 0, 0, 1, 0, max(8, min(255, height // 18)), 255, 255, 255, 255)
    return box(b"tx3g", struct.pack(">6xH", 1), look, style, FONT)


def chapter_entry() -> bytes:
    """A QuickTime text sample entry that says nothing of looks: chapters are not drawn."""
    return box(b"text", struct.pack(">6xH", 1), struct.pack(">IHI8HI", 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0), FONT)


def text_sample(text: str) -> bytes:
    """A sample of 3GPP text; empty for a gap."""
    data = text.encode("utf-8", "replace")[:65535]
    return struct.pack(">H", len(data)) + data


def chapter_sample(title: str) -> bytes:
    """A sample of a QuickTime text track, said to be UTF-8."""
    return text_sample(title) + UTF8


def udta(title: str, chapters: Sequence[str], starts: Iterable[int]) -> bytes:
    """Names, comment, and the chapter list; starts in units of 100 ns."""
    items = [
        _item(b"\xa9nam", title),
        _item(b"\xa9too", "mikebot"),
        _item(b"\xa9cmt", SYNTHETIC),
        _item(b"desc", SYNTHETIC),
    ]
    hdlr = full(b"hdlr", 0, 0, struct.pack(">I4s4s8x", 0, b"mdir", b"appl"), b"\0")
    meta = full(b"meta", 0, 0, hdlr, box(b"ilst", *items))
    if len(chapters) > CHAPTER_LIST:
        return meta
    rows = [
        struct.pack(">QB", start, len(text := _cut(title))) + text
        for title, start in zip(chapters, starts, strict=True)
    ]
    return full(b"chpl", 1, 0, struct.pack(">IB", 0, len(rows)), *rows) + meta


def xmp(title: str, tag: str, source: str) -> bytes:
    """The XMP packet in its box; `source` is a term of IPTC's digital source types."""
    text = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="mikebot" Iptc4xmpExt:DigitalSourceType="{escape(SOURCES + source, {'"': "&quot;"})}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(_plain(title))}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{SYNTHETIC}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{escape(_plain(tag))}</rdf:li></rdf:Bag></dc:language>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
    return box(b"uuid", XMP, text.encode("utf-8", "replace"))


def _item(kind: bytes, text: str) -> bytes:
    return box(kind, box(b"data", struct.pack(">II", 1, 0), _plain(text).encode("utf-8", "replace")))


def _cut(title: str) -> bytes:
    """At most 255 bytes of a title, whole characters."""
    return _plain(title).encode("utf-8", "replace")[:255].decode("utf-8", "ignore").encode()


def _plain(text: str) -> str:
    """One line without control characters, which XML cannot hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
