# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: several controllers, behind bridges too, and a copy of the ROM for
each. The bench watches that no copy touches the controller or the memory of
another one (tests/model/multi_pc.py).
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, EBDA_KIB, HARD_DISKS, MEMORY_SIZE, NO_BBS, PCI_3,
                                   ROM_SEGMENT, SEABIOS, SPECIFICATION)
from tests.model.devices import FwCfg
from tests.model.eltorito import FLOPPY_144, HARD_DISK, Disc, Entry, floppy, hard_disk
from tests.model.multi_pc import MultiControllerPc
from tests.model.pc import BUFFER, SEEDS
from tests.model.pc_ports import IO_BASE
from tests.model.rules import RuleViolation
from tests.rom.bios.multi_controller import (BRIDGES, CD_ID, FLEETS, LBA, PLACES, all_disks,
                                             card_at, disc_of, entries_of, fleet, lines, owner,
                                             owners, posted, writes)
from tests.rom.cd.cdboot import CD, drive_with, reads_blocks, reads_sectors, runs
from tests.rom.strict import BAD_COMMAND, ROMS, fresh

INT13, INT19 = 0x13 * 4, 0x19 * 4
SEVERAL = ["two", "three", "four"]
fleets = pytest.mark.parametrize("name", SEVERAL)
manners = pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION, PCI_3])


def passes_on(pc: MultiControllerPc, drive: int, hidden: int = 0) -> None:
    """Through all copies the BIOS gets the call as it came; below an image that
    is a hard disk, drives have the numbers that they had without it."""
    before = len(pc.bios.passed_on)
    result = pc.int13(ah=0x02, dl=drive)
    assert (result.ah, result.cf, len(pc.bios.passed_on)) == (BAD_COMMAND, True, before + 1)
    expected = {**SEEDS, "eax": 0xAAAA0207, "edx": 0xDDDD5D00 | drive - hidden}
    assert {name: pc.bios.passed_on[-1][name] for name in expected} == expected


def served(pc: MultiControllerPc) -> list[int]:
    """The cards in the order of the copies that serve them; -1 for a copy
    without one."""
    cards = {id(card.server): number for number, card in enumerate(pc.cards) if card.server}
    return [cards.get(id(copy), -1) for copy in pc.bios.copies]


# ---- Drives ----------------------------------------------------------------------------


@fleets
@manners
def test_every_disk_of_every_controller_has_its_number_and_its_data(name, manner):
    pc = posted(name, bios=Bios(manner))
    assert owners(pc) == all_disks(pc)
    assert pc.peek(HARD_DISKS, 1) == bytes([2 * len(FLEETS[name])])
    for drive, (card, scsi_id) in enumerate(all_disks(pc), 0x80):
        data = fresh(drive, 3)
        writes(pc, drive, data, card, scsi_id)
        pc.poke(BUFFER, bytes(len(data)))
        assert pc.read(LBA, 3, drive).ah == 0
        assert pc.peek(BUFFER, len(data)) == data


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_the_names_of_the_drives_say_which_controller(manner):
    pc = posted("four", bios=Bios(manner))
    places = ["00:04.0", "00:05.0", "01:01.0", "02:07.0"]
    expected = [f"SCSI {at} ID {i} LUN 0 BENCH STRICT DISK" for at in places for i in (0, 3)]
    assert [e.product for e in pc.bios.entries] == expected
    assert [line.split("h: ")[1][:len(expected[0])] for line in lines(pc)[4:]] == expected
    for at, chip, line in zip(places, ["895A", "810"] * 2, lines(pc)):
        assert line.startswith("lsi8xx-rom ")
        assert f": 53C{chip} at PCI {at}, host ID 7, 2 disks" in line


@fleets
@pytest.mark.parametrize("disks", [0, 2])
def test_calls_for_other_drives_go_through_one_chain_to_the_bios(name, disks):
    pc = posted(name, bios=Bios(disks=disks))
    ours = 2 * len(FLEETS[name])
    for drive in (0x00, 0x7F, 0x80 + disks + ours, 0xE0, 0xFF, *range(0x80, 0x80 + disks)):
        passes_on(pc, drive)
    assert [owner(pc, 0x80 + disks + i) for i in range(ours)] == all_disks(pc)


def test_numbers_follow_the_order_in_which_vectors_of_the_copies_are_called():
    def interleaved(entries):
        return [*entries[::2], *entries[1::2][::-1]]
    pc = posted("four", bios=Bios(choose=interleaved))
    assert owners(pc) == [(0, 0), (1, 0), (2, 0), (3, 0), (3, 3), (2, 3), (1, 3), (0, 3)]
    passes_on(pc, 0x88)


def test_a_copy_of_which_no_vector_is_called_hooks_nothing():
    pc = posted("three", bios=Bios(choose=lambda entries: entries[2:4]))
    assert owners(pc) == [(1, 0), (1, 3)]
    assert pc.word(INT13 + 2) == pc.cards[1].server.segment
    passes_on(pc, 0x82)


def test_sixteen_drives_of_two_controllers_and_no_more_numbers():
    pc = fleet("two", ids=[0, 1, 2, 3, 4, 5, 6], bios=Bios(disks=20))
    pc.power_on()
    numbers = [owner(pc, drive) for drive in range(0x94, 0xA0)]
    assert numbers == all_disks(pc)[:12]
    assert pc.text.count("no drive number is free") == 2
    passes_on(pc, 0xA0)


# ---- Memory ----------------------------------------------------------------------------


@fleets
@pytest.mark.parametrize("pmm", ["1.01", "1.00", "absent", "refusing"])
def test_each_copy_has_its_own_memory_and_keeps_only_what_it_needs(name, pmm):
    pc = posted(name, bios=Bios(pmm=pmm))
    count = len(FLEETS[name])
    spaces = sorted((space.start, space.stop) for space in pc.workspaces)
    assert len(spaces) == count
    assert all(end <= start for (_, end), (start, _) in zip(spaces, spaces[1:]))
    taken = 0 if pmm == "1.01" else 2 * count
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - taken
    images = [copy.image[:copy.kept] for copy in pc.bios.copies]
    assert all(a.stop <= b.start for a, b in zip(images, images[1:]))
    assert all(image.start % 2048 == 0 and 0 < len(image) < len(ROMS["895A"].read_bytes())
               for image in images)
    assert owners(pc) == all_disks(pc)


def test_a_controller_without_disks_leaves_room_for_the_next_copy():
    pc = fleet("three", bios=Bios(pmm="absent"))
    pc.cards[1].bus.targets.clear()
    pc.power_on()
    assert [copy.kept > 0 for copy in pc.bios.copies] == [True, False, True]
    assert pc.bios.copies[1].segment == pc.bios.copies[2].segment
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - 4
    assert owners(pc) == [(0, 0), (0, 3), (2, 0), (2, 3)]


def test_pci_3_rooms_are_of_the_length_that_is_declared_to_stay():
    """The bench lets a copy write no further than PCIR 16h says."""
    pc = posted("four", bios=Bios(PCI_3))
    for copy in pc.bios.copies:
        assert copy.segment == copy.stays_at != 0
        assert copy.kept <= len(copy.room) <= len(copy.data)
    assert owners(pc) == all_disks(pc)


@pytest.mark.parametrize("kib", [1, 5])
def test_another_rom_moves_the_ebda_below_our_memory(kib):
    """Behind each copy: the next one takes its memory below."""
    pc = posted("two", bios=Bios(pmm="absent", others=lambda pc, n: pc.bios.move_ebda(kib)))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - 2 * (2 + kib) == pc.word(0x40E) // 64
    assert pc.peek(pc.word(0x40E) * 16, 2) == b"\x01\0"
    assert owners(pc) == all_disks(pc)
    pc.bios.move_ebda(kib)
    assert owners(pc) == all_disks(pc)


# ---- Which copy takes which controller ---------------------------------------------------


@pytest.mark.parametrize("bdf", [0x0000, 0xFFFF, 0x0030],
                         ids=["zero", "all ones", "a bridge"])
def test_copies_that_are_told_no_controller_take_one_each(bdf):
    """In the order of PCI addresses."""
    pc = posted("four", bdf, bdf, bdf, bdf)
    assert served(pc) == [0, 1, 2, 3]
    assert owners(pc) == all_disks(pc)


def test_the_functions_of_a_device_with_one_are_not_further_controllers():
    """Such a device may answer for all eight."""
    pc = fleet("two")
    pc.pci.aliases = True
    pc.power_on(0, 0, 0)
    assert served(pc) == [0, 1, -1]
    assert owners(pc) == all_disks(pc)


@pytest.mark.parametrize("workspace, command", [(0xE800, 0x0003), (0x7000, 0x0007)],
                         ids=["no bus master", "its memory is free again"])
def test_what_an_earlier_boot_has_left_is_no_copy(workspace, command):
    pc = fleet("two")
    pc.cards[0].pci_command = command
    pc._plug_in()
    pc.poke(0xE2000, struct.pack("<HHIHIH", 0xAA55, 0, 0, workspace, 0x3869736C, 0x0020))
    pc.poke(workspace * 16, b"tack")
    pc.power_on()
    assert owners(pc) == all_disks(pc)


def test_a_copy_that_is_told_none_takes_what_the_others_have_left():
    pc = posted("three", 0x0108, 0, 0)
    assert served(pc) == [2, 1, 0]
    assert owners(pc) == [(2, 0), (2, 3), (1, 0), (1, 3), (0, 0), (0, 3)]


def test_copies_below_earlier_ones_see_them_too():
    """A PCI 3.0 BIOS that gives out run-time segments from the top."""
    pc = posted("three", 0, 0, 0, 0, bios=Bios(PCI_3, downwards=True))
    segments = [copy.segment for copy in pc.bios.copies[:3]]
    assert segments == sorted(segments, reverse=True)
    assert served(pc) == [1, 0, 2, -1]
    assert sorted(owners(pc)) == all_disks(pc)


def test_addresses_in_any_order_are_obeyed():
    pc = posted("four", 0x0238, 0x0108, 0x0028, 0x0020)
    assert served(pc) == [3, 2, 1, 0]
    assert owners(pc) == [(n, i) for n in (3, 2, 1, 0) for i in (0, 3)]


@pytest.mark.parametrize("bios", [Bios, lambda: Bios(PCI_3), lambda: Bios(pmm="absent")],
                         ids=["PMM", "PCI 3.0", "no PMM"])
def test_a_second_copy_for_a_controller_says_so_and_does_nothing(bios):
    pc = posted("two", 0x0020, 0x0020, 0x0028, 0x0028, bios=bios())
    assert served(pc) == [0, -1, 1, -1]
    assert [copy.kept > 0 for copy in pc.bios.copies] == [True, False, True, False]
    assert [copy.init_result.ax for copy in pc.bios.copies] == [0x0120, 0] * 2
    told = [line.split(": ", 1)[1] for line in lines(pc) if "another copy" in line]
    assert told == ["53C895A at PCI 00:04.0 is served by another copy",
                    "53C810 at PCI 00:05.0 is served by another copy"]
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - (4 if pc.bios.pmm == "absent" else 0)
    assert owners(pc) == all_disks(pc)


@pytest.mark.parametrize("bdf", [0, 0xFFFF])
def test_a_copy_too_many_finds_no_controller(bdf):
    pc = posted("two", bdf, bdf, bdf)
    assert served(pc) == [0, 1, -1]
    assert lines(pc)[2].endswith("no 53C8xx controller")
    assert pc.bios.copies[2].kept == 0
    assert owners(pc) == all_disks(pc)


def test_without_controllers_each_copy_leaves_nothing():
    pc = MultiControllerPc(ROMS["895A"], bridges=BRIDGES)
    pc.power_on(0x20, 0, 0xFFFF)
    assert [copy.kept for copy in pc.bios.copies] == [0, 0, 0]
    assert pc.text.count("no 53C8xx controller") == 3
    assert (pc.word(MEMORY_SIZE), pc.bios.memory.blocks) == (EBDA_KIB, [])
    passes_on(pc, 0x80)


def test_a_controller_that_cannot_be_used_is_not_in_the_way_of_the_others():
    """Its copy has gone: the next one may try it again, and gives up too."""
    pc = fleet("two")
    pc.cards[0].has_ports = False
    pc._plug_in()
    pc.power_on()
    assert "no I/O address" in pc.text
    assert owners(pc) == [(1, 0), (1, 3)]


# ---- The boot order of the host -----------------------------------------------------------


HOST_PATHS = {0: "scsi@4", 1: "scsi@5", 2: "pci-bridge@6/scsi@1", 3: "pci-bridge@6/pci-bridge@3/scsi@7"}


def path(card: int, scsi_id: int) -> bytes:
    return f"/pci@i0cf8/{HOST_PATHS[card]}/channel@0/disk@{scsi_id:x},0".encode()


def host(*units: tuple[int, int]) -> FwCfg:
    return FwCfg({"bootorder": b"\n".join(path(*unit) for unit in units) + b"\0"})


@pytest.mark.parametrize("card", range(4))
def test_the_host_orders_the_disks_of_one_controller_only(card):
    pc = posted("four", fwcfg=host((card, 3), (card, 0)))
    expected = [(n, i) for n in range(4) for i in ((3, 0) if n == card else (0, 3))]
    assert owners(pc) == expected


def test_each_copy_takes_its_part_of_the_order():
    pc = posted("four", fwcfg=host((3, 3), (1, 3), (2, 0), (0, 3), (3, 0)))
    assert owners(pc) == [(0, 3), (0, 0), (1, 3), (1, 0), (2, 0), (2, 3), (3, 3), (3, 0)]


@pytest.mark.parametrize("line", [
    b"/pci@i0cf8/pci-bridge@5/scsi@1/channel@0/disk@3,0",               # no bridge there
    b"/pci@i0cf8/pci-bridge@6/pci-bridge@6/scsi@1/channel@0/disk@3,0",  # nor there
    b"/pci@i0cf8/pci-bridge@3/scsi@1/channel@0/disk@3,0",               # it is on bus 1
    b"/pci@i0cf8/scsi@1/channel@0/disk@3,0",                            # it is behind one
    b"/pci@i0cf8/pci-bridge@6/scsi@1,1/channel@0/disk@3,0",
    b"/pci@i0cf8/pci-bridge@6,1/scsi@1/channel@0/disk@3,0",
    b"/pci@i0cf8/pci-bridge@6/channel@0/disk@3,0",
    b"/pci@i0cf8/pci-bridge@6/scsi@1",
    b"/pci@i0cf8/pci-bridge@6",
    b"/pci@i0cf8/" + b"pci-bridge@6/" * 30 + b"scsi@1/channel@0/disk@3,0",
], ids=lambda line: line.decode()[11:60])
def test_a_path_that_leads_elsewhere_orders_nothing(line):
    pc = posted("three", fwcfg=FwCfg({"bootorder": line}))
    assert owners(pc) == all_disks(pc)


def test_the_geometry_of_the_host_goes_through_bridges():
    pc = posted("four", fwcfg=FwCfg({"bios-geometry": path(2, 3) + b" 100 16 40\n"}))
    result = pc.int13(ah=0x08, dl=0x85, changes="ax bl cx dx")
    assert (result.ch, result.cl, result.dh) == (99, 40, 15)
    result = pc.int13(ah=0x08, dl=0x81, changes="ax bl cx dx")
    assert (result.ch, result.cl, result.dh) == (31, 32, 63)


# ---- CDs -------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", ["two", "three"])
def test_cds_of_two_controllers_are_booted_and_read(name, first):
    """One after the other: the second gets the number behind."""
    pc = posted(name, cds=True)
    for number, card in enumerate((first, 1 - first), CD):
        disc = disc_of(card)
        entry = next(e for e in entries_of(pc, card) if e.bev)
        runs(pc, pc.bios.boot(entry, *disc.loads), disc, disc.default, number)
        reads_blocks(pc, disc, number=number)
    reads_blocks(pc, disc_of(first), number=CD)
    assert owners(pc) == all_disks(pc)


def test_a_cd_that_does_not_boot_leaves_its_number_to_the_other_controller():
    pc = fleet("two", cds=True)
    pc.cards[0].bus.targets[CD_ID].medium = False
    pc.power_on()
    first, second = (next(e for e in entries_of(pc, n) if e.bev) for n in (0, 1))
    disc = disc_of(1)
    assert not pc.bios.boot(first, *disc.loads).booted
    runs(pc, pc.bios.boot(second, *disc.loads), disc, disc.default, CD)
    reads_blocks(pc, disc)
    assert owners(pc) == all_disks(pc)


IMAGES = {"floppy": (floppy(FLOPPY_144), FLOPPY_144, 0x00, (2, 18)),
          "hard disk": (hard_disk(20, 4, 17), HARD_DISK, 0x80, (4, 17))}
images = pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())


def with_images(image: tuple, **options) -> tuple[MultiControllerPc, list[Disc]]:
    """Two controllers, each with two disks and a CD to boot as a drive."""
    discs = [Disc(Entry(*image[:2], count=1), seed=n) for n in (0, 1)]
    pc = fleet("two", **options)
    for card, disc in zip(pc.cards, discs):
        card.bus.targets[CD_ID] = drive_with(disc)
    pc.power_on()
    return pc, discs


def boots_image(pc: MultiControllerPc, card: int, disc: Disc, image: tuple, cd: int = CD) -> None:
    entry = next(e for e in entries_of(pc, card) if e.bev)
    runs(pc, pc.bios.boot(entry, *disc.loads), disc, disc.default, image[2])
    reads_sectors(pc, disc, disc.default, 3, 20, image[2], geometry=image[3])
    reads_blocks(pc, disc, number=cd)


@images
@pytest.mark.parametrize("card", [0, 1])
def test_an_image_is_a_drive_before_the_disks_of_all_controllers(image, card):
    pc, discs = with_images(image)
    boots_image(pc, card, discs[card], image)
    first = 0x81 if image[2] else 0x80
    assert [owner(pc, first + i) for i in range(4)] == all_disks(pc)
    assert pc.peek(HARD_DISKS, 1)[0] == first - 0x80 + 4
    data = fresh(card, 2)
    writes(pc, first + 3, data, 1, 3)
    passes_on(pc, first + 4, hidden=first - 0x80)


@images
@pytest.mark.parametrize("ends", ["INT 18h", "disconnect"])
def test_after_one_image_that_of_the_other_controller_is_booted(image, ends):
    """What was booted first gives up, or the BIOS gives it up."""
    pc, discs = with_images(image)
    for card, cd in ((1, CD), (0, CD if ends == "disconnect" else CD + 1)):
        boots_image(pc, card, discs[card], image, cd)
        if ends == "INT 18h":
            assert not pc.boot_interrupt(0x18, *discs[0].loads).booted
        else:
            pc.bios.disconnect(next(e for e in entries_of(pc, card) if e.bev))
        assert owners(pc) == all_disks(pc)
        passes_on(pc, 0x00)


# ---- BIOSes without boot entries ------------------------------------------------------------


@fleets
def test_without_boot_entries_all_controllers_connect_at_int_19h(name):
    pc = posted(name, bios=Bios(NO_BBS, pmm="absent"))
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    result = pc.bios.bootstrap()
    assert (result.booted, result.dl) == (True, 0x80)
    assert sorted(owners(pc)) == all_disks(pc)
    passes_on(pc, 0x80 + 2 * len(FLEETS[name]))


def test_without_boot_entries_cds_are_booted_when_no_disk_is():
    """Whichever is first; when that gives up the other one is tried."""
    pc = posted("two", ids=(), cds=True, bios=Bios(NO_BBS))
    loads = [load for card in (0, 1) for load in disc_of(card).loads]
    booted = []
    result = pc.bios.bootstrap(*loads)
    for number in (CD, CD + 1):
        card = (result.cs * 16 + result.eip - 0x10000) // 0x1000
        disc = disc_of(card)
        runs(pc, result, disc, disc.default, number)
        reads_blocks(pc, disc, number=number)
        booted.append(card)
        result = pc.boot_interrupt(0x18, *loads)
    assert sorted(booted) == [0, 1]
    assert not result.booted and pc.bios.noted == [0x19, 0x18]


def test_a_retry_of_int_19h_gives_no_disk_a_second_number():
    pc = fleet("two", ids=(3,), bios=Bios(NO_BBS))
    for card in pc.cards:
        card.bus.targets[3].content = lambda lba: bytes(512)
    pc.power_on()
    for times in (1, 2, 3):
        assert not pc.bios.bootstrap(range(0x7C00, 0x7E00)).booted
        assert pc.bios.noted == [0x19, 0x18] * times
        assert pc.peek(HARD_DISKS, 1) == b"\x02"


# ---- The laws bite -----------------------------------------------------------------------


def small_rom(tmp_path, code: str):
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
def test_a_copy_that_touches_two_controllers_is_named(tmp_path, code, broken):
    def fleet_of(file):
        pc = fleet("two")
        for card in pc.cards:
            card.rom = file
            pc.pci.set_command(card.pci_address, 7)
        return pc

    file = small_rom(tmp_path, code)
    pc = fleet_of(file)
    if broken:
        with pytest.raises(RuleViolation, match="controller of another copy"):
            pc.power_on(0x20)
    else:
        pc.power_on(0x20)
        assert served(pc) == [0]
        with pytest.raises(RuleViolation, match="controller of another copy"):
            fleet_of(file).power_on(0x20, 0x20)


@pytest.mark.parametrize("who", ["the CPU", "the chip"])
def test_memory_of_another_copy_that_is_written_is_named(who):
    pc = posted("two")
    mine, other = pc.workspaces
    if who == "the CPU":    # its INT 13h door: MOV AX, segment; MOV DS, AX; MOV [0], AL
        door = pc.cards[1].server.segment * 16 + pc.word(INT13)
        pc.poke(door, b"\xb8" + struct.pack("<H", mine.start // 16) + bytes.fromhex("8ed8a20000"))
    with pytest.raises(RuleViolation, match="memory of another copy"):
        if who == "the CPU":
            pc.int13(ah=0x77, dl=0x80)
        else:
            pc._card_writes(pc.cards[0], other.start, b"data")


def test_the_vectors_of_the_bios_are_where_they_were_without_drives():
    pc = fleet("two", ids=())
    pc.power_on()
    assert pc.word(INT13 + 2) == pc.word(INT19 + 2) == BIOS_SEGMENT
    assert pc.bios.copies[0].segment == ROM_SEGMENT


def test_places_of_the_fleet_are_those_of_its_cards():
    """So that the tests above are about what they say."""
    pc = fleet("four")
    assert [card.pci_address for card in pc.cards] == list(PLACES.values())
    for address, (secondary, last) in {0x0030: (1, 2), 0x0118: (2, 2)}.items():
        assert pc.pci.read(address, 0x0E, 1) == 1
        assert pc.pci.read(address, 0x18, 4) == last << 16 | secondary << 8 | address >> 8
    assert card_at(0, "810", ()).variant == "810"
