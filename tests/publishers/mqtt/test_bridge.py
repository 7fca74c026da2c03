"""A home's broker hands its events on to an operator's, as docs/guides/scale.md shows it."""

import re
from pathlib import Path

from testkit.certificates import make_certificates
from testkit.mosquitto import Mosquitto, Subscriber

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "scale.md"


def printed(name: str) -> str:
    """The block of the guide that begins with this comment."""
    blocks: list[str] = re.findall(
        rf"^```conf\n(# {name}.*?)^```", GUIDE.read_text(encoding="utf-8"), re.S | re.M
    )
    return blocks[0]


def test_a_home_s_events_reach_the_operator_over_tls_and_outlast_an_outage(tmp_path):
    """With the client certificate that names the home, below its own prefix; what was published while the
    operator's broker was away arrives when it is back."""
    files = make_certificates(tmp_path / "certificates")
    rights = tmp_path / "rights.acl"
    [pattern] = re.findall(r"pattern write \S+", printed("operator"))
    rights.write_text(f"user client\ntopic read homes/#\n{pattern}\n")
    identity = [line for line in printed("operator").splitlines() if line.startswith("use_identity")]
    operator = Mosquitto(
        tmp_path / "operator",
        certificates=files,
        client_certificates=True,
        more="\n".join([*identity, f"acl_file {rights}"]),
    )
    bridge = printed("home")
    for name, value in {
        "operator.example:8883": f"127.0.0.1:{operator.port}",
        "/etc/mosquitto/operator-ca.pem": str(files.ca),
        "/etc/mosquitto/home17.pem": str(files.client),
        "/etc/mosquitto/home17.key": str(files.client_key),
        "homes/home17/": "homes/client/",
    }.items():
        assert name in bridge, name
        bridge = bridge.replace(name, value)
    bridge += "topic +/alert out 1 earwitness/ homes/another/\n"
    with operator, Mosquitto(tmp_path / "home", more=bridge) as home, Subscriber(home) as house:
        with Subscriber(operator) as reader:
            house.say("earwitness/home/kitchen/event", "one")
            reader.wait_for("homes/client/home/kitchen/event", "one")
        operator.stop()
        house.say("earwitness/home/alert", "two")
        house.say("earwitness/home/kitchen/level", "-60")
        operator.start()
        with Subscriber(operator) as reader:
            house.say("earwitness/home/kitchen/status", "online", retain=True)
            house.say("earwitness/home/alert/active/attributes", "{}", retain=True)
            reader.wait_for("homes/client/home/alert", "two")
            reader.wait_for("homes/client/home/kitchen/status", "online")
            reader.wait_for("homes/client/home/alert/active/attributes", "{}")
            assert not [one.topic for one in reader.heard if "level" in one.topic or "another" in one.topic]
