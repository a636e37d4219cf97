"""Flume's Thrift RPC over the framed transport, by both protocols, as far as its Thrift source and sink speak it. Events
are (headers, body): a tuple of sorted pairs, and bytes."""
import socket
import struct
import threading

from avro_peer import receive

STRING, STRUCTURE, MAP, LIST, I32 = 11, 12, 13, 15, 8
COMPACT_TYPES = {STRING: 8, STRUCTURE: 12, MAP: 11, LIST: 9, I32: 5}
CALL, REPLY = 1, 2


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Writer:
    def __init__(self, compact):
        self.compact, self.out, self.last = compact, bytearray(), 0

    def size(self, number):
        self.out += varint(number) if self.compact else struct.pack(">i", number)

    def text(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        self.size(len(data))
        self.out += data

    def head(self, kind, name, serial):
        if self.compact:
            self.out += bytes([0x82, kind << 5 | 1]) + varint(serial)
            self.text(name)
        else:
            self.out += struct.pack(">HBB", 0x8001, 0, kind)
            self.text(name)
            self.out += struct.pack(">i", serial)

    def field(self, number, kind, last=0):
        if not self.compact:
            self.out += struct.pack(">Bh", kind, number)
        elif number > last:
            self.out.append((number - last) << 4 | COMPACT_TYPES[kind])
        else:
            self.out += bytes([COMPACT_TYPES[kind], number << 1])

    def number(self, value):
        self.out += varint(value << 1 ^ value >> 31) if self.compact else struct.pack(">i", value)

    def event(self, headers, body):
        self.field(1, MAP)
        if not self.compact:
            self.out += bytes([STRING, STRING])
        self.size(len(headers))
        if self.compact and headers:
            self.out.append(0x88)
        for name, value in headers:
            self.text(name)
            self.text(value)
        self.field(2, STRING, 1)
        self.text(body)
        self.out.append(0)


class Reader:
    def __init__(self, compact, data):
        self.compact, self.data, self.at = compact, data, 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        assert len(piece) == count, "the bytes end too early"
        self.at += count
        return piece

    def varint(self):
        shift = number = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def size(self):
        return self.varint() if self.compact else struct.unpack(">i", self.take(4))[0]

    def text(self):
        return self.take(self.size())

    def head(self):
        """(kind, name, serial)"""
        if self.compact:
            mark, kind = self.take(2)
            assert mark == 0x82 and kind & 0x1F == 1, "not the compact protocol"
            serial = self.varint()
            return kind >> 5, self.text(), serial
        version, _, kind = struct.unpack(">HBB", self.take(4))
        assert version == 0x8001, "not the binary protocol"
        name = self.text()
        return kind, name, struct.unpack(">i", self.take(4))[0]

    def expect_field(self, number, kind, last=0):
        wanted = Writer(self.compact)
        wanted.field(number, kind, last)
        assert self.take(len(wanted.out)) == wanted.out, f"no field {number} of type {kind}"

    def number(self):
        if not self.compact:
            return struct.unpack(">i", self.take(4))[0]
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def structures(self):
        """The size of a list of structures."""
        if not self.compact:
            assert self.take(1)[0] == STRUCTURE
            return self.size()
        head = self.take(1)[0]
        assert head & 0x0F == 12
        return self.varint() if head >> 4 == 15 else head >> 4

    def event(self):
        self.expect_field(1, MAP)
        if not self.compact:
            assert self.take(2) == bytes([STRING, STRING])
        count = self.size()
        if self.compact and count:
            assert self.take(1) == b"\x88"
        headers = tuple(sorted((self.text().decode(), self.text().decode()) for _ in range(count)))
        self.expect_field(2, STRING, 1)
        body = self.text()
        assert self.take(1) == b"\0"
        return headers, body


def receive_frame(connection):
    return receive(connection, struct.unpack(">i", receive(connection, 4))[0])


def send_frame(connection, data):
    connection.sendall(struct.pack(">i", len(data)) + bytes(data))


def send_batch(port, events, compact=True):
    """One appendBatch to a Thrift source; returns when it has acknowledged."""
    call = Writer(compact)
    call.head(CALL, "appendBatch", 7)
    call.field(1, LIST)
    if not compact:
        call.out.append(STRUCTURE)
        call.size(len(events))
    else:
        call.out += bytes([len(events) << 4 | 12]) if len(events) < 15 else b"\xfc" + varint(len(events))
    for headers, body in events:
        call.event(headers, body)
    call.out.append(0)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        send_frame(connection, call.out)
        answer = Reader(compact, receive_frame(connection))
    kind, _, serial = answer.head()
    assert (kind, serial) == (REPLY, 7), "the source answered with an error"
    answer.expect_field(0, I32)
    assert answer.number() == 0, "the source refused the batch"


class Sink:
    """What a Flume Thrift sink delivers to; says OK to everything."""

    def __init__(self, compact=True):
        self.compact = compact
        self.delivered = []
        self.changed = threading.Condition()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            while True:
                call = Reader(self.compact, receive_frame(connection))
                kind, name, serial = call.head()
                answer = Writer(self.compact)
                if name not in (b"append", b"appendBatch"):
                    answer.head(3, name, serial)
                    answer.field(2, I32)
                    answer.number(1)
                    answer.out.append(0)
                    send_frame(connection, answer.out)
                    continue
                assert kind == CALL
                call.expect_field(1, LIST if name == b"appendBatch" else STRUCTURE)
                events = [call.event() for _ in range(call.structures() if name == b"appendBatch" else 1)]
                with self.changed:
                    self.delivered += events
                    self.changed.notify_all()
                answer.head(REPLY, name, serial)
                answer.field(0, I32)
                answer.number(0)
                answer.out.append(0)
                send_frame(connection, answer.out)
        except (EOFError, OSError):
            connection.close()

    def wait(self, condition, seconds=60):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), seconds), "the sink got too little"

    def close(self):
        self.server.close()
