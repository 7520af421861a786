# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: settings stored in the NVRAM of the card: boot order, removable media, geometry,
what POST prints; the switches of the host, which win; the key D; several controllers; random
blocks.
"""

from __future__ import annotations

import random
from collections import deque

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import MEMORY_SIZE, NO_BBS
from tests.model.devices import FwCfg
from tests.model.eeprom import Eeprom
from tests.model.eltorito import Disc, Entry, loader
from tests.model.multi_pc import Card as PciCard
from tests.model.multi_pc import MultiControllerPc
from tests.model.nvram_blocks import (ALL, BOOT_DRIVE, BOOTS, CD_FIRST, CHS_ALTERNATE, NATIVE_BLOCKS, NONE, NOWHERE,
                                      PARITY, QUIET, SCAN_DOWN, SDMS_810, SDMS_875, VERBOSE, Card, Host, Own,
                                      image)
from tests.model.pc import Pc
from tests.model.target import Disk
from tests.native.test_settings import random_chip
from tests.rom.bios.multi_controller import BRIDGES, lines, named_disk, owners
from tests.rom.bios.one_controller import geometry
from tests.rom.bios.stored_settings import (KEY_CAPITAL_D, KEY_D, VARIANTS, booted, chip_with, counting_resets, each,
                                            long, machine, own_id, rom_of)
from tests.rom.bios.test_fw_cfg import path
from tests.rom.bios.test_geometry_switch import MIB, SDMS, blank
from tests.rom.bios.test_switches import FOLDER, boot_with_menu
from tests.rom.cd.cdboot import check_running, drive_with
from tests.rom.strict import SECOND, edd

variants = pytest.mark.parametrize("variant", VARIANTS)
DISC = Disc(Entry(loader(8), count=8, segment=0x1000))
BEGIN = "lsi8xx-rom 0.1.0: "


def ids_in_order(pc: Pc) -> list[int]:
    return [int(e.product.split()[3]) for e in pc.bios.entries]


def disks(*ids: int, **options) -> dict[int, Disk]:
    return {i: named_disk(0, i, **options) for i in ids}


# ---- Boot order of drives ------------------------------------------------------------------


@pytest.mark.parametrize("variant, boot_ids, expected", [
    ("810", [], [0, 2, 3, 5]), ("875", [3], [3, 0, 2, 5]), ("895A", [5, 0], [5, 0, 2, 3]),
    ("1010-33", [5, 3, 2, 0], [5, 3, 2, 0]), ("810", [NOWHERE, 5], [5, 0, 2, 3]), ("875", [6, 5], [5, 0, 2, 3]),
    ("895A", [2, 2], [2, 0, 3, 5]), ("1010-33", [200, 3], [3, 0, 2, 5])])
def test_boot_drives_come_first(variant, boot_ids, expected):
    pc = booted(variant, Card(), Own(boot_ids=boot_ids), disks(0, 2, 3, 5))
    assert ids_in_order(pc) == expected
    assert owners(pc) == [(0, i) for i in expected]


def test_boot_drives_come_before_the_scan_order():
    pc = booted("895A", Card(flags1=SCAN_DOWN), Own(boot_ids=[3]), disks(0, 2, 3, 5))
    assert ids_in_order(pc) == [3, 5, 2, 0]


def test_boot_order_of_the_host_comes_first():
    order = FwCfg({"bootorder": path(2) + b"\n" + path(5) + b"\n"})
    pc = booted("895A", Card(), Own(boot_ids=[3, 5]), disks(0, 2, 3, 5), fwcfg=order)
    assert ids_in_order(pc) == [2, 5, 3, 0]


def old_machine(own: Own, **options) -> Pc:
    return booted("875", Card(), own, {0: named_disk(0, 0), 2: drive_with(DISC)},
                  bios=Bios(NO_BBS, pmm="absent"), **options)


@pytest.mark.parametrize("own", [Own(CD_FIRST), Own(boot_ids=[2]), Own(boot_ids=[2, 0])],
                         ids=["CD first", "its ID", "its ID and that of the disk"])
def test_cd_boots_before_the_disk(own):
    pc = old_machine(own)
    check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default)


@pytest.mark.parametrize("own", [Own(), Own(boot_ids=[0, 2]), Own(boot_ids=[0])])
def test_disk_boots_before_the_cd(own):
    pc = old_machine(own)
    result = pc.bios.bootstrap()
    assert (result.booted, result.dl) == (True, 0x80)


@pytest.mark.parametrize("own", [Own(CD_FIRST), Own(boot_ids=[2])])
def test_host_decides_whether_the_disk_boots_before_the_cd(own):
    pc = old_machine(own, fwcfg=FwCfg({"bootorder": path(0) + b"\n" + path(2) + b"\n"}))
    result = pc.bios.bootstrap()
    assert (result.booted, result.dl) == (True, 0x80)


# ---- Removable media -----------------------------------------------------------------------


def with_removable() -> dict[int, Disk]:
    return {0: named_disk(0, 0, removable=True), 1: drive_with(DISC), 2: named_disk(0, 2),
            3: named_disk(0, 3, removable=True)}


@pytest.mark.parametrize("variant, removable, boot_ids, expected", [
    ("810", NONE, [], [1, 2]), ("875", NONE, [3], [1, 2]), ("895A", BOOT_DRIVE, [], [0, 1, 2]),
    ("1010-33", BOOT_DRIVE, [3], [3, 1, 2]), ("810", BOOT_DRIVE, [2], [2, 1]),
    ("875", BOOT_DRIVE, [1, 3], [1, 3, 2]), ("895A", ALL, [], [0, 1, 2, 3]), ("1010-33", ALL, [3], [3, 0, 1, 2])])
def test_removable_media(variant, removable, boot_ids, expected):
    """A CD drive is always there."""
    pc = booted(variant, Card(removable=removable), Own(boot_ids=boot_ids), with_removable())
    assert ids_in_order(pc) == expected
    assert owners(pc) == [(0, i) for i in expected if i != 1]
    assert f"{len(expected) - 1} disk" in pc.text and "1 CD" in pc.text


@pytest.mark.parametrize("removable, expected", [(NONE, []), (BOOT_DRIVE, [0]), (ALL, [0, 1])])
@pytest.mark.parametrize("bios", [dict(), dict(manner=NO_BBS, pmm="absent")], ids=["PMM", "no PMM"])
def test_removable_disks_alone(removable, expected, bios):
    targets = {i: named_disk(0, i, removable=True) for i in (0, 1)}
    pc = booted("875", Card(removable=removable), None, targets, bios=Bios(**bios))
    if bios:
        pc.bios.bootstrap()
    assert owners(pc) == [(0, i) for i in expected]
    if not expected:
        assert "no disk" in pc.text and pc.bios.copies[0].kept == 0


def memory_left(removable: int, bios: dict) -> tuple[int, list[int]]:
    """40:13h, and the blocks of PMM, after POST with a fixed disk and a removable one"""
    targets = {0: named_disk(0, 0), 1: named_disk(0, 1, removable=True)}
    pc = booted("895A", Card(removable=removable), None, targets, bios=Bios(**bios))
    return pc.word(MEMORY_SIZE), [len(block.place) for block in pc.bios.memory.blocks]


@pytest.mark.parametrize("bios", [dict(), dict(manner=NO_BBS, pmm="absent")], ids=["PMM", "no PMM"])
def test_disk_that_is_left_out_keeps_no_memory(bios):
    """Its block buffer"""
    assert memory_left(BOOT_DRIVE, bios) == memory_left(NONE, bios) != memory_left(ALL, bios)


def test_disk_left_out_has_a_line_only_if_verbose():
    for flags, expected in ((PARITY, []), (PARITY | VERBOSE, ["ID 0 LUN 0 BENCH STRICT DISK: removable, left out"])):
        pc = booted("895A", Card(flags=flags, removable=NONE), None, with_removable())
        assert [line.strip() for line in lines(pc) if line.startswith("  ID 0")] == expected


# ---- What POST prints, and INT 13h ---------------------------------------------------------


@variants
@pytest.mark.parametrize("flags", [PARITY, PARITY | VERBOSE])
def test_verbosity(variant, flags):
    pc = booted(variant, Card(flags=flags))
    assert pc.text.count(": ready") == (2 if flags & VERBOSE else 0)


@variants
@pytest.mark.parametrize("flags", [0, QUIET])
def test_quiet_post(variant, flags):
    pc = booted(variant, Card(flags=PARITY | VERBOSE), Own(flags))
    assert (pc.text == "") == bool(flags)
    assert owners(pc) == [(0, 0), (0, 3)]


@variants
@pytest.mark.parametrize("flags, expected", [(PARITY, SDMS[64 * MIB]), (PARITY | CHS_ALTERNATE, (64, 64, 32))])
def test_geometry_of_a_blank_disk(variant, flags, expected):
    pc = booted(variant, Card(flags=flags), targets={0: Disk(blocks=64 * MIB, content=blank)})
    assert geometry(pc) == expected


@variants
@pytest.mark.parametrize("flags, size", [(0, 512), (NATIVE_BLOCKS, 2048)])
def test_native_blocks(variant, flags, size):
    pc = booted(variant, Card(), Own(flags), {0: Disk(block_bytes=2048, blocks=16384)})
    assert edd(pc).sector_bytes == size


@pytest.mark.parametrize("seconds", [1, long(5), 20])
def test_boot_timeout(seconds):
    _, time = boot_with_menu(eeprom=chip_with(Card(), Own(boot_timeout=seconds)))
    assert seconds <= time / SECOND <= seconds * 1.5 + 2


# ---- The switches of the host ----------------------------------------------------------------


def observed(pc: Pc, resets: list[int]) -> dict[str, object]:
    """How the machine behaves, by switch"""
    return {"banner": "80h: SCSI" in pc.text, "verbose": ": ready" in pc.text, "host-id": own_id(pc),
            "scan-delay": 0 if pc.chip.now < 8 * SECOND else 1, "bus-reset": len(resets),
            "native-blocks": edd(pc).sector_bytes, "geometry": geometry(pc, 0x81)[1]}


ONE, OTHER = dict(zip(["card", "own", "switches", "seen"], (
    Card(PARITY | CHS_ALTERNATE | VERBOSE, host_id=5), Own(NATIVE_BLOCKS, scan_delay=9),
    {"banner": "1", "verbose": "1", "host-id": "5", "scan-delay": "9", "bus-reset": "1", "native-blocks": "1",
     "geometry": "size"},
    {"banner": True, "verbose": True, "host-id": 5, "scan-delay": 1, "bus-reset": 1, "native-blocks": 2048,
     "geometry": 64}))), dict(zip(["card", "own", "switches", "seen"], (
         Card(PARITY, flags2=4, host_id=6), Own(QUIET),
         {"banner": "0", "verbose": "0", "host-id": "6", "scan-delay": "0", "bus-reset": "0", "native-blocks": "0",
          "geometry": "cam"},
         {"banner": False, "verbose": False, "host-id": 6, "scan-delay": 0, "bus-reset": 0, "native-blocks": 512,
          "geometry": 3})))


def observed_with(settings: dict, names: list[str], switches: dict) -> dict[str, object]:
    fwcfg = FwCfg({FOLDER + name: switches["switches"][name].encode() for name in names})
    pc = machine("895A", settings["card"], settings["own"],
                 {0: Disk(block_bytes=2048, blocks=16384), 1: Disk(blocks=64 * MIB, content=blank)}, fwcfg=fwcfg)
    resets = counting_resets(pc)
    pc.power_on()
    return observed(pc, resets)


@pytest.mark.parametrize("stored, host", [(ONE, OTHER), (OTHER, ONE)], ids=["one", "other"])
def test_switches_of_the_host_win(stored, host):
    assert observed_with(stored, [], host) == stored["seen"]
    assert observed_with(stored, list(host["switches"]), host) == host["seen"]


OTHER_SWITCHES = [name for name in ONE["switches"] if name not in ("banner", "host-id")]


@pytest.mark.parametrize("name", ["banner", "host-id", *map(long, OTHER_SWITCHES)])
def test_each_switch_of_the_host_replaces_one_setting(name):
    assert observed_with(ONE, [name], OTHER) == {**ONE["seen"], **(
        {"verbose": False} if name == "banner" else {}), name: OTHER["seen"][name]}


# ---- The key D -------------------------------------------------------------------------------


@pytest.mark.parametrize("variant, key, own", [
    ("810", KEY_D, None), ("875", KEY_CAPITAL_D, Own(QUIET)), ("895A", KEY_CAPITAL_D, None),
    ("1010-33", KEY_D, Own(QUIET))])
def test_key_d_ignores_what_is_stored(variant, key, own):
    """A key that is held down fills the buffer; nothing of it is left for the BIOS."""
    chip = chip_with(Card(host_id=2, targets=each(flags=0)), own)
    before = chip.content
    pc = booted(variant, eeprom=chip, bios=Bios(keys=deque([(0, key)] * 5)))
    assert own_id(pc) == 7 and owners(pc) == [(0, 0), (0, 3)]
    assert not pc.bios.keys
    assert BEGIN + f"53C{variant} at PCI 00:04.0, host ID 7, 2 disks" in lines(pc)
    assert chip.content == before


@pytest.mark.parametrize("keys", [[(0, 0x1F73)], [(0, 0x1F73), (0, KEY_D)], []], ids=["S", "S and D", "none"])
def test_other_keys_stay_for_the_bios(keys):
    pc = booted("875", Card(host_id=2), bios=Bios(keys=deque(keys)))
    assert own_id(pc) == 2
    assert list(pc.bios.keys) == keys


@pytest.mark.parametrize("chip", [None, chip_with()], ids=["no NVRAM", "blank"])
def test_key_d_is_not_taken_without_stored_settings(chip):
    pc = booted("875", eeprom=chip, bios=Bios(keys=deque([(0, KEY_D)])))
    assert list(pc.bios.keys) == [(0, KEY_D)]


# ---- What SDMS has written, and random blocks ------------------------------------------------


@pytest.mark.parametrize("variant, card, found", [("810", SDMS_810, [1, 2]), ("875", SDMS_875, [0, 1, 2, 3])])
def test_settings_of_sdms(variant, card, found):
    """As SDMS 4.0 has written them to a new chip; its PCI address is the model's. On the 810
    it has left out removable media."""
    pc = booted(variant, card, None, with_removable())
    assert ids_in_order(pc) == found
    assert ": ready" in pc.text, "verbose"
    assert {m[0] & 0xF8 for target in pc.bus.targets.values() for m in target.messages} == {0xC0}


@pytest.mark.parametrize("count", [4, long(200)])
def test_post_ends_with_random_blocks(count):
    numbers = random.Random(count)
    for number in range(count):
        variant = numbers.choice(VARIANTS)
        pc = machine(variant, targets=disks(*numbers.sample(range(8), 2)), eeprom=Eeprom(random_chip(numbers)))
        pc.chip.own_id_is_free = True
        pc.power_on()
        assert pc.chip.now < 100 * SECOND, number
        assert own_id(pc) < (8 if variant == "810" else 16), number
        for drive in range(0x80, 0x80 + pc.peek(0x475, 1)[0]):
            assert pc.read(77, 1, drive).ah == 0, number


# ---- Several controllers ---------------------------------------------------------------------

A, B, C = 0x0020, 0x0028, 0x0108    # PCI addresses; C is on the bus of a bridge
KINDS = {A: "875", B: "810", C: "895A"}
DEVICES = {A: 0x000F, B: 0x0001, C: 0x0012}


def host(pci_address: int, flags: int = BOOTS, device: int | None = None) -> Host:
    return Host(DEVICES[pci_address] if device is None else device, pci_address, flags)


def several(stored: dict[int, Card], *calls: int, keys: list = (), owns: dict[int, Own] | None = None,
            places: tuple[int, ...] = (A, B, C), bios: dict | None = None) -> MultiControllerPc:
    """Controllers with a disk each, and a ROM copy for each call: a PCI address, or 0"""
    cards = []
    for number, at in enumerate(places):
        content = image(stored[at], (owns or {}).get(at)) if at in stored else None
        card = PciCard(rom_of(KINDS[at]), KINDS[at], at, eeprom=content and Eeprom(content))
        card.bus.targets = {0: named_disk(number, 0)}
        cards.append(card)
    pc = MultiControllerPc(rom_of("895A"), cards=cards, bridges=BRIDGES,
                           bios=Bios(keys=deque(keys), **(bios or {})))
    pc.power_on(*calls)
    return pc


def order_of(pc: MultiControllerPc) -> list[int]:
    return [card for card, _ in owners(pc)]


def test_each_controller_has_settings_of_its_own():
    pc = several({A: Card(host_id=3), B: Card(host_id=4, flags=0)}, A, B, C)
    assert [card.chip.registers[0x04] & 0x0F for card in pc.cards] == [3, 4, 7]
    assert [card.chip.registers[0x00] & 0x0A for card in pc.cards] == [0x0A, 0, 0x0A]
    assert order_of(pc) == [0, 1, 2]


OFF = ": turned off by its settings"


@pytest.mark.parametrize("calls", [(A, B), (0, 0)], ids=["named", "not named"])
@pytest.mark.parametrize("flags, kept", [(0xFFFE, [0]), (BOOTS, [0, 1]), long(0, [0]), long(0xFFFF, [0, 1])])
def test_controller_that_does_not_boot_is_declined_with_a_line(calls, flags, kept):
    stored = Card(hosts=[host(A), host(B, flags)])
    pc = several({A: stored, B: stored}, *calls, places=(A, B))
    assert order_of(pc) == kept
    found = [line for line in lines(pc) if OFF in line]
    assert found == [f"{BEGIN}53C810 at PCI 00:05.0{OFF}"] * (not flags & BOOTS)
    assert not pc.cards[1].bus.targets[0].messages or flags & BOOTS
    assert pc.pci.command_of(B) & 4 == (4 if flags & BOOTS else 0), "bus master"


def test_quiet_controller_is_declined_without_a_line():
    pc = several({B: Card(hosts=[host(B, 0)])}, A, B, owns={B: Own(QUIET)}, places=(A, B))
    assert order_of(pc) == [0] and OFF not in pc.text


@pytest.mark.parametrize("hosts", [
    long([]), long([host(A), host(C)]), [Host(type=4, device=1, pci_address=0x0048, flags=0)],
    [host(B, 0, device=0x0003)], [Host(1, B, 0, type=0)], long([Host(1, B, 0, type=2)]), [Host(1, B, 0, vendor=0x1001)]],
    ids=["empty", "others", "its former slot", "another chip", "an empty entry", "another type", "another vendor"])
def test_entries_that_are_not_for_this_controller_do_not_turn_it_off(hosts):
    pc = several({B: Card(hosts=hosts)}, B, places=(A, B))
    assert order_of(pc) == [1] and OFF not in pc.text


@pytest.mark.parametrize("where, hosts, expected", [
    long((A, B, C), [], [0, 1, 2]), long((A, B, C), [A, B, C], [0, 1, 2]), long((A, B, C), [C, A, B], [2, 0, 1]),
    long((A, B, C), [C, B], [2, 1, 0]), ((A,), [B], [1, 0, 2]), long((B,), [C], [2, 0, 1]), ((C,), [C], [2, 0, 1]),
    ((A,), [B, B, A], [1, 0, 2])])
def test_order_of_controllers_that_are_not_named(where, hosts, expected):
    """By the first free controller with stored settings. One that is not in the list comes
    after those that are."""
    stored = Card(hosts=[host(at) for at in hosts])
    pc = several({at: stored for at in where}, 0, 0, 0, 0)
    assert order_of(pc) == expected
    assert pc.text.count("all 53C8xx controllers are served") == 1
    assert [pc.text.count(f"53C{KINDS[at]} at PCI") for at in (A, B, C)] == [1, 1, 1]


def test_first_list_decides():
    pc = several({B: Card(hosts=[host(C)]), C: Card(hosts=[host(B)])}, 0, 0, 0)
    assert order_of(pc) == [2, 0, 1]


def test_named_controllers_are_in_the_order_of_the_bios():
    stored = Card(hosts=[host(C), host(B), host(A)])
    assert order_of(several({A: stored, B: stored, C: stored}, A, C, B)) == [0, 2, 1]


def test_controller_without_disks_is_passed_over_in_this_order():
    stored = Card(hosts=[host(C), host(B)])
    cards = []
    for number, at in enumerate((A, B, C)):
        card = PciCard(rom_of(KINDS[at]), KINDS[at], at, eeprom=Eeprom(image(stored)))
        card.bus.targets = {0: named_disk(number, 0)} if at != C else {}
        cards.append(card)
    pc = MultiControllerPc(rom_of("895A"), cards=cards, bridges=BRIDGES)
    pc.power_on(0, 0)
    assert order_of(pc) == [1, 0]


def test_key_d_is_for_one_copy_and_all_that_it_visits():
    """The order is ignored, too."""
    stored = Card(host_id=3, hosts=[host(B), host(A)])
    pc = several({A: stored, B: stored}, 0, 0, keys=[(0, KEY_D)], places=(A, B))
    assert order_of(pc) == [0, 1]
    assert [card.chip.registers[0x04] & 0x0F for card in pc.cards] == [7, 3]


def test_damaged_settings_are_reported_once():
    pc = several({A: b"\x55" * 368, B: Card()}, 0, 0, places=(A, B))
    assert order_of(pc) == [0, 1]
    assert pc.text.count("damaged") == 1


