# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Rules for POST and BIOS calls, broken by small ROMs of a few instructions."""

from __future__ import annotations

import struct
from contextlib import nullcontext

import pytest

import size
from tests.model.bios import Bios
from tests.model.bios_data import EBDA_KIB, MEMORY_SIZE, PCI_3, SCRATCH_KIB, SPECIFICATION
from tests.model.bus import Delay
from tests.model.pc import ROM_SEGMENT, Pc
from tests.model.pc_ports import IO_BASE
from tests.model.rules import RuleViolation
from tests.rom.bios.one_controller import INT13, SECOND, booted, host, id_of, machine

RETF = "cb"
SET_VECTOR = "31c0 8ed8 c706 4c00 3412"     # 0:4Ch = 1234h
# 1 KiB at 50000h from PMM; release of that block
GET_BLOCK = "6a01 6a00 6a00 6a00 6a40 6a00 9a 00d0 00f0 83c40c"
FREE_BLOCK = "6a05 6a00 6a02 9a 00d0 00f0 83c406"
SCRATCH = "31c0 8ed8 a11304 83e8{:02x} c1e006 8ed8 c606 0000 01"    # this many KiB below 40:13h
PCI_COMMAND = "b80cb1 bb{:02x}00 bf{:02x}00 b90700 cd1a"


def small_rom(tmp_path, code: str, blocks: int = 1, **options) -> Pc:
    """A machine with a ROM whose init consists of a few instructions."""
    image = bytearray(512 * blocks)
    image[:6] = b"\x55\xaa" + bytes([blocks]) + b"\xe9\x3a\x00"     # jmp 40h
    code = bytes.fromhex(code.replace(" ", ""))
    image[0x40:0x40 + len(code)] = code
    image[-1] = -sum(image) & 0xFF
    file = tmp_path / "small.rom"
    file.write_bytes(image)
    return Pc(file, **options)


@pytest.mark.parametrize("code, rule", [
    ("31c0 8ed8 c606 9004 01", "write not allowed in POST"),            # 0:490h
    ("31c0 8ed8 c606 0070 01", "write not allowed in POST"),            # free memory
    ("b800f0 8ed8 c606 0000 01", "write not allowed in POST"),          # the BIOS
    (GET_BLOCK + "b84050 8ed8 c606 0000 01", "write not allowed in POST"),      # after the block
    (GET_BLOCK + "b83f50 8ed8 c706 0f00 0000", "write not allowed in POST"),    # across its end
    (GET_BLOCK + "b8ff4f 8ed8 c706 0f00 0000", "write not allowed in POST"),
    (GET_BLOCK + FREE_BLOCK + "b80050 8ed8 c606 0000 01", "write not allowed in POST"),
    (SET_VECTOR, "boot vector hooked in init"),
    ("31c0 8ed8 fe06 7504", "boot vector hooked in init"),              # 40:75h
    ("0e 1f c606 0200 02", "ROM header wrong"),                         # twice the length
    ("0e 1f c606 8000 02", "ROM checksum wrong"),
    (f"ba{IO_BASE & 0xFF:02x}{IO_BASE >> 8:02x} ec", "I/O space not enabled"),
    (PCI_COMMAND.format(0, 4), "PCI register not ours"),                # the bridge
    (PCI_COMMAND.format(0x20, 0x10), "PCI register not ours"),          # BAR 0
    ("b034 e643", "8254 set anew"),
    ("e440", "8254 out of step"),
    ("b000 e643 e440", "8254 out of step"),                             # half a count
    ("b0e8 e643", "port not ours"),                                     # counter 2
    ("ba1005 31c0 ef", "port not ours"),                                # fw_cfg, not QEMU
    ("b020 e620", "port not ours"),                                     # EOI
    ("f4", "CPU halted"),
    ("ea 0000 0030", "code outside the ROM run"),
    ("0f0b", "CPU exception"),                                           # UD2
    ("31c9 f7f1", "BIOS service not expected: INT 00h"),                # division by 0
    ("cd17", "BIOS service not expected"),
    ("b400 cd16", "BIOS service not expected"),                         # no key is pressed
    ("eb fe", "step bound"),
    ("6a00 6a00 6a00 6a00 6a07 9a 00d0 00f0", "PMM misused"),           # function 7
    ("6a00 6800 06 6a00 6a02 9a 00d0 00f0", "PMM misused"),             # not a block
    ("6a02 6a00 6a00 6a00 6a40 6a00 9a 00d0 00f0", "PMM misused"),      # not conventional memory
    ("1e", "code outside the ROM run"),                                 # DS as return address
    ("ca 0200", "stack not restored"),
    (GET_BLOCK, "temporary memory kept"),
    (GET_BLOCK + FREE_BLOCK + "9a 0000 0050", "code outside the ROM run"),
], ids=lambda value: value[:30])
def test_post_violation_names_its_rule(tmp_path, code, rule):
    with pytest.raises(RuleViolation, match=rule):
        small_rom(tmp_path, code + RETF).power_on()


@pytest.mark.parametrize("kib, pmm", [
    (SCRATCH_KIB + 1, "absent"), (SCRATCH_KIB, "1.01"), (1, "1.00"), (SCRATCH_KIB + 1, "bad checksum")])
def test_free_memory_is_writable_only_without_pmm_and_near_the_top(tmp_path, kib, pmm):
    with pytest.raises(RuleViolation, match="write not allowed in POST"):
        small_rom(tmp_path, SCRATCH.format(kib) + RETF, bios=Bios(pmm=pmm)).power_on()


def test_small_rom_that_breaks_no_rule_passes(tmp_path):
    """Shows that the violations above come from the injected code."""
    small_rom(tmp_path, PCI_COMMAND.format(0x20, 4) + "ba00c0 ec" + RETF).power_on()
    small_rom(tmp_path, GET_BLOCK + "b83f50 8ed8 c706 0e00 0000" + FREE_BLOCK + RETF).power_on()
    small_rom(tmp_path, SCRATCH.format(SCRATCH_KIB) + RETF, bios=Bios(pmm="absent")).power_on()
    small_rom(tmp_path, "6a01 6a00 6a00 6a00 6a40 6a00 9a 00d0 00f0 83c40c 92 8cca" + FREE_BLOCK
              + RETF).power_on()


COPY_TO_BX = "8ec3 0e 1f 31f6 31ff b90001 f3a5"


SELECT = "66b8 00200080 baf80c 66ef"    # 80002000h to CF8h: the ID of 00:04.0
READ_DATA = "bafc0c 66ed"


@pytest.mark.parametrize("code, pci, mechanism_1", [
    (SELECT, True, True),                               # the BIOS has PCI services
    (SELECT + READ_DATA, False, False),                 # there is no host bridge
    (READ_DATA, False, True),                           # nothing is selected
    ("b080 bafb0c ee", False, True),                    # a part of the address port
    (SELECT + "bafb0c ec", False, True),
    (SELECT + "bafd0c ed", False, True),                # a word across registers
], ids=["PCI BIOS", "no mechanism", "not selected", "byte written", "byte read", "not aligned"])
def test_wrong_access_to_configuration_ports_is_detected(tmp_path, code, pci, mechanism_1):
    pc = small_rom(tmp_path, code + RETF, bios=Bios(pci=pci))
    pc.pci.mechanism_1 = mechanism_1
    with pytest.raises(RuleViolation, match="port not ours"):
        pc.power_on()


def test_write_by_configuration_ports_is_checked(tmp_path):
    for code, rule in (("66b8 04200080 baf80c 66ef bafc0c b80700 ef", None),           # COMMAND
                       ("66b8 10200080 baf80c 66ef bafc0c 66ef", "PCI register not ours")):
        pc = small_rom(tmp_path, code + RETF, bios=Bios(pci=False))
        pc.pci.mechanism_1 = True
        if rule:
            with pytest.raises(RuleViolation, match=rule):
                pc.power_on()
        else:
            pc.power_on()
            assert pc.pci.command == 7


def test_pci_3_rom_must_move_to_the_given_segment(tmp_path):
    small_rom(tmp_path, COPY_TO_BX + RETF, bios=Bios(PCI_3)).power_on()
    with pytest.raises(RuleViolation, match="no image at the run-time segment"):
        small_rom(tmp_path, RETF, bios=Bios(PCI_3)).power_on()


def test_pci_bios_call_on_small_stack_is_detected(tmp_path):
    code = ("31c0 8ed8 c706 1304 7d02 b8409f 8ed0 bc0002"   # 637 KiB, SS:SP = 9F40:0200
            "2ea30800 b801b1 cd1a")                         # segment stored in the image
    with pytest.raises(RuleViolation, match="stack too small for the BIOS"):
        small_rom(tmp_path, code + RETF).power_on()


@pytest.mark.parametrize("sp, enough", [(0x8A, True), (0x88, False)])
def test_service_needs_128_bytes_of_our_stack(tmp_path, sp, enough):
    """INT pushes 6 bytes, and the canary takes 4."""
    code = ("31c0 8ed8 c706 1304 7d02 8cd2 89e6 b8409f 8ed0 bc{:02x}00"     # 637 KiB, SS = 9F40h
            "b40f cd10 8ed2 89f4 c706 1304 7f02")
    pc = small_rom(tmp_path, code.format(sp) + RETF)
    with nullcontext() if enough else pytest.raises(RuleViolation, match="stack too small for the BIOS"):
        pc.power_on()


READ, INQUIRY, SENSE = b"\x28", b"\x12", b"\x03"


@pytest.mark.parametrize("member, after, length, cdb, good", [
    ("lsi.moved.status", 0, 2, READ, True),
    ("lsi.moved.msg_in", 0, 1, READ, True),
    ("lsi.moved.sink", 0, 1, READ, True),
    ("lsi.moved.sink", 0, 2, READ, False),
    ("lsi.moved.msg_out", 0, 1, READ, False),
    ("int13.bus.sense", 0, 18, SENSE, True),
    ("int13.bus.sense", 0, 19, SENSE, False),
    ("int13.bus.sense", -1, 18, SENSE, False),
    ("lsi.script", 0, 4, READ, False),
    ("int13.drive_map", 0, 1, INQUIRY, False),
    ("", 200, 36, INQUIRY, True),
    ("", 200, 512, READ, False),
    ("", 0, 36, INQUIRY, False),
    ("", 8, 36, INQUIRY, False),
])
def test_chip_writes_only_declared_bytes_of_the_workspace(member, after, length, cdb, good):
    """Without a member: on our stack, which is used from byte 100 on. `after`: from its start."""
    pc = booted()
    pc.writable = pc.kept_memory
    pc.set("ss", pc.workspace.start // 16)
    pc.set("esp", 100)
    pc.bus.cdb = cdb
    at = pc.workspace.start + (size.values(f"FIELD({member})")[0] if member else 0) + after
    with nullcontext() if good else pytest.raises(RuleViolation, match="DMA into our memory"):
        pc._dma_write(at, bytes(length))


def test_chip_writes_of_our_other_memory_only_the_block_buffer():
    pc = booted(bios=Bios(pmm="absent"))
    pc.bus.targets[3].removable = True      # it needs a block buffer
    pc.warm_boot()
    pc.writable = pc.kept_memory
    buffer = pc._block_buffer(pc.workspace)
    assert len(buffer) == 4096 and any(place.start <= buffer.start < place.stop for place in pc.kept_memory)
    pc.bus.cdb = READ
    pc._dma_write(buffer.start, bytes(4096))
    for at in (buffer.start - 1, buffer.stop - 511):
        with pytest.raises(RuleViolation, match="DMA into our memory"):
            pc._dma_write(at, bytes(512))


def test_chip_that_writes_elsewhere_in_init_is_detected():
    """The answer to INQUIRY goes to our stack, but not above SP."""
    pc = machine(0)
    write = pc._dma_write
    pc.chip._write_main = lambda address, data: write(address - (len(data) == 36) * 0x200, data)
    with pytest.raises(RuleViolation, match="DMA into our memory"):
        pc.power_on()


@pytest.mark.parametrize("code, rule", [
    ("0e 1f c606 0000 01", "ROM written after boot"),
    ("b401 cd10", "BIOS service not expected"),
    ("b801b1 cd1a", "BIOS service not expected"),
    ("ba1005 31c0 ef", "port not ours"),
], ids=["ROM", "INT 10h", "INT 1Ah", "fw_cfg"])
def test_violation_after_boot_names_its_rule(code, rule):
    """The ROM's INT 13h entry is replaced with a few instructions."""
    pc = booted(fwcfg=host())
    pc.poke(ROM_SEGMENT * 16 + pc.word(INT13), bytes.fromhex(code.replace(" ", "")) + b"\xcf")
    with pytest.raises(RuleViolation, match=rule):
        pc.int13(ah=0x77, dl=0x80)


def test_dma_into_rom_after_boot_is_detected():
    pc = booted()
    with pytest.raises(RuleViolation, match="ROM written after boot"):
        pc.read(0, 1, address=ROM_SEGMENT * 16 + 0x400)


def test_time_of_post_and_of_a_call_can_be_bounded():
    with pytest.raises(RuleViolation, match="step bound"):
        machine(0, most_post_ns=SECOND).power_on()      # eight selections and a reset take longer
    pc = booted()
    pc.most_call_ns = SECOND
    assert pc.read(0, 1).ah == 0
    pc.bus.targets[0].before_status = lambda bus: iter([Delay(2 * SECOND)])
    with pytest.raises(RuleViolation, match="step bound"):
        pc.read(0, 1)


def test_call_of_given_back_code_is_detected():
    pc = booted()
    pc.poke(ROM_SEGMENT * 16 + pc.word(INT13), b"\xe9" + struct.pack(
        "<H", pc.bios.kept - pc.word(INT13) - 3 & 0xFFFF))
    with pytest.raises(RuleViolation, match="given-back code run"):
        pc.int13(ah=0x77, dl=0x80)


def test_changed_code_is_translated_again():
    """Otherwise the tests above would prove nothing."""
    pc = booted()
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)
    seen, door = [], ROM_SEGMENT * 16 + pc.word(INT13)
    pc.hook_at(door, seen.append)
    assert id_of(pc, 0x80) == 0
    assert seen == [door]
    pc.poke(door, b"\xf4")
    with pytest.raises(RuleViolation, match="CPU halted"):
        pc.int13(ah=0x77, dl=0x80)


def test_overflow_of_our_stack_is_detected():
    pc = booted()
    pc.poke(pc.workspace.start, b"tick")
    with pytest.raises(RuleViolation, match="our stack overflowed"):
        pc.int13(ah=0x77, dl=0x80)


@pytest.mark.parametrize("at, value", [(0, 0x25), (4, 2), (5, 3), (9, 0x55), (0x0F, 0xFF),
                                       (0x11, 0xFF), (0x17, 0xFF), (0x12, 2)])
def test_invalid_pnp_header_is_detected(at, value):
    """The specification's BIOS checks fields that SeaBIOS does not."""
    class Breaking(Bios):
        def _walk(self):
            place = self.image.start + self._pc.word(self.image.start + 0x1A) + at
            assert self._pc.peek(place, 1) != bytes([value])
            self._pc.poke(place, bytes([value]))
            if at not in (0, 9):
                header = place - at
                data = bytearray(self._pc.peek(header, 0x20))
                data[9] = data[9] - sum(data) & 0xFF
                self._pc.poke(header, bytes(data))
            return super()._walk()
    pc = machine(0, bios=Breaking(SPECIFICATION))
    with pytest.raises(RuleViolation, match="PnP header wrong"):
        pc.power_on()


def test_workspace_in_free_memory_is_detected():
    class Forgetting(Bios):
        def _reclaim_memory(self):
            self._pc.poke(MEMORY_SIZE, struct.pack("<H", EBDA_KIB))
            super()._reclaim_memory()
    pc = machine(0, bios=Forgetting(pmm="absent"))
    with pytest.raises(RuleViolation, match="workspace in free memory"):
        pc.power_on()
