"""Receivers that notify people: phones through Apprise, a voice through a loudspeaker."""
