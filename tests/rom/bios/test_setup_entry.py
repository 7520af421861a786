# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: who offers the set-up screen, when, and how long POST waits for its key; several
controllers on it.
"""

from __future__ import annotations

import pytest

from tests.build import ROM_EPROM
from tests.model.bios import Bios
from tests.model.bios_services import Rebooted
from tests.model.devices import FwCfg
from tests.model.eeprom import Eeprom
from tests.model.multi_pc import MultiControllerPc
from tests.model.nvram_blocks import BOOTS, Card as Block, Own, image
from tests.model.pc import Pc
from tests.model.target import Disk
from tests.rom.bios.multi_controller import BRIDGES, card_at
from tests.rom.setup_user import (CTRL_C, ESC, KEY_S, LOCKED, MINUS, PLUS, REASON, TITLE, change, chosen, discard,
                                  enter, go_to, rows, save, use)
from tests.rom.strict import SECOND
from tests.rom.test_setup import machine, quick_eeprom

OFFER = ", S: set-up"


def sent(pc) -> dict[int, list[bytes]]:
    return {i: target.commands for i, target in pc.bus.targets.items()}


def test_without_a_key_post_does_what_it_did():
    """The same commands and the same text, except for the offer."""
    plain, offering = machine(bios=Bios()), machine(bios=Bios(keyboard=True))
    for pc in (plain, offering):
        pc.power_on()
    assert offering.text.replace(OFFER, "") == plain.text != offering.text
    assert sent(offering) == sent(plain)
    assert offering.bios.screen.modes_set == 0


@pytest.mark.parametrize("window", [0, 1, 10])
def test_post_waits_as_long_as_the_settings_say(window):
    times = []
    for keyboard in (False, True):
        pc = machine("810", eeprom=Eeprom(image(Block(), Own(window=window))), bios=Bios(keyboard=keyboard))
        pc.power_on()
        times.append(pc.chip.now / SECOND)
        assert (OFFER in pc.text) == (keyboard and window > 0)
    without, waiting = times
    assert waiting < max(without, window * 2) + 1     # the model makes no wait more than twice as long
    assert waiting >= max(without, window) - 0.1


@pytest.mark.parametrize("key", [KEY_S, 0x1F53, CTRL_C], ids=["s", "S", "Ctrl-C"])
def test_keys(key):
    use(machine("810", eeprom=None), discard, key)


@pytest.mark.parametrize("key", [0x0423, 0x2E63, 0x1C0D, 0x1F13], ids=["#", "c", "Enter", "Ctrl-S"])
def test_other_keys_stay_for_the_bios(key):
    pc = machine("810", eeprom=None)
    pc.bios.keys.append((0, key))
    pc.power_on()
    assert [k for _, k in pc.bios.keys] == [key]


def test_key_in_the_last_moment_of_the_window():
    pc = machine("810", eeprom=Eeprom(image(Block(), Own(window=10))))
    pc.bios.user = lambda pc: next(steps)
    steps = discard(pc.bios.screen)
    pc.bios.keys.append((9 * SECOND, KEY_S))
    with pytest.raises(Rebooted):
        pc.power_on()


def test_qemu_does_not_wait_or_offer_unless_asked():
    for files, offered in (({}, False), ({"opt/lsi8xx-rom/setup-wait": b"2"}, True)):
        pc = machine(bios=Bios(keyboard=True), fwcfg=FwCfg(files), qemu_model=True)
        pc.power_on()
        assert (OFFER in pc.text) == offered


def test_qemu_takes_the_key_all_the_same():
    def script(screen):
        assert screen.lines[REASON] == LOCKED + "none"
        yield from discard(screen)
    use(machine(fwcfg=FwCfg({}), qemu_model=True), script)


def test_rom_for_an_eprom_of_32_kib_has_no_screen():
    """It obeys the settings all the same."""
    pc = Pc(ROM_EPROM, "895A", eeprom=Eeprom(image(Block(host_id=5))), bios=Bios(keyboard=True))
    pc.bus.targets = {0: Disk()}
    pc.bios.keys.append((0, KEY_S))
    pc.power_on()
    assert "host ID 5, 1 disk" in pc.text
    assert [key for _, key in pc.bios.keys] == [KEY_S]


# ---- Several controllers -----------------------------------------------------------------


def two() -> MultiControllerPc:
    cards = [card_at(0, "895A", (0, 3), eeprom=quick_eeprom()), card_at(1, "810", (1,), eeprom=quick_eeprom())]
    return MultiControllerPc(cards[0].rom, cards=cards, bridges=BRIDGES, one_for_all=True, bios=Bios(keyboard=True))


def test_second_copy_offers_nothing_and_leaves_the_key_to_the_bios():
    pc = two()
    pc.bios.others = lambda pc, copies: pc.bios.keys.append((0, KEY_S)) if copies == 1 else None
    pc.power_on()
    first, second = (line for line in pc.text.splitlines() if "host ID" in line)
    assert OFFER in first and OFFER not in second
    assert [key for _, key in pc.bios.keys] == [KEY_S]


def test_all_controllers_are_listed_and_keep_their_own_settings():
    pc = two()

    def script(screen):
        assert rows(screen) == ["> 53C895A at PCI 00:04.0 c000  0   blank    1",
                                "  53C810 at PCI 00:05.0  c100  0   blank    2", "  All controllers"]
        for chip, ids, keys in (("53C895A", ["ID 0", "ID 3"], [MINUS]), ("53C810", ["ID 1"], [MINUS, MINUS])):
            yield from enter(screen, chip, "Devices")
            assert screen.lines[TITLE].split(": ")[1].startswith(f"devices of {chip}")
            found = [line[2:6] for line in rows(screen) if "BENCH" in line]
            assert found == ids
            yield ESC
            yield from change(screen, "Host ID", *keys)
            yield ESC
        yield from save(screen)
    use(pc, script)
    assert [card.eeprom.content[0x100 + 20] for card in pc.cards] == [6, 5]


def hosts(eeprom: Eeprom) -> list[tuple[int, bool]]:
    """PCI address, and whether it boots, in boot order"""
    entries = [eeprom.content[0x11A + 14 * i:0x128 + 14 * i] for i in range(4)]
    return [(entry[6] << 8 | entry[7], bool(entry[10] & BOOTS)) for entry in entries if entry[0]]


def check_order(screen, *wanted: str) -> None:
    assert [line[2:9].strip() for line in rows(screen)[:2]] == [*wanted]


def test_boot_order_is_changed_in_both():
    pc = two()
    first, second = "53C895A", "53C810"

    def script(screen):
        for label, key, order in ((first, PLUS, (second, first)), (first, MINUS, (first, second)),
                                  (second, MINUS, (second, first))):
            yield from go_to(screen, label)
            for _ in range(2):      # it cannot go further
                yield key
                assert chosen(screen).startswith(label)
                check_order(screen, *order)
        yield from save(screen)
    use(pc, script)
    for card in pc.cards:
        assert hosts(card.eeprom) == [(0x28, True), (0x20, True)]

    def again(screen):
        check_order(screen, second, first)
        yield from discard(screen)
    use(pc, again)


@pytest.mark.parametrize("page, label, written", [
    ("53C810", "Boots", ([(0x20, True), (0x28, False)], 5)),
    ("All controllers", "CD menu", ([(0x20, True), (0x28, True)], 6))], ids=["boots", "shared"])
def test_change_that_concerns_all_is_written_to_both(page, label, written):
    pc = two()

    def script(screen):
        yield from enter(screen, page)
        yield from change(screen, label, PLUS)
        yield ESC
        assert rows(screen)[1].endswith(" no") == (label == "Boots")
        yield from save(screen)
    use(pc, script)
    assert [(hosts(card.eeprom), card.eeprom.content[0x300 + 10]) for card in pc.cards] == [written] * 2


def test_second_controller_can_be_the_only_one_with_an_nvram():
    pc = two()
    pc.cards[0].eeprom = None
    pc.cards[0].chip.plug_eeprom(None)

    def script(screen):
        assert screen.lines[REASON] == ""
        yield from enter(screen, "53C895A")
        assert screen.lines[REASON] == LOCKED + "none"
        yield ESC
        yield from enter(screen, "53C810")
        assert screen.lines[REASON] == ""
        yield from change(screen, "Host ID", MINUS)
        yield from save(screen)
    use(pc, script)
    assert pc.cards[1].eeprom.content[0x100 + 20] == 6
