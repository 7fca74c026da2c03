"""Does this frame hold a human voice? Asked only about sounds."""

from typing import Any

from monitor.audio import SAMPLE_RATE_HZ, Audio

_MODE = 3


class VoiceDetector:
    """WebRTC's voice-activity detector (Gaussian mixtures over six sub-bands). It keeps state from frame to
    frame, so it belongs to one source. Its word is evidence and never a veto: it takes music and many tones
    for voice, which even its strictest mode (3, used here) only lessens."""

    def __init__(self) -> None:
        self._vad: Any = None

    def hears_voice(self, audio: Audio) -> bool:
        """Whether these 30 ms at 16 kHz are voiced."""
        if self._vad is None:
            import webrtcvad

            self._vad = webrtcvad.Vad(_MODE)
        return bool(self._vad.is_speech(audio.to_pcm16(), SAMPLE_RATE_HZ))
