# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Random dialogues (tests/rom/fuzz_dialogues.py) and devices with random answers
(tests/rom/hostile_devices.py) with lsi/ and scsi/ on x86-64. The laws:

- OK only if COMMAND COMPLETE ended the command. `status` is the last status that the
  target sent (FFh counts as none), and `moved` is where the last data ended by the pointers of SCSI-2. Data
  beyond the end, or after the status, is an overrun, and `moved` is less certain.
- The buffer has what the pointers imply, and other bytes are unchanged. No byte is
  invented for the target.
- The command ends in time, and the next one works, perhaps at the second try.
- SCSI_OK only if the blocks have arrived.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from tests.model.bus import MSG_IN, Bus
from tests.model.target import READ10, WRITE10
from tests.native.machine import FILL, OTHER, SECOND, SECTOR, Machine, Outcome
from tests.native.native import DATA_IN, read10, write10
from tests.native.test_native import scsi_result
from tests.rom.fuzz_dialogues import Talker
from tests.rom.hostile_devices import device

CHIPS = ["895A", "810", "1010-33", "896"]
SEEDS, LONG_SEEDS, DIALOGUES, READS = 6, 150, 40, 8
LIMIT_MS = 500
NO_STATUS = 0xFF
TRIES = 3
MOST_NS = 120 * SECOND  # of a command with all its tries, each with a time limit of 10 s


class Speaker(Talker):
    """Sends whole messages only: whatever follows a part of one is its rest."""

    def _part_of_message(self, bus: Bus) -> Iterator:
        yield MSG_IN, bytes([1, 3, 1, 25, 15])


def dialogue(machine: Machine, talker: Talker, chance: random.Random) -> None:
    reads, count = chance.random() < 0.5, chance.choice([1, 1, 2, 3, 3, 8])
    lba, data = chance.randrange(50_000), chance.randbytes(count * SECTOR)
    talker.begin(chance, (read10 if reads else write10)(lba, count), data)
    assert talker.wanted_cdb[0] == (READ10 if reads else WRITE10)
    outcome = (machine.read(lba, count, timeout_ms=LIMIT_MS) if reads
               else machine.write(data, lba, timeout_ms=LIMIT_MS))
    talker.armed = False
    if outcome.result == "OK":
        check_moved(machine, outcome, talker, machine.data() if reads else None)
    for target in (OTHER, 0):
        check_usable(machine, target)


def check_usable(machine: Machine, target: int) -> None:
    """With a few tries: a target that has left the bus may still come back."""
    for _ in range(TRIES):
        machine.no_attentions()
        outcome = machine.read(7, 2, target)
        if outcome.result == "OK":
            break
    assert outcome == Outcome("OK", 2 * SECTOR)
    assert machine.data() == machine.stored(7, 2, target)


def check_moved(machine: Machine, outcome: Outcome, talker: Talker, buffer: bytes | None) -> None:
    attempt, = talker.attempts
    pointers = attempt.pointers
    assert attempt.complete
    assert attempt.status == NO_STATUS or outcome.status == machine.status_of(attempt.status)
    events = [event.split(" [")[0] for event in attempt.story]
    if outcome.overrun:     # data after the status does not count, but moves the pointers
        return
    assert outcome.moved <= pointers.reach and not pointers.excess
    after_status = events[next(i for i, event in enumerate(events) if event.startswith("status ")):]
    # RESTORE POINTERS after the status takes back what has not been saved
    assert outcome.moved == pointers.reach or "restore" in after_status
    if buffer is not None:
        assert buffer == bytes(pointers.image.get(i, FILL) for i in range(pointers.total))


def run_dialogues(seed: int, start: Callable[[str], Machine]) -> None:
    """On a machine with one of the chips"""
    chance = random.Random(f"native {seed}")
    machine = start(chance.choice(CHIPS))
    machine.bus.targets[0] = machine.disk = talker = Speaker()
    talker.attentions.clear()
    for i in range(DIALOGUES):
        try:
            dialogue(machine, talker, chance)
        except AssertionError as error:
            story = "\n".join(line for attempt in talker.attempts for line in attempt.story)
            raise AssertionError(f"seed {seed}, dialogue {i}: {error}\n{story}") from error


@pytest.mark.parametrize("seeds", [range(SEEDS),
                                   pytest.param(range(SEEDS, LONG_SEEDS), marks=pytest.mark.long)])
def test_random_dialogues(library, seeds):
    for seed in seeds:
        run_dialogues(seed, lambda variant: Machine(library, "silicon", variant, disconnects=0xFFFF * (seed % 2)))


def run_device(library, seed: int) -> None:
    chance = random.Random(f"native device {seed}")
    machine = Machine(library, "silicon", chance.choice(CHIPS), disconnects=0xFFFF * (seed % 2))
    machine.bus.targets[0] = machine.disk = target = device(chance, seed)
    for _ in range(READS):
        count = chance.choice([1, 1, 3])
        lba = chance.choice([0, 1, chance.randrange(target.blocks), target.blocks - 1]) & 0xFFFFFFFF
        length = count * target.block_bytes
        machine.prepare(read10(lba, count), DATA_IN, length)
        machine.set_data(bytes([FILL]) * length)
        begun = machine.chip.now
        if scsi_result(machine.command()) == "SCSI_OK":
            assert machine.data() == machine.stored(lba, count), f"seed {seed}"
        assert machine.chip.now - begun < MOST_NS, f"seed {seed}"
    machine.no_attentions()
    machine.check_read(5, 1, OTHER)


@pytest.mark.parametrize("seeds", [range(SEEDS),
                                   pytest.param(range(SEEDS, LONG_SEEDS), marks=pytest.mark.long)])
def test_devices_with_random_answers(library, seeds):
    for seed in seeds:
        run_device(library, seed)
