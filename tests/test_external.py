"""Other devices' detections through the whole daemon and a real broker."""

import json

from testkit.mosquitto import Mosquitto, Subscriber
from testkit.process import DaemonProcess


def test_a_device_s_detection_becomes_event_alert_and_explanation(tmp_path):
    """A house without a microphone: what a camera's AI publishes is an alert, suspected, with its origin; a
    retained message is none, and the daemon goes on without any sound to hear."""
    frigate = {
        "type": "external", "name": "porch", "topic": "frigate/events", "path": "after.label",
        "score_path": "after.score", "where": {"type": ["new"]}, "label_map": {"fire_alarm": "smoke_alarm"},
    }  # fmt: skip
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as listener:
        config = {
            "node": "home",
            "sources": [frigate],
            "rules": [{"name": "Smoke", "hear": ["smoke_alarm"], "severity": "critical"}],
            "publishers": [{"type": "mqtt", "host": "127.0.0.1", "port": broker.port}],
        }
        said = json.dumps({"type": "new", "after": {"label": "fire_alarm", "score": 0.7}})
        listener.say("frigate/events", said, retain=True)
        with DaemonProcess(config, tmp_path):
            listener.wait_for("earwitness/home/porch/status", "online")
            listener.say("frigate/events", said)
            listener.wait_for("earwitness/home/alert")
            listener.wait_for("earwitness/home/porch/event")
        [alert] = {one["id"]: one for one in listener.documents("earwitness/home/alert")}.values()
        event = listener.documents("earwitness/home/porch/event")[0]
        discovered = listener.documents("homeassistant/device/earwitness_home_porch/config")[-1]
    assert (event["source"], event["label"], event["certainty"], event["score"]) == (
        "porch", "smoke_alarm", "suspected", 0.7,
    )  # fmt: skip
    assert event["evidence"] == {"device": "frigate/events", "named": "fire_alarm"}
    assert alert["rule"] == "Smoke"
    shown = set(discovered["components"])
    assert {"smoke_alarm", "mute", "connection"} <= shown
    assert not {"level", "floor", "problem", "sensitivity"} & shown
