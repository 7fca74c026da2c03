"""Draws docs/pictures/demo.png: the built-in scene as `earwitness analyze --plot` shows it.

python -m scripts.demo_picture
"""

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

from PIL import Image

from monitor.audio import SAMPLE_RATE_HZ
from monitor.synthesis.scene import demo_scene

PICTURE = Path("docs/pictures/demo.png")


def main() -> None:
    """Write the scene to a file and have it analysed."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "demo.wav"
        with wave.open(str(recording), "wb") as out:
            out.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
            out.writeframes(demo_scene().audio.to_pcm16())
        command = ("-m", "monitor", "analyze", "--plot", str(PICTURE), str(recording))
        subprocess.run([sys.executable, *command], check=True)
    # The spectrogram's noise in full colour would be more than half a megabyte; nobody sees the difference.
    with Image.open(PICTURE) as drawn:
        few = drawn.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
