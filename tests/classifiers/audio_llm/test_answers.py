"""What real servers answer, kept as they gave it: `answers/*.json`, by `scripts/record_answers.py` from a
run, or by hand from a document that is named there."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from monitor.classifiers.audio_llm.engines.client import Api
from monitor.classifiers.audio_llm.engines.connection import named_letter
from monitor.classifiers.audio_llm.engines.dialects import DIALECTS, Dialect, Reply, read_events, read_reply
from monitor.classifiers.audio_llm.engines.letters import listed, read_letters
from monitor.classifiers.audio_llm.engines.probe import LETTERS
from monitor.classifiers.audio_llm.engines.server import ServerOptions
from monitor.errors import ClassifyError

FILES = sorted((Path(__file__).parent / "answers").glob("*.json"))
ROWS = [
    pytest.param(suite["engine"], row, id=f"{suite['engine']}-{row['about']}")
    for suite in (json.loads(file.read_text(encoding="utf-8")) for file in FILES)
    for row in suite["answers"]
]


def answered(dialect: Dialect, row: dict[str, Any]) -> Reply:
    """What is read of that answer when it comes over HTTP."""
    content = row["text"].encode() if "text" in row else json.dumps(row["body"]).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(row["status"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        api = Api(ServerOptions(url=f"http://127.0.0.1:{http.server_port}/v1", model="m", retries=0))
        try:
            if dialect.streams:
                return read_events(api.post_for_events("/chat/completions", {}), "nas")
            return read_reply(dialect, api.post("/chat/completions", {}), "nas")
        finally:
            api.close()
            http.shutdown()
            thread.join()


def numbers(engine: str, row: dict[str, Any]) -> None:
    """Read an answer down to its log probabilities."""
    listed(answered(DIALECTS[engine], row).first or {}, "nas")  # type: ignore[index]


@pytest.mark.parametrize(("engine", "row"), ROWS)
def test_every_answer_is_read_for_what_it_is_worth(engine: str, row: dict[str, Any]) -> None:
    """Log probabilities with their mass, else a named letter, else an error with the reason."""
    expect = row["expect"]
    if "error" in expect:
        with pytest.raises(ClassifyError, match=expect["error"]):
            numbers(engine, row)
        return
    reply = answered(DIALECTS[engine], row)  # type: ignore[index]
    if "named" in expect:
        assert reply.first is None
        assert named_letter(reply.words, LETTERS) == expect["named"]
        return
    assert reply.first is not None
    found = listed(reply.first, "nas")
    assert found is not None
    letters = read_letters(found, LETTERS)
    assert letters.mass == pytest.approx(expect["mass"], abs=0.01)
    assert letters.complete == expect["complete"]
