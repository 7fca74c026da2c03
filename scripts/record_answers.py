"""Record how a server answers, for the suite of answers that tests read:
`tests/classifiers/audio_llm/answers/`.

    python -m scripts.record_answers http://127.0.0.1:8000/v1 MODEL vllm 0.32 > tests/.../answers/vllm.json

Asks about silence by every means, with made-up sounds alone, and keeps status and body; long lists are cut.
"""

import argparse
import base64
import json
from typing import Any

from monitor.classifiers.audio_llm.engines.client import wav_base64
from monitor.classifiers.audio_llm.engines.dialects import DIALECTS, ask_for, chat_body
from monitor.classifiers.audio_llm.engines.probe import LETTERS, QUESTION, probe_sounds
from monitor.http.client import HttpClient, json_body

KEPT = 40
"""Entries of a list that are kept."""


def cut(value: Any) -> Any:
    """`value` with long lists and texts cut."""
    if isinstance(value, dict):
        return {key: cut(each) for key, each in value.items()}
    if isinstance(value, list):
        return [cut(each) for each in value[:KEPT]]
    return value[:200] if isinstance(value, str) else value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("engine", choices=DIALECTS)
    parser.add_argument("version")
    options = parser.parse_args()
    dialect, client = DIALECTS[options.engine], HttpClient()
    headers = {"Content-Type": "application/json"}

    def post(path: str, body: Any) -> Any:
        answer = client.request(
            "POST", path, timeout_s=300, max_bytes=64 << 20, headers=headers, body=json_body(body)
        )
        try:
            content = cut(json.loads(answer.content))
        except ValueError:
            content = base64.b64encode(answer.content[:400]).decode()
        return {"status": answer.status, "body": content}

    root = options.url.removesuffix("/v1")
    ids = []
    for letter in LETTERS if "token_ids" in dialect.means else ():
        tokens = post(
            f"{root}/tokenize", {"model": options.model, "prompt": letter, "add_special_tokens": False}
        )
        ids += tokens["body"].get("tokens", [])
    sound = wav_base64(probe_sounds()["silence"])
    rows = []
    for means in dialect.means:
        body = chat_body(dialect, options.model, sound, QUESTION, 1, "input_audio")
        path = f"{root}/api/chat" if dialect.native else f"{options.url}/chat/completions"
        rows.append({"means": means, **post(path, {**body, **ask_for(means, dialect, LETTERS, ids)})})
    wrong = {"model": options.model, "messages": "none"}
    rows.append({"means": "a request that is none", **post(f"{options.url}/chat/completions", wrong)})
    print(
        json.dumps(
            {"engine": options.engine, "source": f"a run of {options.version}", "answers": rows}, indent=1
        )
    )


if __name__ == "__main__":
    main()
