"""All questions and all their answers packed into one row of tokens behind one audio prefix.

Token sequences that begin alike share their nodes (a trie). Each node sees the prefix and its own ancestors
and nothing else, so a single forward gives every answer the likelihood it would have had in a forward of its
own. The idea is the tree attention of SpecInfer (Miao et al., ASPLOS 2024, arXiv:2305.09781).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """`n` nodes in an order in which parents come first, and what is to be read off them.

    The likelihood of answer `answer[k]` has a factor P(`target[k]` | prefix and path to `node[k]`) for every
    k. An answer's last token is only ever a target and needs no node.
    """

    token_ids: Ints
    """(n,)"""
    depth: Ints
    """(n,) position counted from the end of the prefix."""
    visible: npt.NDArray[np.bool_]
    """(n, n); row i: the nodes that node i may look at, itself included."""
    answer: Ints
    node: Ints
    target: Ints
    answers: int
    """How many answers there are."""


@dataclass(slots=True)
class _Trie:
    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    children: dict[tuple[int, int], int] = field(default_factory=dict)

    def descend(self, parent: int, token: int) -> int:
        key = (parent, token)
        if key not in self.children:
            self.children[key] = len(self.tokens)
            self.tokens.append(token)
            self.parents.append(parent)
        return self.children[key]


def pack(branches: Sequence[tuple[str, Sequence[str]]], encode: Callable[[str], list[int]]) -> Tree:
    """Pack (question, answers) pairs; answers are numbered through in the order given.

    `encode` turns text into token ids. Question and answer are encoded apart: they meet at a line break or a
    space, where Qwen's tokenizer never merges.
    """
    trie = _Trie()
    reads: list[tuple[int, int, int]] = []
    count = 0
    for question, answers in branches:
        end = _walk(trie, -1, encode(question))
        for text in answers:
            reads += _reads(trie, end, encode(text), count)
            count += 1
    answer, node, target = (np.array(column, np.int64) for column in zip(*reads, strict=True))
    depth, visible = _ancestry(trie.parents)
    return Tree(np.array(trie.tokens, np.int64), depth, visible, answer, node, target, count)


def _walk(trie: _Trie, at: int, tokens: Sequence[int]) -> int:
    for token in tokens:
        at = trie.descend(at, token)
    return at


def _reads(trie: _Trie, at: int, tokens: Sequence[int], answer: int) -> list[tuple[int, int, int]]:
    reads = []
    for token in tokens[:-1]:
        reads.append((answer, at, token))
        at = trie.descend(at, token)
    return [*reads, (answer, at, tokens[-1])]


def _ancestry(parents: Sequence[int]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    n = len(parents)
    depth = np.zeros(n, np.int64)
    visible = np.eye(n, dtype=bool)
    for i, parent in enumerate(parents):
        if parent >= 0:
            depth[i] = depth[parent] + 1
            visible[i] |= visible[parent]
    return depth, visible
