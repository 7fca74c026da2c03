"""A real RTSP server (GStreamer's) that can be frozen and killed."""

import signal
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).with_name("rtsp_server.py")
SYSTEM_PYTHON = "/usr/bin/python3"
"""GStreamer's bindings are Debian packages of the system's Python."""


class RtspServer:
    """Plays a recording in a loop; see rtsp_server.py for its paths and options."""

    def __init__(self, recording: Path, *options: str) -> None:
        self._command = [SYSTEM_PYTHON, str(SCRIPT), str(recording)]
        self._options = options
        self.port = 0

    def start(self, *more: str) -> None:
        """Returns when it listens; on the same port as before, with `more` options for this time."""
        command = [*self._command, str(self.port), *self._options, *more]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        assert ready[:1] == ["ready"], "the RTSP server did not start; are GStreamer's packages installed?"
        self.port = int(ready[1])

    def url(self, path: str, credentials: str = "") -> str:
        return f"rtsp://{credentials}127.0.0.1:{self.port}/{path}"

    def freeze(self) -> None:
        """Alive, and silent."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
