#!/usr/bin/env python3
"""Sees that a responder cuts a peer that does not finish its request in ten seconds, dripping or not.

usage: slow.py SOCKET
"""
import sys
import time

from fcgi import KEEP, Peer, request

LIMIT, LEEWAY = 10.0, 1.5


def main():
    """Opens one silent peer, one that stalls half-way, one that drips; and times their ends."""
    whole = request(flags=KEEP)
    peers = {name: Peer(sys.argv[1], 0.1) for name in ("silent", "stalled", "dripping")}
    since = time.monotonic()
    peers["stalled"].send(whole[:20])
    ends = {}
    for byte in whole:
        try:
            peers["dripping"].send(bytes([byte]))
        except OSError:
            pass
        for name, peer in peers.items():
            if name not in ends and is_closed(peer):
                ends[name] = time.monotonic() - since
        if len(ends) == len(peers) or time.monotonic() - since > LIMIT + LEEWAY:
            break
    print(ends)
    assert ends.keys() == peers.keys(), f"still open: {peers.keys() - ends.keys()}"
    assert all(LIMIT - 0.1 <= end <= LIMIT + LEEWAY for end in ends.values())


def is_closed(peer):
    """Whether the responder has closed; waits a little."""
    try:
        return peer.is_cut()
    except TimeoutError:
        return False


if __name__ == "__main__":
    main()
