"""Servers on loopback that do one thing to whoever connects."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def raw_server(answer: bytes = b"", *, then_close: bool = False) -> Iterator[int]:
    """Accepts connections, says `answer` to each, and keeps it open unless told otherwise: its port."""
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    client, _ = server.accept()
                    connections.append(client)
                    client.sendall(answer)
                    if then_close:
                        client.close()
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in connections:
                client.close()


@contextmanager
def http_server(answer: Answer, certificate: Path | None = None) -> Iterator[str]:
    """Answers each GET and POST by the function: its address, `http://127.0.0.1:port` (or https)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except OSError:  # the client has left
                self.close_connection = True

        do_POST = do_PUT = do_GET  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def refuse(status: int) -> Answer:
    """Answer with a status and nothing else."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def redirect(place: str) -> Answer:
    """It is somewhere else."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", place)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def serve(body: bytes, kind: str = "application/octet-stream") -> Answer:
    """Answer with a document."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def serve_folder(folder: Path) -> Answer:
    """Answer with the files of a folder."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        path = folder / request.path.rpartition("/")[2]
        (serve(path.read_bytes()) if path.is_file() else refuse(404))(request)

    return answer


class SocketServer:
    """Accepts on a port of loopback and gives each connection to `serve`, on a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket, threading.Event], None]) -> None:
        self.connections = 0
        self.closed = threading.Event()
        self.let_go = threading.Event()
        """Set once a connection has been ended by the client."""
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._one, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._serve(connection, self.closed)
            except OSError:
                self.let_go.set()

    def close(self) -> None:
        self.closed.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)


@contextmanager
def serving(serve: Callable[[socket.socket, threading.Event], None]) -> Iterator[SocketServer]:
    server = SocketServer(serve)
    try:
        yield server
    finally:
        server.close()


def asked(connection: socket.socket) -> bytes:
    """One request, up to its empty line; empty when the client is gone."""
    request = b""
    while b"\r\n\r\n" not in request:
        if not (part := connection.recv(1 << 16)):
            return b""
        request += part
    return request


def dripping(start: bytes, drop: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Answers with `start` and then a `drop` every 50 ms, for ever."""

    def serve(connection: socket.socket, closed: threading.Event) -> None:
        asked(connection)
        connection.sendall(start)
        while not closed.wait(0.05):
            connection.sendall(drop)

    return serve
