"""Which version of MQTT is spoken."""

import pytest

from monitor.publishers.mqtt.news import Ended, Terms
from monitor.publishers.mqtt.versions import Versions

SILENT = Ended("silent", "silent")
HUNG_UP = Ended("hung up", "hung up")
NOT_5 = Ended("version", "unsupported")
LOST = Ended("lost", "gone")


def test_three_silences_in_a_row_mean_another_version():
    """Each try is given more time than the last, and the next follows at once."""
    versions = Versions("auto")
    patience = []
    for _ in range(3):
        assert versions.current == "5"
        patience.append(versions.patience_s)
        assert versions.ended(SILENT)

    assert versions.current == "3.1.1"
    assert patience == sorted(set(patience))


def test_silences_that_are_not_in_a_row_do_not_count():
    """A broker that starts hangs now and then; what it speaks then is known from its answers alone."""
    versions = Versions("auto")
    for _ in range(5):
        versions.ended(SILENT)
        versions.ended(SILENT)
        versions.ended(LOST)

    assert versions.current == "5"


def test_a_broker_that_speaks_5_is_given_three_silences_at_every_connection():
    """That it was spoken to in 3.1.1 once makes it no broker of 3.1.1."""
    versions = Versions("auto")
    versions.accepted()
    for _ in range(3):
        versions.ended(SILENT)
    versions.accepted()
    versions.ended(LOST)

    versions.ended(SILENT)
    assert versions.current == "5"


def test_a_refused_version_5_is_tried_first_again_after_the_connection():
    """A refusal holds for one connection."""
    versions = Versions("auto")
    spoken = [versions.current]
    assert versions.ended(NOT_5)
    spoken.append(versions.current)
    versions.accepted()
    assert not versions.ended(LOST)
    spoken.append(versions.current)

    assert spoken == ["5", "3.1.1", "5"]


@pytest.mark.parametrize("ended", [SILENT, HUNG_UP, NOT_5, LOST])
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_version_that_was_chosen_stays(version, ended):
    """Whoever names one gets no other."""
    versions = Versions(version)

    assert not versions.ended(ended)
    assert versions.current == version


@pytest.mark.parametrize("version", ["auto", "5"])
def test_what_a_broker_of_version_5_does_not_take_is_left_out_at_once(version):
    """Retained messages, then QoS 1; at the next connection all is asked for again: it may be mended."""
    versions = Versions(version)
    asked = [versions.terms]
    for refused in ("retain", "qos"):
        assert versions.ended(Ended(refused, "not supported"))
        asked.append(versions.terms)
    versions.accepted()
    versions.ended(LOST)
    asked.append(versions.terms)

    assert asked == [Terms(), Terms(retain=False), Terms(retain=False, qos=0), Terms()]


def test_a_broker_of_version_3_1_1_that_hangs_up_is_asked_for_less():
    """It cannot name what it does not take. One that hangs up once may just be starting."""
    versions = Versions("3.1.1")
    asked = []
    for ended in (SILENT, HUNG_UP, HUNG_UP, HUNG_UP, HUNG_UP, HUNG_UP):
        asked.append(versions.terms)
        versions.ended(ended)

    less = [Terms(retain=False), Terms(qos=0), Terms(retain=False, qos=0)]
    assert asked == [Terms(), Terms(), Terms(), *less]
    assert versions.terms == Terms()
