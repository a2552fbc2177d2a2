"""The planner: assigns every value of a program a place in the arena.

Takes a program and the largest number of rows in a block. Returns a `Plan`, which prints itself. Never changes the
program: in-place results, shared memory and packed gradients are decisions about places only.

The arena has two parts. The *persistent* part holds the leaves that outlive a step, in the order of `REGIONS`,
without padding, so it does not depend on the batch size. The *workspace* holds slots, inputs and intermediate values;
values that are never needed at the same time share memory, unless the workspace is small anyway.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass

from rosenblatt._html import table, view
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.types import ITEMSIZE, PERSISTENT, Instruction, Program, Value

__all__ = ["Place", "Plan", "layout", "plan"]

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
ROOMY = 1 << 19  # bytes of workspace up to which values do not share memory, so that threads wait less for each other
SPARSE_BYTES = 32  # the descriptor of a CSR batch, whose elements stay in the user's arrays


@dataclass(frozen=True)
class Place:
    """Where a value lives: in the workspace or the persistent part, at an offset in bytes."""

    workspace: bool
    offset: int


@dataclass(frozen=True)
class Plan:
    """The places of all values of `program`, for blocks of up to `capacity` rows."""

    program: Program
    capacity: int
    places: Mapping[int, Place]
    live: Mapping[int, tuple[int, int]]
    persistent_bytes: int
    workspace_bytes: int

    def is_done(self, instruction: Instruction) -> bool:
        """Whether there is nothing to do: a `pack` whose inputs are already in place."""
        if instruction.op != "pack" or instruction.output is None:
            return False
        place = self.places[instruction.output.id]
        offset = place.offset
        for value in instruction.inputs:
            if self.places[value.id] != Place(place.workspace, offset):
                return False
            offset += bytes_of(value, 0)
        return True

    def __str__(self) -> str:
        lines = [self.title, f"  {'part':<10} {'offset':>10} {'bytes':>10}  {'needed':<13} value"]
        for part, offset, size, needed, name, type_ in self.rows():
            lines.append(f"  {part:<10} {offset:>10} {size:>10}  {needed:<13} {name}: {type_}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return view(self.title, table(("part", "offset", "bytes", "needed", "value", "type"), self.rows()))

    @property
    def title(self) -> str:
        """The sizes in a line."""
        return (
            f"plan for blocks of up to {self.capacity} rows: {self.persistent_bytes} bytes persist, "
            f"{self.workspace_bytes} bytes of workspace"
        )

    def rows(self) -> list[tuple[str, int, int, str, str, str]]:
        """Of each value: part of the arena, offset, bytes, the instructions between which it is needed, name, type."""
        rows = []
        for value in self.program.values:
            place = self.places[value.id]
            first, last = self.live.get(value.id, (-1, -1))
            needed = f"{first}..{last}" if value.id in self.live else "always"
            part = "workspace" if place.workspace else "persistent"
            size = bytes_of(value, self.capacity)
            rows.append((part, place.offset, size, needed, value.name, str(value.type)))
        return rows


def bytes_of(value: Value, n_rows: int) -> int:
    """The bytes of a value in the arena when the block has `n_rows` rows."""
    return SPARSE_BYTES if value.type.sparse else value.type.size(n_rows) * ITEMSIZE[value.dtype]


def layout(program: Program) -> tuple[dict[str, int], int]:
    """The byte offsets of the persistent leaves by name, and their total: regions in order, without padding."""
    offsets: dict[str, int] = {}
    end = 0
    for value in program.region(*PERSISTENT):
        item = ITEMSIZE[value.dtype]
        offsets[value.name] = end = -(-end // item) * item
        end += bytes_of(value, 0)
    return offsets, end


@dataclass
class _Storage:
    """Memory of one or several values: its size, and the instructions between which it is needed."""

    bytes: int
    first: int
    last: int
    offset: int = 0


@dataclass(frozen=True)
class _Spot:
    """The place of a value before storages have offsets: bytes from the start of its storage."""

    storage: _Storage
    delta: int


def plan(
    program: Program,
    capacity: int,
    persistent: tuple[Mapping[str, int], int] | None = None,
    *,
    share: bool = True,
    compact: bool = False,
) -> Plan:
    """Assign a place to every value, for blocks of up to `capacity` rows.

    A program that shares its parameters with another is given the `layout` of their `persistent` leaves; the default is
    its own. ``share=False`` gives every value its own memory. That is slower and larger, and the oracle for the real
    plan. ``compact=True`` is for machines with little memory: values share it however small the workspace is, and lie
    side by side without padding.
    """
    offsets, persistent_bytes = persistent or layout(program)
    places = {value.id: Place(False, offsets[value.name]) for value in program.region(*PERSISTENT)}
    spots, live = _spots(program, capacity, places, packed=share, in_place=False)
    alignment = ITEMSIZE[program.dtype] if compact else ALIGNMENT
    workspace_bytes = _allocate(spots, alignment, reuse=False)
    if share and (compact or workspace_bytes > ROOMY):
        spots, live = _spots(program, capacity, places, packed=True, in_place=True)
        workspace_bytes = _allocate(spots, alignment, reuse=True)
    places.update({key: Place(True, spot.storage.offset + spot.delta) for key, spot in spots.items()})
    return Plan(program, capacity, places, live, persistent_bytes, workspace_bytes)


def _spots(
    program: Program, capacity: int, places: dict[int, Place], *, packed: bool, in_place: bool
) -> tuple[dict[int, _Spot], dict[int, tuple[int, int]]]:
    """Assign a storage to every value of the workspace. Persistent aliases go directly into `places`."""
    last_use = _last_uses(program)
    members = _pack_members(program) if packed else {}
    packs: dict[int, _Storage] = {}
    spots: dict[int, _Spot] = {}
    for value in program.region("slots", "inputs"):
        spots[value.id] = _Spot(_Storage(bytes_of(value, capacity), -1, last_use.get(value.id, -1)), 0)
    for index, instruction in enumerate(program.instructions):
        out = instruction.output
        if out is None:
            continue
        op, last = OPS[instruction.op], last_use.get(out.id, index)
        if op.alias:
            source = instruction.inputs[0]
            delta = int(instruction.attrs.get("offset", 0)) * ITEMSIZE[out.dtype]  # type: ignore[arg-type]
            if source.id in places:
                places[out.id] = Place(False, places[source.id].offset + delta)
                continue
            spots[out.id] = _Spot(spots[source.id].storage, spots[source.id].delta + delta)
        elif out.id in packs:
            spots[out.id] = _Spot(packs[out.id], 0)
        elif out.id in members:
            pack, delta = members[out.id]
            storage = packs.setdefault(pack.id, _Storage(bytes_of(pack, capacity), index, index))
            spots[out.id] = _Spot(storage, delta)
        else:
            reused = _reusable(instruction.inputs, op.in_place, out, index, spots, last_use) if in_place else None
            spots[out.id] = _Spot(reused or _Storage(bytes_of(out, capacity), index, last), 0)
        storage = spots[out.id].storage
        storage.last = max(storage.last, last)
    live = {key: (spot.storage.first, spot.storage.last) for key, spot in spots.items()}
    return spots, live


def _last_uses(program: Program) -> dict[int, int]:
    """The index of the last instruction that reads each value itself. Outputs outlive the program.

    Reading an alias of a value extends the life of their storage (`_Storage.last`), not that of the value.
    """
    end = len(program.instructions)
    last = {value.id: end for value in program.outputs.values()}
    for index in range(end - 1, -1, -1):
        instruction = program.instructions[index]
        for value in instruction.inputs:
            last.setdefault(value.id, index)
    return last


def _pack_members(program: Program) -> dict[int, tuple[Value, int]]:
    """Values that can be computed where a later `pack` puts them: id -> (output of the pack, byte offset)."""
    movable = {
        i.output.id for i in program.instructions if i.output is not None and i.op != "pack" and not OPS[i.op].alias
    }
    members: dict[int, tuple[Value, int]] = {}
    for instruction in program.instructions:
        if instruction.op != "pack" or instruction.output is None:
            continue
        delta = 0
        for value in instruction.inputs:
            if value.id in movable and value.id not in members:
                members[value.id] = (instruction.output, delta)
            delta += bytes_of(value, 0)
    return members


def _reusable(
    inputs: tuple[Value, ...],
    positions: tuple[int, ...],
    out: Value,
    index: int,
    spots: Mapping[int, _Spot],
    last_use: Mapping[int, int],
) -> _Storage | None:
    """The storage of an input that the output may reuse: of the same size, and not needed afterwards."""
    for position in positions:
        value = inputs[position]
        spot = spots.get(value.id)
        if spot is None or spot.delta or value.type.sparse:
            continue
        same_type = value.type == out.type
        last_reader = spot.storage.last == index and last_use.get(value.id) == index
        alone = all(
            other is value or other.id not in spots or spots[other.id].storage is not spot.storage for other in inputs
        )
        if same_type and last_reader and alone and spot.storage.first >= 0:
            return spot.storage
    return None


def _allocate(spots: Mapping[int, _Spot], alignment: int, *, reuse: bool) -> int:
    """Give each storage an offset: one after another or, with reuse, largest first at the lowest free offset.

    Offsets are multiples of `alignment` bytes.
    """
    storages = list({id(spot.storage): spot.storage for spot in spots.values()}.values())
    if not reuse:
        end = 0
        for storage in storages:
            storage.offset = end
            end = -(-(end + storage.bytes) // alignment) * alignment
        return end
    placed: list[_Storage] = []
    end = 0
    for storage in sorted(storages, key=lambda s: (-s.bytes, s.first)):
        offset = 0
        for other in placed:
            if offset + storage.bytes <= other.offset:  # and so for all that follow
                break
            if storage.first <= other.last and other.first <= storage.last:
                offset = max(offset, -(-(other.offset + other.bytes) // alignment) * alignment)
        storage.offset = offset
        end = max(end, offset + storage.bytes)
        insort(placed, storage, key=lambda s: s.offset)
    return end
