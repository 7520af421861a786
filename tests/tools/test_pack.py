# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The packed ROM file: the packer, the decoder in the file, and init, which
unpacks the image into temporary memory.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import os
import random
import resource
import struct
import time

import pack
import pytest
import romsign
from unicorn import UC_ARCH_X86, UC_HOOK_MEM_WRITE, UC_MODE_16, Uc
from unicorn import x86_const as x86

from tests.build import BUILD, IMAGE, LIMITS, PACKED_FROM, ROM_895A, bios_image, symbol
from tests.model import pc as pc_module
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOCHS, EBDA_KIB, HARD_DISKS, INIT, MEMORY_SIZE, NO_BBS,
                                   ROM_SEGMENT, SEABIOS, SPECIFICATION, TEMPORARY_AREA, WORKSPACE_KIB)
from tests.model.boards import BoardBios
from tests.model.pmm import Pmm
from tests.model.devices import FwCfg, PciSpace
from tests.model.pc import Pc
from tests.model.target import Disk, cd_rom
from tests.rom.strict import check_read

FILE = bios_image(ROM_895A)
LENGTHS = {2, 0x2C, 0x2D, 0x32, 0x33}   # offsets of the length fields in the header
NO_MEMORY = "lsi8xx-rom 0.1.0: no memory to unpack the ROM\r\n"
LEAST_BELOW_KIB = 32


def kib(size: int) -> int:
    return -(-size // 1024)


IMAGE_KIB = kib(symbol("rom_memory_end"))
TAKEN_KIB = kib(symbol("cd_end") + 32) + WORKSPACE_KIB + 4  # most that init uses: a copy of the image, workspace, block buffer
LEAST_KIB = LEAST_BELOW_KIB + IMAGE_KIB + TAKEN_KIB


# ---- The packer and the decoder ---------------------------------------------------------


def noise(length: int, seed: int = 1, of: bytes = bytes(range(256))) -> bytes:
    numbers = random.Random(seed)
    return bytes(numbers.choice(of) for _ in range(length))


def far_apart(distance: int) -> bytes:
    """Data with a match at exactly this distance."""
    return b"here it is" + noise(distance - 10) + b"here it is."


SAMPLES = {
    "a byte": b"x", "two": b"xx", "three": b"xyx",
    "zeros": bytes(33000), "ones": b"\xff" * 17, "maximum of zeros": bytes(65535 - PACKED_FROM),
    "incompressible": noise(33000), "two letters": noise(9000, 2, b"ab"),
    "period of three": b"abc" * 11000, "a sentence": b"one, and another one, and one more" * 3,
    **{f"run of {n}": noise(n, n) + b"--" * n for n in (1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 65, 255, 256)},
    **{f"distance of {n} bytes": far_apart(n) for n in (255, 256, 257, 512, 513, 65279, 65280, 65281)
       if n + 11 <= 65535 - PACKED_FROM},
    **{f"random {seed}": b"".join(noise(seed % 9 + 1, seed * 31 + i % 40) * (i % 7) for i in range(150))
       for seed in range(1, 20)},
}


packed = functools.cache(pack.pack)


@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES.keys())
def test_unpack_reverses_pack(data):
    assert pack.unpack(packed(data)) == data


def decoded(stream: bytes, length: int) -> bytes:
    """Output of the ROM file's decoder for a stream. The decoder must write each
    output byte once and write nothing else."""
    source, target, stack = 0x10000, 0x30000, 0x50000
    code = (BUILD / "rom.bin").read_bytes()[:symbol("packed", "unpack")]
    uc = Uc(UC_ARCH_X86, UC_MODE_16)
    uc.mem_map(0, 0x80000)
    uc.mem_write(source, code + stream)
    uc.mem_write(target + PACKED_FROM, b"\xEE" * (length + 16))
    written = []
    uc.hook_add(UC_HOOK_MEM_WRITE, lambda uc, access, at, size, value, _: written.append((at, size)))
    for name, value in {"CS": source >> 4, "DS": source >> 4, "ES": target >> 4, "SS": stack >> 4,
                        "SP": 0x1000, "SI": symbol("packed", "unpack"), "DI": PACKED_FROM, "BP": 0x8000,
                        "EFLAGS": 2}.items():
        uc.reg_write(getattr(x86, f"UC_X86_REG_{name}"), value)
    uc.emu_start(source + symbol("literals", "unpack"), source + symbol("unpacked", "unpack"),
                 count=2_000_000)
    places = [at + i for at, size in written for i in range(size)]
    assert places == list(range(target + PACKED_FROM, target + PACKED_FROM + length))
    assert bytes(uc.mem_read(source, len(code + stream))) == code + stream
    return bytes(uc.mem_read(target + PACKED_FROM, length))


@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES.keys())
def test_decoder_in_rom_matches_unpack(data):
    if len(data) < 40000:   # the stream must be in the same segment as the decoder
        assert decoded(packed(data), len(data)) == data


CALLS = {"one": b"\xe8\x10\x20xyz", "at the end": b"abc\xe8\x10\x20", "one byte left": b"abc\xe8\x10",
         "last byte": b"abc\xe8", "E8h in an address": b"\xe8\xe8\xe8\xe8\x01\x02\x03\x04", "none": b"abcdef",
         "many": b"\xe8" * 1000, "random": noise(5000, 7, b"\xe8\xe7\x00\xff\x10")}


@pytest.mark.parametrize("data", CALLS.values(), ids=CALLS.keys())
def test_calls_in_the_stream_are_absolute(data):
    changed = pack.absolute_calls(data)
    assert pack.relative_calls(changed) == data
    assert (changed == data) == (data in (CALLS["none"], *(CALLS[n] for n in ("at the end", "one byte left", "last byte"))))
    assert made_relative(changed) == data


def made_relative(data: bytes) -> bytes:
    """Output of the part of the ROM file's code that makes calls relative again."""
    source, target = 0x10000, 0x30000
    uc = Uc(UC_ARCH_X86, UC_MODE_16)
    uc.mem_map(0, 0x80000)
    uc.mem_write(source, (BUILD / "rom.bin").read_bytes()[:symbol("packed", "unpack")])
    uc.mem_write(target + PACKED_FROM, data + b"\xe8" * 16)
    for name, value in {"CS": source >> 4, "ES": target >> 4, "SS": 0x5000, "SP": 0x1000,
                        "DI": PACKED_FROM + len(data), "EFLAGS": 2}.items():
        uc.reg_write(getattr(x86, f"UC_X86_REG_{name}"), value)
    uc.emu_start(source + symbol("unpacked", "unpack"), source + symbol("unpack_done", "unpack"), count=100_000)
    assert uc.mem_read(target + PACKED_FROM + len(data), 16) == b"\xe8" * 16
    return bytes(uc.mem_read(target + PACKED_FROM, len(data)))


def test_calls_of_one_function_are_equal_in_the_stream():
    """Two calls, 6 bytes apart, of the same address."""
    changed = pack.absolute_calls(b"\xe8\x10\x20...\xe8\x0a\x20...")
    assert changed[:6] == changed[6:]


def test_empty_and_too_large_data_are_refused():
    for size in (0, 65536):
        with pytest.raises(pack.PackError, match="cannot be packed"):
            pack.pack(bytes(size))


def stream_of(*tokens: int | bytes | str) -> bytes:
    """A stream by hand: bytes as they are, numbers coded, bits in a string."""
    writer = pack.Writer()
    for token in tokens:
        if isinstance(token, bytes):
            writer.out += token
        elif isinstance(token, int):
            writer.number(token)
        else:
            for bit in token:
                writer.bit(int(bit))
    return bytes(writer.out)


END = ("1", 256)
LITERAL = (2, b"ab", "1")           # the bit: a copy follows
INVALID = {
    "empty": (b"", "truncated"),
    "half a word": (b"\x80", "truncated"),
    "truncated": (pack.pack(b"abc" * 9)[:-1], "truncated"),
    "copy before the data": (b"\xe0\x00a\x00\x00", "truncated|bytes back"),
    "copy 3 back after 2 bytes": (stream_of(*LITERAL, 1, b"\xfd", 1, *END), "3 bytes back"),
    "copy 1 back": (stream_of(*LITERAL, 1, b"\xff", 1, *END), "1 bytes back"),
    "copy 256 back after 2 bytes": (stream_of(*LITERAL, 1, b"\0", 1, *END), "256 bytes back"),
    "again without a distance": (stream_of(2, b"ab", "0", 1, *END), "bytes back"),
    "distance of the end mark": (stream_of(*LITERAL, 257, b"\xfe", 1, *END), "bytes back"),
    "number of 17 bits": (stream_of(*LITERAL, 1, b"\xfe", 1 << 16, *END), "16 bits"),
    "number without end": (stream_of(1, b"a", "1") + bytes(8000), "16 bits"),
    "65536 bytes": (stream_of(*LITERAL, 1, b"\xfe", 65533, *END), "more than 65535"),
    "65536 bytes again": (stream_of(*LITERAL, 1, b"\xfe", 65531, "0", 1, b"c", "0", 1, *END),
                          "more than 65535"),
    "a byte after the end": (pack.pack(b"abc" * 9) + b"\0", "1 bytes follow"),
    "two streams": (pack.pack(b"abc" * 9) * 2, "follow"),
}


def test_hand_made_streams_are_read():
    """So that the test below fails for its own reasons."""
    assert pack.unpack(stream_of(*LITERAL, 1, b"\xfe", 3, *END)) == b"ababab"
    assert pack.unpack(stream_of(*LITERAL, 1, b"\xfe", 65532, *END)) == b"ab" * 32767 + b"a"


@pytest.mark.parametrize("stream, reason", INVALID.values(), ids=INVALID.keys())
def test_stream_that_the_decoder_cannot_decode_is_refused(stream, reason):
    with pytest.raises(pack.PackError, match=reason):
        pack.unpack(stream)


def test_command_packs_file_and_reports_errors(tmp_path, capsys):
    (tmp_path / "image").write_bytes(b"all the same " * 20)
    (tmp_path / "empty").write_bytes(b"")
    out = tmp_path / "packed"
    assert pack.main([str(tmp_path / "image"), "--output", str(out)]) == 0
    assert pack.unpack(out.read_bytes()) == b"all the same " * 20
    out.unlink()
    for name in ("empty", "none"):
        assert pack.main([str(tmp_path / name), "--output", str(out)]) == 1
        assert capsys.readouterr().err.startswith("pack.py: ")
        assert not out.exists()


@pytest.mark.parametrize("before", [None, b"old contents"])
def test_failed_write_leaves_no_part_of_the_stream(tmp_path, before):
    """The disk becomes full after half of the data."""
    (tmp_path / "image").write_bytes(noise(1 << 15))
    out = tmp_path / "packed"
    if before:
        out.write_bytes(before)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, hard))
    try:
        assert pack.main([str(tmp_path / "image"), "--output", str(out)]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "image"} == (
        {"packed": before} if before else {})


def test_link_is_followed_and_a_device_is_refused(tmp_path, capsys):
    (tmp_path / "image").write_bytes(b"all the same " * 20)
    (tmp_path / "link").symlink_to("target")
    assert pack.main([str(tmp_path / "image"), "--output", str(tmp_path / "link")]) == 0
    assert (tmp_path / "link").is_symlink()
    assert pack.unpack((tmp_path / "target").read_bytes()) == b"all the same " * 20
    for other in ("/dev/null", str(tmp_path)):
        assert pack.main([str(tmp_path / "image"), "--output", other]) == 1
        assert "is not a file" in capsys.readouterr().err
    assert not os.path.isfile("/dev/null")


def test_image_packs_to_70_percent_within_10_seconds():
    data, begin = IMAGE.read_bytes(), time.process_time()
    stream = pack.pack(pack.absolute_calls(data))
    assert time.process_time() - begin < 10
    assert len(stream) < len(data) * 0.7


# ---- The file ----------------------------------------------------------------------------


def test_file_contains_packed_image():
    stream = FILE[symbol("packed", "unpack"):symbol("file_end", "unpack")]
    assert pack.relative_calls(pack.unpack(stream)) == IMAGE.read_bytes()
    assert len(IMAGE.read_bytes()) + PACKED_FROM == symbol("rom_end")
    assert not any(FILE[symbol("file_end", "unpack"):])


def test_file_has_smallest_possible_size():
    """As large as the most that may stay."""
    assert symbol("file_end", "unpack") <= len(FILE) == LIMITS["FILE"]


def test_boot_entry_of_packed_file_connects_nothing():
    """A BIOS that cannot write to the ROM may nevertheless call this entry."""
    entry, = romsign.parse(FILE).pnp
    assert FILE[entry.bcv] == FILE[entry.disconnect] == 0xCB
    assert (entry.product, entry.manufacturer) == ("SCSI disk", "lsi8xx-rom")


# ---- Init --------------------------------------------------------------------------------


def machine(**options) -> Pc:
    pc = Pc(ROM_895A, **options)
    pc.bus.targets = {0: Disk(), 3: Disk()}
    return pc


def unpacked_at(pc: Pc) -> list[int]:
    """A list that POST fills with the address of the unpacked image."""
    places: list[int] = []
    done = symbol("unpack_done", "unpack")
    code = FILE[done:done + 8]

    def at_end(at: int) -> None:
        if pc.peek(at, len(code)) == code:      # otherwise the resident image runs there
            places.append(pc.get("es") * 16)
    pc.hook_at(ROM_SEGMENT * 16 + done, at_end)
    return places


@pytest.mark.parametrize("pmm", ["1.01", "1.00"])
def test_image_is_unpacked_into_pmm_memory(pmm):
    pc = machine(bios=Bios(pmm=pmm))
    places = unpacked_at(pc)
    pc.power_on()
    assert places == [TEMPORARY_AREA.start]
    check_read(pc)


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION, NO_BBS, BOCHS])
@pytest.mark.parametrize("pmm", ["refusing", "unsupported", "absent", "bad checksum"])
def test_image_is_unpacked_below_init_allocations_without_pmm(pmm, manner):
    pc = machine(bios=Bios(manner, pmm=pmm))
    places = unpacked_at(pc)
    pc.power_on()
    assert places == [(EBDA_KIB - TAKEN_KIB - IMAGE_KIB) * 1024]
    if manner in (NO_BBS, BOCHS):
        pc.bios.bootstrap()
    check_read(pc)


def set_temporary_area(monkeypatch, area: range) -> None:
    for module in ("bios", "pmm"):
        monkeypatch.setattr(f"tests.model.{module}.TEMPORARY_AREA", area)


def test_pmm_with_too_little_memory_is_not_used(monkeypatch):
    """PMM has 1 KiB less than needed. Init then takes no memory from PMM at all,
    because PMM's memory may overlap the unpacked image."""
    small = range(TEMPORARY_AREA.start, TEMPORARY_AREA.start + (IMAGE_KIB - 1) * 1024)
    set_temporary_area(monkeypatch, small)
    pc = machine()
    places = unpacked_at(pc)
    pc.power_on()
    assert places == [(EBDA_KIB - TAKEN_KIB - IMAGE_KIB) * 1024]
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - WORKSPACE_KIB
    check_read(pc)


@pytest.mark.parametrize("start", range(0x8E000, 0x9C000, 0x1000), ids=hex)
def test_pmm_memory_may_overlap_unpacked_image(monkeypatch, start):
    """PMM has too little memory for the image but enough for the block buffer."""
    set_temporary_area(monkeypatch, range(start, start + 0x4000))
    pc = machine()
    pc.power_on()
    check_read(pc)


def differences(pc: Pc, before: bytes) -> set[int]:
    """Offsets of changed bytes in the ROM area."""
    now = pc.peek(ROM_SEGMENT * 16, len(before))
    return {at for at, (new, old) in enumerate(zip(now, before)) if new != old}


class InspectingBios(Bios):
    """Records the changes that init made to the ROM area, before the BIOS frees it."""

    def _check_image(self, copy):
        self.changed = differences(self._pc, copy.data)
        self.still_used = [block.place for block in self.memory.blocks]
        return super()._check_image(copy)


A_DISK, REMOVABLE, A_CD = {0: Disk()}, {0: Disk(), 1: Disk(removable=True)}, {0: Disk(), 4: cd_rom()}
STAYS = {       # BIOS, targets, the end of the resident part, boot entries
    "one disk": (Bios(SEABIOS), A_DISK, "text_end", 1),
    "large blocks": (Bios(SEABIOS), {0: Disk(), 6: Disk(block_bytes=4096)}, "text_end", 2),
    "15 disks": (Bios(SPECIFICATION), {i: Disk() for i in range(16) if i != 7}, "text_end", 15),
    "removable": (Bios(SEABIOS), REMOVABLE, "media_end", 2),
    "no medium": (Bios(SEABIOS), {0: Disk(removable=True, medium=False)}, "media_end", 1),
    "CD": (Bios(SEABIOS), A_CD, "cd_end", 2),
    "PMM, no BBS": (Bios(NO_BBS), A_DISK, "extra_end", 1),
    "PMM, no BBS, CD": (Bios(NO_BBS), {4: cd_rom()}, "cd_end", 1),
    "no PMM": (Bios(NO_BBS, pmm="absent"), A_DISK, "extra_end", 0),
    "no PMM, removable": (Bios(NO_BBS, pmm="absent"), REMOVABLE, "far_rom_end", 0),
    "no PMM, CD": (Bios(NO_BBS, pmm="absent"), A_CD, "far_rom_end", 0),
    "no PMM, first entry": (Bios(BOCHS, pmm="absent"), A_DISK, "extra_end", 1),
    "no PMM, first entry, CD": (Bios(BOCHS, pmm="absent"), A_CD, "far_rom_end", 2),
}


@pytest.mark.parametrize("bios, targets, end, entries", STAYS.values(), ids=STAYS.keys())
def test_resident_size_is_minimal(bios, targets, end, entries):
    """It is also sufficient: the model puts HLT into the freed part. Without any boot
    entry, there is a header of 32 bytes."""
    pc = machine(bios=dataclasses.replace(bios))
    pc.bus.targets = {scsi_id: copy.copy(target) for scsi_id, target in targets.items()}
    pc.power_on()
    end = -(-symbol(end) // 16) * 16
    if bios.pmm == "absent":
        entries = min(entries, (LIMITS["WITHOUT_PMM"] - end) // 112)
    end += entries * 112 or 32
    assert pc.bios.kept == -(-end // 512) * 512


@pytest.mark.parametrize("size_kib", [0, 1, 63, 64, LEAST_KIB - 1, 641, 0xFFFF])
def test_init_without_memory_prints_message_and_changes_nothing(size_kib):
    pc = machine(bios=InspectingBios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", size_kib))
    before = pc.peek(0, 0x500)      # the model checks the rest of memory
    pc.power_on()
    assert pc.text == NO_MEMORY
    assert pc.bios.changed <= LENGTHS and pc.bios.kept == 0
    result = pc.bios.init_result
    assert (result.ax, result.stack_used < 400) == (0, True)
    assert pc.chip.reads == pc.chip.writes == 0
    assert pc.peek(0, 0x500) == before


@pytest.mark.parametrize("size_kib", [LEAST_KIB, LEAST_KIB + 1, 639, 640])
def test_init_works_with_minimum_memory(size_kib):
    pc = machine(bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", size_kib))
    places = unpacked_at(pc)
    pc.power_on()
    assert places[0] >= LEAST_BELOW_KIB * 1024
    check_read(pc)


def set_stack(monkeypatch, stack: range) -> None:
    """The BIOS runs init on this stack; its segment begins there."""
    monkeypatch.setattr(pc_module, "STACK", stack)
    monkeypatch.setattr(pc_module, "STACK_SEGMENT", stack.start // 16)
    monkeypatch.setattr(pc_module, "STACK_TOP", len(stack))


@pytest.mark.parametrize("below_kib", [-1, 8, 12, TAKEN_KIB - 1, TAKEN_KIB + 4, TAKEN_KIB + IMAGE_KIB - 1,
                                       TAKEN_KIB + IMAGE_KIB, TAKEN_KIB + IMAGE_KIB + 8])
def test_image_is_not_unpacked_over_the_bios_stack(monkeypatch, below_kib):
    """The BIOS's stack begins `below_kib` below the top of memory."""
    top = (600 - below_kib) * 1024
    stack = range(top, top + 4096)
    set_stack(monkeypatch, stack)
    pc = machine(bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", 600))
    places = unpacked_at(pc)
    pc.power_on()
    image = range(places[0], places[0] + IMAGE_KIB * 1024)
    assert image.stop <= stack.start or stack.stop <= image.start
    usual = (600 - TAKEN_KIB) * 1024
    assert image.stop == (usual if stack.start >= 600 * 1024 or stack.stop <= usual - len(image) else
                          min(stack.start, usual))
    check_read(pc)


@pytest.mark.parametrize("top_kib, stack", [(639, range(0x9A000, 0x9BF9C))], ids=["Intel VS440FX"])
def test_stack_of_a_board_stays_intact(monkeypatch, top_kib, stack):
    """Seen: SS:SP = 9A00:1F9C with 40:13h = 639. All of the stack's segment is kept."""
    set_stack(monkeypatch, stack)
    pc = machine(bios=BoardBios())
    assert pc.word(MEMORY_SIZE) == top_kib
    places = unpacked_at(pc)
    pc.power_on()
    assert places[0] + IMAGE_KIB * 1024 <= stack.start
    assert pc.word(MEMORY_SIZE) * 1024 >= stack.stop
    check_read(pc)


@pytest.mark.parametrize("below_kib", [0, 1])
def test_memory_with_bios_stack_is_not_taken(monkeypatch, below_kib):
    """Init takes no memory that the stack lies in."""
    stack = range((596 - below_kib) * 1024, (600 - below_kib) * 1024)
    set_stack(monkeypatch, stack)
    pc = machine(bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", 600))
    pc.power_on()
    assert "no memory below 1 MiB" in pc.text
    assert (pc.word(MEMORY_SIZE), pc.bios.kept, pc.bios.init_result.ax) == (600, 0, 0)


FAILURES = {
    "no controller": dict(present=False), "no ports": dict(bar0=0), "no PCI": dict(bios=dict(pci=False)),
    "no disk": dict(), "RAID": dict(variant="1510-RAID"),
    "served by the BIOS": dict(fwcfg=FwCfg({}), pci_command=PciSpace.MASTER),
}


@pytest.mark.parametrize("options", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("pmm", ["1.01", "1.00", "refusing", "absent"])
def test_failed_init_restores_file_and_memory(options, pmm):
    """Only the length becomes 0. The model fails the test if memory is kept."""
    bios = InspectingBios(**{"pmm": pmm, **options.get("bios", {})})
    pc = Pc(ROM_895A, **{**options, "bios": bios})
    pc.power_on()
    assert bios.still_used == []
    assert bios.changed <= LENGTHS and bios.kept == 0
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert pc.word(0x13 * 4 + 2) == BIOS_SEGMENT
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    result = bios.init_result
    assert result.ax == 0 and result.eflags & 0xFFFF == 0x202 and result.stack_used <= 512


@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_init_works_from_read_only_rom(pmm):
    """An EPROM, which does not change."""
    pc = machine(rom_writable=False, bios=Bios(NO_BBS, pmm=pmm))
    places = unpacked_at(pc)
    pc.power_on()
    assert len(places) == 1
    assert pc.peek(ROM_SEGMENT * 16, len(FILE)) == FILE
    pc.bios.bootstrap()
    check_read(pc)


def test_unpacked_image_is_unused_after_init():
    """The model overwrites freed PMM memory and unallocated memory."""
    for pmm, start in (("1.01", TEMPORARY_AREA.start), ("absent", (EBDA_KIB - TAKEN_KIB) * 1024 - 4096)):
        pc = machine(bios=Bios(pmm=pmm))
        pc.power_on()
        assert b"lsi8" not in pc.peek(start, 4096)
        check_read(pc)


@pytest.mark.parametrize("manner", [SEABIOS, NO_BBS])
def test_second_init_of_resident_image_does_nothing(manner):
    """Some BIOSes call init again: it changes nothing and prints nothing."""
    pc = machine(bios=Bios(manner))
    pc.power_on()
    text, image = pc.text, pc.peek(ROM_SEGMENT * 16, pc.bios.kept)
    pc.bios.running.initialised = False
    result = pc.far_call(ROM_SEGMENT, INIT, {"eax": 0x20})
    assert (result.ax, pc.text) == (0, text)
    assert pc.peek(ROM_SEGMENT * 16, pc.bios.kept) == image
    pc.bios.running.initialised = True
    if manner == NO_BBS:
        pc.bios.bootstrap()
    check_read(pc)


def test_pmm_table_with_bad_checksum_is_not_called():
    assert not Pmm("bad checksum").is_there
    pc = machine(bios=Bios(pmm="bad checksum"))
    pc.power_on()
    check_read(pc)
