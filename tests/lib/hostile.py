#!/usr/bin/env python3
"""Broken and hostile FastCGI peers, straight at the responder's socket.

usage: hostile.py SOCKET each            every kind of peer once: prints those that got what they must not get
       hostile.py SOCKET flood COUNT     COUNT peers of all kinds in turn, while good requests are timed
       hostile.py SOCKET stall COUNT     COUNT peers that stall at once, while good requests are timed
       hostile.py SOCKET drain SECONDS   64 good peers without pause until the responder ends: counts lost answers

The last three print one JSON object.
"""
import json
import random
import socket
import struct
import sys
import threading
import time

import fcgi
from fcgi import BEGIN, KEEP, PARAMS, STDIN, Peer, begin, pair, record, request


def broken():
    """What must be cut without a byte of an answer, by name."""
    whole = request()
    params = pair(b"SCRIPT_NAME", b"/health")
    yield "nothing but zeros", bytes(64)
    yield "HTTP", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "random bytes", random.Random(1).randbytes(4096)
    for version in (0, 2, 255):
        yield f"version {version}", bytes([version]) + whole[1:]
    for role in (0, fcgi.AUTHORIZER, fcgi.FILTER, 4, 0x0101, 65535):
        yield f"role {role}", begin(role) + record(PARAMS, params) + record(PARAMS) + record(STDIN)
    yield "request id 0", request(request_id=0)
    for length in (0, 7, 9, 16):
        yield f"BEGIN_REQUEST of {length} bytes", record(BEGIN, bytes([0, 1] + [0] * 14)[:length]) + whole[16:]
    yield "padded BEGIN_REQUEST", begin(padding=8) + whole[16:]
    for kind in [0, *range(2, 12), 255]:
        yield f"type {kind} first", record(kind, bytes(8)) + whole
        if kind != PARAMS:
            yield f"type {kind} for PARAMS", begin() + record(kind, bytes(8)) + whole[16:]
        if kind != STDIN:
            yield f"type {kind} for STDIN", whole[:-8] + record(kind, bytes(8)) + record(STDIN)
    yield "BEGIN_REQUEST twice", begin() + whole
    yield "another id for PARAMS", begin() + record(PARAMS, params, 2) + record(PARAMS) + record(STDIN)
    yield "another id for STDIN", whole[:-8] + record(STDIN, request_id=2)
    yield "padding after the end of PARAMS", begin() + record(PARAMS, params) + record(PARAMS, padding=1) + record(STDIN)
    yield "padding after the end of STDIN", whole[:-8] + record(STDIN, padding=255)
    for names in (1, 5, 6, 100):
        values = record(fcgi.GET_VALUES, pair(b"FCGI_MPXS_CONNS", b"") * names, 0)
        yield f"GET_VALUES of {names} names", values + whole
        yield f"GET_VALUES of {names} names in PARAMS", begin() + values + whole[16:]
    for lengths in (b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\xff\xff\xff\xff\x00", b"\x00\xff\xff\xff\xff",
                    b"\x80\x00\x40\x00\x01", b"\x05\x05", b"\x80", b"\x01", b"\x01\x80\x00"):
        yield (f"lengths {lengths.hex()}",
               begin() + record(PARAMS, lengths + b"abcd") + record(PARAMS) + record(STDIN))
    yield "NUL in a value", request(b"/health\0x")
    yield "NUL in a name", request(extra=pair(b"A\0B", b""))
    yield "PARAMS without end", begin() + record(PARAMS, pair(b"A", b"x" * 60000)) + record(STDIN)
    yield "more than 16 KiB of parameters", request(extra=pair(b"A", b"x" * 17000))
    yield "more than 16 KiB of body", request(body=b"x" * 17000)
    yield "a content length that lies", record(PARAMS, b"abc", length=2) + whole


def half():
    """The beginnings of a good request, each to be cut when the peer closes its side."""
    whole = request(flags=KEEP)
    for length in (1, 7, 8, 15, 16, 17, 24, 30, len(whole) - 9, len(whole) - 8, len(whole) - 1):
        yield f"{length} of {len(whole)} bytes", whole[:length]


def good():
    """What must be answered with 200, however unusual."""
    params = pair(b"REQUEST_METHOD", b"GET") + pair(b"SCRIPT_NAME", b"/health")
    yield "a plain request", request()
    yield "a body", request(body=b"x" * 8192)
    yield "padding where it may be", begin() + record(PARAMS, params, padding=255) + record(PARAMS) + record(STDIN)
    yield "PARAMS byte by byte", (begin() + b"".join(record(PARAMS, params[i:i + 1]) for i in range(len(params)))
                                  + record(PARAMS) + record(STDIN))
    yield "long lengths", request(extra=pair(b"A", b"b", long=True))
    yield "many parameters", request(extra=pair(b"", b"") * 4000)
    yield "the highest id", request(request_id=65535)
    yield "unknown flags", request(flags=0xFE)


def each(path):
    """Tries every kind of peer once; returns what went wrong."""
    wrong = []
    for name, data in broken():
        with Peer(path, 3) as peer:
            send_anyway(peer, data)
            if not is_cut(peer):
                wrong.append(f"not cut: {name}")
    for name, data in half():
        with Peer(path, 3) as peer:
            peer.send(data)
            peer.socket.shutdown(socket.SHUT_WR)
            if not is_cut(peer):
                wrong.append(f"not cut: {name}")
    for name, data in good():
        with Peer(path, 3) as peer:
            peer.send(data)
            if not answers(peer):
                wrong.append(f"not answered: {name}")
    return wrong


def send_anyway(peer, data):
    """Sends; a peer that is cut in the middle is what is wanted."""
    try:
        peer.send(data)
    except OSError:
        pass


def is_cut(peer):
    """Whether the responder closes without an answer, at once."""
    try:
        return peer.is_cut()
    except TimeoutError:
        return False


def answers(peer):
    """Whether a 200 comes."""
    try:
        return peer.answer().startswith(b"Status: 200 ")
    except (EOFError, OSError, AssertionError):
        return False


class Timer(threading.Thread):
    """Sends good requests, on new connections, and times each until it is told to stop."""

    def __init__(self, path):
        super().__init__()
        self.path, self.over, self.times, self.failed = path, threading.Event(), [], 0

    def run(self):
        """Asks every 5 ms."""
        while not self.over.is_set():
            since = time.monotonic()
            try:
                with Peer(self.path) as peer:
                    peer.send(request())
                    self.failed += not answers(peer)
            except OSError:
                self.failed += 1
            self.times.append((time.monotonic() - since) * 1000)
            time.sleep(0.005)

    def report(self):
        """Stops, and returns what was measured."""
        self.over.set()
        self.join()
        times = sorted(self.times)
        return {"good": len(times), "good_failed": self.failed, "p50_ms": round(times[len(times) // 2], 2),
                "p99_ms": round(times[len(times) * 99 // 100], 2), "max_ms": round(times[-1], 2)}


def flood(path, count):
    """Sends count hostile peers, one behind the other, some of them closing at once, some waiting to be cut."""
    kinds = list(broken()) + list(half())
    timer = Timer(path)
    timer.start()
    for number in range(count):
        name, data = kinds[number % len(kinds)]
        peer = Peer(path)
        send_anyway(peer, data)
        if number % 7 == 0:  # never reads, closes with the answer unread
            send_anyway(peer, request())
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.socket.close()
    return {"peers": count, **timer.report()}


def stall(path, count):
    """Opens count connections that stall in the middle of a request, and times good ones for two seconds."""
    whole = request()
    stalled = [Peer(path) for _ in range(count)]
    for number, peer in enumerate(stalled):
        peer.send(whole[:number % len(whole)])
    timer = Timer(path)
    timer.start()
    time.sleep(2)
    result = timer.report()
    still = sum(not gone(peer) for peer in stalled)
    for peer in stalled:
        peer.socket.close()
    return {"stalled": count, "still_open": still, **result}


def gone(peer):
    """Whether the responder has closed a connection."""
    peer.socket.setblocking(False)
    try:
        return peer.socket.recv(1) == b""
    except BlockingIOError:
        return False


def drain(path, seconds):
    """Sends requests on 64 connections until the responder goes away."""
    counts = {"sent": 0, "answered": 0, "refused": 0, "lost": 0}
    lock = threading.Lock()
    end = time.monotonic() + float(seconds)

    def client():
        data = request(flags=KEEP)
        mine = dict.fromkeys(counts, 0)
        while time.monotonic() < end:
            try:
                peer = Peer(path)
            except OSError:
                mine["refused"] += 1
                break
            try:
                while time.monotonic() < end:
                    peer.send(data)  # not taken: the responder ends, and nothing was lost
                    mine["sent"] += 1
                    mine["answered" if answers(peer) else "lost"] += 1
            except OSError:
                mine["refused"] += 1
            peer.socket.close()
        with lock:
            for key, value in mine.items():
                counts[key] += value

    clients = [threading.Thread(target=client) for _ in range(64)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return counts


def main():
    """Does what the command line says."""
    path, what, *words = sys.argv[1:]
    if what == "each":
        wrong = each(path)
        print("\n".join(wrong), end="\n" if wrong else "")
        return bool(wrong)
    action = {"flood": lambda: flood(path, int(words[0])), "stall": lambda: stall(path, int(words[0])),
              "drain": lambda: drain(path, words[0])}[what]
    print(json.dumps(action()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
