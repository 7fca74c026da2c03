"""Our side of the process that talks to PortAudio (see portaudio_process.py)."""

import json
import select
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Self

from monitor.errors import SourceUnavailable
from monitor.sources.portaudio import worker as portaudio_process
from monitor.sources.portaudio.devices import InputDevice, alsa_card_ids, from_portaudio, with_stable_ids

LIST_TIMEOUT_S = 10.0
"""It starts in a fifth of a second; on a busy small computer in a few seconds."""
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A record that the process wrote: see portaudio_process. `at_s` is on the system's monotonic clock."""

    kind: bytes
    at_s: float
    data: bytes


class PortAudioProcess:
    """One process, killed on leaving. One thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._received = bytearray()
        self._poll = select.poll()

    def __enter__(self) -> Self:
        command = [sys.executable, "-P", portaudio_process.__file__]
        pipe = subprocess.PIPE
        # ALSA and PortAudio complain to standard error about what nobody can act on.
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0
        )
        assert self._process.stdout is not None
        self._poll.register(self._process.stdout, select.POLLIN)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._process.kill()
            with self._process:  # closes the pipes and waits
                self._process = None

    def ask(self, request: dict[str, Any]) -> None:
        """Ask the process to open a device. Raises EOFError when the process has ended."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            raise EOFError from None

    def read(self, timeout_s: float) -> ProcessRecord | None:
        """The next record; None when none comes in time. Raises EOFError when the process has ended."""
        while (record := self._complete()) is None:
            if not self._poll.poll(timeout_s * 1000):
                return None
            assert self._process is not None
            assert self._process.stdout is not None
            received = self._process.stdout.read(_READ_BYTES)
            if not received:
                raise EOFError
            self._received += received
        return record

    def _complete(self) -> ProcessRecord | None:
        header = portaudio_process.HEADER
        if len(self._received) < header.size:
            return None
        kind, at_s, size = header.unpack_from(self._received)
        end = header.size + size
        if len(self._received) < end:
            return None
        data = bytes(self._received[header.size : end])
        del self._received[:end]
        return ProcessRecord(kind, at_s, data)


def devices_in(record: ProcessRecord) -> list[InputDevice]:
    """The microphones in a record of kind D."""
    found = json.loads(record.data)
    return with_stable_ids(from_portaudio(found["devices"], found["default"]), alsa_card_ids())


def unavailable(record: ProcessRecord) -> SourceUnavailable:
    """The error in a record of kind E."""
    failure = json.loads(record.data)
    if failure["missing"]:
        return SourceUnavailable(
            f"microphones need the PortAudio library ({failure['reason']}); apt install libportaudio2",
            refused=True,
        )
    return SourceUnavailable(f"PortAudio: {failure['reason']}; is another program using the microphone?")


def silent_server() -> SourceUnavailable:
    """Nothing came from PortAudio in time."""
    return SourceUnavailable("the sound system does not answer; is the sound server running?")


def list_devices() -> list[InputDevice]:
    """The microphones there are now; takes about a third of a second. Raises SourceUnavailable."""
    with PortAudioProcess() as process:
        try:
            record = process.read(LIST_TIMEOUT_S)
        except EOFError:
            record = None
    if record is None:
        raise silent_server()
    if record.kind == b"E":
        raise unavailable(record)
    return devices_in(record)
