"""The systemd notification protocol (sd_notify(3), sd_watchdog_enabled(3)): one datagram per message."""

import os
import socket
import time
from collections.abc import Mapping

SAY_S = 0.5
"""What the manager gets to take a word: one that is stopped, or waits for a disk, holds nobody."""


class Systemd:
    """Talks to the service manager if there is one; otherwise every method does nothing."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        path = env.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of Linux's abstract namespace.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        mine = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = env.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(usec) / 1e6 if mine and usec.isdigit() else None
        """The watchdog's time limit; None without a watchdog."""
        self._reloading = False

    def ready(self) -> None:
        """Everything is open: `systemctl start` or `reload` returns."""
        if self._reloading:
            self._reloading = False
            self._set_watchdog(self.watchdog_s)
        self._notify("READY=1")

    def starting(self, within_s: float) -> None:
        """Loading takes its time: do not give up on us before `within_s` from now."""
        self._notify(f"EXTEND_TIMEOUT_USEC={round(within_s * 1e6)}")
        if self._reloading:
            # The watchdog of a daemon that was ready runs on, and nobody can feed it meanwhile.
            self._set_watchdog(within_s)

    def reloading(self) -> None:
        """The configuration is being read anew (`systemctl reload`); `ready` follows, sooner or later."""
        self._reloading = True
        # Type=notify-reload wants the time as well; others pass it over.
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """An orderly stop has begun. Sends nothing while the daemon is reloading."""
        if not self._reloading:
            self._notify("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._notify("WATCHDOG=1")

    def status(self, text: str) -> None:
        """The line that `systemctl status` shows."""
        self._notify("STATUS=" + text.replace("\n", " "))

    def _set_watchdog(self, patience_s: float | None) -> None:
        if self.watchdog_s is not None and patience_s is not None:
            self._notify(f"WATCHDOG_USEC={round(patience_s * 1e6)}")

    def _notify(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_manager:
            to_manager.settimeout(SAY_S)
            try:
                to_manager.sendto(message.encode(errors="replace"), self._address)
            except OSError:
                # The manager is gone, restarting, or does not read. It kills and restarts us if that matters.
                return
