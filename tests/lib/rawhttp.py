"""An HTTP/1.1 client that can be as wrong as a test wants it, and that tells what came back byte for byte.

    rawhttp.py [OPTION...] MESSAGE...    sends the messages on one connection
    rawhttp.py [OPTION...] <TABLE        the same for each line of the table, which holds messages separated by tabs

Messages are escaped as in Python's bytes literals (GET / HTTP/1.1\\r\\n), and sent to $URL. For each connection one line
of JSON is written: what was sent, the answers, what came that is no answer, how it ended, and how long it took.
"""
import argparse
import itertools
import json
import os
import socket
import sys
import time
import urllib.parse


# The bytes that an escaped text means.
def unescape(text):
    return os.fsencode(text).decode("unicode_escape").encode("latin-1")


class Connection:
    """A connection to a server, for as long as timeout allows. Its end: open, closed, reset, timeout or refused."""

    def __init__(self, url=None, timeout=5):
        where = urllib.parse.urlsplit(url or os.environ["URL"])
        self.deadline = time.monotonic() + timeout
        self.socket = socket.create_connection((where.hostname, where.port or 80), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.end = "open"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # Leaves the socket what time there is; TimeoutError if there is none.
    def hurry(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)

    # Sends data, in pieces if a size is given. A server that has had enough of it may still have answered.
    def send(self, data, size=None, pause=0):
        size = size or len(data) or 1
        for at in range(0, len(data), size):
            if at:
                time.sleep(pause)
            try:
                self.hurry()
                self.socket.sendall(data[at:at + size])
            except OSError:
                return

    # Closes the direction to the server.
    def shut(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    # Reads some more; tells whether there was more.
    def receive(self):
        more = b""
        try:
            self.hurry()
            more = self.socket.recv(65536)
            if not more:
                self.end = "closed"
        except TimeoutError:
            self.end = "timeout"
        except ConnectionError:
            self.end = "reset"
        self.buffer += more
        return bool(more)

    # Reads to the end.
    def drain(self):
        while self.receive():
            pass

    # Takes size bytes, or what there is if the server closes before; all there is if size is None.
    def take(self, size):
        while (size is None or len(self.buffer) < size) and self.receive():
            pass
        taken = self.buffer[:size]
        self.buffer = self.buffer[len(taken):]
        return taken

    # Reads the next answer, to a request of that method; None if what comes is not one.
    def answer(self, method="GET"):
        while b"\r\n\r\n" not in self.buffer and self.receive():
            pass
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        version, _, status = line.partition(" ")
        if not blank or not version.startswith("HTTP/") or not status[:3].isdecimal():
            return None
        self.buffer = body
        answer = {"method": method, "line": line, "status": int(status[:3]),
                  "headers": [[name, value.strip()] for name, _, value in (field.partition(":") for field in fields)]}
        answer["body"] = self.take(body_size(answer)).decode("utf-8", "backslashreplace")
        return answer

    # Reads the answer to a request of that method, and what comes before it (100 Continue).
    def answers(self, method="GET"):
        while True:
            answer = self.answer(method)
            if answer is None:
                return
            yield answer
            if answer["status"] >= 200:
                return


# The values that an answer has for a header field.
def values(answer, name):
    return [value for field, value in answer["headers"] if field.lower() == name.lower()]


# The size of an answer's body; None if it lasts until the server closes.
def body_size(answer):
    if answer["method"] == "HEAD" or answer["status"] < 200 or answer["status"] in (204, 304):
        return 0
    length = values(answer, "Content-Length")
    return int(length[0]) if len(length) == 1 and length[0].isdecimal() else None


# Tells whether a server that has given this answer is to close.
def is_last(answer):
    return "close" in (value.lower() for value in values(answer, "Connection"))


# The method of a message, as far as it has one.
def method_of(message):
    return message.partition(b" ")[0].decode("latin-1")


# Sends what is to be sent, and reads the answers: one for each message, one in all if the messages are parts of one.
# In turn, each message waits for the answer to the one before, and each part for one that may be 100 Continue.
def converse(connection, messages, options):
    methods = [method_of(message) for message in messages[:1 if options.parts else None]]
    for index, message in enumerate(messages):
        if index:
            time.sleep(options.pause)
        connection.send(message, options.size, options.pause)
        if options.in_turn:
            answers = connection.answers(methods[0 if options.parts else index])
            yield from itertools.islice(answers, 1 if options.parts else None)
    if options.shut:
        connection.shut()
    for method in methods if not options.in_turn else []:
        yield from connection.answers(method)


# Opens a connection, says everything, and writes what came of it.
def report(texts, options):
    begun = time.monotonic()
    answers, rest, end = [], b"", "refused"
    try:
        with Connection(options.url, options.timeout) as connection:
            answers = list(converse(connection, [unescape(text) for text in texts], options))
            seconds = time.monotonic() - begun
            if connection.end == "open" and (not answers or is_last(answers[-1])):
                connection.drain()
            rest, end = connection.buffer, connection.end
    except OSError:
        seconds = time.monotonic() - begun
    missing = (1 if options.parts else len(texts)) - sum(answer["status"] >= 200 for answer in answers)
    json.dump({"sent": "\t".join(texts), "answers": answers, "missing": missing, "end": end,
               "rest": rest.decode("utf-8", "backslashreplace"), "seconds": round(seconds, 6)}, sys.stdout)
    print()


# Opens connections that have sent a message, or as much of it as the server takes, and that nobody reads.
def crowd(number, message, url):
    for _ in range(number):
        connection = Connection(url, timeout=1)
        connection.send(unescape(message))
        yield connection


# Reads the command line and does what it says.
def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--url", help="where to send to (default: $URL)")
    parser.add_argument("--parts", action="store_true", help="the messages are parts of one, with one answer")
    parser.add_argument("--in-turn", action="store_true", help="wait for an answer before the next message")
    parser.add_argument("--shut", action="store_true", help="close our direction once everything is sent")
    parser.add_argument("--pause", type=float, default=0, metavar="SECONDS", help="between two messages or pieces")
    parser.add_argument("--size", type=int, metavar="BYTES", help="send messages in pieces of this size")
    parser.add_argument("--timeout", type=float, default=5, metavar="SECONDS", help="for a connection (default: 5)")
    parser.add_argument("--crowd", nargs=2, default=(0, ""), metavar=("NUMBER", "MESSAGE"),
                        help="meanwhile keep so many connections open that have sent this and read nothing")
    parser.add_argument("messages", nargs="*", metavar="MESSAGE")
    options = parser.parse_args()
    kept = list(crowd(int(options.crowd[0]), options.crowd[1], options.url))
    for texts in [options.messages] if options.messages else (line.rstrip("\n").split("\t") for line in sys.stdin):
        report(texts, options)
    for connection in kept:
        connection.socket.close()


if __name__ == "__main__":
    main()
