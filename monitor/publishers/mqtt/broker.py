"""An MQTT broker of our own on loopback, for a first run where there is none."""

import asyncio
import logging
import threading
from typing import Any, Self

from monitor.errors import PublishError

START_S = 10.0
STOP_S = 2.0
_LISTENER = "default"


class Broker:
    """amqtt in a thread of its own, for anyone on this machine, on loopback alone. It speaks MQTT 3.1.1 and
    keeps nothing on disk. Entering waits until it listens and raises PublishError when it cannot.

    The connections are ours and only lent to amqtt, which leaves them open when it stops.
    """

    def __init__(self, port: int = 1883) -> None:
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._amqtt: Any = None
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)

    def __enter__(self) -> Self:
        # Each client that goes without a goodbye would be a warning, each message a line.
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(START_S)
        except Exception as error:
            self._end()
            fix = "use another port, or a broker of your own"
            raise PublishError(f"cannot listen on 127.0.0.1:{self.port} ({error}); {fix}") from error
        return self

    def __exit__(self, *exc: object) -> None:
        self._end()

    async def _start(self) -> None:
        from amqtt.broker import Broker as Amqtt

        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        # Every amqtt has a listener of this name; left to its default it would be 0.0.0.0:1883.
        listeners = {_LISTENER: {"type": "external"}}
        self._amqtt = Amqtt({"listeners": listeners, "plugins": plugins})
        await self._amqtt.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter

        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._amqtt.external_connected(
                StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER
            )
        finally:
            self._clients.discard(task)
            writer.close()

    def _end(self) -> None:
        """Close everything, whatever of it was opened."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)
        self._loop.close()

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._amqtt is not None:
            await self._amqtt.shutdown()
        for task in self._clients:
            task.cancel()
        if self._clients:
            await asyncio.wait(self._clients)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # one more turn, in which closed connections are let go
