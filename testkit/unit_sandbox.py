"""Runs a command under what the unit file forbids, as far as that can be had without systemd as process 1:

python -m testkit.unit_sandbox COMMAND…

System calls are filtered by the unit's own `SystemCallFilter`, whose sets systemd itself writes out; a
forbidden one fails with EPERM. No privileges can be gained, capabilities are dropped, and files are
private. Where this process may make a namespace, everything but `$STATE_DIRECTORY`, /tmp, /dev and /proc
is read-only.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

UNIT = Path(__file__).parent.parent / "systemd" / "earwitness.service"
_ALLOW, _EPERM = 0x7FFF0000, 0x00050001
_NEW_MOUNTS = 0x00020000
_NO_NEW_PRIVILEGES, _DROP_CAPABILITY, _LAST_CAPABILITY = 38, 24, 40


def values(key: str) -> list[str]:
    """The unit's lines of a key, in their order."""
    lines = UNIT.read_text().splitlines()
    return [one.partition("=")[2].strip() for one in lines if one.startswith(f"{key}=")]


def allowed_calls() -> set[str]:
    """The system calls that the unit leaves, as systemd reads it: lines add, lines with `~` take away."""
    found: set[str] = set()
    for text in values("SystemCallFilter"):
        names = set(_expanded(text.removeprefix("~").split()))
        found = found - names if text.startswith("~") else found | names
    return found


def _expanded(names: list[str]) -> Iterator[str]:
    for name in names:
        if not name.startswith("@"):
            yield name
            continue
        shown = subprocess.run(
            ["systemd-analyze", "syscall-filter", "--no-pager", name],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = [line.strip() for line in shown.stdout.splitlines()[1:]]
        yield from _expanded([line for line in lines if line and not line.startswith("#")])


def confine() -> None:
    """From here on this process, and all that it starts, may do no more than the unit lets it."""
    calls = sorted(allowed_calls())
    os.umask(int(values("UMask")[0], 8))
    libc = ctypes.CDLL(None, use_errno=True)
    _read_only(libc, os.environ.get("STATE_DIRECTORY"))
    if os.geteuid() == 0:
        for capability in range(_LAST_CAPABILITY + 1):
            libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no new privileges")
    _filter(calls)


def _read_only(libc: ctypes.CDLL, state: str | None) -> None:
    """`ProtectSystem=strict`, where this process may have a namespace of its own."""
    if libc.unshare(_NEW_MOUNTS) != 0:
        return
    for command in (
        ["mount", "--make-rprivate", "/"],
        *(["mount", "--bind", place, place] for place in ("/tmp", state) if place),
        ["mount", "-o", "remount,bind,ro", "/"],
    ):
        subprocess.run(command, check=False, capture_output=True)


def _filter(calls: list[str]) -> None:
    """Everything else fails with EPERM, as `SystemCallErrorNumber=` says."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_EPERM)))
    for name in calls:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            library.seccomp_rule_add(context, ctypes.c_uint32(_ALLOW), number, 0)
    if library.seccomp_load(context) != 0:
        raise OSError("the filter cannot be set")


if __name__ == "__main__":
    confine()
    os.execvp(sys.argv[1], sys.argv[1:])
