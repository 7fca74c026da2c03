"""What happens to messages on a network that is slow and loses packets.

Everything runs in a network namespace of its own, in which the kernel makes loopback as bad as it can: by
`tc netem` where the kernel has it, else by `tc tbf`, which drops what does not fit through a narrow line.
Where no namespace may be made, a wire on which every byte takes its time stands in for it.
"""

import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from testkit.noisy_house import FaultRow, NoisyHouse, Violation, noisy_house, verdict

HOLDS = "0 lost, order kept per source, nothing stuck"
KINDS = {
    "20 % of packets lost, 100 ms delay each way (tc netem)": "netem delay 100ms loss 20%",
    "256 kbit/s, what does not fit is dropped (tc tbf; no netem in this kernel)": (
        "tbf rate 256kbit burst 4kb latency 50ms"
    ),
}
DELAY_S = 0.2
SMALL_PACKETS = "ip link set lo mtu 1500 up"
"""Loopback's own are 64 kB: one of them would be a whole conversation."""


def bad_network(folder: Path, events: int) -> FaultRow:
    """Broker, daemon and subscriber talk over a bad line."""
    for kind, discipline in KINDS.items():
        if _namespace(discipline, "true").returncode == 0:
            return _in_namespace(folder, events, kind, discipline)
    with noisy_house(folder, delay_s=DELAY_S) as house:
        return _row(house, events, f"{1000 * DELAY_S:.0f} ms delay each way (no network namespace here)", {})


def _in_namespace(folder: Path, events: int, kind: str, discipline: str) -> FaultRow:
    inside = [sys.executable, "-m", "testkit.faults.network", str(folder), str(events), kind]
    ran = _namespace(discipline, *inside)
    if ran.returncode != 0:
        raise Violation(ran.stderr[-500:])
    return FaultRow(**json.loads(ran.stdout.splitlines()[-1]))


def _namespace(discipline: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where loopback is bad."""
    prepare = f'{SMALL_PACKETS} && tc qdisc add dev lo root {discipline} && exec "$@"'
    return subprocess.run(
        ["unshare", "-n", "sh", "-c", prepare, "sh", *command], capture_output=True, text=True
    )


def _row(house: NoisyHouse, events: int, kind: str, more: dict[str, int]) -> FaultRow:
    house.start()
    house.wait_decided(events, 60.0 + 2 * events)
    house.wait_delivered()
    house.stop()
    found = verdict(house)
    held = found.lost == found.out_of_order == found.unknown == found.stuck == 0
    figures = {
        "messages": found.decided,
        "lost": found.lost,
        "out of order": found.out_of_order,
        "stuck": found.stuck,
        "sent twice": found.repeated,
        "strangers": found.unknown,
    }
    return FaultRow(f"a bad network during {events} events: {kind}", HOLDS, held, {**figures, **more})


def _dropped_packets() -> int:
    shown = subprocess.run(
        ["tc", "-s", "qdisc", "show", "dev", "lo"], capture_output=True, text=True, check=True
    )
    return sum(int(count) for count in re.findall(r"dropped (\d+)", shown.stdout))


def main() -> None:
    """In the namespace: print the row."""
    folder, events, kind = sys.argv[1:]
    with noisy_house(Path(folder)) as house:
        row = _row(house, int(events), kind, {})
    row.figures["packets dropped"] = _dropped_packets()
    print(json.dumps(asdict(row)))


if __name__ == "__main__":
    main()
