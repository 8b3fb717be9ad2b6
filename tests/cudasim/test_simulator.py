"""The simulator's operations refuse and spoil what a GPU would leave to chance."""

from __future__ import annotations

import numpy as np
import pytest

from gngen import cuda_simulator as device


@pytest.mark.parametrize(
    ("lanes", "at", "words"),
    [
        (1, 8, "elements 8 .. 9 of an array of 8"),
        (1, -1, "elements -1 .. 0 of an array of 8"),
        (4, 8, "elements 8 .. 12 of an array of 8"),
        (4, 2, "element 2 of 4 bytes does not begin a vector of 4"),
    ],
)
def test_accesses_that_are_refused(lanes: int, at: int, words: str) -> None:
    memory = device.Memory(np.zeros(8, np.float32))
    with pytest.raises(IndexError, match=words):
        device.load("f32", lanes)(memory, at)
    with pytest.raises(IndexError, match=words):
        device.store("f32", lanes)(memory, at, np.zeros(lanes, np.float32) if lanes > 1 else np.float32(0))


def test_kinds_that_are_refused() -> None:
    memory = device.Memory(np.zeros(8, np.float32))
    with pytest.raises(TypeError, match="f64 of an array of float32"):
        device.load("f64")(memory, 0)
    with pytest.raises(TypeError, match="float64 is stored in an array of float32"):
        device.store("f32")(memory, 0, np.float64(1))


def test_threads_wait_for_each_other() -> None:
    partial, wait = device.shared("f32", 64), device.barrier("block")
    store, load = device.store("f32"), device.load("f32")

    @device.kernel(threads=64)
    def reverse(y: device.Memory) -> None:
        thread, own = device.thread_number(), partial()
        store(own, thread, np.float32(thread))
        wait()
        store(y, 64 * device.block_number() + thread, load(own, 63 - thread))

    y = np.full(128, -1, np.float32)
    reverse.launch(2, 0, y)
    assert y.tolist() == [*range(63, -1, -1)] * 2


def test_shared_arrays_begin_as_nan() -> None:
    partial, store, load = device.shared("f32", 32), device.store("f32"), device.load("f32")

    @device.kernel(threads=32)
    def read(y: device.Memory) -> None:
        store(y, device.thread_number(), load(partial(), device.thread_number()))

    y = np.zeros(32, np.float32)
    read.launch(1, 0, y)
    assert np.isnan(y).all()


def test_a_barrier_that_not_all_threads_come_to() -> None:
    wait = device.barrier("block")

    @device.kernel(threads=64)
    def diverge() -> None:
        if device.thread_number() < 40:
            wait()

    with pytest.raises(RuntimeError, match=r"threads wait for others that never come: 40 at \('block', 0\)"):
        diverge.launch(1, 0)


def test_an_error_in_one_thread_ends_the_launch() -> None:
    wait = device.barrier("block")

    @device.kernel(threads=64)
    def fail() -> None:
        if device.thread_number() == 50:
            raise ValueError("fifty")
        wait()

    with pytest.raises(ValueError, match="fifty"):
        fail.launch(1, 0)


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_exchanges_within_a_warp(kind: str) -> None:
    dtype = {"f32": np.float32, "f64": np.float64}[kind]
    across, first, store = device.shuffle_xor(kind), device.from_lane(kind), device.store(kind)

    @device.kernel(threads=64)
    def exchange(y: device.Memory) -> None:
        thread = device.thread_number()
        store(y, thread, across(dtype(thread), 16) + first(dtype(thread), 3))

    y = np.zeros(64, dtype)
    exchange.launch(1, 0, y)
    assert y.tolist() == [(thread ^ 16) + thread // 32 * 32 + 3 for thread in range(64)]


def test_blocks_of_a_cluster_see_each_others_arrays() -> None:
    partial, wait, peer = device.shared("f64", 1), device.barrier("cluster"), device.peer("f64")
    store = device.store("f64")

    @device.kernel(threads=32, cluster=2)
    def swap(y: device.Memory) -> None:
        block, own = device.block_number(), partial()
        if device.thread_number() == 0:
            store(own, 0, np.float64(block))
        wait()
        if device.thread_number() == 0:
            store(y, block, peer(own, 0, 1 - block % 2))
        wait()

    y = np.zeros(4)
    swap.launch(4, 0, y)
    assert y.tolist() == [1, 0, 3, 2]


def test_blocks_of_a_cooperative_launch_wait_for_each_other() -> None:
    wait, store, load = device.barrier("grid"), device.store("f64"), device.load("f64")

    @device.kernel(threads=32, cooperative=True)
    def turn(scratch: device.Memory, y: device.Memory) -> None:
        block = device.block_number()
        if device.thread_number() == 0:
            store(scratch, block, np.float64(block))
        wait()
        if device.thread_number() == 0:
            store(y, block, load(scratch, 2 - block))

    y = np.zeros(3)
    turn.launch(3, 0, np.full(3, np.nan), y)
    assert y.tolist() == [2, 1, 0]


@pytest.mark.parametrize(("kind", "value", "bits"), [("f16", 1.0, 0x3C00), ("bf16", 1.0, 0x3F80), ("f16", 65520.0, 0x7C00)])
def test_halves_are_rounded_to_nearest(kind: str, value: float, bits: int) -> None:
    with np.errstate(over="ignore"):
        assert device.converted(kind, 1, "f32")(np.float32(value)) == bits
        lanes = device.converted(kind, 2, "f32")(np.array([value, -value], np.float32))
    assert lanes.tolist() == [bits, bits | 0x8000]
    if bits != 0x7C00:
        assert device.converted("f32", 2, kind)(lanes).tolist() == [value, -value]
