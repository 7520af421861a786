# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: what the set-up screen does with settings that are stored: it obeys them on the bus, "Defaults" keeps what
is not the ROM's, and a NVRAM that fails loses nothing.
"""

from __future__ import annotations

import pytest

from tests.model.eeprom import Faults
from tests.model.nvram_blocks import AVOID_RESET, BOOTS, NONE, PARITY, Card, Host, Own, Target
from tests.model.target import Disk
from tests.rom.bios.stored_settings import KEY_D, counting_resets
from tests.rom.bios.test_setup_entry import two
from tests.rom.setup_user import (ENTER, ESC, LOCKED, NOTE, PLUS, REASON, STATE, change, discard, enter,
                                  first_page, row, rows, save, use)
from tests.rom.test_setup import (CARD_FLAGS2, CARD_REMOVABLE, CONTROLLER, HERE, HOST_ID, TARGETS_AT, machine,
                                  quick_eeprom, stored)

DEVICES = (HERE, "Devices")
OPAQUE = {"termination": 1, "boot_crc": 0x89ABCDEF, "spare": bytes(range(1, 153)), "flags": 0x8000 | PARITY,
          "flags1": 0x80, "flags2": 0x40, "counts": (4, 16, 3, 2)}


# ---- The bus -----------------------------------------------------------------------------


@pytest.mark.parametrize("flags2, times", [(0, 1), (AVOID_RESET, 0)], ids=["reset", "avoided"])
def test_page_of_devices_resets_the_bus_as_the_settings_say(flags2, times):
    pc = machine(eeprom=quick_eeprom(Card(flags2=flags2)))
    resets = counting_resets(pc)

    def script(screen):
        resets.clear()
        yield from enter(screen, *DEVICES)
        assert len(resets) == times
        assert [line[2:6] for line in rows(screen) if "BENCH" in line] == ["ID 0", "ID 3"]
        yield from enter(screen, "ID 3")
        assert "ready, 32 MiB" in screen.lines[STATE]
        yield from discard(screen)
    use(pc, script)


def test_host_id_that_is_a_devices_can_be_mended():
    """With D, POST uses 7; so does the set-up screen."""
    pc = machine(eeprom=quick_eeprom(Card(host_id=3)))
    pc.bios.keys.append((0, KEY_D))

    def script(screen):
        yield from enter(screen, *DEVICES)
        yield ESC
        yield from change(screen, "Host ID", PLUS)
        assert row(screen, "Host ID") == "4"
        yield from save(screen)
    use(pc, script)
    assert stored(pc)[0][HOST_ID] == 4


def test_defaults_keep_the_host_id_if_a_device_has_the_usual_one():
    pc = machine(eeprom=quick_eeprom(Card(host_id=4)), targets={0: Disk(), 7: Disk()})

    def script(screen):
        yield from enter(screen, *DEVICES)
        yield ESC
        yield from enter(screen, "Defaults", "Devices")
        yield ESC
        assert row(screen, "Host ID") == "4"
        yield from save(screen)
    use(pc, script)
    assert stored(pc)[0][HOST_ID] == 4


def test_defaults_of_a_device_leave_the_bus_as_it_is():
    pc = machine(eeprom=quick_eeprom(Card(targets={3: Target(timeout=60)})))
    resets = counting_resets(pc)

    def script(screen):
        yield from enter(screen, *DEVICES, "ID 3")
        resets.clear()
        yield from enter(screen, "Defaults")
        assert row(screen, "Time-out") == "10 s"
        yield from enter(screen, "Verify")
        assert "Done" in screen.lines[NOTE]
        yield ESC
        yield ESC
        assert "BENCH" in next(line for line in rows(screen) if line[2:].startswith("ID 3"))
        assert not resets
        yield from discard(screen)
    use(pc, script)


def test_without_parity_no_target_may_disconnect():
    pc = machine(eeprom=quick_eeprom(Card(flags=0, targets={3: Target(flags=0x0F)})))
    pc.power_on()
    assert not any(message[0] & 0x40 for target in pc.bus.targets.values() for message in target.messages)


# ---- Defaults ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CONTROLLER, ("All controllers",)], ids=["controller", "all"])
def test_defaults_keep_what_is_not_on_the_screen(path):
    card = Card(removable=NONE, host_id=5, targets={3: Target(timeout=60, flags=0)}, hosts=[Host(flags=0x8000)], **OPAQUE)
    pc = machine(eeprom=quick_eeprom(card, Own(boot_timeout=9)))
    before = stored(pc)[0]
    pc.bios.keys.append((0, KEY_D))

    def script(screen):
        yield from enter(screen, *path)
        yield from enter(screen, "Defaults")
        yield from save(screen)
    use(pc, script)
    after = stored(pc)[0]
    sum_, flags, first_host, width, offset = {4, 5}, {12}, set(range(26, 40)), 2, 3
    targets = {TARGETS_AT + 8 * i + at for i in range(16) for at in (width, offset)} | {TARGETS_AT + 24, TARGETS_AT + 30}
    assert ({i for i in range(362) if before[i] != after[i]}
            <= sum_ | flags | first_host | targets | {HOST_ID, CARD_REMOVABLE})
    assert (after[HOST_ID], after[CARD_REMOVABLE], after[CARD_FLAGS2]) == (7, 2, 0x40)
    assert after[TARGETS_AT + 8 * 3] == 0x07    # the tags are an operating system's
    assert after[12 + 1] == 0x80 and after[26 + 10] & BOOTS


def test_controller_that_is_off_boots_again_by_defaults():
    pc = machine(eeprom=quick_eeprom(Card(hosts=[Host(flags=0)])))
    pc.bios.keys.append((0, KEY_D))

    def script(screen):
        assert rows(screen)[0].endswith(" no")
        yield from enter(screen, HERE, "Defaults")
        yield ESC
        assert rows(screen)[0].endswith(" 1")
        yield from discard(screen)
    use(pc, script)


def test_entry_of_another_chip_at_the_same_place_is_not_obeyed():
    """POST does not obey it either."""
    pc = machine(eeprom=quick_eeprom(Card(hosts=[Host(device=0x000F, flags=0)])))

    def script(screen):
        assert rows(screen)[0].endswith(" 1")
        yield from discard(screen)
    use(pc, script)


# ---- A NVRAM that fails ------------------------------------------------------------------


def test_settings_that_cannot_be_read_are_not_written_over():
    """They are valid, and the chip answers again when the user would save."""
    pc = machine(eeprom=quick_eeprom(Card(host_id=5, removable=NONE), Own(scan_delay=1)))
    before = stored(pc)
    begin = pc.bios.screen.set_mode

    def silence(mode: int) -> None:
        pc.eeprom.faults = Faults(silent_from_clock=pc.eeprom.clocks + 60)
        begin(mode)
    pc.bios.screen.set_mode = silence

    def script(screen):
        assert screen.lines[REASON] == LOCKED + "stuck"
        pc.eeprom.faults = Faults()
        yield from enter(screen, *CONTROLLER)
        yield from change(screen, "Avoid", PLUS)
        yield from save(screen)
    use(pc, script)
    assert stored(pc) == before


def test_card_that_cannot_be_written_does_not_keep_others_from_it():
    pc = two()
    pc.cards[0].eeprom.faults = Faults(write_protected=True)

    def script(screen):
        yield from enter(screen, "All controllers")
        yield from change(screen, "CD menu", PLUS)
        yield ESC
        yield ESC
        yield from enter(screen, "Save")
        assert screen.lines[NOTE].startswith("NOT SAVED: reads back wrong")
        yield from first_page(screen)
        assert [" blank " in line for line in rows(screen)[:2]] == [True, False]
        pc.cards[0].eeprom.faults = Faults()
        yield ESC
        yield ENTER
    use(pc, script)
    assert [card.eeprom.content[0x300 + 10] for card in pc.cards] == [6, 6]
