"""The phrases, the ways of asking, and the tree that packs them: facts that need no model."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classifiers.audio_llm.phrases import NO_SOUND, NO_VOICE, NOTHING, PHRASES, hearable
from monitor.classifiers.audio_llm.prefix_tree import pack
from monitor.classifiers.audio_llm.prompts import (
    CHOICES_MAX,
    INSTRUCT,
    Question,
    Strategy,
    describing,
    questions,
)
from monitor.classifiers.audio_llm.scoring import emotion_scores, evidence, label_scores, sound_scores
from monitor.labels import emotions, vocabulary


def letters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_every_sound_that_a_tagger_knows_has_a_phrase() -> None:
    """The table covers each label with AudioSet names and each emotion, and nothing else."""
    known = {label.id for label in vocabulary().values() if label.audioset_names}

    assert set(PHRASES) == known | set(emotions())
    assert hearable() == known


def test_no_phrase_begins_another() -> None:
    """A phrase that began another one's words would take its likelihood for its own. "cough" and "coughing"
    are two words of one label and may."""
    spoken = [(label, phrase) for label in PHRASES for phrase in PHRASES[label]]
    spoken += [(NOTHING, phrase) for phrase in {*NO_SOUND, *NO_VOICE}]

    for (one, first), (other, second) in itertools.permutations(spoken, 2):
        assert one == other or not second.startswith(first), (first, second)


@pytest.mark.parametrize("strategy", ["phrases", "choice", "yes_no"])
def test_every_way_asks_for_every_label_and_for_nothing(strategy: Strategy) -> None:
    """Each label answers some question, and each question about sounds can be answered with nothing."""
    asked = questions(strategy, hearable(), emotion=True)

    about_sounds = [question for question in asked if question.kind == "sounds"]
    assert {a.label for q in about_sounds for a in q.answers} == hearable() | {NOTHING}
    assert all(NOTHING in {a.label for a in q.answers} for q in about_sounds)
    [felt] = [question for question in asked if question.kind == "emotion"]
    assert {a.label for a in felt.answers} == set(emotions())


def test_a_choice_has_twenty_letters_at_most() -> None:
    """OpenAI-compatible servers give twenty log probabilities; and each listed line is an answer."""
    for question in questions("choice", hearable(), emotion=True):
        assert len(question.answers) <= CHOICES_MAX + 1
        lines = [line for line in question.text.splitlines() if line[1:3] == ". "]
        assert [line[0] for line in lines] == [answer.text for answer in question.answers]


def test_only_labels_asked_for_are_asked() -> None:
    """With one vocal label there is one question, and no emotion unless wanted."""
    [question] = questions("phrases", frozenset({"cough"}), emotion=False)

    assert {answer.label for answer in question.answers} == {"cough", NOTHING}


@pytest.mark.parametrize(
    ("model", "asks"),
    [
        ("Qwen/Qwen3-Omni-30B-A3B-Captioner", False),
        ("/models/qwen3-omni-captioner", False),
        ("Qwen/Qwen2", True),
    ],
)
def test_a_captioner_is_asked_nothing(model: str, asks: bool) -> None:
    """It describes whatever it hears, and was trained without a question."""
    assert bool(describing(model, INSTRUCT)) == asks


words = st.text("abc", min_size=1, max_size=4)


@given(st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=5)), min_size=1, max_size=4))
def test_every_answer_can_be_spelt_from_the_tree(branches: list[tuple[str, list[str]]]) -> None:
    """Following each factor's node up to the root and adding its target spells question and answer; depths
    count the letters before; no two nodes stand for the same letters."""
    tree = pack(branches, letters)
    pairs = [(question, answer) for question, answers in branches for answer in answers]

    assert tree.answers == len(pairs)
    for number, (question, answer) in enumerate(pairs):
        targets = ""
        for node, target in zip(
            tree.node[tree.answer == number], tree.target[tree.answer == number], strict=True
        ):
            path = np.flatnonzero(tree.visible[node])
            spelt = "".join(chr(tree.token_ids[i]) for i in path[np.argsort(tree.depth[path])])
            assert spelt == question + targets
            targets += chr(target)
        assert targets == answer
    paths = ["".join(chr(tree.token_ids[i]) for i in np.flatnonzero(row)) for row in tree.visible]
    assert [len(path) for path in paths] == (tree.depth + 1).tolist()
    assert len(set(paths)) == len(paths)


def question_of(strategy: Strategy = "phrases", *labels: str) -> Question:
    return questions(strategy, frozenset(labels), emotion=False)[0]


def test_what_silence_says_too_is_no_evidence() -> None:
    """A model that answers as to silence gives every sound the prior, however it likes one phrase."""
    question = question_of("phrases", "cough", "sneeze")
    habit = np.linspace(-9, -1, len(question.answers))

    found, emotion = label_scores([question], habit, habit, prior=0.05, temperature=1.0)

    assert found == pytest.approx({"cough": 0.05, "sneeze": 0.05})
    assert emotion is None


def test_evidence_is_against_nothing_and_by_the_best_phrase() -> None:
    """Of a label's phrases the one that gains most counts, less what "silence" gains."""
    question = question_of("phrases", "cough")
    gains = {"coughing": 1.0, "cough": 3.0, "silence": 0.5, "no voice": -2.0}
    heard = np.array([gains[answer.text] for answer in question.answers])

    assert evidence(question, heard, np.zeros(len(heard))) == {"cough": 2.5}


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0.01, 0.99), st.floats(0.1, 10))
def test_scores_are_probabilities_that_grow_with_evidence(a: float, b: float, prior: float, t: float) -> None:
    """More evidence never scores less, and no score leaves 0-1."""
    found = sound_scores({"a": min(a, b), "b": max(a, b)}, prior, t)

    assert 0 <= found["a"] <= found["b"] <= 1


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=8), st.floats(0.1, 10))
def test_emotions_sum_to_one(nats: list[float], temperature: float) -> None:
    """Whatever the evidence."""
    found = emotion_scores({str(i): value for i, value in enumerate(nats)}, temperature)

    assert sum(found.values()) == pytest.approx(1)
