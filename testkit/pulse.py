"""A private PulseAudio with two microphones that need no hardware: one hums, one hears what is played."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT_S = 60.0
HUM_HZ = 440

ASOUNDRC = """
pcm.porch { type pulse device "vmic.monitor" hint { show on description "Porch" } }
pcm.hum { type pulse device "hum" hint { show on description "Hum" } }
"""


@contextmanager
def sound_environment(directory: Path) -> Iterator[Path]:
    """Make this process and its children use the sound server of a directory, running or not."""
    (directory / ".asoundrc").write_text(ASOUNDRC)
    wanted = {
        "HOME": str(directory),
        "XDG_RUNTIME_DIR": str(directory),
        "PULSE_SERVER": f"unix:{directory}/pulse.sock",
        "PULSE_COOKIE": str(directory / "cookie"),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield directory
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class PulseServer:
    """A sound server that can be stopped, frozen and started again at the same address."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        modules = [
            f"module-native-protocol-unix auth-anonymous=1 socket={self._directory}/pulse.sock",
            "module-null-sink sink_name=vmic rate=48000 channels=1",
            f"module-sine-source source_name=hum rate=48000 frequency={HUM_HZ}",
        ]
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=false"]
        for module in modules:
            command += ["-L", module]
        self._process = subprocess.Popen(
            [*command, "--log-level=error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_it_answers()
        subprocess.run(["pactl", "set-default-source", "hum"], check=True)

    def _wait_until_it_answers(self) -> None:
        deadline_s = time.monotonic() + START_LIMIT_S
        while subprocess.run(["pactl", "info"], capture_output=True).returncode:
            if time.monotonic() > deadline_s:
                raise AssertionError("the sound server did not start")

    def kill(self) -> None:
        """Gone at once, as after a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            (self._directory / "pulse.sock").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Alive, and silent."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def play(self, recording: Path) -> "subprocess.Popen[bytes]":
        """Play into the microphone `porch`; ends with the recording."""
        return subprocess.Popen(["paplay", "-d", "vmic", str(recording)])
