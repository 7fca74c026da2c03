"""What a large model behind a server has to say about a clip: a line of JSON, `{"answer": …, "model": …}`."""

from dataclasses import dataclass
from pathlib import Path

from monitor.classifiers.base import Describer
from monitor.config.model import Config, large_classifiers
from monitor.errors import StoreError
from monitor.web.trying.child import Write, line


@dataclass(frozen=True, slots=True)
class Asking:
    """Which model, about which clip, and what."""

    config: Config
    model: str
    clip: Path
    question: str

    def work(self, write: Write) -> None:
        """Ask. Raises ClassifierError, SourceError or StoreError."""
        from monitor.sources.recording import read_audio

        block = next(block for block in self.config.classifiers if block.name == self.model)
        model = block.build()
        if not isinstance(model, Describer):
            raise StoreError(f"{self.model} scores sounds and has no words")
        model.load()
        heard = read_audio(self.clip).slice(0, model.longest_s)
        answer = model.ask(heard, self.question) if self.question else model.describe(heard)
        write(line({"answer": answer, "model": self.model}))


def model_to_ask(config: Config) -> str | None:
    """The first large model behind a server; None where there is none. One that the daemon has loaded itself
    belongs to the daemon, and a second of its size has no room."""
    large = large_classifiers(config)
    return next((one.name for one in config.classifiers if one.name in large and one.type == "remote"), None)
