"""A FastCGI peer that can be as wrong as a test wants it: FastCGI 1.0, with nothing checked."""
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP = 1


def record(kind, content=b"", request_id=1, padding=0, version=1, length=None):
    """A record; length lies about the content's."""
    length = len(content) if length is None else length
    return struct.pack(">BBHHBx", version, kind, request_id, length, padding) + content + b"\0" * padding


def begin(role=RESPONDER, flags=0, **header):
    return record(BEGIN, struct.pack(">HB5x", role, flags), **header)


def length_of(value, long=False):
    return struct.pack(">I", len(value) | 1 << 31) if long or len(value) > 127 else bytes([len(value)])


def pair(name, value, long=False):
    return length_of(name, long) + length_of(value, long) + name + value


def request(path=b"/health", method=b"GET", flags=0, extra=b"", body=b"", request_id=1):
    """A whole, well-formed request."""
    params = pair(b"REQUEST_METHOD", method) + pair(b"SCRIPT_NAME", path) + extra
    return (begin(flags=flags, request_id=request_id) + record(PARAMS, params, request_id)
            + record(PARAMS, request_id=request_id)
            + (record(STDIN, body, request_id) if body else b"") + record(STDIN, request_id=request_id))


class Peer:
    """A connection to a responder."""

    def __init__(self, path, timeout=5):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self, size):
        """Exactly size bytes; EOFError if the responder closes before."""
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError(f"closed after {len(data)} of {size} bytes")
            data += more
        return data

    def answer(self):
        """The STDOUT of one answer, up to its END_REQUEST."""
        out = b""
        while True:
            version, kind, _, length, padding = struct.unpack(">BBHHBx", self.read(8))
            assert version == 1, f"version {version}"
            content = self.read(length + padding)[:length]
            if kind == STDOUT:
                out += content
            elif kind == END:
                app_status, protocol_status = struct.unpack(">IB3x", content)
                assert (app_status, protocol_status) == (0, 0), (app_status, protocol_status)
                return out
            else:
                raise AssertionError(f"record of type {kind}")

    def is_cut(self):
        """Whether the responder closes without a byte more."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
