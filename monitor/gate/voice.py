"""Whether a frame holds a human voice. Used on frames of open segments only."""

from typing import Any

import numpy as np

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio
from monitor.gate.level import frames_in
from monitor.native.kernels import kernels

_VAD_MODE = 3
"""WebRTC's strictest mode of 0 to 3: the others take still more loud sounds for voice
(docs/decisions/voice-needs-a-pitch.md)."""

_PITCH_RATE_HZ = 4000
"""The pitch is looked for at 4 kHz, ten samples a period at 400 Hz: a quarter of the samples costs a
sixteenth. In the kernel (monitor/native/search.c), too: a change here is one there."""
_SHORTEST_PERIOD_SAMPLES = _PITCH_RATE_HZ // 400
"""Of a child's voice at 400 Hz. A shorter period would be a sounder's, which begin at 468 Hz."""
_PERIODIC_FROM_CORRELATION = 0.6
"""Normalised autocorrelation, 0-1, from which a sound has a pitch. Measured on
tests/gate/test_voice.py: at 0.9 a deep voice loses a fifth of its frames, at 0.8 hardly any. Lower values
let noise pass that happens to repeat (Praat, which follows Boersma, calls a frame voiced from 0.45)."""
_AS_GOOD_AS_BEST_SHARE = 0.85
"""The shortest period whose correlation is this share of the best is the pitch. Measured on the same
sounds: at 0.5 half of the frames of voices are lost, whose overtones then count as the pitch; at 0.99 a
sounder of 3.1 kHz is voice in all its frames."""
_PITCH_LASTS_FRAMES = frames_in(0.24)
"""How long a pitch counts after it was found: consonants have none. Chosen: with 0.03 s a voice loses a
seventh of its frames (the same sounds); longer than a consonant, it would carry over into other sounds."""


def has_voice_pitch(address: int) -> bool:
    """Whether two frames, float32 at 16 kHz at this address, repeat 70 to 400 times a second, as the vocal
    folds do.

    By normalised autocorrelation (Boersma 1993) at 4 kHz, in a compiled kernel. Of the periods nearly as good
    as the best, the shortest counts (de Cheveigné and Kawahara 2002): a whistle at 3 kHz also repeats 300
    times a second.
    """
    period = kernels().find_period(address, _PERIODIC_FROM_CORRELATION**2, _AS_GOOD_AS_BEST_SHARE**2)
    return bool(period >= _SHORTEST_PERIOD_SAMPLES)


class VoiceDetector:
    """WebRTC's voice-activity detector (Gaussian mixtures over six sub-bands) together with a pitch check.

    Alone, the detector takes every loud sound for voice: as many frames of rain, vacuum cleaners, alarms and
    footsteps as of speech (docs/decisions/voice-needs-a-pitch.md). A frame therefore counts as voice only
    while the sound has the pitch of a voice. That is evidence, not proof: whispering has no pitch, and some
    machines have one. Keeps state from frame to frame: belongs to one source and one thread.
    """

    def __init__(self) -> None:
        self._vad: Any = None
        self._before = np.zeros(FRAME_SAMPLES, np.float32)
        self._frames_since_pitch = _PITCH_LASTS_FRAMES

    def hears_voice(self, audio: Audio) -> bool:
        """Whether the next frame of the sound, 480 samples at 16 kHz, is voice."""
        return bool(self.hear(audio)[0])

    def hear(self, audio: Audio) -> bytearray:
        """For each of the next frames, 480 samples at 16 kHz: 1 where it is voice, else 0."""
        if self._vad is None:
            import webrtcvad

            self._vad = webrtcvad.Vad(_VAD_MODE)
        pcm16, size = memoryview(audio.to_pcm16()), 2 * FRAME_SAMPLES
        sound = np.concatenate((self._before, audio.samples))
        self._before = sound[-FRAME_SAMPLES:].copy()
        address, voiced = sound.ctypes.data, bytearray(len(audio) // FRAME_SAMPLES)
        for frame in range(len(voiced)):
            active = self._vad.is_speech(pcm16[frame * size : (frame + 1) * size], SAMPLE_RATE_HZ)
            pitched = active and has_voice_pitch(address + frame * sound.itemsize * FRAME_SAMPLES)
            self._frames_since_pitch = 0 if pitched else self._frames_since_pitch + 1
            voiced[frame] = active and self._frames_since_pitch < _PITCH_LASTS_FRAMES
        return voiced
