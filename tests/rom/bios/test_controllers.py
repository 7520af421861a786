# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: several controllers, some of them behind bridges, and one ROM copy for
each. The model reports any access of a copy to the controller or the memory
of another one (tests/model/multi_pc.py).
"""

from __future__ import annotations

import re
import struct

import pytest

from tests.build import bios_image
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOOT_SECTOR, EBDA_KIB, HARD_DISKS, MEMORY_SIZE, NO_BBS,
                                   PCI_3, ROM_SEGMENT, SEABIOS, SPECIFICATION, WORKSPACE_KIB)
from tests.model.devices import FwCfg
from tests.model.eltorito import FLOPPY_144, HARD_DISK, Disc, Entry, floppy, hard_disk
from tests.model.multi_pc import MultiControllerPc
from tests.model.pc import BUFFER, SEEDS
from tests.model.pc_ports import IO_BASE
from tests.model.rules import RuleViolation
from tests.rom.bios.multi_controller import (BRIDGES, CARD_SETS, CD_ID, LBA, PLACES, TAKEN_KIB, all_disks,
                                             booted_with, card_at, check_write_target, disc_of,
                                             entries_of, lines, machine_with, owner, owners)
from tests.rom.cd.cdboot import CD, check_blocks, check_running, check_sectors, drive_with
from tests.rom.strict import BAD_COMMAND, ROMS, new_data

INT13, INT19 = 0x13 * 4, 0x19 * 4
SEVERAL = ["two", "three", "four"]
card_sets = pytest.mark.parametrize("name", SEVERAL)
manners = pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION, PCI_3])


def check_passed_on(pc: MultiControllerPc, drive: int, hidden: int = 0) -> None:
    """The call passes all copies and reaches the BIOS with its registers unchanged.
    If a hard-disk image is emulated, the BIOS sees the drive number without it."""
    before = len(pc.bios.passed_on)
    result = pc.int13(ah=0x02, dl=drive)
    assert (result.ah, result.cf, len(pc.bios.passed_on)) == (BAD_COMMAND, True, before + 1)
    expected = {**SEEDS, "eax": 0xAAAA0207, "edx": 0xDDDD5D00 | drive - hidden}
    assert {name: pc.bios.passed_on[-1][name] for name in expected} == expected


def served(pc: MultiControllerPc) -> list[int]:
    """The cards in the order of the copies that serve them; -1 for a copy without
    a card."""
    cards = {id(card.server): number for number, card in enumerate(pc.cards) if card.server}
    return [cards.get(id(copy), -1) for copy in pc.bios.copies]


# ---- Drives ----------------------------------------------------------------------------


@card_sets
@manners
def test_each_disk_has_its_own_number_and_data(name, manner):
    pc = booted_with(name, bios=Bios(manner))
    assert owners(pc) == all_disks(pc)
    assert pc.peek(HARD_DISKS, 1) == bytes([2 * len(CARD_SETS[name])])
    for drive, (card, scsi_id) in enumerate(all_disks(pc), 0x80):
        data = new_data(drive, 3)
        check_write_target(pc, drive, data, card, scsi_id)
        pc.poke(BUFFER, bytes(len(data)))
        assert pc.read(LBA, 3, drive).ah == 0
        assert pc.peek(BUFFER, len(data)) == data


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_drive_names_contain_the_controller_address(manner):
    pc = booted_with("four", bios=Bios(manner))
    places = ["00:04.0", "00:05.0", "01:01.0", "02:07.0"]
    expected = [f"SCSI {at} ID {i} LUN 0 BENCH STRICT DISK" for at in places for i in (0, 3)]
    assert [e.product for e in pc.bios.entries] == expected
    assert [line.split("h: ")[1][:len(expected[0])] for line in lines(pc)[4:]] == expected
    for at, chip, line in zip(places, ["895A", "810"] * 2, lines(pc)):
        assert line.startswith("lsi8xx-rom ")
        assert f": 53C{chip} at PCI {at}, host ID 7, 2 disks" in line


@card_sets
@pytest.mark.parametrize("disks", [0, 2])
def test_calls_for_other_drives_reach_the_bios_once(name, disks):
    pc = booted_with(name, bios=Bios(disks=disks))
    ours = 2 * len(CARD_SETS[name])
    for drive in (0x00, 0x7F, 0x80 + disks + ours, 0xE0, 0xFF, *range(0x80, 0x80 + disks)):
        check_passed_on(pc, drive)
    assert [owner(pc, 0x80 + disks + i) for i in range(ours)] == all_disks(pc)


def test_drive_numbers_follow_the_order_of_connection_calls():
    def interleaved(entries):
        return [*entries[::2], *entries[1::2][::-1]]
    pc = booted_with("four", bios=Bios(choose=interleaved))
    assert owners(pc) == [(0, 0), (1, 0), (2, 0), (3, 0), (3, 3), (2, 3), (1, 3), (0, 3)]
    check_passed_on(pc, 0x88)


def test_copy_without_connection_call_hooks_nothing():
    pc = booted_with("three", bios=Bios(choose=lambda entries: entries[2:4]))
    assert owners(pc) == [(1, 0), (1, 3)]
    assert pc.word(INT13 + 2) == pc.cards[1].server.segment
    check_passed_on(pc, 0x82)


def test_drive_numbers_of_two_controllers_end_at_9fh():
    pc = machine_with("two", ids=[0, 1, 2, 3, 4, 5, 6], bios=Bios(disks=20))
    pc.power_on()
    numbers = [owner(pc, drive) for drive in range(0x94, 0xA0)]
    assert numbers == all_disks(pc)[:12]
    assert pc.text.count("no drive number is free") == 2
    check_passed_on(pc, 0xA0)


# ---- Memory ----------------------------------------------------------------------------


@card_sets
@pytest.mark.parametrize("pmm", ["1.01", "1.00", "absent", "refusing"])
def test_copies_have_separate_memory_and_shrink_their_images(name, pmm):
    pc = booted_with(name, bios=Bios(pmm=pmm))
    count = len(CARD_SETS[name])
    spaces = sorted((space.start, space.stop) for space in pc.workspaces)
    assert len(spaces) == count
    assert all(end <= start for (_, end), (start, _) in zip(spaces, spaces[1:]))
    taken = {"1.01": 0, "absent": TAKEN_KIB}.get(pmm, WORKSPACE_KIB) * count
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - taken
    images = [copy.image[:copy.kept] for copy in pc.bios.copies]
    assert all(a.stop <= b.start for a, b in zip(images, images[1:]))
    assert all(image.start % 2048 == 0 and 0 < len(image) < len(bios_image(ROMS["895A"]))
               for image in images)
    assert owners(pc) == all_disks(pc)


def test_copy_without_disks_frees_its_segment_for_the_next_copy():
    pc = machine_with("three", bios=Bios(pmm="absent"))
    pc.cards[1].bus.targets.clear()
    pc.power_on()
    assert [copy.kept > 0 for copy in pc.bios.copies] == [True, False, True]
    assert pc.bios.copies[1].segment == pc.bios.copies[2].segment
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - 2 * TAKEN_KIB
    assert owners(pc) == [(0, 0), (0, 3), (2, 0), (2, 3)]


def test_pci_3_copy_stays_within_its_declared_runtime_length():
    """The model rejects writes of a copy beyond the length in PCIR 16h."""
    pc = booted_with("four", bios=Bios(PCI_3))
    for copy in pc.bios.copies:
        assert copy.segment == copy.stays_at != 0
        assert copy.kept <= len(copy.room) <= len(copy.data)
    assert owners(pc) == all_disks(pc)


@pytest.mark.parametrize("kib", [1, 5])
def test_ebda_may_be_moved_below_the_workspace(kib):
    """The EBDA moves after each copy; the next copy allocates below it."""
    pc = booted_with("two", bios=Bios(pmm="absent", others=lambda pc, n: pc.bios.move_ebda(kib)))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - 2 * (TAKEN_KIB + kib) == pc.word(0x40E) // 64
    assert pc.peek(pc.word(0x40E) * 16, 2) == b"\x01\0"
    assert owners(pc) == all_disks(pc)
    pc.bios.move_ebda(kib)
    assert owners(pc) == all_disks(pc)


# ---- Which copy serves which controller ---------------------------------------------------


@pytest.mark.parametrize("bdf", [0x0000, 0xFFFF, 0x0030],
                         ids=["zero", "all ones", "a bridge"])
def test_copies_without_an_address_serve_one_controller_each(bdf):
    """The copies serve the controllers in the order of their PCI addresses."""
    pc = booted_with("four", bdf, bdf, bdf, bdf)
    assert served(pc) == [0, 1, 2, 3]
    assert owners(pc) == all_disks(pc)


def test_function_aliases_are_not_further_controllers():
    """A single-function device may respond to all eight function numbers."""
    pc = machine_with("two")
    pc.pci.aliases = True
    pc.power_on(0, 0, 0)
    assert served(pc) == [0, 1, -1]
    assert owners(pc) == all_disks(pc)


@pytest.mark.parametrize("workspace, command", [(0xE800, 0x0003), (0x7000, 0x0007)],
                         ids=["not a bus master", "memory freed"])
def test_remains_of_an_earlier_boot_are_not_taken_for_a_copy(workspace, command):
    pc = machine_with("two")
    pc.cards[0].pci_command = command
    pc._plug_in()
    pc.poke(0xE2000, struct.pack("<HHIHIH", 0xAA55, 0, 0, workspace, 0x3869736C, 0x0020))
    pc.poke(workspace * 16, b"tack")
    pc.power_on()
    assert owners(pc) == all_disks(pc)


def test_copy_without_an_address_serves_a_controller_without_a_copy():
    pc = booted_with("three", 0x0108, 0, 0)
    assert served(pc) == [2, 1, 0]
    assert owners(pc) == [(2, 0), (2, 3), (1, 0), (1, 3), (0, 0), (0, 3)]


def test_copy_finds_earlier_copies_above_itself():
    """A PCI 3.0 BIOS may assign run-time segments from the top down."""
    pc = booted_with("three", 0, 0, 0, 0, bios=Bios(PCI_3, downwards=True))
    segments = [copy.segment for copy in pc.bios.copies[:3]]
    assert segments == sorted(segments, reverse=True)
    assert served(pc) == [1, 0, 2, -1]
    assert sorted(owners(pc)) == all_disks(pc)


def test_addresses_may_come_in_any_order():
    pc = booted_with("four", 0x0238, 0x0108, 0x0028, 0x0020)
    assert served(pc) == [3, 2, 1, 0]
    assert owners(pc) == [(n, i) for n in (3, 2, 1, 0) for i in (0, 3)]


@pytest.mark.parametrize("bios", [Bios, lambda: Bios(PCI_3), lambda: Bios(pmm="absent")],
                         ids=["PMM", "PCI 3.0", "no PMM"])
def test_second_copy_for_a_controller_prints_a_message_and_exits(bios):
    pc = booted_with("two", 0x0020, 0x0020, 0x0028, 0x0028, bios=bios())
    assert served(pc) == [0, -1, 1, -1]
    assert [copy.kept > 0 for copy in pc.bios.copies] == [True, False, True, False]
    assert [copy.init_result.ax for copy in pc.bios.copies] == [0x0120, 0] * 2
    messages = [line.split(": ", 1)[1] for line in lines(pc) if "another copy" in line]
    assert messages == ["53C895A at PCI 00:04.0 is served by another copy",
                        "53C810 at PCI 00:05.0 is served by another copy"]
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - (2 * TAKEN_KIB if pc.bios.pmm == "absent" else 0)
    assert owners(pc) == all_disks(pc)


@pytest.mark.parametrize("bdf", [0, 0xFFFF])
def test_surplus_copy_says_that_all_controllers_are_served(bdf):
    pc = booted_with("two", bdf, bdf, bdf)
    assert served(pc) == [0, 1, -1]
    assert lines(pc)[2].endswith(": all 53C8xx controllers are served")
    assert pc.bios.copies[2].kept == 0
    assert owners(pc) == all_disks(pc)


def test_copies_without_controllers_leave_no_trace():
    pc = MultiControllerPc(ROMS["895A"], bridges=BRIDGES)
    pc.power_on(0x20, 0, 0xFFFF)
    assert [copy.kept for copy in pc.bios.copies] == [0, 0, 0]
    assert pc.text.count("no 53C8xx controller") == 3
    assert (pc.word(MEMORY_SIZE), pc.bios.memory.blocks) == (EBDA_KIB, [])
    check_passed_on(pc, 0x80)


def test_unusable_controller_does_not_affect_the_others():
    """Its copy is removed. The next copy may try that controller again and fails too."""
    pc = machine_with("two")
    pc.cards[0].has_ports = False
    pc._plug_in()
    pc.power_on()
    assert "no I/O address" in pc.text
    assert owners(pc) == [(1, 0), (1, 3)]


# ---- A copy without an address whose controller has no disk ---------------------------------


WITHOUT_ADDRESS = {"SeaBIOS": dict(), "specification": dict(manner=SPECIFICATION), "PCI 3.0": dict(manner=PCI_3),
                   "PMM refuses": dict(pmm="refusing"), "no PMM": dict(pmm="absent"),
                   "no BBS": dict(manner=NO_BBS, pmm="absent")}
without_address = pytest.mark.parametrize("bios", WITHOUT_ADDRESS.values(), ids=WITHOUT_ADDRESS)


def with_empty(name: str, *empty: int, command: int = 0, **options) -> MultiControllerPc:
    """A machine in which these cards have no disks."""
    pc = machine_with(name, **options)
    for number, card in enumerate(pc.cards):
        card.pci_command = command
        if number in empty:
            card.bus.targets.clear()
    pc._plug_in()
    return pc


def remnant_of(card: int, workspace: int) -> bytes:
    """A copy that an earlier boot has left, for that card."""
    return struct.pack("<HHIHIH", 0xAA55, 0, 0, workspace, 0x3869736C, list(PLACES.values())[card])


def tried(pc: MultiControllerPc) -> list[str]:
    """Address and result in each line about a controller."""
    return [re.sub(", host ID 7|, C: CD first", "", line[line.index("PCI ") + 4:]) for line in lines(pc)
            if " at PCI " in line]


@without_address
@pytest.mark.parametrize("empty", [(0,), (0, 1), (1, 0, 2)], ids=len)
def test_copy_without_an_address_goes_on_to_a_controller_with_disks(bios, empty):
    pc = with_empty("four", *empty, bios=Bios(**bios))
    pc.power_on(0)
    if pc.bios.manner == NO_BBS:
        pc.bios.bootstrap(BOOT_SECTOR)
    assert owners(pc) == [(len(empty), 0), (len(empty), 3)]
    assert len(tried(pc)) == len(empty) + 1
    assert [", no disk" in line for line in tried(pc)] == [True] * len(empty) + [False]
    commands = [pc.pci.command_of(card.pci_address) for card in pc.cards]
    assert [command & 4 for command in commands[:len(empty) + 1]] == [0] * len(empty) + [4]
    if bios.get("pmm"):
        assert EBDA_KIB - pc.word(MEMORY_SIZE) == (TAKEN_KIB if bios["pmm"] == "absent" else WORKSPACE_KIB)


def test_copy_with_an_address_does_not_go_on():
    pc = with_empty("two", 0)
    pc.power_on(0x0020)
    assert tried(pc) == ["00:04.0, no disk"]
    assert (pc.bios.kept, owners(pc)) == (0, [])


@without_address
def test_copy_that_finds_no_disk_on_any_controller_leaves_no_trace(bios):
    """There is no further line: each controller has one."""
    pc = with_empty("three", 0, 1, 2, bios=Bios(**bios))
    pc.power_on(0)
    assert tried(pc) == ["00:04.0, no disk", "00:05.0, no disk", "01:01.0, no disk"]
    assert len(lines(pc)) == 3
    assert (pc.bios.kept, pc.bios.init_result.ax, pc.bios.memory.blocks) == (0, 0, [])
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert [pc.pci.command_of(card.pci_address) & 4 for card in pc.cards] == [0, 0, 0]
    check_passed_on(pc, 0x80)


@without_address
@pytest.mark.parametrize("empty", [0, 1, 2])
def test_each_copy_without_an_address_serves_one_controller_beside_an_empty_one(bios, empty):
    pc = with_empty("three", empty, bios=Bios(**bios))
    pc.power_on(0, 0, 0)
    if pc.bios.manner == NO_BBS:
        pc.bios.bootstrap(BOOT_SECTOR)
    assert sorted(owners(pc)) == [(n, i) for n in range(3) if n != empty for i in (0, 3)]
    assert [copy.kept > 0 for copy in pc.bios.copies] == [True, True, False]


def test_controller_that_fails_is_passed_over():
    pc = machine_with("two")
    pc.cards[0].has_ports = False
    pc._plug_in()
    pc.power_on(0)
    assert tried(pc)[0] == "00:04.0: no I/O address from the BIOS"
    assert owners(pc) == [(1, 0), (1, 3)]


@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_remnant_with_the_workspace_of_the_running_copy_is_not_a_copy(pmm):
    """In the boot before, a copy for the second controller had this workspace. The
    BIOS leaves bus mastering on."""
    pc = with_empty("two", 0, command=7, bios=Bios(pmm=pmm))
    pc.power_on(0)
    workspace = pc.bios.copies[0].workspace.start // 16
    pc = with_empty("two", 0, command=7, bios=Bios(pmm=pmm))
    pc.poke(0xE2000, remnant_of(1, workspace))
    pc.power_on(0)
    assert owners(pc) == [(1, 0), (1, 3)]


@pytest.mark.parametrize("pmm", ["1.01", "absent"])
@pytest.mark.parametrize("bdf", [0x0000, 0x0028])
def test_remnant_with_the_workspace_of_another_copy_is_not_a_copy(pmm, bdf):
    pc = with_empty("two", command=7, bios=Bios(pmm=pmm))
    pc.power_on(0)
    workspace = pc.bios.copies[0].workspace.start // 16
    pc = with_empty("two", command=7, bios=Bios(pmm=pmm))
    pc.poke(0xE2000, remnant_of(1, workspace))
    pc.power_on(0, bdf)
    assert owners(pc) == all_disks(pc)


def test_copy_goes_on_if_the_bios_serves_the_first_controller():
    """SeaBIOS has a driver for the 53C895A."""
    pc = with_empty("two", fwcfg=FwCfg(), bios=Bios(disks=2))
    pc.cards[0].pci_command = 7
    pc._plug_in()
    pc.power_on(0)
    assert tried(pc) == ["00:04.0: used by the BIOS, set take-over to 1", "00:05.0, 2 disks"]
    assert [owner(pc, drive) for drive in (0x82, 0x83)] == [(1, 0), (1, 3)]


def test_controller_of_the_bios_is_named_alone_if_there_is_no_other():
    pc = with_empty("one", fwcfg=FwCfg(), bios=Bios(disks=2), command=7)
    pc.power_on(0)
    assert len(lines(pc)) == 1 and tried(pc) == ["00:04.0: used by the BIOS, set take-over to 1"]


def test_host_id_switch_is_checked_for_each_controller():
    """A narrow chip cannot have ID 10."""
    fwcfg = FwCfg({"opt/lsi8xx-rom/host-id": b"10"})
    pc = with_empty("four", 0, 1, fwcfg=fwcfg)
    pc.power_on(0)
    assert pc.text.count("host-id: bad value, ignored") == 1
    assert [line.split("host ID ")[1] for line in lines(pc) if " at PCI " in line] == [
        "10, no disk", "7, no disk", "10, 2 disks"]
    assert owners(pc) == [(2, 0), (2, 3)]


# ---- The boot order of the host -----------------------------------------------------------


HOST_PATHS = {0: "scsi@4", 1: "scsi@5", 2: "pci-bridge@6/scsi@1", 3: "pci-bridge@6/pci-bridge@3/scsi@7"}


def path(card: int, scsi_id: int) -> bytes:
    return f"/pci@i0cf8/{HOST_PATHS[card]}/channel@0/disk@{scsi_id:x},0".encode()


def host(*units: tuple[int, int]) -> FwCfg:
    return FwCfg({"bootorder": b"\n".join(path(*unit) for unit in units) + b"\0"})


@pytest.mark.parametrize("card", range(4))
def test_host_boot_order_applies_to_the_named_controller_only(card):
    pc = booted_with("four", fwcfg=host((card, 3), (card, 0)))
    expected = [(n, i) for n in range(4) for i in ((3, 0) if n == card else (0, 3))]
    assert owners(pc) == expected


def test_each_copy_applies_its_part_of_the_boot_order():
    pc = booted_with("four", fwcfg=host((3, 3), (1, 3), (2, 0), (0, 3), (3, 0)))
    assert owners(pc) == [(0, 3), (0, 0), (1, 3), (1, 0), (2, 0), (2, 3), (3, 3), (3, 0)]


@pytest.mark.parametrize("line", [
    b"/pci@i0cf8/pci-bridge@5/scsi@1/channel@0/disk@3,0",               # no bridge at this device
    b"/pci@i0cf8/pci-bridge@6/pci-bridge@6/scsi@1/channel@0/disk@3,0",  # nor at this one
    b"/pci@i0cf8/pci-bridge@3/scsi@1/channel@0/disk@3,0",               # the bridge is on bus 1
    b"/pci@i0cf8/scsi@1/channel@0/disk@3,0",                            # behind a bridge
    b"/pci@i0cf8/pci-bridge@6/scsi@1,1/channel@0/disk@3,0",
    b"/pci@i0cf8/pci-bridge@6,1/scsi@1/channel@0/disk@3,0",
    b"/pci@i0cf8/pci-bridge@6/channel@0/disk@3,0",
    b"/pci@i0cf8/pci-bridge@6/scsi@1",
    b"/pci@i0cf8/pci-bridge@6",
    b"/pci@i0cf8/" + b"pci-bridge@6/" * 30 + b"scsi@1/channel@0/disk@3,0",
], ids=lambda line: line.decode()[11:60])
def test_path_to_another_device_does_not_change_the_order(line):
    pc = booted_with("three", fwcfg=FwCfg({"bootorder": line}))
    assert owners(pc) == all_disks(pc)


def test_host_geometry_applies_behind_bridges():
    pc = booted_with("four", fwcfg=FwCfg({"bios-geometry": path(2, 3) + b" 100 16 40\n"}))
    result = pc.int13(ah=0x08, dl=0x85, changes="ax bl cx dx")
    assert (result.ch, result.cl, result.dh) == (99, 40, 15)
    result = pc.int13(ah=0x08, dl=0x81, changes="ax bl cx dx")
    assert (result.ch, result.cl, result.dh) == (31, 32, 63)


# ---- CDs -------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", ["two", "three"])
def test_cds_of_two_controllers_are_booted_and_read(name, first):
    """They boot one after the other; the second CD gets the next number."""
    pc = booted_with(name, cds=True)
    for number, card in enumerate((first, 1 - first), CD):
        disc = disc_of(card)
        entry = next(e for e in entries_of(pc, card) if e.bev)
        check_running(pc, pc.bios.boot(entry, *disc.loads), disc, disc.default, number)
        check_blocks(pc, disc, number=number)
    check_blocks(pc, disc_of(first), number=CD)
    assert owners(pc) == all_disks(pc)


def test_failed_cd_boot_frees_its_number_for_the_other_controller():
    pc = machine_with("two", cds=True)
    pc.cards[0].bus.targets[CD_ID].medium = False
    pc.power_on()
    first, second = (next(e for e in entries_of(pc, n) if e.bev) for n in (0, 1))
    disc = disc_of(1)
    assert not pc.bios.boot(first, *disc.loads).booted
    check_running(pc, pc.bios.boot(second, *disc.loads), disc, disc.default, CD)
    check_blocks(pc, disc)
    assert owners(pc) == all_disks(pc)


IMAGES = {"floppy": (floppy(FLOPPY_144), FLOPPY_144, 0x00, (2, 18)),
          "hard disk": (hard_disk(20, 4, 17), HARD_DISK, 0x80, (4, 17))}
images = pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())


def booted_with_images(image: tuple, **options) -> tuple[MultiControllerPc, list[Disc]]:
    """Two controllers, each with two disks and a CD that boots with emulation."""
    discs = [Disc(Entry(*image[:2], count=1), seed=n) for n in (0, 1)]
    pc = machine_with("two", **options)
    for card, disc in zip(pc.cards, discs):
        card.bus.targets[CD_ID] = drive_with(disc)
    pc.power_on()
    return pc, discs


def check_image_boot(pc: MultiControllerPc, card: int, disc: Disc, image: tuple, cd: int = CD) -> None:
    entry = next(e for e in entries_of(pc, card) if e.bev)
    check_running(pc, pc.bios.boot(entry, *disc.loads), disc, disc.default, image[2])
    check_sectors(pc, disc, disc.default, 3, 20, image[2], geometry=image[3])
    check_blocks(pc, disc, number=cd)


@images
@pytest.mark.parametrize("card", [0, 1])
def test_emulated_drive_precedes_the_disks_of_all_controllers(image, card):
    pc, discs = booted_with_images(image)
    check_image_boot(pc, card, discs[card], image)
    first = 0x81 if image[2] else 0x80
    assert [owner(pc, first + i) for i in range(4)] == all_disks(pc)
    assert pc.peek(HARD_DISKS, 1)[0] == first - 0x80 + 4
    data = new_data(card, 2)
    check_write_target(pc, first + 3, data, 1, 3)
    check_passed_on(pc, first + 4, hidden=first - 0x80)


@images
@pytest.mark.parametrize("ends", ["INT 18h", "disconnect"])
def test_image_on_the_other_controller_boots_after_the_first(image, ends):
    """The first boot ends by INT 18h of its loader or by a disconnect of the BIOS."""
    pc, discs = booted_with_images(image)
    for card, cd in ((1, CD), (0, CD if ends == "disconnect" else CD + 1)):
        check_image_boot(pc, card, discs[card], image, cd)
        if ends == "INT 18h":
            assert not pc.boot_interrupt(0x18, *discs[0].loads).booted
        else:
            pc.bios.disconnect(next(e for e in entries_of(pc, card) if e.bev))
        assert owners(pc) == all_disks(pc)
        check_passed_on(pc, 0x00)


# ---- BIOSes without boot entries ------------------------------------------------------------


@card_sets
def test_without_boot_entries_all_controllers_connect_in_init(name):
    """INT 19h connects nothing more."""
    pc = booted_with(name, bios=Bios(NO_BBS, pmm="absent"))
    assert pc.peek(HARD_DISKS, 1) == bytes([2 * len(CARD_SETS[name])])
    result = pc.bios.bootstrap()
    assert (result.booted, result.dl) == (True, 0x80)
    assert sorted(owners(pc)) == all_disks(pc)
    check_passed_on(pc, 0x80 + 2 * len(CARD_SETS[name]))


@card_sets
def test_a_bios_that_may_call_entries_connects_at_int_19h(name):
    """There is PMM, but no BBS."""
    pc = booted_with(name, bios=Bios(NO_BBS))
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    result = pc.bios.bootstrap()
    assert (result.booted, result.dl) == (True, 0x80)
    assert sorted(owners(pc)) == all_disks(pc)



def test_without_bbs_cds_boot_if_no_disk_boots():
    """The order of the CDs is free; if the first gives up, the other one is tried."""
    pc = booted_with("two", ids=(), cds=True, bios=Bios(NO_BBS))
    loads = [load for card in (0, 1) for load in disc_of(card).loads]
    booted = []
    result = pc.bios.bootstrap(*loads)
    for number in (CD, CD + 1):
        card = (result.cs * 16 + result.eip - 0x10000) // 0x1000
        disc = disc_of(card)
        check_running(pc, result, disc, disc.default, number)
        check_blocks(pc, disc, number=number)
        booted.append(card)
        result = pc.boot_interrupt(0x18, *loads)
    assert sorted(booted) == [0, 1]
    assert not result.booted and pc.bios.noted == [0x19, 0x18]


def test_repeated_int_19h_assigns_no_second_number():
    pc = machine_with("two", ids=(3,), bios=Bios(NO_BBS))
    for card in pc.cards:
        card.bus.targets[3].content = lambda lba: bytes(512)
    pc.power_on()
    for times in (1, 2, 3):
        assert not pc.bios.bootstrap(range(0x7C00, 0x7E00)).booted
        assert pc.bios.noted == [0x19, 0x18] * times
        assert pc.peek(HARD_DISKS, 1) == b"\x02"


# ---- The model detects violations ---------------------------------------------------------


def make_rom(tmp_path, code: str):
    image = bytearray(1024)
    image[:6] = b"\x55\xaa\x02\xe9\x3a\x00"     # jmp 40h
    image[0x18], image[0x40:] = 0x1C, bytes.fromhex(code.replace(" ", "")).ljust(1024 - 0x40, b"\0")
    image[-1] = -sum(image) & 0xFF
    file = tmp_path / "small.rom"
    file.write_bytes(image)
    return file


ENABLE = "b80cb1 bb{:02x}00 bf0400 b90700 cd1a "
READ_PORT = f"ba{IO_BASE & 0xFF:02x}{IO_BASE >> 8:02x} ec "
READ_OTHER_PORT = f"ba{IO_BASE & 0xFF:02x}{(IO_BASE >> 8) + 1:02x} ec "


@pytest.mark.parametrize("code, broken", [
    (ENABLE.format(0x20) + READ_PORT + "cb", False),
    (ENABLE.format(0x20) + READ_OTHER_PORT + "cb", True),
    (ENABLE.format(0x20) + ENABLE.format(0x28) + "cb", True),
], ids=["one controller", "a port of another one", "the command register of another one"])
def test_model_reports_copy_that_accesses_two_controllers(tmp_path, code, broken):
    def with_rom(file):
        pc = machine_with("two")
        for card in pc.cards:
            card.rom = file
            pc.pci.set_command(card.pci_address, 7)
        return pc

    file = make_rom(tmp_path, code)
    pc = with_rom(file)
    if broken:
        with pytest.raises(RuleViolation, match="controller of another copy"):
            pc.power_on(0x20)
    else:
        pc.power_on(0x20)
        assert served(pc) == [0]
        with pytest.raises(RuleViolation, match="controller of another copy"):
            with_rom(file).power_on(0x20, 0x20)


@pytest.mark.parametrize("writer", ["the CPU", "the chip"])
def test_model_reports_write_to_memory_of_another_copy(writer):
    pc = booted_with("two")
    mine, other = pc.workspaces
    if writer == "the CPU":    # its INT 13h entry: MOV AX, segment; MOV DS, AX; MOV [0], AL
        door = pc.cards[1].server.segment * 16 + pc.word(INT13)
        pc.poke(door, b"\xb8" + struct.pack("<H", mine.start // 16) + bytes.fromhex("8ed8a20000"))
    with pytest.raises(RuleViolation, match="memory of another copy"):
        if writer == "the CPU":
            pc.int13(ah=0x77, dl=0x80)
        else:
            pc._card_writes(pc.cards[0], other.start, b"data")


def test_without_drives_the_vectors_are_unchanged():
    pc = machine_with("two", ids=())
    pc.power_on()
    assert pc.word(INT13 + 2) == pc.word(INT19 + 2) == BIOS_SEGMENT
    assert pc.bios.copies[0].segment == ROM_SEGMENT


def test_model_places_cards_at_their_pci_addresses():
    """Verifies the set-up of the tests above."""
    pc = machine_with("four")
    assert [card.pci_address for card in pc.cards] == list(PLACES.values())
    for address, (secondary, last) in {0x0030: (1, 2), 0x0118: (2, 2)}.items():
        assert pc.pci.read(address, 0x0E, 1) == 1
        assert pc.pci.read(address, 0x18, 4) == last << 16 | secondary << 8 | address >> 8
    assert card_at(0, "810", ()).variant == "810"
