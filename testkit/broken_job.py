"""Heavy work that begins well and is then killed, as by a machine without memory."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BrokenJob:
    """Writes a part of what was asked for, and dies."""

    def work(self, write: Callable[[bytes], Any]) -> None:
        """Die."""
        write(b'{"ready": true}\nthe first part')
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
