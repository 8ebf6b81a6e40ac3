#!/usr/bin/env python3
"""Loads a server and counts what becomes of every request.

usage: load.py URL [--seconds S] [--connections N] [--close] [--once]

With --once, a connection that has ended is not made again: for a server that is going away.

Prints one JSON object:
  sent       requests written in full
  answered   of these, complete 200 answers
  other      of these, complete answers with another status
  between    of these, on a kept-alive connection that the server closed without a byte of an answer: the server may
             close between two answers, and a client sends again then (RFC 9112, section 9.3.1)
  lost       all others: cut half-way, reset, or closed on a new connection
  refused    connections that could not be made
  slowest_ms the longest time from a request to its answer
"""
import argparse
import json
import selectors
import socket
import time
from urllib.parse import urlsplit

COUNTS = ("sent", "answered", "other", "between", "lost", "refused")


class Client:
    """One connection after another, one request at a time."""

    def __init__(self, load):
        self.load = load
        self.socket = None
        self.connect()

    def connect(self):
        """Makes a new connection and sends the first request on it."""
        self.socket = socket.socket()
        self.answers = 0
        try:
            self.socket.connect(self.load.address)
        except OSError:
            self.load.counts["refused"] += 1
            self.close()
            return
        self.socket.setblocking(False)
        self.load.selector.register(self.socket, selectors.EVENT_READ, self)
        self.send()

    def close(self):
        """Closes the connection."""
        if self.socket.fileno() in self.load.selector.get_map():
            self.load.selector.unregister(self.socket)
        self.socket.close()
        self.socket = None

    def send(self):
        """Sends a request; one that a connection does not take any more was not sent."""
        self.data = b""
        self.since = time.monotonic()
        try:
            self.socket.sendall(self.load.request)
        except OSError:
            self.again()
            return
        self.load.counts["sent"] += 1

    def again(self):
        """Goes on with a new connection."""
        self.close()
        if not self.load.is_over() and not self.load.once:
            self.connect()

    def ended(self):
        """Counts a request whose connection ended, and goes on."""
        between = self.answers > 0 and not self.data
        self.load.counts["between" if between else "lost"] += 1
        self.again()

    def readable(self):
        """Takes what has come."""
        try:
            more = self.socket.recv(65536)
        except OSError:
            more = b""
        if not more:
            self.ended()
            return
        self.data += more
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found or len(body) < content_length(head):
            return
        self.load.counts["answered" if head.startswith(b"HTTP/1.1 200 ") else "other"] += 1
        self.load.slowest = max(self.load.slowest, time.monotonic() - self.since)
        self.answers += 1
        if self.load.is_over():
            self.close()
        elif b"\r\nConnection: close" in head:
            self.again()
        else:
            self.send()


def content_length(head):
    """The Content-Length of a header, which every answer has."""
    return int(head.split(b"\r\nContent-Length: ", 1)[1].split(b"\r\n", 1)[0])


class Load:
    """All clients, and what they count."""

    def __init__(self, url, seconds, close, once):
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port or 80)
        self.request = (f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                        f"Connection: {'close' if close else 'keep-alive'}\r\n\r\n").encode()
        self.once = once
        self.end = time.monotonic() + seconds
        self.selector = selectors.DefaultSelector()
        self.counts = dict.fromkeys(COUNTS, 0)
        self.slowest = 0.0

    def is_over(self):
        """Whether no new request is to be sent."""
        return time.monotonic() >= self.end

    def run(self, connections):
        """Runs the clients until each has its last answer, 10 s after the end at most."""
        clients = [Client(self) for _ in range(connections)]
        while time.monotonic() < self.end + 10:
            for client in clients:
                if client.socket is None and not self.is_over() and not self.once:
                    client.connect()
            if (self.is_over() or self.once) and all(client.socket is None for client in clients):
                break
            for key, _ in self.selector.select(0.1):
                key.data.readable()
        self.counts["lost"] += sum(client.socket is not None for client in clients)
        return {**self.counts, "slowest_ms": round(self.slowest * 1000, 1)}


def main():
    """Reads the command line and prints the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--close", action="store_true")
    parser.add_argument("--once", action="store_true")
    words = parser.parse_args()
    print(json.dumps(Load(words.url, words.seconds, words.close, words.once).run(words.connections)))


if __name__ == "__main__":
    main()
