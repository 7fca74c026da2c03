"""An MQTT broker of our own on loopback, for a first run where there is none."""

import asyncio
import logging
import threading
from typing import Any, Self

from monitor.errors import PublishError

START_S = 10.0
STOP_S = 2.0


class Broker:
    """amqtt in a thread of its own, for anyone on this machine, on loopback alone. It speaks MQTT 3.1.1 and
    keeps nothing on disk. Entering waits until it listens and raises PublishError when it cannot."""

    def __init__(self, port: int = 1883) -> None:
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._broker: Any = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)

    def __enter__(self) -> Self:
        # Each client that goes without a goodbye would be a warning, each message a line.
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(START_S)
        except Exception as error:
            self._end()
            fix = "use another port, or a broker of your own"
            raise PublishError(f"cannot listen on 127.0.0.1:{self.port} ({error}); {fix}") from error
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._broker.shutdown(), self._loop).result(STOP_S)
        self._end()

    async def _start(self) -> None:
        from amqtt.broker import Broker as Amqtt

        listener = {"type": "tcp", "bind": f"127.0.0.1:{self.port}", "max_connections": 100}
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        self._broker = Amqtt({"listeners": {"default": listener}, "plugins": plugins})
        await self._broker.start()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)
        self._loop.close()
