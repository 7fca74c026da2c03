"""Does this frame hold a human voice? Asked only about sounds."""

from typing import Any

import numpy as np

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Samples
from monitor.gate.level import frames_in

_MODE = 3

_DECIMATION = 4
_PITCH_RATE_HZ = SAMPLE_RATE_HZ // _DECIMATION
_SHORTEST_PERIOD = _PITCH_RATE_HZ // 400
_LONGEST_PERIOD = _PITCH_RATE_HZ // 70
_WINDOW = 2 * FRAME_SAMPLES // _DECIMATION - _LONGEST_PERIOD
_PERIODIC_FROM = 0.6
_AS_GOOD_AS_BEST = 0.85
_PITCH_LASTS_FRAMES = frames_in(0.24)


class VoiceDetector:
    """WebRTC's voice-activity detector (Gaussian mixtures over six sub-bands, its strictest mode), believed
    only while the sound has the pitch of a voice.

    Alone it calls every loud sound voice: as many frames of rain, vacuum cleaners, alarms and footsteps
    as of speech. The pitch check tells them apart. Its word is evidence and never a veto: whispering
    has no pitch, and some machines do. It keeps state from frame to frame, so it belongs to one source.
    """

    def __init__(self) -> None:
        self._vad: Any = None
        self._previous = np.zeros(FRAME_SAMPLES, np.float32)
        self._frames_since_pitch = _PITCH_LASTS_FRAMES

    def hears_voice(self, audio: Audio) -> bool:
        """Whether these 30 ms at 16 kHz, the next of the sound, are voice."""
        if self._vad is None:
            import webrtcvad

            self._vad = webrtcvad.Vad(_MODE)
        active = bool(self._vad.is_speech(audio.to_pcm16(), SAMPLE_RATE_HZ))
        pitched = active and has_voice_pitch(np.concatenate((self._previous, audio.samples)))
        self._previous = audio.samples
        self._frames_since_pitch = 0 if pitched else self._frames_since_pitch + 1
        return active and self._frames_since_pitch < _PITCH_LASTS_FRAMES


def has_voice_pitch(samples: Samples) -> bool:
    """Whether 60 ms at 16 kHz repeat themselves 70 to 400 times a second, as the vocal folds do.

    By normalised autocorrelation (Boersma 1993), at 4 kHz. The shortest period that is nearly as good as the
    best counts (de Cheveigné and Kawahara 2002): a whistle at 3 kHz repeats itself 300 times a second, too.
    """
    slow = samples.reshape(-1, _DECIMATION).mean(axis=1)
    slow -= slow.mean()
    energy = np.cumsum(np.concatenate(([0.0], slow * slow)))
    energy = energy[_WINDOW:] - energy[:-_WINDOW]
    similarity = np.correlate(slow, slow[:_WINDOW], "valid") / np.sqrt(energy * energy[0] + 1e-20)
    middle = similarity[1:-1]
    peaks = np.flatnonzero((middle > similarity[:-2]) & (middle >= similarity[2:])) + 1
    if not len(peaks) or (best := similarity[peaks].max()) < _PERIODIC_FROM:
        return False
    period = peaks[np.argmax(similarity[peaks] >= _AS_GOOD_AS_BEST * best)]
    return bool(period >= _SHORTEST_PERIOD)
