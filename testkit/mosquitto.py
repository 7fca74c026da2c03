"""The real mosquitto on loopback, and a client of our own that records what it hears there."""

import json
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from monitor.publishers.mqtt.broker import Broker
from testkit.certificates import Certificates

USERNAME = "earwitness"
PASSWORD = "s3cret & safe"
WITHIN_S = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """A broker without persistence: what it was told to retain is gone once it stops."""

    def __init__(
        self,
        folder: Path,
        *,
        password: str | None = None,
        certificates: Certificates | None = None,
        client_certificates: bool = False,
        more: str = "",
    ) -> None:
        self.port = free_port()
        self.certificates = certificates
        self.password = password
        self.more = more
        self._client_certificates = client_certificates
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it listens."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "mosquitto.conf"
        config.write_text(self._config())
        running = threading.Event()
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(config)], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stderr is not None
        self._reader = threading.Thread(target=_read, args=(self._process.stderr, running))
        self._reader.start()
        assert running.wait(WITHIN_S), "mosquitto did not start"

    def stop(self, *, orderly: bool = False) -> None:
        """Kill it: no goodbye to anybody; `orderly` as a service manager does: it speaks every will."""
        if self._process is not None and self._reader is not None:
            self._process.send_signal(signal.SIGTERM if orderly else signal.SIGKILL)
            self._process.wait()
            self._reader.join()
            self._process = None

    def freeze(self) -> None:
        """Stop answering, with every connection open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _config(self) -> str:
        lines = ["user root", "persistence false", "log_dest stderr", f"listener {self.port} 127.0.0.1"]
        if self.password is None:
            lines.append("allow_anonymous true")
        else:
            lines += ["allow_anonymous false", f"password_file {self._password_file(self.password)}"]
        if self.certificates is not None:
            files = self.certificates
            lines += [f"cafile {files.ca}", f"certfile {files.server}", f"keyfile {files.server_key}"]
            lines.append(f"require_certificate {str(self._client_certificates).lower()}")
        return "\n".join([*lines, self.more, ""])

    def _password_file(self, password: str) -> Path:
        path = self._folder / "passwords"
        path.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", path, USERNAME, password], check=True, capture_output=True)
        return path


class Subscriber:
    """A client that hears everything on the broker from the moment it is made, and can speak."""

    def __init__(
        self, broker: Mosquitto | Broker, filters: str | tuple[str, ...] = "#", *, protocol: str = "5"
    ) -> None:
        self.heard: list[MQTTMessage] = []
        self._broker = broker
        self._filters = (filters,) if isinstance(filters, str) else filters
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        version = MQTTProtocolVersion.MQTTv5 if protocol == "5" else MQTTProtocolVersion.MQTTv311
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=version)
        self._client.on_connect = lambda client, *_: client.subscribe([(each, 1) for each in self._filters])
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        if isinstance(self._broker, Mosquitto):
            self._introduce(self._broker)
        self._client.connect("127.0.0.1", self._broker.port)
        self._client.loop_start()
        assert self._subscribed.wait(WITHIN_S), "the broker did not let us listen"
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _introduce(self, broker: Mosquitto) -> None:
        if broker.password is not None:
            self._client.username_pw_set(USERNAME, broker.password)
        if broker.certificates is not None:
            context = ssl.create_default_context(cafile=str(broker.certificates.ca))
            context.load_cert_chain(broker.certificates.client, broker.certificates.client_key)
            self._client.tls_set_context(context)

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False, qos: int = 1) -> None:
        """Publish and wait until the broker has it."""
        self._client.publish(topic, payload, qos=qos, retain=retain).wait_for_publish(WITHIN_S)

    def on(self, topic: str) -> list[str]:
        """Every payload heard on a topic, in order."""
        with self._changed:
            return [message.payload.decode() for message in self.heard if message.topic == topic]

    def documents(self, topic: str) -> list[dict[str, Any]]:
        """The same, as JSON."""
        return [json.loads(payload) for payload in self.on(topic) if payload]

    def wait_for(self, topic: str, payload: str | None = None, times: int = 1) -> str:
        """Wait until `topic` has said `payload` (anything, if None) so many times; the last one."""

        def said() -> list[str]:
            return [
                message.payload.decode()
                for message in self.heard
                if message.topic == topic and payload in (None, message.payload.decode())
            ]

        self.wait_until(lambda: len(said()) >= times, f"{topic} to say {payload!r} {times} times")
        return said()[-1]

    def wait_until(self, fact: Callable[[], bool], name: str = "it", within_s: float = WITHIN_S) -> None:
        """Wait until something heard makes `fact` true."""
        with self._changed:
            happened = self._changed.wait_for(fact, within_s)
            assert happened, f"waited for {name}; heard {[(m.topic, m.payload[:60]) for m in self.heard]}"

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        with self._changed:
            self.heard.append(message)
            self._changed.notify_all()


def kept(broker: Mosquitto) -> dict[str, str]:
    """What the broker keeps for a newcomer."""
    with Subscriber(broker) as newcomer:
        newcomer.say("end/of/retained", "")
        newcomer.wait_for("end/of/retained")
        return {m.topic: m.payload.decode(errors="replace") for m in newcomer.heard if m.retain}


def _read(lines: IO[str], running: threading.Event) -> None:
    with lines:
        for line in lines:
            if line.rstrip().endswith("running"):
                running.set()
