#!/usr/bin/env python3
"""Starts a responder with all kinds of values in its environment, and compares what it tells with what Python says.

usage: values.py SOCKET PROGRAM [OPTION...]
"""
import json
import os
import subprocess
import sys
import time

from fcgi import Peer, request

MOST = 4096
VALUES = {
    "plain": b"production",
    "quotes": b'"quoted" \\ and \'single\' /slash/ <tag> &amp;',
    "control characters": bytes(range(1, 32)) + b"\x7f",
    "all ASCII": bytes(range(1, 128)),
    "all bytes": bytes(range(1, 256)),
    "UTF-8": "grüße, 世界 🚀 \u2028\ufeff".encode(),
    "broken UTF-8": b"a\xc3(\xe2\x82 \xf0\x9f\x98 \xed\xa0\x80 \xc0\xaf \xf5 b",
    "JSON": b'{"a":[1,null]}',
    "empty": b"",
    "4 KiB of ASCII": b"x" * MOST,
    "4 KiB of quotes": b'"' * MOST,
    "4 KiB of control characters": b"\x01" * MOST,
    "4 KiB of DEL": b"\x7f" * MOST,
    "4 KiB of broken UTF-8": b"\xff" * MOST,
    "4 KiB of UTF-8": "é".encode() * (MOST // 2),
    "4 KiB that end in half a character": b"x" * (MOST - 1) + b"\xc3",
}


def ask(path, what):
    """The body of an answer; waits until there is somebody to ask."""
    for _ in range(200):
        try:
            with Peer(path) as peer:
                peer.send(request(what))
                return peer.answer().split(b"\r\n\r\n", 1)[1]
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.02)
    raise SystemExit("nobody answers")


def flask(document):
    """The document as Flask's jsonify writes it."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def check(name, got, document, value):
    """Compares an answer with the document that it has to be."""
    assert json.loads(got) == document, f"{name}: {got!r} is not {document!r}"
    if value.isascii():
        assert got == flask(document), f"{name}: {got!r} is not what Flask writes: {flask(document)!r}"


def try_value(name, value, path, program):
    """Runs one responder with the value in all three places."""
    environment = {b"ENVIRONMENT": value, b"USER": value, b"HOSTNAME": value, b"WORKERS": b"1"}
    with subprocess.Popen([*program, "--socket", path], env=environment, stderr=subprocess.DEVNULL) as responder:
        try:
            root, info = ask(path, b"/"), ask(path, b"/info")
        finally:
            responder.terminate()
        assert responder.wait(3) == 0, name
    text = value.decode("utf-8", "replace")
    known = json.loads(root)
    check(name, root, {**known, "environment": text}, value)
    known = json.loads(info)
    check(name, info, {**known, "container_id": text, "user": text}, value)


def main():
    """Tries all values."""
    path, *program = sys.argv[1:]
    for name, value in VALUES.items():
        try_value(name, value, os.fspath(path), program)


if __name__ == "__main__":
    main()
