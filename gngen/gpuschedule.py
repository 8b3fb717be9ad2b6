"""How a problem is computed on a GPU: a schedule by name, its numbers, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from gngen.errors import SpecError
from gngen.loopnest import WARP
from gngen.problem import Problem
from gngen.slices import CHUNK, MERGED_MOST, TILE_SLICES, VECTOR_BYTES, RowTiles, group_slices, row_tiles
from gngen.target import Gpu

GPU_SCHEDULES = {
    "warp_group": "resident",
    "cta_reg": "resident",
    "cta_smem": "resident",
    "cluster": "resident",
    "coop": "resident",
    "two_kernel": "twice",
}
# Where what a schedule has read may be held.
HELD_IN = {
    "warp_group": ("register",),
    "cta_reg": ("register",),
    "cta_smem": ("shared",),
    "cluster": ("register", "shared"),
    "coop": ("register", "shared"),
    "two_kernel": ("nowhere",),
}
# Warps of a block, and registers of a thread that hold data, of the 128 that a thread of so large a block may use.
BLOCK_WARPS, HELD_REGISTERS = 16, 64
# The same, where a mask or a modulation has registers of its own; and where each row of a tile has an element of a mask.
HELD_BESIDE_FUSED, HELD_BESIDE_ROW_MASK = 32, 16
# Warps of a block that holds halves in shared memory beside a mask: a thread widens eight of both, and may have 255 registers.
MASKED_HALVES_WARPS = 8
# Registers of a thread beside those that hold data; and how many more a vector of eight columns takes in a tile, or the elements of a mask.
WORKING_REGISTERS, EIGHT_COLUMNS_REGISTERS, ROW_MASK_REGISTERS = 64, 40, 32
# The largest group that one warp takes, in elements, and the most groups of a block.
WARP_GROUP, GROUPS_MOST = 2048, 8
# The part of the multiprocessors that should have a block before groups are no longer shared between them.
BUSY = 0.75
# The least that is worth a block of its own, in bytes.
PART_BYTES = 2048
# Registers are handed out to a warp so many at a time, by so many schedulers of a multiprocessor, each with its part of them.
REGISTERS_UNIT, SCHEDULERS = 256, 4
# Shared memory that is kept for partial moments, beside what is held; the hardware takes 1 KB of every block's.
PARTIAL_BYTES, SYSTEM_BYTES = 16384, 1024


@dataclass(frozen=True)
class GpuSchedule:
    """An algorithm and its numbers.

    split: blocks that share a group. warps: of a block, for one group. rounds: slices of a warp, one after the other. groups: of a block,
    each with warps of its own. held: where a thread keeps what it has read, register, shared or nowhere. together: blocks that a
    multiprocessor has room for at once. tile: groups in short runs whose columns a block has together; 0 for groups in long ones. gangs:
    groups (or tiles of them) that the blocks of a cooperative launch take at once, going from sample to sample. reason: why this one was
    chosen.
    """

    name: str
    split: int = 1
    warps: int = 1
    rounds: int = 1
    groups: int = 1
    held: str = "register"
    together: int = 1
    tile: int = 0
    gangs: int = 0
    reason: str = ""

    @property
    def block_warps(self) -> int:
        return self.warps * self.groups


def choose_gpu_schedule(p: Problem, m: Gpu, asked: GpuSchedule | str | Mapping[str, Any] | None = None) -> GpuSchedule:
    """The schedule for a problem on a GPU, or the one asked for, with the numbers that were left open filled in.

    Args:
        asked: None to choose; a name; a mapping of `name` and `split`; or a whole GpuSchedule.

    Raises:
        SpecError: a schedule that does not exist or does not fit the problem.
    """
    room = _room(p, m)
    if isinstance(asked, GpuSchedule):
        return _check(room, asked)
    wishes: dict[str, Any] = {"name": asked} if isinstance(asked, str) else dict(asked or {})
    for key in wishes:
        if key not in ("name", "split"):
            raise SpecError(f"a GPU schedule has no field {key!r} that can be asked for; choose from name, split")
    name, split, reason = room.choose()
    if wishes:
        name = wishes.get("name", name)
        if name not in GPU_SCHEDULES:
            raise SpecError(f"no GPU schedule {name!r}; choose from {', '.join(GPU_SCHEDULES)}")
        split, reason = wishes.get("split", room.least_split(name)), "asked for"
    _check_split(room, name, split)
    return replace(room.schedule(name, split), reason=reason)


def _check(room: _Room, s: GpuSchedule) -> GpuSchedule:
    """A whole schedule, or SpecError: the verifier knows what is in bounds, not what a machine has nor what was left out."""
    if s.name not in GPU_SCHEDULES:
        raise SpecError(f"no GPU schedule {s.name!r}; choose from {', '.join(GPU_SCHEDULES)}")
    for key, least in (("warps", 1), ("rounds", 1), ("groups", 1), ("together", 1), ("tile", 0), ("gangs", 0)):
        _check_integer(key, getattr(s, key), least)
    _check_split(room, s.name, s.split)
    why_not = room.misnumbered(s)
    if why_not:
        filled = room.schedule(s.name, s.split)
        numbers = ", ".join(f"{f.name}={getattr(filled, f.name)}" for f in fields(filled) if f.name not in ("name", "reason"))
        raise SpecError(f"schedule {s.name} does not fit: {why_not}; choose {numbers}, or its name and split, and they are filled in")
    return s


def _check_split(room: _Room, name: str, split: int) -> None:
    _check_integer("split", split, 1)
    why_not = room.misfit(name, split)
    if why_not:
        fits = [n for n in GPU_SCHEDULES if not room.misfit(n, room.least_split(n))]
        raise SpecError(f"schedule {name} does not fit: {why_not}; choose from {', '.join(fits)}")


def _check_integer(key: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise SpecError(f"{key} of a GPU schedule is an integer, at least {least}; received {value!r}")


def gpu_schedules_for(p: Problem, m: Gpu) -> list[str]:
    """The names of the schedules that can compute a problem on a GPU."""
    room = _room(p, m)
    return [name for name in GPU_SCHEDULES if not room.misfit(name, room.least_split(name))]


def warps_at_once(m: Gpu, registers: int) -> int:
    """Warps that one multiprocessor has registers for, of so many a thread."""
    of_warp = -(-registers * WARP // REGISTERS_UNIT) * REGISTERS_UNIT
    return m.registers // of_warp // SCHEDULERS * SCHEDULERS


def _room(p: Problem, m: Gpu) -> _Room:
    tiles = row_tiles(p)
    return _Room(p, m) if tiles is None else _TileRoom(p, m, tiles)


class _Room:
    """What of a problem fits where on a GPU, in slices of a group, or of a unit of several."""

    def __init__(self, p: Problem, m: Gpu) -> None:
        self.p, self.m = p, m
        self.units, self.unit_bytes, self.mergeable, self.noun = p.groups, p.group * p.item_bytes, MERGED_MOST, "groups"
        self.sums = group_slices(p)
        self.slices = self.sums.slices
        self.slice_bytes = self.sums.elements * p.item_bytes
        self.slot_registers = self.sums.lanes * p.bits // 32 * self.sums.slots  # of a slice, as it is computed with
        self.rounds = max(
            1, (HELD_BESIDE_FUSED if p.fused else HELD_REGISTERS) // self.slot_registers
        )  # slices that a warp holds in registers
        self.in_registers = BLOCK_WARPS * self.rounds
        self.shared_warps = MASKED_HALVES_WARPS if p.masked and self.sums.lanes == 8 else BLOCK_WARPS
        self.shared_slices = (m.shared_block - PARTIAL_BYTES) // self.slice_bytes
        # the largest part whose warps, each with as many rounds, have room for no more slices than that
        self.in_shared = max(part for part in range(self.shared_slices + 1) if _even(part, self.shared_warps) <= self.shared_slices)
        self.most = max(self.in_registers, self.in_shared)

    def least_split(self, name: str) -> int:
        """The fewest blocks that a schedule shares a group between."""
        if name not in ("cluster", "coop"):
            return 1
        split = max(2, -(-self.slices // self.most))
        return split if name == "coop" else _power(split)

    def misfit(self, name: str, split: int) -> str:
        """Why a schedule cannot compute the problem, or ""."""
        if name == "two_kernel":
            return "" if split == 1 else "its blocks share nothing"
        if self.slices > self.mergeable:
            return f"a group of {self.p.group} elements is cut into {self.slices} slices, more than {self.mergeable}"
        if split > 1 and name not in ("cluster", "coop"):
            return "a group is one block's"
        if name == "warp_group" and (self.slices > self.rounds or self.p.group > WARP_GROUP):
            return f"a group of {self.p.group} elements is more than one warp holds"
        if name == "cta_reg" and self.slices > self.in_registers:
            return f"a group of {self.p.group} elements is more than the registers of a block hold"
        if name == "cta_smem" and self.slices > self.in_shared:
            return f"a group of {self.p.group} elements is more than the shared memory of a block holds"
        return self._too_split(name, split) if name in ("cluster", "coop") else ""

    def _too_split(self, name: str, split: int) -> str:
        if not 2 <= split <= self.slices:
            return f"a group of {self.slices} slices is no {split} blocks'"
        if -(-self.slices // split) > self.most:
            return f"a part of {-(-self.slices // split)} slices is more than a block holds"
        if name == "cluster":
            most = self.m.cluster
            return f"{self.m.name} has clusters of at most {most} blocks" if split > most or split & (split - 1) else ""
        if not self.m.cooperative:
            return f"blocks of a launch on {self.m.name} cannot wait for each other"
        return "" if self.schedule(name, split).gangs else f"{split} blocks do not run at once on {self.m.name}"

    def misnumbered(self, s: GpuSchedule) -> str:
        """Why the other numbers of a schedule, whose name and split fit, do not compute the problem, or ""."""
        if s.held not in HELD_IN[s.name]:
            return f"held is {s.held!r}, and may be {' or '.join(HELD_IN[s.name])}"
        why_not = self._misshapen(s)
        if why_not:
            return why_not
        rounds, most = self._rounds(s), self._most_rounds(s)
        if s.rounds != rounds:
            return f"{s.split} x {s.warps} warps take the slices of a group in {rounds} rounds, and rounds is {s.rounds}"
        if s.held != "nowhere" and rounds > most:
            return f"{rounds} rounds of {s.warps} warps are more than the {most} that fit {_HELD_WORDS[s.held]}"
        room = self._together(s)
        if s.together > room:
            return f"together is {s.together}, and a multiprocessor has room for {room} blocks of {s.block_warps} warps"
        return self._misganged(s)

    def _misshapen(self, s: GpuSchedule) -> str:
        """Why warps, groups and tile do not go with the problem, or ""."""
        if s.tile:
            return f"tile is {s.tile}, and groups in long runs have none: 0"
        if s.name == "warp_group":
            if s.warps != 1:
                return f"a group is one warp's, and warps is {s.warps}"
            if self.p.groups % s.groups:
                return f"{self.p.groups} groups do not divide into blocks of {s.groups}"
        elif s.groups != 1:
            return f"a block has one group, and groups is {s.groups}"
        return f"a block has {s.block_warps} warps, more than {BLOCK_WARPS}" if s.block_warps > BLOCK_WARPS else ""

    def _rounds(self, s: GpuSchedule) -> int:
        """Slices of a warp, one after the other."""
        slices = self.sums.chunk if s.name == "two_kernel" else -(-self.slices // s.split)
        return -(-slices // s.warps)

    def _most_rounds(self, s: GpuSchedule) -> int:
        """The most of them that are held."""
        return self.rounds if s.held == "register" else self.shared_slices // s.warps

    def _misganged(self, s: GpuSchedule) -> str:
        """Why the gangs of a cooperative launch cannot run at once, or ""."""
        if s.name != "coop":
            return f"gangs is {s.gangs}, and only a coop has any: 0" if s.gangs else ""
        if s.gangs < 1 or self.units % s.gangs:
            return f"{self.units} {self.noun} do not divide into {s.gangs} gangs"
        room = self.m.sms * s.together
        return f"{s.gangs} gangs of {s.split} blocks do not run at once: {room} do" if s.gangs * s.split > room else ""

    def _gangs(self, s: GpuSchedule) -> int:
        """Groups whose blocks all run at once: a divisor of their number, 0 where not even one's do."""
        room = self.m.sms * s.together
        return max((d for d in range(1, self.units + 1) if self.units % d == 0 and d * s.split <= room), default=0)

    def choose(self) -> tuple[str, int, str]:
        """The name, the blocks of a group, and why."""
        p, m = self.p, self.m
        groups = self.units * (p.batch or 1)
        sizes = f"{self.unit_bytes} bytes"
        if self.slices <= self.mergeable:
            for name in ("warp_group", "cta_reg", "cta_smem"):
                if not self.misfit(name, 1) and (groups >= BUSY * m.sms or self.slices == 1):
                    return name, 1, f"{groups} {self.noun} are enough for {m.sms} multiprocessors, and {_HOLDER[name]} can hold {sizes}"
            for name, split in self._splits(groups):
                if not self.misfit(name, split):
                    return name, split, f"{groups} {self.noun} for {m.sms} multiprocessors: {split} blocks share {sizes}"
            for name in ("warp_group", "cta_reg", "cta_smem"):
                if not self.misfit(name, 1):
                    return name, 1, f"{_HOLDER[name]} can hold {sizes}"
        return "two_kernel", 1, f"{sizes} are more than can be held on chip"

    def _splits(self, groups: int) -> list[tuple[str, int]]:
        """Ways to share a group between blocks, the best first."""
        wanted = self.least_split("cluster")
        most = min(self.slices, self.unit_bytes // PART_BYTES)
        while groups * wanted < BUSY * self.m.sms and 2 * wanted <= most:
            wanted *= 2
        splits = [wanted >> k for k in range(wanted.bit_length() - 1) if wanted >> k <= most]
        busy = [("cluster", s) for s in splits if 2 * groups * s >= self.m.sms]
        return [*busy, *((name, s) for s in splits for name in ("cluster", "coop"))]

    def schedule(self, name: str, split: int) -> GpuSchedule:
        """A schedule with all its numbers."""
        part = -(-self.slices // split)
        s = self._sized(name, split, part)
        s = replace(s, together=self._together(s))
        return replace(s, gangs=self._gangs(s)) if name == "coop" else s

    def _sized(self, name: str, split: int, part: int) -> GpuSchedule:
        if name == "warp_group":
            groups = max(d for d in range(1, GROUPS_MOST + 1) if self.p.groups % d == 0)
            return GpuSchedule(name, rounds=self.slices, groups=groups)
        if name == "two_kernel":
            return GpuSchedule(name, warps=min(CHUNK, self.slices), rounds=-(-self.sums.chunk // CHUNK), held="nowhere")
        in_registers = part <= self.in_registers and name != "cta_smem"
        rounds = -(-part // (BLOCK_WARPS if in_registers else self.shared_warps))
        return GpuSchedule(name, split, -(-part // rounds), rounds, 1, "register" if in_registers else "shared")

    def _together(self, s: GpuSchedule) -> int:
        """Blocks that one multiprocessor has room for: what its compiler must give no thread too many registers for."""
        m, threads = self.m, s.block_warps * WARP
        slots = s.rounds * self.slot_registers
        registers = WORKING_REGISTERS + (slots if s.held == "register" else self.slot_registers)
        shared = PARTIAL_BYTES + SYSTEM_BYTES + (s.block_warps * s.rounds * self.slice_bytes if s.held == "shared" else 0)
        return max(1, min(warps_at_once(m, registers) // s.block_warps, m.shared_sm // shared, m.threads_sm // threads, m.blocks_sm))


class _TileRoom(_Room):
    """The same of groups in short runs, in slices of the rows of a tile."""

    def __init__(self, p: Problem, m: Gpu, tiles: RowTiles) -> None:
        self.p, self.m, self.tiles = p, m, tiles
        self.units, self.unit_bytes = p.groups // tiles.groups, p.group * tiles.groups * p.item_bytes
        self.mergeable, self.noun = TILE_SLICES, f"tiles of {tiles.groups} groups"
        self.slices = tiles.slices
        self.slot_registers = tiles.lanes * p.bits // 32 * tiles.slots
        threads, columns = tiles.warps * WARP, 3 if p.masked else 2
        self.slice_bytes = tiles.slots * threads * VECTOR_BYTES
        self.leaf_bytes = columns * tiles.side * tiles.columns * 8
        held = HELD_BESIDE_ROW_MASK if p.masked else HELD_BESIDE_FUSED if p.fused else HELD_REGISTERS
        self.rounds = self.in_registers = max(1, held // self.slot_registers)
        self.shared_slices = self.in_shared = (m.shared_block - PARTIAL_BYTES - self.leaf_bytes) // self.slice_bytes
        self.most = max(self.in_registers, self.in_shared)

    def misfit(self, name: str, split: int) -> str:
        return "a group lies in short runs" if name == "warp_group" else super().misfit(name, split)

    def _misshapen(self, s: GpuSchedule) -> str:
        has = {"tile": self.tiles.groups, "warps": self.tiles.warps, "groups": 1}
        wrong = [f"{key} is {getattr(s, key)}, not {value}" for key, value in has.items() if getattr(s, key) != value]
        return f"a block has a tile of {self.tiles.groups} groups: {', '.join(wrong)}" if wrong else ""

    def _rounds(self, s: GpuSchedule) -> int:
        return 1 if s.name == "two_kernel" else -(-self.slices // s.split)

    def _most_rounds(self, s: GpuSchedule) -> int:
        return self.rounds if s.held == "register" else self.shared_slices

    def _sized(self, name: str, split: int, part: int) -> GpuSchedule:
        warps, tile = self.tiles.warps, self.tiles.groups
        if name == "two_kernel":
            return GpuSchedule(name, warps=warps, held="nowhere", tile=tile)
        in_registers = part <= self.in_registers and name != "cta_smem"
        return GpuSchedule(name, split, warps, part, 1, "register" if in_registers else "shared", tile=tile)

    def _together(self, s: GpuSchedule) -> int:
        m, threads = self.m, s.warps * WARP
        registers = WORKING_REGISTERS + self.slot_registers * (s.rounds if s.held == "register" else 1)
        registers += EIGHT_COLUMNS_REGISTERS if self.tiles.lanes > 4 else 0
        registers += ROW_MASK_REGISTERS if self.p.masked else 0
        shared = PARTIAL_BYTES + SYSTEM_BYTES + self.leaf_bytes + (s.rounds * self.slice_bytes if s.held == "shared" else 0)
        return max(1, min(warps_at_once(m, registers) // s.warps, m.shared_sm // shared, m.threads_sm // threads, m.blocks_sm))


_HELD_WORDS = {"register": "a thread's registers", "shared": "a block's shared memory"}
_HOLDER = {"warp_group": "a warp", "cta_reg": "a block in its registers", "cta_smem": "a block in its shared memory"}


def _even(part: int, warps: int) -> int:
    """The slices that a block of at most so many warps has room for, where they take a part in as few rounds as they can."""
    rounds = max(1, -(-part // warps))
    return -(-part // rounds) * rounds


def _power(n: int) -> int:
    """The smallest power of two that is at least n."""
    return 1 << (n - 1).bit_length()
