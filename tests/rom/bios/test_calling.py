# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: how a BIOS calls the ROM: the registers at init, the place of the image,
boot connection and disconnect vectors in any order, retries, and a BIOS with its
own driver for the controller.
"""

from __future__ import annotations

import struct

import pytest

from tests.build import bios_image
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOCHS, BOOT_SECTOR, EBDA_KIB, EBDA_POINTER, HARD_DISKS,
                                   INIT_SEGMENT, JUNK, MEMORY_SIZE, NO_BBS, PCI_3, PCI_NOT_FOUND, ROM_SEGMENT,
                                   SEABIOS, SPECIFICATION, WORKSPACE_KIB)
from tests.model.devices import FwCfg
from tests.model.eltorito import FLOPPY_144, HARD_DISK, Disc, Entry, floppy, hard_disk, loader
from tests.model.multi_pc import MultiControllerPc
from tests.model.pc import SEEDS, Pc
from tests.model.rules import RuleViolation
from tests.rom.bios.multi_controller import (LBA, TAKEN_KIB, all_disks, booted, booted_with, lines, machine,
                                             machine_with, named_disk, owner, owners)
from tests.rom.cd.cdboot import (CD, cd_entries, check_blocks, check_number_free, check_running,
                                 with_cd)
from tests.rom.strict import BAD_COMMAND, OK, ROMS, VARIANTS, transfer

INT13, INT19 = 0x13 * 4, 0x19 * 4
IO, MEMORY, MASTER = 1, 2, 4

variants = pytest.mark.parametrize("variant", VARIANTS)
manners = pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])


def ids(pc: Pc) -> list[int]:
    """The SCSI IDs of the disks counted in 40:75h."""
    return [scsi_id for _, scsi_id in owners(pc)]


def check_passed_on(pc: Pc, drive: int) -> None:
    before = len(pc.bios.passed_on)
    assert pc.int13(ah=0x02, dl=drive).ah == BAD_COMMAND
    assert len(pc.bios.passed_on) == before + 1


# ---- Where the image stays ---------------------------------------------------------------

LAST_PARAGRAPH = ROM_SEGMENT + len(bios_image(ROMS["895A"])) // 16 - 1


@variants
@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_pci_3_image_moves_to_the_runtime_segment(variant, pmm):
    """The copy at the address of init is overwritten."""
    pc = booted(variant=variant, bios=Bios(PCI_3, pmm=pmm))
    assert pc.peek(INIT_SEGMENT * 16, 2) == bytes([JUNK]) * 2
    assert pc.word(INT13 + 2) == ROM_SEGMENT
    image = pc.peek(ROM_SEGMENT * 16, pc.bios.kept)
    assert sum(image) & 0xFF == 0 and image[2] * 512 == len(image)
    assert struct.unpack_from("<HHH", image, 0x1C + 0x10)[::3] == (len(image) // 512,)
    assert ids(pc) == [0, 3]


def test_pci_3_declared_runtime_length_is_sufficient():
    """The length in PCIR 16h is not more than the file has, and enough for a machine
    with every kind of drive."""
    pc = with_cd("895A", others={i: named_disk(0, i) for i in (0, 1, 3, 5)}, bios=Bios(PCI_3))
    copy = pc.bios.copies[0]
    assert pc.bios.kept <= len(copy.room) <= len(copy.data)


@pytest.mark.parametrize("manner", [NO_BBS, BOCHS])
def test_without_bbs_vectors_point_to_the_runtime_segment(manner):
    pc = booted(bios=Bios(manner, pci_version=0x0300))
    assert pc.word(INT19 + 2) == ROM_SEGMENT
    assert pc.bios.bootstrap().dl == 0x80
    assert ids(pc) == [0, 3]


@pytest.mark.parametrize("bios", [dict(), dict(manner=NO_BBS, pci_version=0x0300)],
                         ids=["BBS", "no BBS"])
def test_pci_3_rom_without_disks_leaves_no_trace(bios):
    pc = Pc(ROMS["895A"], bios=Bios(**{"manner": PCI_3, **bios}))
    pc.power_on()
    assert "no disk" in pc.text
    assert (pc.bios.kept, pc.bios.memory.blocks, pc.bios.init_result.ax) == (0, [], 0)
    assert pc.word(INT19 + 2) == BIOS_SEGMENT


@pytest.mark.parametrize("bx", [ROM_SEGMENT, ROM_SEGMENT + 1, LAST_PARAGRAPH, ROM_SEGMENT - 1,
                                ROM_SEGMENT - 0x100, 0xBFFF, 0x6000, 0x0000, 0x5B04],
                         ids=lambda bx: f"{bx:04X}h")
@pytest.mark.parametrize("manner", [PCI_3, SEABIOS])
def test_invalid_runtime_segment_is_not_used(manner, bx):
    """The BIOS reports PCI 3.0 but runs init in place. The model rejects writes to
    any other place."""
    pc = booted(bios=Bios(manner, pci_version=0x0300, in_place=True, bx=bx))
    assert pc.word(INT13 + 2) == ROM_SEGMENT
    assert pc.bios.kept < len(bios_image(ROMS["895A"]))
    assert ids(pc) == [0, 3]


@pytest.mark.parametrize("bx", [INIT_SEGMENT, 0x0000, 0xBFFF], ids=lambda bx: f"{bx:04X}h")
def test_image_without_valid_runtime_segment_hooks_nothing(bx):
    """Init runs in temporary memory."""
    pc = machine(bios=Bios(PCI_3, bx=bx))
    with pytest.raises(RuleViolation, match="no image at the run-time segment"):
        pc.power_on()
    assert lines(pc) == ["lsi8xx-rom 0.1.0: 53C895A at PCI 00:04.0: no place for the ROM from the BIOS"]
    assert pc.chip.reads == pc.chip.writes == 0
    assert {pc.word(vector + 2) for vector in (INT13, INT19)} == {BIOS_SEGMENT}
    assert pc.bios.memory.blocks == []


@pytest.mark.parametrize("version", [0x0200, 0x0210, 0x0299])
@pytest.mark.parametrize("bx", [0xD800, 0xC000, 0xE000])
def test_pci_2_bios_has_no_runtime_segment(version, bx):
    pc = booted(bios=Bios(pci_version=version, bx=bx))
    assert pc.word(INT13 + 2) == ROM_SEGMENT
    assert ids(pc) == [0, 3]


# ---- Registers at init -------------------------------------------------------------------


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION, PCI_3, NO_BBS])
@pytest.mark.parametrize("ax", [0x0020, 0x0000, 0x0008, 0x0021, 0x1234, 0xFFFF],
                         ids=["right", "zero", "another device", "another function", "garbage", "ones"])
def test_controller_is_found_with_any_ax(manner, ax):
    pc = machine(bios=Bios(manner))
    pc.pci._spaces[0x08] = bytearray(b"\x86\x80\x10\x70".ljust(256, b"\0"))     # an IDE controller
    pc.power_on(ax)
    assert "53C895A at PCI 00:04.0" in pc.text
    if manner == NO_BBS:
        pc.bios.bootstrap()
    assert ids(pc) == [0, 3]


@pytest.mark.parametrize("pointer", [(0, 0), (0xFFFF, 0xFFFF), (0xF000, 0xFFFE), (0x1234, 0x5678),
                                     (ROM_SEGMENT, 0)], ids=lambda p: "%04X:%04X" % p)
@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION, NO_BBS])
def test_disks_are_found_with_any_es_di(manner, pointer):
    """Without a PnP structure at ES:DI, the ROM assumes a BIOS without BBS."""
    pc = booted(bios=Bios(manner, pointer=pointer, pnp="no BBS" if manner != NO_BBS else ""))
    if manner == NO_BBS:
        pc.bios.bootstrap()
    assert ids(pc) == [0, 3]


@pytest.mark.parametrize("structure", [
    b"$PnP", b"$PnP" + bytes(29), b"$PnP\x10\xff" + b"\xff" * 300, b"$PnP\x10\x00" + bytes(40),
    b"$PnP\x10\x21\0\0\0\0\0\0\0" + b"\xff" * 20, bytes(64), b"\xff" * 300],
    ids=["truncated", "zeros", "long", "no length", "wrong sum", "nothing", "ones"])
def test_damaged_pnp_structure_is_not_used(structure):
    pc = machine(bios=Bios(NO_BBS))
    pc.poke(0xF0100, structure)
    pc.bios.pnp, pc.bios.pointer = "bare", (0xF000, 0x0100)
    pc.power_on()
    assert pc.bios.bootstrap().booted
    assert ids(pc) == [0, 3]


# ---- A BIOS without PCI services ----------------------------------------------------------


def without_pci_bios(name: str, *bdfs: int, **options) -> MultiControllerPc:
    """The host bridge has the ports of configuration mechanism 1."""
    pc = machine_with(name, bios=Bios(pci=False, **options.pop("bios", {})), **options)
    pc.pci.mechanism_1 = True
    pc.pci.selected = 0x80000840        # left by the BIOS
    pc.power_on(*bdfs)
    return pc


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_controllers_named_in_ax_are_served_without_a_pci_bios(manner):
    pc = without_pci_bios("four", bios=dict(manner=manner))
    assert owners(pc) == all_disks(pc)
    assert [pc.pci.command_of(card.pci_address) for card in pc.cards] == [7] * 4


def test_fw_cfg_is_used_without_a_pci_bios():
    order = b"/pci@i0cf8/scsi@4/channel@0/disk@3,0"
    pc = without_pci_bios("two", fwcfg=FwCfg({"bootorder": order}))
    assert owners(pc) == [(0, 3), (0, 0), (1, 0), (1, 3)]


@pytest.mark.parametrize("ax", [0x0000, 0x0018, 0x0030, 0x1234, 0xC800, 0xFFFF],
                         ids=lambda ax: f"{ax:04X}h")
def test_without_a_pci_bios_ax_must_name_a_controller(ax):
    pc = without_pci_bios("two", ax)
    assert lines(pc) == ["lsi8xx-rom 0.1.0: no 53C8xx controller"]
    assert pc.bios.kept == 0


def test_pci_bios_that_reports_an_error_is_not_bypassed():
    """It fails every access to an absent device. The model reports use of the ports."""
    pc = machine()
    answer = pc.bios._pci_register
    pc.bios._pci_register = lambda function: (
        answer(function) if pc.get("ebx") & 0xFFFF in pc.pci._spaces else PCI_NOT_FOUND)
    pc.pci.mechanism_1 = True
    pc.power_on(0xFFFF)
    assert ids(pc) == [0, 3]


def test_port_of_another_device_keeps_its_value():
    """Bit 31 does not stay, so this is not a host bridge. The data port is not touched."""
    pc = machine(bios=Bios(pci=False))
    written = []
    pc.pci.port_write = lambda port, size, value: written.append((port, size, value))
    pc.pci.port_read = lambda port, size: 0x12345678
    pc.power_on()
    assert lines(pc) == ["lsi8xx-rom 0.1.0: no 53C8xx controller"]
    assert {port for port, _, _ in written} == {0xCF8}
    assert written[1::2] == [(0xCF8, 4, 0x12345678)] * (len(written) // 2)


# ---- Memory ------------------------------------------------------------------------------


def test_without_ebda_memory_ends_at_640_kib():
    pc = booted(bios=Bios(pmm="absent", ebda=False))
    assert (pc.word(MEMORY_SIZE), pc.workspace.stop) == (640 - TAKEN_KIB, 640 * 1024)
    assert pc.word(EBDA_POINTER) == 0
    assert ids(pc) == [0, 3]


@pytest.mark.parametrize("kib", [1, 3, 64])
@pytest.mark.parametrize("when", ["after init", "after POST"])
def test_ebda_moved_below_the_workspace_does_not_damage_it(kib, when):
    move = (lambda pc, n: pc.bios.move_ebda(kib)) if when == "after init" else (lambda pc, n: None)
    pc = booted(bios=Bios(pmm="absent", others=move))
    if when == "after POST":
        pc.bios.move_ebda(kib)
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - TAKEN_KIB - kib
    assert pc.workspace.start == (EBDA_KIB - WORKSPACE_KIB) * 1024
    assert ids(pc) == [0, 3]
    assert transfer(pc, 0x43, LBA + 9, 3) == (OK, 3)


# ---- Boot connection and disconnect vectors ------------------------------------------------


def state(pc: Pc) -> tuple[bytes, int]:
    """The state that a connected drive changes."""
    return pc.peek(INT13, 4), pc.peek(HARD_DISKS, 1)[0]


def disconnect(pc: Pc, index: int) -> None:
    """The vector preserves all registers and flags."""
    result = pc.bios.disconnect(pc.bios.entries[index])
    assert {n: result.registers[n] for n in SEEDS} == SEEDS
    assert result.eflags & 0xFFFF == 0x202
    assert result.stack_used <= 64


def connect(pc: Pc, index: int) -> None:
    pc.booted = False
    pc.bios.connect(pc.bios.entries[index])
    pc.booted = True


@variants
@manners
def test_drives_disconnect_in_reverse_order(variant, manner):
    pc = machine(0, 3, 5, variant=variant, bios=Bios(manner, disks=1))
    states = []
    pc.bios.choose = lambda entries: states.append(state(pc)) or entries
    pc.power_on()
    for index, left in ((2, [0, 3]), (1, [0]), (0, [])):
        disconnect(pc, index)
        assert [owner(pc, 0x81 + i)[1] for i in range(len(left))] == left
        check_passed_on(pc, 0x81 + len(left))
        check_passed_on(pc, 0x80)
    assert [state(pc)] == states


@manners
def test_only_the_last_drive_can_be_disconnected(manner):
    """Drive numbers have no gaps: a drive in the middle stays connected."""
    pc = booted(0, 3, 5, bios=Bios(manner))
    for index in (0, 1):
        before = state(pc)
        disconnect(pc, index)
        assert state(pc) == before
        assert ids(pc) == [0, 3, 5]
    disconnect(pc, 2)
    disconnect(pc, 1)
    assert ids(pc) == [0]


def test_repeated_or_early_disconnect_does_nothing():
    pc = booted(0, 3, bios=Bios(choose=lambda entries: entries[:1]))
    disconnect(pc, 1)
    assert ids(pc) == [0]
    disconnect(pc, 0)
    before = state(pc)
    disconnect(pc, 0)
    disconnect(pc, 1)
    assert state(pc) == before and before[1] == 0
    check_passed_on(pc, 0x80)


def test_saved_int13_vector_still_reaches_the_bios_after_disconnect():
    pc = booted(0)
    kept = pc.peek(INT13, 4)
    disconnect(pc, 0)
    assert pc.word(INT13 + 2) == BIOS_SEGMENT
    pc.poke(INT13, kept)
    check_passed_on(pc, 0x80)


@manners
def test_drives_can_be_reconnected_repeatedly(manner):
    pc = booted(0, 3, bios=Bios(manner, choose=lambda entries: []))
    first = state(pc)
    for order in ((0, 1), (1, 0), (1,), (0,)) * 2:
        for index in order:
            connect(pc, index)
        assert ids(pc) == [(0, 3)[index] for index in order]
        for index in reversed(order):
            disconnect(pc, index)
        assert state(pc) == first


HOOK = 0xDE00       # segment of a ROM initialised later


def hook_int13_and_pass_on(pc: Pc, drives: int = 0) -> None:
    """A later ROM hooks INT 13h and passes every call on. It may count drives of its own."""
    jump = b"\xea" + pc.peek(INT13, 4)
    pc.poke(HOOK * 16, jump)
    pc.code.append(range(HOOK * 16, HOOK * 16 + len(jump)))
    pc.poke(INT13, struct.pack("<HH", 0, HOOK))
    pc.poke(HARD_DISKS, bytes([pc.peek(HARD_DISKS, 1)[0] + drives]))


def test_disconnect_below_another_hook_keeps_the_vector():
    pc = booted()
    hook_int13_and_pass_on(pc)
    disconnect(pc, 1)
    disconnect(pc, 0)
    assert state(pc) == (struct.pack("<HH", 0, HOOK), 0)
    check_passed_on(pc, 0x80)
    connect(pc, 1)
    assert state(pc) == (struct.pack("<HH", 0, HOOK), 1), "the vector is still in the chain"
    assert ids(pc) == [3]


def test_drives_below_a_drive_of_another_rom_stay_connected():
    pc = booted()
    hook_int13_and_pass_on(pc, drives=1)
    before = state(pc)
    for index in (1, 0):
        disconnect(pc, index)
    assert state(pc) == before
    assert [owner(pc, drive)[1] for drive in (0x80, 0x81)] == [0, 3]
    check_passed_on(pc, 0x82)


def test_drives_of_two_copies_disconnect_in_reverse_order():
    pc = booted_with("two")
    entries = pc.bios.entries
    for entry, left in ((entries[1], 4), (entries[3], 3), (entries[2], 2), (entries[1], 1),
                        (entries[0], 0)):
        pc.bios.disconnect(entry)
        assert owners(pc) == all_disks(pc)[:left]
    assert pc.word(INT13 + 2) == BIOS_SEGMENT
    check_passed_on(pc, 0x80)


def test_last_copy_disconnects_before_the_first():
    """The first copy cannot restore its vector; it passes calls on."""
    pc = booted_with("two", bios=Bios(choose=lambda e: [e[0], e[2]]))
    first, second = pc.bios.entries[0], pc.bios.entries[2]
    pc.bios.disconnect(second)
    pc.bios.disconnect(first)
    assert state(pc)[1] == 0
    check_passed_on(pc, 0x80)


# ---- CDs ---------------------------------------------------------------------------------

PLAIN = Disc(Entry(loader(4), segment=0x1000))
EMULATED = {"floppy": Disc(Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1)),
            "hard disk": Disc(Entry(hard_disk(20, 4, 17), media=HARD_DISK, count=1))}


@variants
@manners
def test_disconnect_of_a_cd_frees_its_number(variant, manner):
    pc = with_cd(variant, PLAIN, bios=Bios(manner))
    before = state(pc)
    for _ in range(2):
        check_running(pc, pc.bios.boot(cd_entries(pc)[0], *PLAIN.loads), PLAIN, PLAIN.default)
        check_blocks(pc, PLAIN)
        disconnect(pc, pc.bios.entries.index(cd_entries(pc)[0]))
        assert state(pc) == before
        check_number_free(pc, CD)


@pytest.mark.parametrize("disc", EMULATED.values(), ids=EMULATED)
def test_disconnect_of_a_cd_ends_its_emulation(disc):
    pc = with_cd("895A", disc, {0: named_disk(0, 0)})
    before, equipment = state(pc), pc.peek(0x410, 2)
    number = 0x00 if disc is EMULATED["floppy"] else 0x80
    check_running(pc, pc.bios.boot(cd_entries(pc)[0], *disc.loads), disc, disc.default, number)
    disconnect(pc, pc.bios.entries.index(cd_entries(pc)[0]))
    assert (state(pc), pc.peek(0x410, 2)) == (before, equipment)
    check_number_free(pc, 0x00)
    check_number_free(pc, CD)
    assert owner(pc, 0x80) == (0, 0)


def test_disconnect_below_another_hook_ends_emulation_and_keeps_the_cd():
    disc = EMULATED["floppy"]
    pc = with_cd("895A", disc)
    equipment = pc.peek(0x410, 2)
    check_running(pc, pc.bios.boot(cd_entries(pc)[0], *disc.loads), disc, disc.default, 0)
    hook_int13_and_pass_on(pc)
    disconnect(pc, 0)
    assert pc.peek(0x410, 2) == equipment
    check_number_free(pc, 0x00)
    check_blocks(pc, disc)


def test_unbooted_cd_can_be_disconnected():
    pc = with_cd("895A", PLAIN, {0: named_disk(0, 0)})
    before = state(pc)
    disconnect(pc, 1)
    assert state(pc) == before
    assert owner(pc, 0x80) == (0, 0)


@manners
def test_failed_cd_boot_can_be_retried(manner):
    """The drive is empty at the first INT 19h of the BIOS."""
    pc = with_cd("895A", PLAIN, bios=Bios(manner))
    drive = pc.bus.targets[2]
    drive.medium = False
    for _ in range(3):
        assert not pc.bios.boot(cd_entries(pc)[0], *PLAIN.loads).booted
        disconnect(pc, 0)
    drive.medium, drive.attentions = True, [(0x6, 0x28, 0)]
    check_running(pc, pc.bios.boot(cd_entries(pc)[0], *PLAIN.loads), PLAIN, PLAIN.default)


@manners
def test_disk_without_boot_sector_is_read_at_each_int_19h(manner):
    pc = machine(0, 3, bios=Bios(manner))
    pc.bus.targets[0].content = lambda lba: bytes(512)
    pc.power_on()
    for times in (1, 2, 3):
        assert not pc.bios.bootstrap(BOOT_SECTOR).booted
        assert pc.bios.noted == [0x19, 0x18] * times
    pc.bus.targets[0].content = named_disk(0, 0).content
    assert pc.bios.bootstrap(BOOT_SECTOR).booted
    assert pc.peek(HARD_DISKS, 1) == b"\x02"


# ---- A BIOS with its own driver ------------------------------------------------------------


def with_own_driver(variant: str = "895A", take_over: bytes | None = None, fwcfg: bool = True,
                    command: int = IO | MEMORY | MASTER, **bios) -> Pc:
    """SeaBIOS already serves the disks as 80h and 81h."""
    files = {} if take_over is None else {"opt/lsi8xx-rom/take-over": take_over}
    return booted(variant=variant, fwcfg=FwCfg(files) if fwcfg else None, pci_command=command,
                  bios=Bios(**{"disks": 2, **bios}))


@pytest.mark.parametrize("command", [MASTER | IO | MEMORY, MASTER | MEMORY, MASTER | 0x100 | IO])
def test_controller_served_by_the_bios_is_skipped(command):
    pc = with_own_driver(command=command)
    assert lines(pc) == ["lsi8xx-rom 0.1.0: 53C895A at PCI 00:04.0: used by the BIOS, "
                         "set take-over to 1"]
    assert pc.chip.reads == pc.chip.writes == 0
    assert pc.pci.command == command
    assert (pc.bios.kept, pc.bios.init_result.ax, pc.bios.memory.blocks) == (0, 0, [])
    assert (pc.word(INT13 + 2), pc.peek(HARD_DISKS, 1)) == (BIOS_SEGMENT, b"\x02")
    check_passed_on(pc, 0x80)


@variants
@pytest.mark.parametrize("value", [b"1", b"1\n"])
def test_take_over_switch_takes_the_disks_over(variant, value):
    pc = with_own_driver(variant, take_over=value)
    assert [owner(pc, 0x82), owner(pc, 0x83)] == [(0, 0), (0, 3)]
    check_passed_on(pc, 0x80)


@pytest.mark.parametrize("value", [b"0", b"0\n"])
def test_take_over_switch_0_leaves_the_disks_to_the_bios(value):
    assert ": used by the BIOS, " in with_own_driver(take_over=value).text


@pytest.mark.parametrize("value", [b"", b"2", b"x"])
def test_bad_take_over_value_is_ignored(value):
    pc = with_own_driver(take_over=value)
    assert lines(pc)[0].endswith("opt/lsi8xx-rom/take-over: bad value, ignored")
    assert ": used by the BIOS, " in pc.text
    assert pc.chip.reads == pc.chip.writes == 0


@pytest.mark.parametrize("options", [
    dict(variant="810"), dict(command=IO | MEMORY), dict(command=0), dict(fwcfg=False), dict(pmm="absent"),
    dict(manner=NO_BBS, pmm="absent")],
    ids=["chip without SeaBIOS driver", "ports only", "nothing enabled", "not QEMU", "no PMM",
         "neither BBS nor PMM"])
def test_controller_without_bios_driver_is_served(options):
    """PCI set-up alone does not enable bus mastering, so the bit shows that SeaBIOS has a
    driver. On other BIOSes it means nothing."""
    pc = with_own_driver(**options)
    if options.get("manner") == NO_BBS:
        pc.bios.bootstrap(BOOT_SECTOR)
    assert [owner(pc, 0x82), owner(pc, 0x83)] == [(0, 0), (0, 3)]


def test_controller_without_bios_driver_is_served_beside_another():
    pc = machine_with("two", fwcfg=FwCfg(), bios=Bios(disks=2))
    pc.cards[0].pci_command = IO | MEMORY | MASTER
    pc._plug_in()
    pc.power_on()
    assert "53C895A at PCI 00:04.0: used by the BIOS" in pc.text
    assert pc.cards[0].chip.reads == pc.cards[0].chip.writes == 0
    assert [owner(pc, 0x82), owner(pc, 0x83)] == [(1, 0), (1, 3)]


# ---- The model itself --------------------------------------------------------------------


def test_model_rejects_code_outside_known_ranges():
    """Verifies that the tests above really call through the other hook."""
    pc = booted()
    hook_int13_and_pass_on(pc)
    assert ids(pc) == [0, 3]
    pc.code.clear()
    with pytest.raises(RuleViolation, match="code outside the ROM run"):
        pc.int13(ah=0x02, dl=0x10)


def test_model_reports_image_beyond_its_runtime_length(tmp_path):
    """PCI 3.0: of 1024 bytes, 512 may stay; the image copies all."""
    moving_rom(tmp_path, 2).power_on()
    with pytest.raises(RuleViolation, match="write not allowed in POST"):
        moving_rom(tmp_path, 1).power_on()


def moving_rom(tmp_path, blocks: int) -> Pc:
    """A ROM that declares this run-time length and copies its 1024 bytes to BX:0."""
    image = bytearray(1024)
    code = bytes.fromhex("8ec3 0e 1f 31f6 31ff b90002 f3a5 cb")
    image[:6], image[0x18:0x20] = b"\x55\xaa\x02\xe9\x3a\x00", b"\x1c\0\0\0PCIR"
    image[0x1C + 0x16], image[0x40:0x40 + len(code)] = blocks, code
    image[-1] = -sum(image) & 0xFF
    (tmp_path / "x.rom").write_bytes(image)
    return Pc(tmp_path / "x.rom", bios=Bios(PCI_3))
