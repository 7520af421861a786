# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the set-up screen's page of a device: its state, VERIFY and FORMAT UNIT."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tests.model.formatting import MINUTE, FormatDisk
from tests.model.nvram_blocks import DISCONNECTS, Card, Target
from tests.model.target import Answer, Disk, blocks_of, cd_rom
from tests.rom.setup_user import (DATA, DOWN, ENTER, ESC, LIST, MINUS, NOTE, PLUS, STATE, UP, WORK, Script, change, chosen,
                                  discard, enter, go_to, row, rows, use)
from tests.rom.strict import SECOND
from tests.rom.test_setup import DEVICE, machine, quick_eeprom

READ_CAPACITY10, READ10, VERIFY10, FORMAT_UNIT = 0x25, 0x28, 0x2F, 0x04
TURN = SECOND // 60
DISK, TAPE, CD, OPTICAL = 0, 1, 5, 7
NAME = "STRICT DISK"
UNREADABLE = (3, 0x11, 0, True)    # sense data, VALID


def typed(text: str) -> list[int]:
    return [ord(c) for c in text]


def on_device(*then) -> Script:
    """Open the page of ID 3, do the steps, and leave."""
    def script(screen):
        yield from enter(screen, *DEVICE)
        for step in then:
            yield from step(screen)
        yield from discard(screen)
    return script


def verifies(disk: Disk) -> list[tuple[int, int]]:
    return [blocks_of(cdb) for cdb in disk.commands if cdb[0] == VERIFY10]


def without_disc() -> Disk:
    drive = cd_rom()
    drive.take_out()
    return drive


# ---- State -------------------------------------------------------------------------------


@pytest.mark.parametrize("device, state, sense", [
    (Disk(blocks=8_000_000), "ready, 3906 MiB, blocks of 512, asynchronous, 8 bits", ""),
    (Disk(block_bytes=4096, blocks=1000), "ready, 3 MiB, blocks of 4096, asynchronous, 8 bits", ""),
    (Disk(blocks=1 << 33), "ready, 4194304 MiB, blocks of 512, asynchronous, 8 bits", ""),
    (without_disc(), "no medium, 0 MiB, blocks of 0, asynchronous, 8 bits", "sense: not ready 3a/00"),
], ids=["disk", "large blocks", "4 TiB", "empty CD drive"])
def test_state(device, state, sense):
    def check(screen):
        assert screen.lines[STATE:STATE + 2] == [state, sense]
        yield ESC
    use(machine(targets={3: device}), on_device(check))


def test_page_of_an_id_without_device():
    def check(screen):
        assert screen.lines[DATA] == "ID 3    no device"
        assert screen.lines[STATE] == ""
        yield from enter(screen, "Format")
        assert screen.lines[WORK] == ""
        yield from enter(screen, "Verify")
        assert screen.lines[NOTE] == "No blocks"
    use(machine(targets={0: Disk()}), on_device(check))


def test_device_that_the_settings_leave_out():
    card = Card(targets={i: Target(flags=DISCONNECTS) for i in (3, 6)})

    def check(screen):
        assert screen.lines[DATA:STATE + 1] == ["ID 3    not scanned", ""]
        yield from change(screen, "Scan", PLUS)
        assert screen.lines[DATA] == "ID 3    not scanned", "the scan is over"
        yield ESC
        assert rows(screen)[2:8] == ["  ID 2  no device", "> ID 3  not scanned", "  ID 4  no device", "  ID 5  no device",
                                     "  ID 6  not scanned", "  ID 7  controller"]
        yield ESC
        yield from change(screen, "Host ID", MINUS)
        assert row(screen, "Host ID") == "5", "6 may be that of a device"
        for wanted in "4", "2", "1", "15":
            yield MINUS
            assert row(screen, "Host ID") == wanted
    use(machine(targets={0: Disk(), 3: Disk()}, eeprom=quick_eeprom(card)), on_device(check))


def test_host_id_stays_if_no_target_is_scanned():
    card = Card(targets={i: Target(flags=0) for i in range(16)})

    def script(screen):
        yield from enter(screen, "53C895A")
        yield from change(screen, "Host ID", PLUS)
        assert row(screen, "Host ID") == "7"
        yield from discard(screen)
    use(machine(eeprom=quick_eeprom(card)), script)


class Uninitialised(Disk):
    """A disk that needs FORMAT UNIT: only the capacity is not known."""

    def _read_capacity(self, cdb: bytes) -> Answer:
        return self.check(3, 0x31)

    COMMANDS: ClassVar[dict] = {**Disk.COMMANDS, READ_CAPACITY10: _read_capacity}


@pytest.mark.parametrize("device, state, sense", [
    (Uninitialised(), "medium error, 0 MiB, blocks of 0, asynchronous, 8 bits", "sense: medium error 31/00"),
    (Disk(type=TAPE, unsupported={READ_CAPACITY10}), "ready, 0 MiB, blocks of 0, asynchronous, 8 bits", ""),
], ids=["not formatted", "tape"])
def test_device_without_capacity_is_not_verified(device, state, sense):
    """Nothing of a device that was shown before is left."""
    def check(screen):
        yield ESC
        yield from enter(screen, "ID 0")
        assert screen.lines[STATE].endswith("blocks of 4096, asynchronous, 8 bits")
        yield ESC
        yield from enter(screen, "ID 3")
        assert screen.lines[STATE:STATE + 2] == [state, sense]
        yield from enter(screen, "Verify")
        assert (screen.lines[WORK], screen.lines[NOTE]) == ("", "No blocks")
    use(machine(targets={0: Disk(block_bytes=4096), 3: device}), on_device(check))
    assert not verifies(device)


@pytest.mark.parametrize("kind, formats", [(DISK, True), (TAPE, False), (CD, False), (OPTICAL, False)])
def test_only_a_disk_can_be_formatted(kind, formats):
    device = Disk(type=kind, block_bytes=2048)

    def check(screen):
        yield from go_to(screen, "Format")
        yield UP
        assert screen.colours(screen.lines.index("  Format")) == {0x0F if formats else 0x07}
        yield DOWN
        yield ENTER
        assert screen.lines[WORK].startswith("Type the name") == formats
        if formats:
            yield ESC
        yield from enter(screen, "Verify")
        assert screen.lines[NOTE] == ("No blocks" if kind == TAPE else "Done")
        if kind != TAPE:
            yield ENTER
    use(machine(targets={3: device}), on_device(check))


# ---- Verify ------------------------------------------------------------------------------


def verify(disk: Disk, result: str, list_: str = "", note: str = "Done") -> None:
    def check(screen):
        yield from enter(screen, "Verify")
        assert (screen.lines[WORK], screen.lines[LIST], screen.lines[NOTE]) == (result, list_, note)
        yield ENTER
        assert screen.lines[WORK] == ""
    use(machine(targets={3: disk}), on_device(check))


def test_verify_covers_all_blocks_once():
    disk = Disk(blocks=3 * 4096 + 7)
    verify(disk, "Verified 100 %; bad (hex): 0")
    at = 0
    for lba, count in verifies(disk):
        assert lba == at
        at += count
    assert at == disk.blocks


def test_verify_lists_bad_blocks():
    bad = dict.fromkeys((0, 5, 4095, 4096, 9000), UNREADABLE)
    verify(Disk(blocks=10_000, bad_blocks=bad), "Verified 100 %; bad (hex): 5",
           " ".join(f"{lba:08x}" for lba in sorted(bad)))


def test_verify_lists_the_first_eight():
    bad = dict.fromkeys(range(100, 120, 2), UNREADABLE)
    verify(Disk(blocks=1000, bad_blocks=bad), "Verified 100 %; bad (hex): 10",
           " ".join(f"{lba:08x}" for lba in sorted(bad)[:8]))


def test_verify_without_the_number_of_the_block():
    """Sense data without VALID: the commands become small."""
    disk = Disk(blocks=6000, bad_blocks=dict.fromkeys((1234, 1235), (3, 0x11, 0, False)))
    verify(disk, "Verified 100 %; bad (hex): 2", "000004d2 000004d3")
    assert len(verifies(disk)) < 200


def test_any_key_stops_verify():
    disk = Disk(blocks=4096 * 1000)
    pc = machine(targets={3: disk})

    def check(screen):
        yield from go_to(screen, "Verify")
        pc.bios.type_after(pc, SECOND, 0x3920)
        yield ENTER
        assert (screen.lines[WORK], screen.lines[NOTE]) == ("", "")
        assert 1 < len(verifies(disk)) < 900
    use(pc, on_device(check))


@pytest.mark.parametrize("key", [ENTER, ESC])
def test_key_that_stops_verify_does_nothing_else(key):
    disk = Disk(blocks=4096 * 1000)
    pc = machine(targets={3: disk})

    def check(screen):
        yield from go_to(screen, "Verify")
        pc.bios.type_after(pc, SECOND, key)
        yield ENTER
        assert chosen(screen) == "Verify"
        assert [lba for lba, _ in verifies(disk)].count(0) == 1
    use(pc, on_device(check))


@pytest.mark.parametrize("block_bytes", [512, 2048, 4096])
def test_piece_of_verify_is_2_mib(block_bytes):
    disk = Disk(block_bytes=block_bytes, blocks=(16 << 20) // block_bytes)
    verify(disk, "Verified 100 %; bad (hex): 0")
    assert max(count for _, count in verifies(disk)) * block_bytes == 2 << 20


@pytest.mark.parametrize("block_bytes", [1, 1 << 30])
def test_verify_of_blocks_of_an_absurd_size(block_bytes):
    disk = Disk(block_bytes=block_bytes, blocks=20_000, bad_blocks={100: UNREADABLE})
    verify(disk, "Verified 100 %; bad (hex): 1", "00000064")
    assert sum(count for lba, count in verifies(disk) if lba > 100) == 20_000 - 101


class Slow(Disk):
    """A disk without VERIFY that turns once for each block."""

    def transfer(self, bus, cdb, answer):
        if cdb[0] == READ10:
            yield from self.disconnect(save=False, ns=TURN)
        yield from super().transfer(bus, cdb, answer)


def test_disk_without_verify_is_stopped_within_seconds():
    disk = Slow(unsupported={VERIFY10})
    pc = machine(targets={3: disk})

    def check(screen):
        yield from go_to(screen, "Verify")
        begin = pc.chip.now
        pc.bios.type_after(pc, SECOND, 0x3920)
        yield ENTER
        assert screen.lines[WORK] == ""
        assert pc.chip.now - begin < 4 * SECOND
    use(pc, on_device(check))


def test_verify_ends_at_another_error():
    disk = Disk(blocks=4096 * 4)
    disk.status_hook = lambda cdb: disk.check(5, 0x21) if cdb[0] == VERIFY10 and blocks_of(cdb)[0] > 5000 else None
    verify(disk, "Verified 20 %; bad (hex): 0", note="command failed")


# ---- Format ------------------------------------------------------------------------------


def format_(disk: Disk, name: str, *checks) -> None:
    def check(screen):
        yield from enter(screen, "Format")
        assert screen.lines[WORK] == "Type the name and Enter:"
        yield from typed(name)
        for wanted in checks:
            yield from wanted(screen)
    use(machine(targets={3: disk}), on_device(check))


def ends_with(note: str):
    def check(screen):
        assert screen.lines[NOTE] == note
        yield ENTER
        assert screen.lines[WORK] == ""
    return check


def test_format_after_the_name_was_typed():
    disk = FormatDisk(format_ns=MINUTE)

    def confirm(screen):
        assert screen.lines[WORK] == f"Type the name and Enter: {NAME}"
        yield ENTER
        assert screen.lines[WORK].startswith("Formatting, ")
        assert screen.lines[NOTE] == "Done"
        yield ENTER
        assert screen.lines[STATE].startswith("ready, 32 MiB")
    format_(disk, NAME, confirm)
    assert (disk.formatted, disk.damaged) == (1, False)


def test_key_pressed_during_format_does_not_hide_its_result():
    disk = FormatDisk(format_ns=MINUTE)
    pc = machine(targets={3: disk})

    def check(screen):
        yield from enter(screen, "Format")
        yield from typed(NAME)
        pc.bios.type_after(pc, SECOND, 0x3920)
        pc.bios.type_after(pc, 2 * SECOND, ENTER)
        yield ENTER
        yield from ends_with("Done")(screen)
    use(pc, on_device(check))
    assert disk.formatted == 1


@pytest.mark.parametrize("name", ["STRICT DISC", "X", "strict disk", "STRICT DISK "])
def test_wrong_name_formats_nothing(name):
    disk = FormatDisk()
    short = next(i for i in range(1, len(name) + 1) if name[:i] != NAME[:i])

    def check(screen):
        assert screen.lines[WORK] == ""
        yield ESC
    format_(disk, name[:short], check)
    assert FORMAT_UNIT not in [cdb[0] for cdb in disk.commands]


@pytest.mark.parametrize("key", [ENTER, ESC])
def test_name_that_is_not_complete_formats_nothing(key):
    disk = FormatDisk()

    def check(screen):
        yield key
        assert screen.lines[WORK] == ""
    format_(disk, NAME[:-1] if key == ENTER else NAME, check)
    assert FORMAT_UNIT not in [cdb[0] for cdb in disk.commands]


def test_format_of_a_reserved_disk():
    def confirm(screen):
        yield ENTER
        yield from ends_with("reserved by another host")(screen)
    disk = FormatDisk()
    pc = machine(targets={3: disk})

    def check(screen):
        disk.reserved = True
        yield from enter(screen, "Format")
        yield from typed(NAME)
        yield from confirm(screen)
    use(pc, on_device(check))
    assert disk.formatted == 0


def test_format_that_is_refused():
    def confirm(screen):
        yield ENTER
        yield from ends_with("command failed")(screen)
    format_(FormatDisk(refusal=(7, 0x27, 0)), NAME, confirm)


def test_format_that_fails_half_way():
    disk = FormatDisk(format_ns=MINUTE, fails=(3, 0x31, 1))

    def confirm(screen):
        yield ENTER
        assert screen.lines[NOTE] not in ("", "Done")
        yield ENTER
    format_(disk, NAME, confirm)
    assert disk.formatted == 0


def test_format_without_immed():
    disk = FormatDisk(format_ns=MINUTE, immediate="rejected")

    def confirm(screen):
        yield ENTER
        yield from ends_with("Done")(screen)
    format_(disk, NAME, confirm)
    assert disk.formatted == 1
