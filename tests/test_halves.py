"""float16 and bfloat16 from and to float32, by the functions that kernels are printed with: small nests, emitted, built and run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from strategies import MACHINES_HERE, Array, need_backend

from gngen import loopnest as ir
from gngen.backends import load_backend
from gngen.builder import Builder
from gngen.loopnest import Buffer, LoopNest, Type, Var
from gngen.problem import specialize
from gngen.spec import GroupNormSpec
from gngen.target import load_machine, parse_target, runs_here
from gngen.verify import verify

DTYPES = {"f16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}
QUIET = {"f16": 0x200, "bf16": 0x40}
ROW = 32
LANES = (1, 2, 4, 8, 16, 32)
FILL = 1.5
UNTOUCHED = 7.0

# The machines that convert by arithmetic and by instructions; numba compiles for the host, so that more of them are the same to it.
RUNS = [("c", name) for name in MACHINES_HERE] + [("numba-cpu", "x86-64"), ("numba-cpu", "host")]
# By arithmetic, by instructions between float16 and float32, and by this machine's own.
QUICK = ("generic", "x86-64-v3", "host")


def conversions(kind: str) -> LoopNest:
    """For each number of lanes: ``up = f32(half)``, ``down = half(single)``, and both of the first n lanes of row n."""
    b, batch = Builder(), Var("batch", ir.I64)
    half, single = Buffer("half", kind, (batch, ROW), "input"), Buffer("single", "f32", (batch, ROW), "input")
    buffers = [half, single]
    with b.parallel(("n",), (batch,), serial=True) as (n,):
        for lanes in LANES:
            names = ("up", "down", "part_up", "part_down")[: 4 if lanes > 1 else 2]
            up, down, *parts = (
                Buffer(f"{name}_{lanes}", kind if name.endswith("down") else "f32", (batch, ROW), "output") for name in names
            )
            buffers += [up, down, *parts]
            with b.loop("i", 0, ROW, lanes) as i:
                b.store(up, n, i, value=ir.cast(b.load(half, n, i, lanes=lanes), "f32"))
                b.store(down, n, i, value=ir.cast(b.load(single, n, i, lanes=lanes), kind))
            if parts:
                end = b.let("end", ir.minimum(n, lanes))
                fill = ir.cast(ir.const(FILL, Type("f32", lanes)), kind)
                b.store(parts[0], n, 0, value=ir.cast(b.load(half, n, 0, lanes=lanes, end=end, fill=fill), "f32"))
                b.store(parts[1], n, 0, value=ir.cast(b.load(single, n, 0, lanes=lanes), kind), end=end)
    problem, _ = specialize(GroupNormSpec(groups=1), (None, ROW))
    return verify(LoopNest(f"convert_{kind}", problem, tuple(buffers), batch, (), (), b.finish(), 0))


@cache
def halves(kind: str) -> Array:
    """Every half, in rows."""
    return np.arange(1 << 16, dtype=np.uint16).view(DTYPES[kind]).reshape(-1, ROW)


@cache
def singles(kind: str) -> Array:
    """Every half, every value halfway between two neighbours, their neighbours in turn, and floats of random bits; in rows."""
    exact = halves(kind).reshape(-1)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        values = np.unique(exact[np.isfinite(exact)].astype(np.float64))
    top = 2 * values[-1] - values[-2]  # where the next would be: from halfway to it, infinity is nearer
    steps = np.concatenate([[-top], values, [top]])
    ties = ((steps[1:] + steps[:-1]) / 2).astype(np.float32)
    near = [np.nextafter(v, np.float32(side)) for v in (ties, values.astype(np.float32)) for side in (-np.inf, np.inf)]
    random = np.random.default_rng(1).integers(0, 1 << 32, 1 << 20, np.uint32).view(np.float32)
    nans = np.array([0x7F800001, 0xFF800001, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000, 0x7F807FFF], np.uint32).view(np.float32)
    limits = np.array([0, np.inf, np.finfo("f4").max, np.finfo("f4").tiny, np.finfo("f4").smallest_subnormal], np.float32)
    every = np.concatenate([ties, *near, exact.astype(np.float32), random, nans, limits, -limits])
    return np.resize(every, (-(-every.size // ROW), ROW))


def convert(backend: str, machine: str, kind: str, half: Array, single: Array, folder: Path) -> dict[str, Array]:
    """What a backend makes of rows of halves and of floats."""
    nest, module, target = conversions(kind), load_backend(backend), parse_target(f"{backend}:{machine}")
    source = module.emit(nest, target)
    module.build(source, folder)
    entry = module.load(folder, {"entry": source.entry, "arrays": len(nest.buffers), "threaded": False})
    rows = max(len(half), len(single))
    given = [np.resize(half, (rows, ROW)), np.resize(single, (rows, ROW))]
    found = {b.name: np.full((rows, ROW), UNTOUCHED, DTYPES.get(b.kind, np.dtype(np.float32))) for b in nest.buffers[2:]}
    entry([*given, *found.values()], rows, 1)
    return found


def assert_widened(got: Array, half: Array) -> None:
    want = half.astype(np.float32)
    nan = np.isnan(want)
    np.testing.assert_array_equal(got[~nan].view(np.uint32), want[~nan].view(np.uint32))
    assert np.isnan(got[nan]).all()


def assert_narrowed(got: Array, single: Array, kind: str) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        want = single.astype(DTYPES[kind])
    nan = np.isnan(single)
    np.testing.assert_array_equal(got[~nan].view(np.uint16), want[~nan].view(np.uint16))
    assert np.isnan(got[nan].astype(np.float32)).all()
    assert (got[nan].view(np.uint16) & QUIET[kind]).all(), "a NaN is quiet"


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize(("backend", "machine"), [pytest.param(*run, marks=() if run[1] in QUICK else pytest.mark.slow) for run in RUNS])
def test_every_half_to_float_and_every_tie_back(backend: str, machine: str, kind: str, tmp_path: Path) -> None:
    need_backend(backend)
    reason = runs_here(load_machine(machine))
    if reason:
        pytest.skip(reason)
    found = convert(backend, machine, kind, halves(kind), singles(kind), tmp_path)
    half, single = (np.resize(a, found["up_1"].shape) for a in (halves(kind), singles(kind)))
    for lanes in LANES:
        assert_widened(found[f"up_{lanes}"], half)
        assert_narrowed(found[f"down_{lanes}"], single, kind)
    for lanes in LANES[1:]:
        for n in range(lanes + 2):
            assert_widened(found[f"part_up_{lanes}"][n, :n][:lanes], half[n, :n][:lanes])
            assert (found[f"part_up_{lanes}"][n, n:lanes] == FILL).all()
            assert_narrowed(found[f"part_down_{lanes}"][n, :n][:lanes], single[n, :n][:lanes], kind)
            assert (found[f"part_down_{lanes}"][n, min(n, lanes) :] == UNTOUCHED).all()


def test_the_floats_have_ties_and_what_overflows() -> None:
    """So that the test above could fail."""
    for kind, dtype in DTYPES.items():
        single = singles(kind).reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            back = single.astype(dtype).astype(np.float32)
            finite = np.isfinite(single)
            assert (np.isinf(back) & finite).any()
            assert ((back != single) & finite & (np.abs(single) < ml_dtypes.finfo(dtype).smallest_normal)).sum() > 100
        truncated = (single.view(np.uint32) >> 16 << 16).view(np.float32)
        assert (truncated[finite] != back[finite]).any()
