"""The schedules that `gngen.tune` found, kept in the cache and used where none is asked for.

A record belongs to one problem (its batch included) on one machine, backend and number of threads, under one version of the code:
any other finds nothing, and the schedule is chosen by rule.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import cache
from typing import Any

import gngen
from gngen import resources, threads
from gngen.backends import load_backend
from gngen.cache import default_cache, warn
from gngen.errors import SpecError
from gngen.problem import Problem
from gngen.schedule import Schedule, choose_schedule
from gngen.target import Target, cpu_model

KIND = "tuned"


def find_tuned(p: Problem, target: Target, untuned: Schedule) -> Schedule:
    """The tuned schedule of a problem, its reason saying so; `untuned` where there is none, or $GNGEN_TUNED is 0."""
    if os.environ.get("GNGEN_TUNED") == "0":
        return untuned
    disk = default_cache()
    if not disk.has_records(KIND):
        return untuned
    record = disk.read_record(KIND, key_of(p, target))
    if record is None:
        return untuned
    try:
        return choose_schedule(p, target.cpu, Schedule(**record["schedule"], reason=str(record["reason"])))
    except (KeyError, TypeError, SpecError) as e:
        warn(f"the tuned schedule of {p.name} on {target} is of no use ({e}) and is ignored")
        return untuned


def keep_tuned(p: Problem, target: Target, schedule: Schedule, about: dict[str, Any]) -> None:
    """Keep a schedule, its reason included, for `find_tuned`, and what `records` shall tell of it."""
    numbers = asdict(schedule)
    del numbers["reason"]
    default_cache().write_record(KIND, key_of(p, target), {**about, "schedule": numbers, "reason": schedule.reason, "code": code()})


def key_of(p: Problem, target: Target) -> str:
    """All that a measured choice depends on: problem, machine, processor, compiler, threads, and the code of gngen."""
    compiler = " ".join(getattr(load_backend(target.backend), "compiler", tuple)())
    return f"{p!r}; {_text(target)}; {cpu_model()}; {compiler}; {threads.get_num_threads()} threads; {code()}"


def code() -> str:
    """The version of gngen, and of the code that kernels come from."""
    return f"gngen {gngen.__version__} {resources.fingerprint()}"


@cache
def _text(target: Target) -> str:
    """The backend and every fact of the machine."""
    return repr(target)
