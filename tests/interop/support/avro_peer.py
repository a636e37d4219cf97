"""Flume's Avro RPC, as far as its Avro source and sink speak it, and Avro container files of events. Events are
(headers, body): a tuple of sorted pairs, and bytes."""
import json
import socket
import struct
import threading

PROTOCOL = {
    "protocol": "AvroSourceProtocol", "namespace": "org.apache.flume.source.avro",
    "types": [
        {"type": "enum", "name": "Status", "symbols": ["OK", "FAILED", "UNKNOWN"]},
        {"type": "record", "name": "AvroFlumeEvent",
         "fields": [{"name": "headers", "type": {"type": "map", "values": "string"}}, {"name": "body", "type": "bytes"}]}],
    "messages": {
        "append": {"request": [{"name": "event", "type": "AvroFlumeEvent"}], "response": "Status"},
        "appendBatch": {"request": [{"name": "events", "type": {"type": "array", "items": "AvroFlumeEvent"}}],
                        "response": "Status"}}}


def long_bytes(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text_bytes(data):
    data = data if isinstance(data, bytes) else data.encode()
    return long_bytes(len(data)) + data


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        assert len(piece) == count, "the bytes end too early"
        self.at += count
        return piece

    def long(self):
        shift = number = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (number >> 1) ^ -(number & 1)

    def text(self):
        return self.take(self.long())

    def blocks(self, item):
        items = []
        while count := self.long():
            if count < 0:
                count = -count
                self.long()
            items += [item() for _ in range(count)]
        return items

    def pairs(self):
        return self.blocks(lambda: (self.text(), self.text()))

    def event(self):
        headers = tuple(sorted((name.decode(), value.decode()) for name, value in self.pairs()))
        return headers, self.text()

    def optional(self, item):
        return item() if self.long() else None


def read_container(path):
    """The events of a container file without compression."""
    data = path.read_bytes()
    reader = Reader(data)
    assert reader.take(4) == b"Obj\x01", f"{path} is no Avro file"
    assert dict(reader.pairs()).get(b"avro.codec", b"null") == b"null"
    sync = reader.take(16)
    events = []
    while reader.at < len(data):
        count, _ = reader.long(), reader.long()
        events += [reader.event() for _ in range(count)]
        assert reader.take(16) == sync
    return events


def receive(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def receive_message(connection):
    serial, frames = struct.unpack(">ii", receive(connection, 8))
    parts = [receive(connection, struct.unpack(">i", receive(connection, 4))[0]) for _ in range(frames)]
    return serial, b"".join(parts)


def send_message(connection, serial, data):
    connection.sendall(struct.pack(">iii", serial, 1, len(data)) + data)


def send_batch(port, events):
    """One appendBatch to an Avro source; returns when it has acknowledged."""
    call = bytes(16) + long_bytes(1) + text_bytes(json.dumps(PROTOCOL)) + bytes(16) + long_bytes(0)
    call += long_bytes(0) + text_bytes("appendBatch") + long_bytes(len(events))
    for headers, body in events:
        if headers:
            call += long_bytes(len(headers)) + b"".join(text_bytes(name) + text_bytes(value) for name, value in headers)
        call += long_bytes(0) + text_bytes(body)
    call += long_bytes(0)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        send_message(connection, 1, call)
        reader = Reader(receive_message(connection)[1])
    reader.long()
    reader.optional(reader.text)
    reader.optional(lambda: reader.take(16))
    reader.optional(reader.pairs)
    reader.pairs()
    assert reader.take(1) == b"\0", "the source answered with an error"
    assert reader.long() == 0, "the source refused the batch"


class Sink:
    """What a Flume Avro sink delivers to. Answers until it has `enough` events, then takes batches and says
    nothing any more."""

    def __init__(self, enough):
        self.enough = enough
        self.delivered = []
        self.held = []
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
        first = True
        try:
            while True:
                serial, data = receive_message(connection)
                reader = Reader(data)
                if first:
                    reader.take(16)
                    reader.optional(reader.text)
                    reader.take(16)
                    reader.optional(reader.pairs)
                reader.pairs()
                method = reader.text()
                events = reader.blocks(reader.event) if method == b"appendBatch" else [reader.event()]
                with self.changed:
                    answer = len(self.delivered) < self.enough
                    (self.delivered if answer else self.held).extend(events)
                    self.changed.notify_all()
                if answer:
                    send_message(connection, serial, (bytes(4) if first else b"") + bytes(3))
                first = False
        except (EOFError, OSError):
            connection.close()

    def wait(self, condition, seconds=60):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), seconds), "the sink got too little"

    def close(self):
        self.server.close()
