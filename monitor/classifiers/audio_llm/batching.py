"""Work in batches, and in smaller ones when memory runs out."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from monitor.classifiers.pretrained import is_out_of_memory
from monitor.logs import get_logger

log = get_logger()
T = TypeVar("T")


def in_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Runs of at most `size` items."""
    return (items[i : i + size] for i in range(0, len(items), size))


def halving(items: Sequence[int], work: Callable[[Sequence[int]], T]) -> Iterator[tuple[list[int], T]]:
    """`work` on all items at once, or on ever smaller halves when memory runs out."""
    try:
        result = work(items)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error) or len(items) == 1:
            raise
    else:
        yield list(items), result
        return
    # Outside the handler: the exception would keep the failed forward's tensors alive.
    _release_memory()
    log.warning("out of memory: judging fewer segments at once", segments=len(items))
    for half in in_batches(items, -(-len(items) // 2)):
        yield from halving(half, work)


def _release_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
