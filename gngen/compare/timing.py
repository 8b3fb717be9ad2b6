"""Times of several calls in one run, and the copy that is the machine's limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise, repeat
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

Repeated = Callable[[int], None]
"""Does its work as often as it is told."""

SAMPLE_SECONDS = 0.004  # long against the clock, short enough for many rounds
SETTLE_SECONDS = 0.010  # the threads of the side before spin for some milliseconds, and would share the cores
MIN_ROUNDS, MAX_ROUNDS = 5, 100


def repeated(call: Callable[[], object]) -> Repeated:
    """`call` in a loop."""

    def run(times: int) -> None:
        for _ in repeat(None, times):
            call()

    return run


def time_interleaved(sides: Sequence[Repeated], seconds: float) -> list[float]:
    """The median seconds that each side takes for one repetition.

    The sides take turns, so that a machine that slows down slows them alike. Before each sample the threads of the side
    before come to rest, and one untimed repetition brings the side's own data into the caches.

    Args:
        seconds: how long to go on, for all sides together; at least MIN_ROUNDS rounds are run.
    """
    times = [_repetitions(side) for side in sides]
    samples: list[list[float]] = [[] for _ in sides]
    end = time.perf_counter() + seconds
    while len(samples[0]) < MIN_ROUNDS or (len(samples[0]) < MAX_ROUNDS and time.perf_counter() < end):
        for side, count, seen in zip(sides, times, samples, strict=True):
            time.sleep(SETTLE_SECONDS)
            side(1)
            seen.append(_seconds(side, count) / count)
    return [median(seen) for seen in samples]


def _seconds(side: Repeated, times: int) -> float:
    start = time.perf_counter()
    side(times)
    return time.perf_counter() - start


def _repetitions(side: Repeated) -> int:
    """How many repetitions make a sample."""
    count = 1
    while (taken := _seconds(side, count)) < SAMPLE_SECONDS / 2:
        count = min(count * 10, max(count + 1, int(count * SAMPLE_SECONDS / max(taken, 1e-7))))
    return count


@contextmanager
def copies(x: NDArray[Any], y: NDArray[Any], threads: int) -> Iterator[tuple[Repeated, ...]]:
    """Ways to copy `x` to `y`, both dense: by numpy alone, and by `threads` threads that copy a slice each.

    A thread repeats its own slice, so that handing out work costs once a sample; numpy releases the GIL as it copies.
    """
    source, target = x.reshape(-1), y.reshape(-1)
    if threads < 2:
        yield (repeated(lambda: np.copyto(target, source)),)
        return
    cuts = [source.size * t // threads // 64 * 64 for t in range(threads)] + [source.size]
    slices = [(target[a:b], source[a:b]) for a, b in pairwise(cuts)]

    def part(index: int, times: int) -> None:
        to, of = slices[index]
        for _ in repeat(None, times):
            np.copyto(to, of)

    with ThreadPoolExecutor(threads) as pool:

        def run(times: int) -> None:
            for _ in pool.map(part, range(threads), repeat(times)):
                pass

        yield repeated(lambda: np.copyto(target, source)), run
