"""The program that talks to PortAudio, in a process of its own. Only the standard library and sounddevice.

A process, because PortAudio and what lies below it cannot be trusted with ours: a sound server that is killed
or frozen leaves threads locked inside libpulse for ever, devices are listed once per process, and complaints
go to the standard error of whoever is there. A process can be killed, and starts with a fresh list.

Standard output carries records: `HEADER` (kind, monotonic time in seconds, size), then so many bytes.
  D  the devices as PortAudio lists them, as JSON: {"devices": [...], "default": index}
  F  the stream is open, as JSON: {"sample_rate_hz", "channels", "sample_format"}
  B  a block of native interleaved sound whose last sample arrived at that time
  L  the same, after sound that was lost here because nobody took it in time
  E  an error, as JSON: {"reason", "missing": PortAudio is not installed}
Standard input takes one line of JSON, {"index", "channels", "sample_format", "rates_hz", "block_s",
"queued_blocks"}; at its end the process ends.
"""

import json
import os
import queue
import signal
import struct
import sys
import threading
import time
from typing import Any

HEADER = struct.Struct("<cdI")
BUFFER_S = 0.2
"""PortAudio's idea of a high latency, 35 ms, overflows on a busy small computer."""

_Block = tuple[bytes, float, bytes]


def main() -> None:
    """Serve one microphone until standard input ends or the stream does."""
    for stopping in (signal.SIGINT, signal.SIGTERM):  # meant for the daemon, which then ends us itself
        signal.signal(stopping, signal.SIG_IGN)
    try:
        import sounddevice
    except OSError as error:
        _send_error(str(error), missing=True)
        return
    try:
        default = sounddevice.default.device[0]
        if default < 0 and sounddevice.query_hostapis():
            default = sounddevice.query_hostapis(0)["default_input_device"]
        _send(b"D", {"devices": list(sounddevice.query_devices()), "default": default})
        request = sys.stdin.readline()
        if request:
            _record(sounddevice, json.loads(request))
    except sounddevice.PortAudioError as error:
        _send_error(str(error.args[0]) if error.args else "PortAudio failed")


def _record(sounddevice: Any, request: dict[str, Any]) -> None:
    settings = {key: request[key] for key in ("channels", "sample_format")}
    rate_hz = _accepted_rate_hz(sounddevice, request)
    stream = sounddevice.RawInputStream(
        device=request["index"],
        channels=request["channels"],
        dtype=request["sample_format"],
        samplerate=rate_hz,
        latency=BUFFER_S,
    )
    stream.start()
    _send(b"F", {"sample_rate_hz": rate_hz, **settings})
    blocks: queue.Queue[_Block] = queue.Queue(request["queued_blocks"])
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    threading.Thread(target=_write_all, args=[blocks], daemon=True).start()
    _read_all(stream, round(request["block_s"] * rate_hz), blocks)


def _read_all(stream: Any, samples: int, blocks: "queue.Queue[_Block]") -> None:
    """Never waits for a reader: the sound server would then drop sound without a sign."""
    lost = False
    while True:
        data, overflowed = stream.read(samples)
        lost = lost or overflowed
        try:
            blocks.put_nowait((b"L" if lost else b"B", time.monotonic(), bytes(data)))
            lost = False
        except queue.Full:
            lost = True


def _write_all(blocks: "queue.Queue[_Block]") -> None:
    try:
        while True:
            _write(*blocks.get())
    except BrokenPipeError:
        os._exit(0)


def _accepted_rate_hz(sounddevice: Any, request: dict[str, Any]) -> int:
    """The first rate that the device takes; if it takes none, the first of all: its error has the reason."""
    for rate_hz in request["rates_hz"]:
        try:
            sounddevice.check_input_settings(
                request["index"], request["channels"], request["sample_format"], None, rate_hz
            )
        except sounddevice.PortAudioError:
            continue
        return int(rate_hz)
    return int(request["rates_hz"][0])


def _end_with_standard_input() -> None:
    sys.stdin.read()
    os._exit(0)


def _send_error(reason: str, *, missing: bool = False) -> None:
    _send(b"E", {"reason": reason, "missing": missing})


def _send(kind: bytes, what: dict[str, Any]) -> None:
    _write(kind, time.monotonic(), json.dumps(what).encode())


def _write(kind: bytes, at_s: float, data: bytes) -> None:
    rest = memoryview(HEADER.pack(kind, at_s, len(data)) + data)
    while rest:
        rest = rest[os.write(1, rest) :]


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        pass
    finally:
        # PortAudio's own farewell may wait for a dead sound server.
        os._exit(0)
