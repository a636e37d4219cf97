"""A receiver of Spark's pull protocol, as far as its sink speaks it: pulls batches and acknowledges each."""
import socket
import threading
import time

from avro_peer import Reader, long_bytes, receive_message, send_message, text_bytes

HASH = bytes.fromhex("45f3c2c4aa53244ceaacda6731dedffb")
HANDSHAKE = HASH + long_bytes(0) + HASH + long_bytes(1) + long_bytes(0)


class Receiver:
    """Pulls from `port` until it is closed; connects again for as long as nobody listens there."""

    def __init__(self, port):
        self.port, self.closed, self.delivered = port, False, []
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.closed:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
                    self.pull(connection)
            except (EOFError, OSError):
                time.sleep(0.01)

    def pull(self, connection):
        serial = 0
        while not self.closed:
            serial += 1
            reader = self.call(connection, serial, "getEventBatch", long_bytes(1000))
            failed, sequence = reader.text(), reader.text()
            if failed:
                continue
            self.delivered += reader.blocks(reader.event)
            serial += 1
            self.call(connection, serial, "ack", text_bytes(sequence))

    def call(self, connection, serial, method, parameters):
        front = HANDSHAKE if serial == 1 else b""
        send_message(connection, serial, front + long_bytes(0) + text_bytes(method) + parameters)
        answered, data = receive_message(connection)
        assert answered == serial
        reader = Reader(data)
        if serial == 1:
            assert reader.take(4) == bytes(4), "the sink does not know the protocol"
        assert reader.take(2) == bytes(2), "the sink answered with an error"
        return reader

    def close(self):
        self.closed = True
