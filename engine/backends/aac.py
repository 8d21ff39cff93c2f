"""AAC packets of one scene on the film's grid of 1,024 samples, and the file that holds them.

Packet j of a film is made from the film's samples (j - 1) * 1024 to (j + 1) * 1024, and only together with its
neighbours gives sound again: AAC's transform overlaps by half (ISO/IEC 14496-3, 4.6.11). A scene that starts at
sample s of the film owns the packets with s <= j * 1024 < end. Each scene is encoded by itself between what
sounds around it: silence, as narrations begin and end with it, or the music and the room that sound there in the
film too. What two scenes' packets share at a joint is therefore the same sound in both, in the same windows, so the
packets of all scenes in a row are what one encoder would have made: exact in count, and without the 21 ms that
joining encoded files costs at every joint.

The file: a line of JSON (config, the AudioSpecificConfig, in hexadecimal; packets, their sizes; tail, the size of
one packet more, of silence, which the last scene of a film needs to be heard to its end; phase; samples), then
the packets' bytes, then the tail's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from ..errors import BackendError
from ..kinds import PACKET, SAMPLE_RATE
from .loudness import Sound

CONTEXT = 3  # Packets that the encoder hears before a scene's first: its window decisions settle.
AFTER = 2  # And after the tail: it looks ahead.
LAYOUTS = {1: "mono", 2: "stereo"}
LONGEST_HEADER = 1 << 24


class Packets(NamedTuple):
    """The packets of one scene; `offset` is where in the file their bytes begin."""

    config: bytes
    sizes: list[int]
    tail: int
    phase: int
    samples: int
    offset: int


def owned(phase: int, samples: int) -> int:
    """How many packets a scene owns."""
    return -(-(phase + samples) // PACKET) - (phase > 0)


def around(phase: int, samples: int) -> tuple[int, int]:
    """How many samples before a scene, and after it, the encoder hears: whole packets with the scene's own."""
    return CONTEXT * PACKET + phase, -(phase + samples) % PACKET + (1 + AFTER) * PACKET


def encode(sound: Sound, bits: int, said: Callable[[int, int], None]) -> tuple[bytes, list[bytes]]:
    """The AudioSpecificConfig, and the packets of a sound (channels x samples) that has what is `around` a scene.

    The scene's own follow after `skipped(phase)` others; after those comes the tail.
    """
    channels, frames = sound.shape[0], sound.shape[1] // PACKET
    coder = _encoder(bits, channels)
    packets: list[bytes] = []
    for number in range(frames):
        packets += map(bytes, coder.encode(_frame(sound, number)))
        if number % 256 == 0:
            said(number, frames)
    packets += map(bytes, coder.encode(None))
    return bytes(coder.extradata or b""), packets


def skipped(phase: int) -> int:
    """How many packets of `encode` come before a scene's own."""
    return CONTEXT + (phase > 0)


def decode(config: bytes, packets: Sequence[bytes], early: int, samples: int) -> Sound:
    """What a player hears of packets in a row, channels x samples, but the `early` first samples.

    A packet gives its sound only with the next, so the first 1,024 samples are of before the first.
    """
    coder = av.CodecContext.create("aac", "r")
    coder.extradata = config
    coder.thread_count = 1
    heard = [frame.to_ndarray() for packet in packets for frame in coder.decode(av.Packet(packet))]
    heard += [frame.to_ndarray() for frame in coder.decode(None)]
    sound = np.concatenate(heard, axis=1).astype(np.float32)[:, early : early + samples]
    return np.pad(sound, ((0, 0), (0, samples - sound.shape[1])))


def channels(config: bytes) -> int:
    """How many channels an AudioSpecificConfig says (ISO/IEC 14496-3, 1.6.2.1: after 5 bits and 4)."""
    return config[1] >> 3 & 15


def write(path: Path, config: bytes, packets: Sequence[bytes], phase: int, samples: int) -> None:
    """Keep what `encode` gave; the last packet is the tail."""
    head = {"config": config.hex(), "packets": [len(packet) for packet in packets[:-1]], "tail": len(packets[-1])}
    line = json.dumps(head | {"phase": phase, "samples": samples}, sort_keys=True, separators=(",", ":"))
    path.write_bytes(line.encode() + b"\n" + b"".join(packets))


def read(path: Path) -> Packets:
    """The header of a file of packets, its sizes held against the file's. Raises BackendError."""
    try:
        with path.open("rb") as file:
            line = file.readline(LONGEST_HEADER)
        head = json.loads(line)
        sizes, tail = [int(size) for size in head["packets"]], int(head["tail"])
        found = Packets(bytes.fromhex(head["config"]), sizes, tail, int(head["phase"]), int(head["samples"]), len(line))
    except (ValueError, KeyError, TypeError) as fault:
        raise BackendError("a scene's sound is not a file of AAC packets", "Run `mikebot verify`.") from fault
    if min(sizes, default=1) < 1 or tail < 1 or sum(sizes) + tail + len(line) != path.stat().st_size:
        raise BackendError("a scene's sound does not hold the packets that it lists", "Run `mikebot verify`.")
    if len(sizes) != owned(found.phase, found.samples):
        raise BackendError("a scene's sound does not hold one packet for each 1,024 samples", "Run `mikebot verify`.")
    return found


def _encoder(bits: int, channels: int) -> av.AudioCodecContext:
    """The plain encoder: no noise substitution (its noise would depend on what was decoded before)."""
    coder = av.CodecContext.create("aac", "w")
    coder.sample_rate = SAMPLE_RATE
    coder.layout = LAYOUTS[channels]
    coder.format = av.AudioFormat("fltp")
    coder.bit_rate = bits
    coder.options = {"aac_coder": "fast", "aac_pns": "0", "flags": "+bitexact"}
    coder.thread_count = 1
    return coder


def _frame(sound: Sound, number: int) -> av.AudioFrame:
    part = np.ascontiguousarray(sound[:, number * PACKET : (number + 1) * PACKET])
    frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=LAYOUTS[len(sound)])
    frame.sample_rate = SAMPLE_RATE
    frame.pts = number * PACKET
    frame.time_base = Fraction(1, SAMPLE_RATE)
    return frame
