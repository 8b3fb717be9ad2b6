"""Tuning: which schedules are tried, how one is picked, that the choice is kept and used where it should be, and changes no bit."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from strategies import Array, fill, need_backend, parameters

import gngen
from gngen import api, cache, kernel, resources, threads, tuned, tuning
from gngen.cache import CacheWarning, DiskCache
from gngen.candidates import MOST, candidates
from gngen.cli import main
from gngen.errors import BuildError, SpecError, TargetError
from gngen.lowering import lower_problem
from gngen.models import Layer, LayerList
from gngen.problem import Problem, specialize
from gngen.schedule import STORES, Schedule, choose_schedule
from gngen.target import load_machine, parse_target

HOST = load_machine("host")
# Small caches make small problems large: streaming stores, samples one by one.
TINY = replace(HOST, name="tiny", l1=1 << 10, l2=1 << 12, l3=1 << 14)

# Runs; rows of few channels; interleaved groups; odd float64; groups of one channel in the middle.
PROBLEMS = [
    ((5, 6, 9001), 1, 3, "float32"),
    ((5, 2100, 3), -1, 3, "float32"),
    ((4, 700, 60), -1, 5, "float32"),
    ((5, 90, 14), -1, 7, "float64"),
    ((2, 7, 5, 33), 2, 5, "float32"),
    ((4, 350, 24), -1, 3, "bfloat16"),
    ((1, 64, 16, 16), 1, 1, "float32"),
    ((64, 1024), -1, 32, "float32"),
    ((None, 30, 64), -1, 8, "float32"),
]
LAYER = Layer("a", (4, 30, 24), groups=4)
OTHER = Layer("b", (2, 30, 24), groups=4, count=9)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, empty, and a process that remembers no kernel."""
    place = tmp_path / "cache"
    monkeypatch.setenv("GNGEN_CACHE_DIR", str(place))
    monkeypatch.delenv("GNGEN_TUNED", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    forget(monkeypatch)
    return place


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty the memory, as in a new process."""
    monkeypatch.setattr(api, "_kernels", {})
    monkeypatch.setattr(kernel, "_built", {})
    cache._cache_at.cache_clear()


def problem_of(shape: Sequence[int | None], axis: int, groups: int, dtype: str) -> Problem:
    return specialize(gngen.GroupNormSpec(groups, axis), shape, dtype)[0]


# Candidates


@pytest.mark.parametrize("machine", [HOST, TINY], ids=lambda m: m.name)
@pytest.mark.parametrize("case", PROBLEMS, ids=str)
def test_candidates_are_few_legal_and_different(case: Any, machine: Any) -> None:
    p = problem_of(*case)
    found = candidates(p, machine)
    untuned = choose_schedule(p, machine)
    assert found[0] == untuned
    assert 1 < len(found) <= MOST
    assert [choose_schedule(p, machine, schedule) for schedule in found] == found
    nests = [lower_problem(p, schedule) for schedule in found]
    assert all(one not in nests[:at] for at, one in enumerate(nests))


@pytest.mark.parametrize("case", PROBLEMS, ids=str)
def test_candidates_keep_what_decides_the_bits(case: Any) -> None:
    p = problem_of(*case)
    for machine in (HOST, TINY):
        found = candidates(p, machine)
        assert len({(s.lanes, s.accumulators) for s in found}) == 1
        if p.batch is None:
            assert len({s.parallel_from for s in found}) == 1


def test_candidates_vary_structure_and_stores() -> None:
    found = candidates(problem_of((4, 700, 60), -1, 5, "float32"), TINY)
    assert {s.name for s in found} == {"rows", "sample"}
    assert {s.by_sample for s in found} == {True, False}
    if HOST.streaming_stores:
        assert {s.store for s in found} == set(STORES[1:])
    small = candidates(problem_of((1, 8, 8, 32), -1, 8, "float32"), HOST)
    assert {s.store for s in small} == {"temporal"}


@pytest.mark.parametrize(
    ("shape", "axis", "groups", "dtype"),
    [pytest.param(*case, marks=pytest.mark.slow if i in (1, 3, 4) else ()) for i, case in enumerate(PROBLEMS[:6])],
    ids=str,
)
def test_every_candidate_gives_the_same_bits(shape: tuple[int, ...], axis: int, groups: int, dtype: str) -> None:
    need_backend("c")
    spec = gngen.GroupNormSpec(groups, axis, activation="silu")
    x, (gamma, beta) = fill("far", shape, dtype), parameters(shape, spec, dtype)
    found = candidates(specialize(spec, shape, dtype)[0], TINY)
    answers = []
    for schedule in found:
        answers += gngen.compile(spec, shape, dtype, "c", ("y", "mean", "rstd"), schedule)(x, gamma, beta)
    for got, want in zip(answers, answers[:3] * len(found), strict=True):
        np.testing.assert_array_equal(got, want, strict=True)


# Picking


class FakeClock:
    """A clock that moves only when it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(tuning, "perf_counter", lambda: self.now)


class FakeBench:
    """Times that are what the test says: `seconds` of each schedule, by name; `again`: in a run of two alone."""

    def __init__(self, clock: FakeClock, seconds: dict[str, float], again: dict[str, float] | None = None, compiling: float = 0.0) -> None:
        self.clock, self.seconds, self.again, self.compiling = clock, seconds, seconds if again is None else again, compiling
        self.prepared: list[str] = []
        self.runs: list[list[str]] = []

    def prepare(self, schedule: Schedule) -> None:
        self.clock.now += self.compiling
        if schedule.name.startswith("broken"):
            raise BuildError("no")
        self.prepared.append(schedule.name)

    def measure(self, schedules: Sequence[Schedule], seconds: float) -> list[float]:
        names = [s.name for s in schedules]
        assert set(names) <= set(self.prepared)
        assert seconds > 0
        self.clock.now += seconds
        self.runs.append(names)
        return [(self.again if len(self.runs) > 1 and len(names) == 2 else self.seconds)[name] for name in names]


def schedules(*names: str) -> list[Schedule]:
    return [Schedule(name, 16) for name in names]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    return FakeClock(monkeypatch)


def test_the_fastest_is_picked_and_confirmed(clock: FakeClock) -> None:
    bench = FakeBench(clock, {"rule": 10.0, "b": 7.0, "c": 5.0, "d": 8.0, "e": 20.0})
    picked = tuning.pick(schedules(*bench.seconds), bench, 8.0)
    assert picked == tuning.Picked(Schedule("c", 16), 5.0, 10.0, 5)
    assert bench.runs == [["rule", "b", "c", "d", "e"], ["c", "b"], ["rule", "c"]]
    assert clock.now == pytest.approx(108.0)


def test_a_small_gain_replaces_nothing(clock: FakeClock) -> None:
    bench = FakeBench(clock, {"rule": 10.0, "b": 10.0 / 1.029})
    assert tuning.pick(schedules("rule", "b"), bench, 8.0) == tuning.Picked(Schedule("rule", 16), 10.0, 10.0, 2)
    bench = FakeBench(clock, {"rule": 10.0, "b": 10.0 / 1.031})
    picked = tuning.pick(schedules("rule", "b"), bench, 8.0)
    assert picked is not None
    assert picked.schedule.name == "b"


def test_a_gain_that_is_not_confirmed_replaces_nothing(clock: FakeClock) -> None:
    bench = FakeBench(clock, {"rule": 10.0, "b": 5.0}, again={"rule": 9.0, "b": 9.0})
    assert tuning.pick(schedules("rule", "b"), bench, 8.0) == tuning.Picked(Schedule("rule", 16), 9.0, 9.0, 2)


def test_the_untuned_choice_may_be_the_fastest(clock: FakeClock) -> None:
    bench = FakeBench(clock, {"rule": 5.0, "b": 7.0, "c": 6.0})
    assert tuning.pick(schedules("rule", "b", "c"), bench, 8.0) == tuning.Picked(Schedule("rule", 16), 5.0, 5.0, 3)
    bench = FakeBench(clock, {"rule": 5.0})
    assert tuning.pick(schedules("rule"), bench, 8.0) == tuning.Picked(Schedule("rule", 16), 5.0, 5.0, 1)


def test_what_does_not_compile_is_passed_over(clock: FakeClock) -> None:
    bench = FakeBench(clock, {"rule": 10.0, "b": 5.0})
    picked = tuning.pick(schedules("rule", "broken", "b", "broken too"), bench, 8.0)
    assert picked == tuning.Picked(Schedule("b", 16), 5.0, 10.0, 2)
    with pytest.raises(BuildError, match=r"^no$"):
        tuning.pick(schedules("broken", "rule"), bench, 8.0)


def test_compiling_counts_and_stops_at_half_the_time(clock: FakeClock) -> None:
    names = ["rule", *"abcdefghijk"]
    bench = FakeBench(clock, dict.fromkeys(names, 1.0), compiling=1.0)
    assert tuning.pick(schedules(*names), bench, 8.0) is not None
    assert bench.prepared == ["rule", "a", "b", "c"]
    assert clock.now == pytest.approx(108.0)


def test_one_candidate_is_tried_though_compiling_takes_most_of_the_time(clock: FakeClock) -> None:
    bench = FakeBench(clock, {"rule": 2.0, "a": 1.0, "b": 1.0}, compiling=3.0)
    picked = tuning.pick(schedules("rule", "a", "b"), bench, 8.0)
    assert picked is not None
    assert (picked.schedule.name, picked.measured) == ("a", 2)


@pytest.mark.parametrize("compiling", [5.0, 9.0])
def test_too_little_time_picks_nothing(compiling: float, clock: FakeClock) -> None:
    bench = FakeBench(clock, {"rule": 2.0, "a": 1.0}, compiling=compiling)
    assert tuning.pick(schedules("rule", "a"), bench, 8.0) is None
    assert bench.runs == []


# Tuning a list, with times that are made up


@pytest.fixture
def fake(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Benches on which the second candidate takes half as long as all others; what each layer was given, in order."""
    asked: list[tuple[str, float]] = []

    class Bench:
        def __init__(self, layer: Layer, plan: Any, dtype: str) -> None:
            self.layer, self.begun, self.known = layer, clock.now, candidates(plan.problem, plan.target.machine)
            asked.append((layer.name, 0.0))

        def prepare(self, schedule: Schedule) -> None:
            if self.layer.name == "broken":
                raise BuildError("the compiler said no")

        def measure(self, schedules: Sequence[Schedule], seconds: float) -> list[float]:
            clock.now += seconds
            asked[-1] = self.layer.name, clock.now - self.begun
            return [90e-6 if s == self.known[1] else 180e-6 for s in schedules]

    monkeypatch.setattr(tuning, "KernelBench", Bench)
    return asked


def tuned_schedule(layer: Layer, target: str = "c", **more: Any) -> Schedule:
    """What a layer would be compiled with now."""
    return gngen.api.plan(layer.spec, layer.shape, target=target, **more).schedule


def second(layer: Layer) -> Schedule:
    return candidates(specialize(layer.spec, layer.shape)[0], HOST)[1]


def test_a_list_is_tuned_and_the_choice_is_used(fake: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "strftime", lambda _: "2026-01-02")
    rule = tuned_schedule(LAYER)
    found = gngen.tune(LAYER, "c", 10)
    assert [(row.layer, row.untuned, row.tuned, row.gain) for row in found.rows] == [(LAYER, rule, second(LAYER), 2.0)]
    assert (found.target, found.threads, found.gain, found.replaced) == ("c:host", threads.get_num_threads(), 2.0, 1)
    assert found.seconds == pytest.approx(10)
    now = tuned_schedule(LAYER)
    assert replace(now, reason="") == replace(second(LAYER), reason="")
    count = len(candidates(specialize(LAYER.spec, LAYER.shape)[0], HOST))
    assert now.reason == f"tuned on 2026-01-02, 2.00x the untuned choice (180 us -> 90.0 us), of {count} candidates"
    assert f"\nschedule  {now.name}: {now.reason}\n" in api.explain_plan(gngen.api.plan(LAYER.spec, LAYER.shape, target="c"))


def test_the_choice_is_for_kernels_that_nothing_is_asked_of(fake: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rule = tuned_schedule(LAYER)
    gngen.tune(LAYER, "c", 10)
    assert tuned_schedule(LAYER) != rule
    assert tuned_schedule(LAYER, schedule=rule) == rule
    assert tuned_schedule(LAYER, schedule={}) == rule
    monkeypatch.setenv("GNGEN_TUNED", "0")
    assert tuned_schedule(LAYER) == rule
    monkeypatch.setenv("GNGEN_TUNED", "1")
    assert tuned_schedule(LAYER) != rule


def test_a_choice_that_stays_says_so(fake: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "WIN", 3.0)
    monkeypatch.setattr(tuning, "strftime", lambda _: "2026-01-02")
    rule = tuned_schedule(LAYER)
    found = gngen.tune(LAYER, "c", 10)
    assert (found.gain, found.replaced) == (1.0, 0)
    now = tuned_schedule(LAYER)
    assert replace(now, reason=rule.reason) == rule
    assert now.reason.startswith(f"{rule.reason}; tuned on 2026-01-02, the fastest of ")


def test_kernels_compiled_before_are_planned_anew(fake: list[Any]) -> None:
    need_backend("c")
    before = gngen.compile(LAYER.spec, LAYER.shape, target="c")
    gngen.tune(LAYER, "c", 10)
    after = gngen.compile(LAYER.spec, LAYER.shape, target="c")
    assert after.schedule != before.schedule
    assert gngen.compile(LAYER.spec, LAYER.shape, target="c") is after
    x, (gamma, beta) = fill("far", LAYER.shape, "float32"), parameters(LAYER.shape, LAYER.spec, "float32")
    np.testing.assert_array_equal(after(x, gamma, beta), before(x, gamma, beta), strict=True)


def test_layers_of_one_problem_are_measured_once_and_weigh_together(fake: list[tuple[str, float]]) -> None:
    again = replace(LAYER, name="again", shape=(4, 5, 6, 24), count=3)
    found = gngen.tune(LayerList("list", "", "", "float32", (LAYER, OTHER, again)), "c", 30)
    assert [row.layer.name for row in found.rows] == ["a", "b"]
    # 9 of 2 samples against 1 + 3 of 4: the square roots share the time, the heaviest first
    assert [name for name, _ in fake] == ["b", "a"]
    weight = 18**0.5 / (18**0.5 + 16**0.5)
    assert [seconds for _, seconds in fake] == pytest.approx([30 * weight, 30 * (1 - weight)])


def test_what_no_time_is_left_for_stays_as_it_is(fake: list[Any], clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(p: Problem, m: Any) -> list[Schedule]:
        clock.now += 40
        return candidates(p, m)

    monkeypatch.setattr(tuning, "candidates", slow)
    rule = tuned_schedule(LAYER)
    found = gngen.tune([LAYER, OTHER], "c", 30)
    assert [row.skipped for row in found.rows] == ["no time was left for it", "its share of the time was too short to compare two"]
    assert (found.gain, found.replaced) == (None, 0)
    assert tuned_schedule(LAYER) == rule


def test_a_layer_that_fails_is_a_row(fake: list[Any]) -> None:
    found = gngen.tune([replace(OTHER, name="broken"), LAYER], "c", 10)
    assert [(row.failure, row.gain) for row in found.rows] == [("the compiler said no", None), ("", 2.0)]
    assert found.gain == 2.0


def test_kernels_for_any_batch_are_tuned_at_one(fake: list[Any]) -> None:
    found = gngen.tune(LAYER, "c", 10, batch=6)
    assert found.rows[0].layer.shape == (6, 30, 24)
    assert "tuned on" not in tuned_schedule(LAYER).reason
    assert "tuned on" in gngen.api.plan(LAYER.spec, (None, 30, 24), target="c").schedule.reason


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"layers": []}, SpecError, "tune takes a list of layers, at least one, or the name or file of such a list; received []"),
        ({"layers": 3}, SpecError, "tune takes a list of layers, at least one, or the name or file of such a list; received 3"),
        ({"layers": "nothing"}, SpecError, "model 'nothing' is not known; choose one of "),
        ({"seconds": 0}, SpecError, "seconds must be a number above 0; received seconds=0"),
        ({"seconds": float("nan")}, SpecError, "seconds must be a number above 0; received seconds=nan"),
        ({"batch": 0}, SpecError, "batch must be a positive integer; received batch=0"),
        ({"dtype": "int8"}, SpecError, "dtype int8 has no kernel; choose from "),
        ({"target": "d"}, TargetError, "no target 'd': "),
        ({"target": "reference"}, TargetError, "target reference:host computes every schedule alike: there is nothing to tune"),
        ({"target": "c:aarch64-neon" if HOST.arch != "aarch64" else "c:x86-64"}, TargetError, "can be emitted here and not measured"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as e:
        gngen.tune(**{"layers": LAYER, "target": "c", **arguments})
    assert words in str(e.value)


# Kept, and found again


def keep(layer: Layer = LAYER, **changes: Any) -> Schedule:
    """Keep a tuned schedule for a layer, as `tune` does; the schedule."""
    p, target = specialize(layer.spec, layer.shape)[0], parse_target("c")
    schedule = replace(second(layer), reason="tuned by a test", **changes)
    about = {"date": "2026-01-02", "backend": "c", "batch": p.batch, "threads": 2, "gain": 1.5, "summary": "a kernel"}
    tuned.keep_tuned(p, target, schedule, about)
    return schedule


PLAN = """
import gngen
print(gngen.api.plan(gngen.GroupNormSpec(4), (4, 30, 24), target="c").schedule.reason)
"""


def in_a_process(code: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(gngen.__file__).parent.parent).stdout.strip()


def test_another_process_finds_it() -> None:
    keep()
    assert in_a_process(PLAN) == "tuned by a test"


def test_it_is_found_on_disk_and_then_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = keep()
    forget(monkeypatch)
    assert tuned_schedule(LAYER) == schedule
    (place,) = (folder / tuned.KIND).iterdir()
    place.unlink()
    assert tuned_schedule(LAYER) == schedule


CHANGES: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "code": lambda m: m.setattr(resources, "fingerprint", lambda: "another"),
    "version": lambda m: m.setattr(gngen, "__version__", "another"),
    "processor": lambda m: m.setattr(tuned, "cpu_model", lambda: "another"),
    "compiler": lambda m: m.setattr(gngen.backends.c, "compiler", lambda: ("another",)),
    "threads": lambda m: threads.set_num_threads(threads.get_num_threads() + 1),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_what_it_depends_on_hides_it(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = tuned_schedule(LAYER)
    schedule = keep()
    assert tuned_schedule(LAYER) == schedule
    CHANGES[what](monkeypatch)
    assert tuned_schedule(LAYER) == rule


@pytest.mark.parametrize("fact", ["cores", "l1", "l2", "l3", "vector_registers"])
def test_every_fact_of_the_machine_counts(fact: str) -> None:
    keep()
    p, target = specialize(LAYER.spec, LAYER.shape)[0], parse_target("c")
    changed = replace(target, machine=replace(target.machine, **{fact: getattr(target.machine, fact) + 1}))
    rule = choose_schedule(p, changed.machine)
    assert tuned.find_tuned(p, changed, rule) is rule
    assert tuned.find_tuned(p, target, rule).reason == "tuned by a test"


@pytest.mark.parametrize(
    "other",
    [
        replace(LAYER, shape=(5, 30, 24)),
        replace(LAYER, shape=(4, 31, 24)),
        replace(LAYER, epsilon=1e-5),
        replace(LAYER, activation="silu"),
        replace(LAYER, center=False),
    ],
    ids=repr,
)
def test_another_problem_has_none(other: Layer) -> None:
    keep()
    assert "tuned" not in tuned_schedule(other).reason


def test_another_backend_dtype_or_output_has_none() -> None:
    keep()
    assert "tuned" not in tuned_schedule(LAYER, "numba-cpu").reason
    assert "tuned" not in tuned_schedule(LAYER, dtype="float64").reason
    assert "tuned" not in tuned_schedule(LAYER, outputs=("y", "mean")).reason
    assert "tuned" not in gngen.api.plan(LAYER.spec, (None, 30, 24), target="c").schedule.reason


# Damage


def damage(place: Path, how: str) -> None:
    text = place.read_bytes()
    changed = {
        "empty": b"",
        "cut": text[:-20],
        "changed": text.replace(b'"temporal"', b'"streamin"').replace(b'"streaming"', b'"temporal"').replace(b'"piece": ', b'"piece": 1'),
        "no text": b"\x00\xff" * 40,
        "another": b"[]",
    }
    place.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["empty", "cut", "changed", "no text", "another"])
def test_a_damaged_record_is_ignored_with_one_warning(how: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = tuned_schedule(LAYER)
    schedule = keep()
    (place,) = (folder / tuned.KIND).iterdir()
    damage(place, how)
    forget(monkeypatch)
    with pytest.warns(
        CacheWarning, match=r"^the tuned record [0-9a-f]{32}\.json is damaged \(it is not what was written\) and is ignored$"
    ):
        assert tuned_schedule(LAYER) == rule
    assert tuned_schedule(LAYER) == rule  # a second warning would be an error
    assert DiskCache(folder).records(tuned.KIND) == []
    keep()
    forget(monkeypatch)
    assert tuned_schedule(LAYER) == schedule


def test_a_record_that_others_can_write_is_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = tuned_schedule(LAYER)
    keep()
    (place,) = (folder / tuned.KIND).iterdir()
    place.chmod(0o666)
    forget(monkeypatch)
    with pytest.warns(CacheWarning, match=r"it can be written by another user"):
        assert tuned_schedule(LAYER) == rule


@pytest.mark.parametrize(
    "record", [{}, {"schedule": {"name": "fast", "lanes": 16}, "reason": ""}, {"schedule": {"speed": 1}, "reason": ""}]
)
def test_a_record_of_no_use_is_ignored(record: dict[str, Any]) -> None:
    rule = tuned_schedule(LAYER)
    key = tuned.key_of(specialize(LAYER.spec, LAYER.shape)[0], parse_target("c"))
    cache.default_cache().write_record(tuned.KIND, key, record)
    with pytest.warns(CacheWarning, match=rf"^the tuned schedule of {specialize(LAYER.spec, LAYER.shape)[0].name} on c:host is of no use"):
        assert tuned_schedule(LAYER) == rule


def test_where_nothing_can_be_written_the_process_remembers(folder: Path) -> None:
    folder.write_text("in the way")
    with pytest.warns(CacheWarning, match=r"^kernels are kept in memory only"):
        schedule = keep()
    assert tuned_schedule(LAYER) == schedule


def test_records_are_bounded_the_latest_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_RECORDS_MOST", 3)
    disk = DiskCache(folder)
    for number in range(6):
        disk.write_record("kind", f"key {number}", {"number": number})
        time.sleep(0.02)  # a file system's clock is a coarse one
    assert [record["number"] for record in disk.records("kind")] == [5, 4, 3]
    assert DiskCache(folder).read_record("kind", "key 5") == {"number": 5}
    assert DiskCache(folder).read_record("kind", "key 0") is None


WRITE = """
import sys
from pathlib import Path
from gngen.cache import DiskCache
disk = DiskCache(Path(sys.argv[1]))
for i in range(150):
    disk.write_record("kind", "key", {"from": sys.argv[2], "text": sys.argv[2] * 5000})
"""


def test_processes_that_write_at_once_leave_whole_records(folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", WRITE, str(folder)]
    writers = [subprocess.Popen([*command, letter]) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        record = DiskCache(folder).read_record("kind", "key")  # a torn one would warn, which is an error here
        if record:
            assert record["text"] == record["from"] * 5000
            seen.add(record["from"])
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen
    assert [place.suffix for place in (folder / "kind").iterdir()] == [".json"]


# The whole of it, measured


def test_a_measured_choice_is_used_by_the_next_process(folder: Path) -> None:
    need_backend("c")
    layer = Layer("a", (4, 30, 24), groups=4)
    x, (gamma, beta) = fill("far", layer.shape, "float32"), parameters(layer.shape, layer.spec, "float32")
    before: Array = gngen.compile(layer.spec, layer.shape, target="c")(x, gamma, beta)
    found = gngen.tune(layer, "c", 8.0)  # compiling is slow on a machine that is busy
    (row,) = found.rows
    assert (row.failure, row.skipped) == ("", "")
    assert row.candidates >= 2
    assert row.untuned_seconds is not None
    assert row.untuned_seconds > 0
    assert found.gain is not None
    assert found.gain >= 1
    np.testing.assert_array_equal(gngen.compile(layer.spec, layer.shape, target="c")(x, gamma, beta), before, strict=True)
    assert "tuned on 2" in in_a_process(PLAN)


# The command line


def gn(*args: str | Path) -> tuple[str, str, int]:
    result = CliRunner().invoke(main, [str(a) for a in args], prog_name="gngen")
    return result.stdout, result.stderr, result.exit_code


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.json"
    layers = [{"name": "a", "shape": [4, 30, 24], "groups": 4}, {"name": "b", "shape": [2, 30, 24], "groups": 4}]
    file.write_text(json.dumps({"layers": layers}))
    return file


def test_tune_prints_a_table_and_a_summary(fake: list[Any], mine: Path, folder: Path) -> None:
    out, err, status = gn("tune", "--model", mine, "--target", "c", "--seconds", "10", "--threads", "2")
    assert (err, status) == ("", 0)
    lines = out.splitlines()
    assert lines[0].split() == ["layer", "untuned", "time", "tuned", "time", "gain"]
    assert [line.split()[0] for line in lines[2:4]] == ["a", "b"]
    for line in lines[2:4]:
        assert line.split()[-3:] == ["90.0", "us", "2.00"]
        assert "180 us" in line
    assert lines[4:] == [
        "untuned over tuned: 2.00, the geometric mean of 2 problems; 2 schedules replaced",
        "c:host, float32, 2 threads; 10 s",
        f"kept in {folder}",
    ]
    shown = gn("cache", "show")[0].splitlines()
    assert shown[0].split() == ["tuned", "backend", "batch", "threads", "gain", "schedule"]
    assert sorted(line.split()[1:5] for line in shown[2:4]) == [["c", "2", "2", "2.00"], ["c", "4", "2", "2.00"]]
    assert shown[-1] == f"0 kernels, 0 B of at most 512 MB, and 2 tuned schedules, in {folder}"


def test_tune_takes_a_shape(fake: list[Any]) -> None:
    out, err, status = gn("tune", "--shape", "4x30x24", "--groups", "4", "--activation", "silu", "--target", "c", "--dtype", "bfloat16")
    assert (err, status) == ("", 0)
    assert out.splitlines()[2].startswith("4x30x24 ")
    spec = gngen.GroupNormSpec(4, activation="silu")
    assert "tuned on" in gngen.api.plan(spec, (4, 30, 24), "bfloat16", "c").schedule.reason


def test_tune_takes_a_batch_that_varies(fake: list[Any]) -> None:
    out, err, status = gn("tune", "--shape", "None,30,24", "--groups", "4", "--target", "c", "--batch", "6")
    assert (err, status) == ("", 0)
    assert ", any batch, measured at 6; " in out
    assert "tuned on" in gngen.api.plan(gngen.GroupNormSpec(4), (None, 30, 24), target="c").schedule.reason
    assert " any " in gn("cache", "show")[0].splitlines()[2]


def test_a_dry_run_lists_the_candidates_and_measures_nothing(fake: list[Any], mine: Path, folder: Path) -> None:
    out, err, status = gn("tune", "--model", mine, "--target", "c", "--dry-run")
    assert (err, status) == ("", 0)
    lines = out.splitlines()
    assert lines[2].split()[:2] == ["a", "untuned"]
    expected = [len(candidates(specialize(layer.spec, layer.shape)[0], HOST)) for layer in (LAYER, OTHER)]
    assert lines[-1] == f"{sum(expected)} candidates of 2 problems"
    assert len(lines) == sum(expected) + 3
    assert fake == []
    assert not (folder / tuned.KIND).exists()


def test_tune_that_fails_says_where(fake: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[layer]]\nname = "broken"\nshape = [2, 8, 4]\ngroups = 2\n')
    out, err, status = gn("tune", "--model", file, "--target", "c")
    assert "failed" in out
    assert (err, status) == ("gngen: error: 1 of 1 problem failed; broken: the compiler said no\n", 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of --model and --shape"),
        (["--model", "sd15-unet", "--shape", "2,4,32"], "give one of --model and --shape"),
        (["--model", "sd15-unet", "--groups", "4"], "--groups goes with --shape; the layers of a model say their own"),
        (["--shape", "None,4,32"], "--shape with a batch that varies takes --batch, the one to measure at"),
        (["--shape", "2,None,32"], "Invalid value for '--shape': only the batch may be None"),
        (["--shape", "2,4,33"], "Number of groups (32) must be a multiple of the number of channels (33). Nearest that fit: 11, 33."),
        (["--shape", "2,4,32", "--seconds", "0"], "Invalid value for '--seconds': 0.0 is not in the range x>0."),
        (["--shape", "2,4,32", "--dtype", "int8"], "dtype int8 has no kernel; choose from "),
        (["--shape", "2,4,32", "--target", "reference"], "target reference:host computes every schedule alike: there is nothing to tune"),
    ],
)
def test_errors_are_one_line(arguments: list[str], message: str) -> None:
    out, err, status = gn("tune", *arguments)
    assert (out, status) == ("", 2)
    assert err.startswith(f"gngen: error: {message}")
    assert err.count("\n") == 1


def test_the_cache_is_cleared_in_parts(folder: Path) -> None:
    def clear(*only: str) -> str:
        return gn("cache", "clear", *only)[0]

    keep()
    assert clear("--only", "kernels") == f"removed 0 kernels, 0 B, from {folder}\n"
    assert len(cache.default_cache().records(tuned.KIND)) == 1
    assert clear("--only", "tuned") == f"removed 1 tuned schedule, from {folder}\n"
    assert "tuned" not in tuned_schedule(LAYER).reason
    keep()
    assert clear() == f"removed 0 kernels, 0 B, and 1 tuned schedule, from {folder}\n"
    assert clear() == f"removed 0 kernels, 0 B, from {folder}\n"


def test_the_cache_shows_which_are_of_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    keep()
    assert "(of other code)" not in gn("cache", "show")[0]
    monkeypatch.setattr(resources, "fingerprint", lambda: "another")
    assert "a kernel (of other code)" in gn("cache", "show")[0]
