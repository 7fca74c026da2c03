import numpy as np

from scripts.train_tagger.targets import CRITICAL, INDEX, LABELS, labels_of, open_of, teacher_mapping


def named(flags: np.ndarray) -> set[str]:
    """The labels that are set."""
    return {label for label, flag in zip(LABELS, flags, strict=True) if flag}


def test_audioset_names_become_labels() -> None:
    """Several names may mean one label; names without a label are passed over."""
    assert named(labels_of(["Bark", "Dog", "Speech", "Zither"])) == {"dog_bark", "speech"}


def test_a_vague_name_leaves_labels_open_but_never_its_own() -> None:
    """A clip of a door may be a slam, a creak or a knock; one labelled a knock is a knock."""
    assert named(open_of(["Door"])) == {"door_slam", "door_creak", "knock"}
    assert named(open_of(["Door", "Knock"])) == {"door_slam", "door_creak"}


def test_an_unlabelled_clip_is_a_counter_example_of_critical_sounds_alone() -> None:
    """Nobody said what is in it, but a gunshot would have been mentioned."""
    unknown = open_of([])

    assert unknown[INDEX["rain"]]
    assert not unknown[CRITICAL].any()


def test_the_teacher_is_mapped_by_names() -> None:
    """Rows of its classes for every label; none where it has no such class."""
    rows = dict(zip(LABELS, teacher_mapping(["Speech", "Bark", "Dog"]), strict=True))

    assert rows["dog_bark"] == [1, 2]
    assert rows["siren"] == []
