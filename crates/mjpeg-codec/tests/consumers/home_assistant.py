"""Takes a still from a stream as Home Assistant does. Written anew from a description of what that does.

How it talks to the test is told in pipe.mjs.
"""

import sys


def still(reads):
    """What stands between the stream's first SOI and its first EOI, and the read that completed it."""
    data = b""
    for i, read in enumerate(reads):
        data += read
        start, end = data.find(b"\xff\xd8"), data.find(b"\xff\xd9")
        if start >= 0 and end >= 0:
            return [(i, data[start : end + 2])]
    return []


def bodies(stdin):
    """Of each body the reads, without its Content-Type."""
    pieces = []
    while length := stdin.read(4):
        piece = stdin.read(int.from_bytes(length, "big"))
        if piece:
            pieces.append(piece)
        else:
            yield pieces[1:]
            pieces = []


def u32(number):
    return number.to_bytes(4, "big")


for body in bodies(sys.stdin.buffer):
    frames = still(body)
    sys.stdout.buffer.write(u32(len(frames)))
    for i, frame in frames:
        sys.stdout.buffer.write(u32(i) + u32(len(frame)) + frame)
