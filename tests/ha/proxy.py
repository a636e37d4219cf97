"""A way to the first collector that can become slow, or lose its far end without a word."""
import socket
import threading
import time

CHUNK = 1 << 14


class Proxy:
    def __init__(self, port, target):
        self.port, self.target = port, target
        self.lock = threading.Condition()
        self.bytes_per_second = None  # None: as fast as it goes
        self.pairs = []
        self.silent = []  # sockets of clients whose far end is gone: open, and nobody reads them
        self.accepting = "pass"
        self.listen()

    def listen(self):
        self.server = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self.accept, args=[self.server], daemon=True).start()

    # -- what a test decides

    def slow_down(self, bytes_per_second):
        with self.lock:
            self.bytes_per_second = bytes_per_second
            self.lock.notify_all()

    def lose_far_end(self, refuse):
        """Connections end at the collector, and the agents hear nothing of it. New ones are refused, or as silent."""
        with self.lock:
            self.accepting = "refuse" if refuse else "silence"
            pairs, self.pairs = self.pairs, []
            self.silent += [client for client, _ in pairs]
        if refuse:
            close(self.server)
        for _, upstream in pairs:
            close(upstream)

    def restore(self):
        with self.lock:
            refused, self.accepting = self.accepting == "refuse", "pass"
        if refused:
            self.listen()

    def end(self):
        close(self.server)
        for pair in self.pairs:
            for each in pair:
                close(each)
        for client in self.silent:
            close(client)

    # -- the connections

    def accept(self, server):
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with self.lock:
                if self.accepting != "pass":
                    self.silent.append(client)
                    continue
            try:
                upstream = socket.create_connection(self.target, timeout=5)
            except OSError:
                close(client)
                continue
            upstream.settimeout(None)
            with self.lock:
                self.pairs.append((client, upstream))
            for ends in ((client, upstream), (upstream, client)):
                threading.Thread(target=self.pump, args=ends, daemon=True).start()

    def pump(self, source, sink):
        try:
            while True:
                data = source.recv(CHUNK if self.bytes_per_second is None else 512)
                if not data or source in self.silent:
                    break
                self.pace(len(data))
                sink.sendall(data)
        except OSError:
            pass
        if source in self.silent or sink in self.silent:
            return
        close(source)
        close(sink)

    def pace(self, size):
        """As long as the bytes take on a slow link; at once when it becomes fast."""
        with self.lock:
            if self.bytes_per_second is None:
                return
            end = time.monotonic() + size / self.bytes_per_second
            self.lock.wait_for(lambda: self.bytes_per_second is None, timeout=max(0.0, end - time.monotonic()))


def close(connection):
    """Also wakes a thread that reads or accepts there."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
