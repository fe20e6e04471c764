# SPDX-License-Identifier: Apache-2.0
"""A proxy of MySQL's protocol that cuts a connection at a chosen command.

Owns its listening port and a thread. Every packet from the client that begins a command (sequence number 0) is counted from the moment of
`arm`; at the chosen one the connection is cut: "before" the server sees it, "within" (the server has it, and nobody waits for its answer),
or "after" the server has answered and before the client hears of it."""
import select
import socket
import threading

PHASES = ("before", "within", "after")


class Cutter:
    def __init__(self, port):
        self.target = port
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(200)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.left, self.phase, self.text, self.cut = 0, None, b"", None
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, number, phase, text=b""):
        """The `number`th command from now on (1 is the next) of those that contain `text` is cut; `disarm` tells what it was."""
        with self.lock:
            self.left, self.phase, self.text, self.cut = number, phase, text, None

    def disarm(self):
        with self.lock:
            self.left = 0
            return self.cut

    def due(self, command):
        with self.lock:
            if self.left == 0 or self.text not in command:
                return None
            self.left -= 1
            if self.left:
                return None
            self.cut = command
            return self.phase

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                if self.listener.fileno() < 0:
                    return
                client.close()
                continue
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(client, server), daemon=True).start()

    def serve(self, client, server):
        waiting, silenced = b"", False
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if server in ready:
                    data = server.recv(65536)
                    if not data or silenced:
                        return
                    client.sendall(data)
                if client in ready:
                    data = client.recv(65536)
                    if not data:
                        return
                    waiting += data
                    whole, waiting, phase = self.commands(waiting)
                    server.sendall(whole)
                    if phase in ("before", "within"):
                        return
                    silenced = silenced or phase == "after"
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def commands(self, data):
        """(what goes to the server, what is no whole packet yet, the phase of the cut that is due)."""
        at = 0
        while len(data) - at >= 4:
            length = int.from_bytes(data[at : at + 3], "little")
            if len(data) - at < 4 + length:
                break
            # Sequence number 0 begins a command; the handshake's answer is 1.
            if data[at + 3] == 0 and length:
                phase = self.due(bytes(data[at + 4 : at + 64]))
                if phase:
                    return data[: at if phase == "before" else at + 4 + length], b"", phase
            at += 4 + length
        return data[:at], data[at:], None

    def close(self):
        self.listener.close()
