"""A home's broker hands its events on to an operator's: docs/guides/scale.md and packaging/operator."""

import re
from pathlib import Path

import yaml

from testkit.certificates import make_certificates
from testkit.mosquitto import Mosquitto, Subscriber

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guides" / "scale.md"
OPERATOR = ROOT / "packaging" / "operator"
ADDED = {"./certificates"}
"""What the guide lets an operator add."""


def bridge_of_the_guide() -> str:
    """The block of the guide for a home's mosquitto.conf."""
    [block] = re.findall(r"^```conf\n(# home\n.*?)^```", GUIDE.read_text(encoding="utf-8"), re.S | re.M)
    return str(block)


def test_a_home_s_events_reach_the_operator_over_tls_and_outlast_an_outage(tmp_path):
    """With the client certificate that names the home, below its own prefix; what was published while the
    operator's broker was away arrives when it is back."""
    files = make_certificates(tmp_path / "certificates")
    rights = tmp_path / "homes.acl"
    rights.write_text((OPERATOR / "mosquitto" / "homes.acl").read_text().replace("user pager", "user client"))
    more = (OPERATOR / "mosquitto" / "mosquitto.conf").read_text()
    own = ("listener", "cafile", "certfile", "keyfile", "require_certificate", "persistence")  # of the test
    lines = [line for line in more.splitlines() if not line.startswith(own)]
    operator = Mosquitto(
        tmp_path / "operator",
        certificates=files,
        client_certificates=True,
        more="\n".join(lines).replace("/mosquitto/config/homes.acl", str(rights)),
    )
    bridge = bridge_of_the_guide()
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


def test_the_operators_compose_file_has_all_that_it_names():
    """Each file that a container reads is there, or the guide says who adds it; what is open is the broker,
    with client certificates, and the engines' address, with keys."""
    services = yaml.safe_load((OPERATOR / "compose.yaml").read_text())["services"]
    mounted = {
        source
        for service in services.values()
        for source, *_ in (each.split(":") for each in service["volumes"])
        if source.startswith(".")
    }
    assert {each for each in mounted if not (OPERATOR / each).exists()} == ADDED
    assert {port for service in services.values() for port in service.get("ports", ())} == {
        "8883:8883",
        "8443:8443",
    }
    balancer = (OPERATOR / "haproxy" / "haproxy.cfg").read_text()
    engines = re.findall(r"^    server (\S+) (\S+):8000 check$", balancer, re.M)
    assert engines == [(name, name) for name in services["haproxy"]["depends_on"]]
    broker = (OPERATOR / "mosquitto" / "mosquitto.conf").read_text()
    named = set(re.findall(r"/certificates/(\S+)", broker + balancer))
    guide = GUIDE.read_text(encoding="utf-8")
    assert named == {"ca.pem", "server.pem", "server.key", "engines.pem"}
    assert not [name for name in (*named, "homes.keys") if name not in guide]
