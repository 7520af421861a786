# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Several controllers in one machine, and our drives together with those of
SeaBIOS, of another ROM and of iPXE (rings 2 and 3).
"""

from __future__ import annotations

import http.server
import re
import shutil
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import romsign

from tests.boot import bootcds
from tests.boot.bootcds import Entry
from tests.build import ROM_895A, ROM_EPROM
from tests.qemu.agent import BUFFER, Agent, header_value, option_rom
from tests.qemu.machine import PATHS, Machine, cd_arguments, controller_arguments, disk_arguments
from tests.qemu.test_disks import banner, make_disk, name_of

pytestmark = pytest.mark.qemu("several controllers, other drives, other ROMs, sanboot")

OK, BAD_COMMAND = 0x00, 0x01
CD = 0xE0
OURS = ("scsi", "second", "third", "fourth")  # controllers; prefixes of our disks' names
ROM_AREA = range(0xC0000, 0xF0000)
SECTOR = 512


def names(pc: Agent) -> list[str]:
    """Names of all drives by ascending number. Each drive is read twice, so that
    a driver that disturbs another one is caught. Calls for our drives are also
    checked for the rules of Agent.int13()."""
    first = [pc.text_on(0x80 + i, 1) for i in range(pc.disk_count())]
    for i, name in enumerate(first):
        assert (name_of(pc, 0x80 + i) if name.startswith(OURS) else pc.text_on(0x80 + i, 1)) == name
    return first


def drives_by_08h(pc: Agent, drive: int) -> int:
    return pc.int13("ax bl cx dx", ah=0x08, dl=drive).dl


# ---- Several controllers ----------------------------------------------------------------


@dataclass(frozen=True)
class Resident:
    """Memory and boot entries that a copy of our ROM keeps."""
    image: range
    workspace: range
    products: list[str]
    revision: int


def residents(pc: Agent) -> list[Resident]:
    """All copies of our ROM in memory, by address."""
    area = pc.machine.read_memory(ROM_AREA.start, len(ROM_AREA))
    found = []
    for at in range(0, len(area), 2048):
        if area[at:at + 2] != b"\x55\xaa" or area[at + 0x1C:at + 0x22] != b"PCIR\x00\x10":
            continue
        image = area[at:at + area[at + 2] * SECTOR]
        workspace = struct.unpack_from("<H", image, header_value("ROM_WORKSPACE_SEGMENT"))[0] * 16
        found.append(Resident(range(ROM_AREA.start + at, ROM_AREA.start + at + len(image)),
                              range(workspace, workspace + 1024 * header_value("WORKSPACE_KIB")),
                              [h.product for h in romsign.verify(image, run_time=True).pnp],
                              romsign.parse_pcir(image).code_revision))
    return found


def check_no_overlap(copies: list[Resident]) -> None:
    parts = sorted((part for copy in copies for part in (copy.image, copy.workspace)),
                   key=lambda part: part.start)
    assert all(a.stop <= b.start for a, b in zip(parts, parts[1:])), parts


def disks_and_cd(directory: Path, controller: str, indices: dict[int, int],
                 disc: Path | None = None, cd_extra: str = "") -> list[str]:
    """Disks, and a CD drive at ID 3; `indices` maps an ID to a bootindex, 0 for none."""
    out = cd_arguments(disc, 3, cd_extra, controller=controller)
    for scsi_id, index in indices.items():
        out += disk_arguments(make_disk(directory, f"{controller}{scsi_id}"), scsi_id,
                              f",bootindex={index}" if index else "", controller=controller)
    return out


def products(address: str, *units: str) -> list[str]:
    return [f"SCSI {address} ID {unit[0]} LUN 0 QEMU QEMU {'CD-ROM' if unit[1:] else 'HARDDISK'}"
            for unit in units]


def test_four_controllers_serve_their_disks_and_cds(tmp_path):
    """Two controllers are behind a PCI bridge. The agent boots from the CD of
    the last one. SeaBIOS applies a bootindex only to the first entry of each
    ROM; the other entries follow by slot."""
    disc = bootcds.disc(tmp_path / "cd.iso", Entry(bootcds.agent_code()))
    arguments = [
        *controller_arguments("lsi53c810", "second", "addr=5"),
        "-device", "pci-bridge,id=bridge,chassis_nr=1,addr=6",
        *controller_arguments("lsi53c895a", "third", "bus=bridge,addr=1"),
        *controller_arguments("lsi53c810", "fourth", "bus=bridge,addr=2"),
        *disks_and_cd(tmp_path, "scsi", {0: 4, 5: 0}),
        *disks_and_cd(tmp_path, "second", {0: 2, 5: 0}),
        *disks_and_cd(tmp_path, "third", {0: 8, 5: 3}),
        *disks_and_cd(tmp_path, "fourth", {0: 6, 5: 5}, disc.file, ",bootindex=1")]
    with Machine(PATHS["microvm"], *arguments) as machine:
        pc = Agent(machine)
        assert names(pc) == ["second0", "third5", "scsi0",
                             "scsi5", "second5", "third0", "fourth5", "fourth0"]
        assert [drives_by_08h(pc, 0x80 + i) for i in range(8)] == [8] * 8
        assert pc.int13(ah=0x10, dl=0x88).ah == BAD_COMMAND
        assert pc.read_lba(CD, disc.lbas[0], 1).ah == OK
        assert pc.read(BUFFER, 256) == disc.blocks_from(disc.lbas[0], 1)[:256]
        copies = residents(pc)
        check_no_overlap(copies)
        assert [copy.products for copy in copies] == [
            products("00:04.0", "0", "3 CD", "5"), products("00:05.0", "0", "3 CD", "5"),
            products("01:01.0", "5", "0", "3 CD"), products("01:02.0", "3 CD", "5", "0")]


def test_q35_controller_behind_pcie_bridge_works(start, tmp_path):
    pc = start("microvm", "-machine", "q35", "-device", "pcie-pci-bridge,id=bridge,addr=6",
               *controller_arguments("lsi53c810", "second", "bus=bridge,addr=1"),
               *disks_and_cd(tmp_path, "scsi", {0: 3}),
               *disks_and_cd(tmp_path, "second", {0: 2, 1: 1}))
    assert names(pc) == ["second1", "scsi0", "second0"]
    check_no_overlap(residents(pc))
    assert [copy.products[0] for copy in residents(pc)] == [
        *products("00:04.0", "0"), *products("01:01.0", "1")]


def test_copies_without_device_address_each_take_one_controller(start, tmp_path):
    """The ROMs belong to no device; there is one more ROM than controllers."""
    more = []
    for i in range(2):
        more += ["-option-rom", str(shutil.copy(ROM_895A, tmp_path / f"copy{i}.rom"))]
    pc = start("genrom-nolsi", "-device", "lsi53c810,id=second,addr=5,rombar=0", *more,
               *disks_and_cd(tmp_path, "scsi", {0: 0}), *disks_and_cd(tmp_path, "second", {0: 0}))
    assert re.findall(r"^lsi8xx-rom \S+: ([^,\n]*)", banner(pc), re.M) == [
        "53C895A at PCI 00:04.0", "53C810 at PCI 00:05.0", "all 53C8xx controllers are served"]
    assert names(pc) == ["scsi0", "second0"]
    assert len(residents(pc)) == 2


REVISION_AT, CHECKSUM_AT = 0x1C + 0x12, 6


def copy_with_revision(directory: Path, name: str, revision: int) -> Path:
    rom = bytearray(ROM_895A.read_bytes())
    rom[CHECKSUM_AT] = rom[CHECKSUM_AT] + rom[REVISION_AT] - revision & 0xFF
    rom[REVISION_AT] = revision
    out = directory / name
    out.write_bytes(rom)
    return out


@pytest.mark.parametrize("order", [("a.rom", "b.rom"), ("b.rom", "a.rom")], ids="-".join)
def test_seabios_runs_option_roms_in_reverse_order_of_their_names(start, tmp_path, order):
    """The one that runs first serves the first controller, from the lowest address."""
    first, second = (copy_with_revision(tmp_path, name, ord(name[0])) for name in order)
    pc = start("genrom-nolsi", "-device", "lsi53c810,id=second,addr=5,rombar=0", "-option-rom", str(second),
               *disk_arguments(make_disk(tmp_path, "scsi0"), 0),
               *disk_arguments(make_disk(tmp_path, "second0"), 0, controller="second"), rom=first)
    assert [(chr(copy.revision), copy.products) for copy in residents(pc)] == [
        ("b", products("00:04.0", "0")), ("a", products("00:05.0", "0"))]
    assert names(pc) == ["scsi0", "second0"]


# ---- Many drives ------------------------------------------------------------------------

ALL_IDS = range(8)  # QEMU permits no others, and no LUN but 0


def many_disks(directory: Path, last_ids: range, boot: str = "") -> list[str]:
    """Four controllers: disks at all IDs of three, and at some of the last. The disk `boot` has the
    agent, a bootindex, and its name in sector 100."""
    out = [a for name, slot in zip(OURS[1:], (5, 6, 7))
           for a in controller_arguments("lsi53c810", name, f"addr={slot}")]
    for controller in OURS:
        for scsi_id in last_ids if controller == OURS[-1] else ALL_IDS:
            name = f"{controller}{scsi_id}"
            image = bootable_disk(directory, name) if name == boot else make_disk(directory, name)
            out += disk_arguments(image, scsi_id, ",bootindex=1" if name == boot else "",
                                  controller=controller)
    return out


ALL_DISKS = [f"{controller}{scsi_id}" for controller in OURS for scsi_id in ALL_IDS]


def test_32_disks_have_all_numbers_and_the_last_boots(tmp_path):
    with Machine(PATHS["c810"], *many_disks(tmp_path, ALL_IDS, "fourth7")) as machine:
        pc = Agent(machine)
        assert [pc.text_on(0x80 + i, 100) for i in range(32)] == ["fourth7", *ALL_DISKS[:-1]]
        assert [drives_by_08h(pc, 0x80 + i) for i in range(32)] == [32] * 32
        numbers = re.findall(r"^(\w\w)h: SCSI 00:0(\d).0 ID (\d)", machine.console.text, re.M)
        places = [("7", "7")] + [(str(slot), str(i)) for slot in (4, 5, 6, 7) for i in ALL_IDS][:-1]
        assert numbers == [(f"{0x80 + i:02X}", *place) for i, place in enumerate(places)]
        check_no_overlap(residents(pc))


def test_33rd_disk_gets_no_number(start, tmp_path):
    """The disk of the BIOS is first."""
    ide = make_disk(tmp_path, "ide")
    pc = start("c810", "-drive", f"if=none,id=ide,file={ide},format=raw,snapshot=on",
               "-device", "ide-hd,drive=ide", *many_disks(tmp_path, ALL_IDS))
    assert pc.disk_count() == 32
    assert names(pc) == ["ide", *ALL_DISKS[:-1]]
    assert banner(pc).count("no drive number is free") == 1


def test_cd_among_24_disks_boots(tmp_path):
    disc = bootcds.disc(tmp_path / "cd.iso", Entry(bootcds.agent_code()))
    with Machine(PATHS["c810"], *many_disks(tmp_path, range(0)),
                 *cd_arguments(disc.file, 5, ",bootindex=1", controller="fourth")) as machine:
        pc = Agent(machine)
        assert names(pc) == ALL_DISKS[:24]
        assert pc.read_lba(CD, disc.lbas[0], 1).ah == OK
        assert pc.read(BUFFER, 256) == disc.blocks_from(disc.lbas[0], 1)[:256]


def bootable_disk(directory: Path, name: str) -> str:
    """A disk with the agent, followed by sectors that begin with the disk's name."""
    image = make_disk(directory, name)
    with open(image, "r+b") as file:
        file.write(bootcds.agent_code())
    return image


def test_disks_follow_bios_disk_on_bios_without_boot_entries(tmp_path):
    """The Bochs BIOS passes no device address to a ROM and calls no connection vectors. Two files
    of more than 32 KiB would not fit into the ROM area."""
    rom = ROM_EPROM
    ide = bootable_disk(tmp_path, "ide")
    with Machine(PATHS["bochs"], "-device", "lsi53c810,id=second,addr=5,rombar=0",
                 "-device", f"loader,file={rom},addr=0xd8000,force-raw=on",
                 "-drive", f"if=none,id=ide,file={ide},format=raw,snapshot=on",
                 "-device", "ide-hd,drive=ide", *disks_and_cd(tmp_path, "scsi", {0: 0, 1: 0}),
                 *disks_and_cd(tmp_path, "second", {0: 0}), rom=rom) as machine:
        pc = Agent(machine)
        found = [pc.text_on(0x80 + i, 100) for i in range(pc.disk_count())]
        assert found[0] == "ide"
        assert sorted(found[1:]) == ["scsi0", "scsi1", "second0"], "either copy may be first"
        assert found.index("scsi0") < found.index("scsi1")
        assert machine.screen().count("53C895A at PCI") == machine.screen().count("53C810 at PCI") == 1


@pytest.mark.qemu("together with other drives")
def test_seabios_and_rom_each_serve_one_controller(start, tmp_path):
    pc = start("c810", "-device", "lsi53c895a,id=theirs,addr=5",
               *disks_and_cd(tmp_path, "scsi", {0: 2}), *disks_and_cd(tmp_path, "theirs", {0: 1}))
    assert names(pc) == ["theirs0", "scsi0"]
    assert len(residents(pc)) == 1


# ---- With disks of the BIOS -------------------------------------------------------------


def foreign_disks(directory: Path, first_index: int) -> list[str]:
    """One disk of each kind that SeaBIOS drives itself."""
    devices = {"ide": "ide-hd", "virtio": "virtio-blk-pci", "vscsi": "scsi-hd,bus=virtio.0",
               "usb": "usb-storage,id=stick,bus=usb.0"}
    out = ["-device", "virtio-scsi-pci,id=virtio", "-device", "qemu-xhci,id=usb"]
    for index, (name, device) in enumerate(devices.items(), first_index):
        image = make_disk(directory, name)
        out += ["-drive", f"if=none,id={name},file={image},format=raw,snapshot=on",
                "-device", f"{device},drive={name},bootindex={index}"]
    return out


@pytest.mark.qemu("together with other drives")
@pytest.mark.parametrize("first, expected", [
    (1, ["ide", "virtio", "vscsi", "usb", "scsi0", "scsi1"]),
    (8, ["scsi0", "ide", "virtio", "vscsi", "usb", "scsi1"]),
], ids=["before-ours", "between-ours"])
def test_bios_disks_are_numbered_by_bootindex_and_readable(start, tmp_path, first, expected):
    pc = start("c810", *foreign_disks(tmp_path, first),
               *disks_and_cd(tmp_path, "scsi", {0: 6, 1: 7}))
    assert pc.disk_count() == 6
    assert names(pc) == expected
    for i, name in enumerate(expected):
        if name.startswith("scsi"):
            assert drives_by_08h(pc, 0x80 + i) == 6
            assert f"{0x80 + i:02X}h: SCSI 00:04.0 ID {name[-1]}" in banner(pc)


# ---- Another ROM ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def neighbour() -> Path:
    return option_rom("neighbour", 1)


@pytest.mark.qemu("together with other drives")
def test_drives_work_when_another_rom_hooks_int_13h_between_ours(start, tmp_path, neighbour):
    """INT 13h is hooked by our ROM, by the neighbour and by our ROM again. AH=08h
    returns a disk count that changes later, but no drive is renumbered."""
    pc = start("microvm", *controller_arguments("lsi53c810", "second", "addr=5"),
               *disks_and_cd(tmp_path, "scsi", {0: 1, 4: 0}),
               "-option-rom", f"{neighbour},bootindex=2", *disks_and_cd(tmp_path, "second", {0: 3}))
    expected = ["scsi0", "neighbour", "second0", "scsi4"]
    assert names(pc) == expected
    for count in (7, 1):
        pc.write(0x475, bytes([count]))
        assert [drives_by_08h(pc, drive) for drive in (0x80, 0x82, 0x83)] == [count] * 3
        assert [pc.text_on(0x80 + i, 1) for i in range(4)] == expected


# ---- iPXE -------------------------------------------------------------------------------

HOST = "10.0.2.2"        # the host's address in QEMU's user network
SAN_SECTORS = 2 * 16065  # whole cylinders, without which iPXE refuses CHS


def san_image(make_bootable: bytes) -> bytes:
    sectors = b"san".ljust(SECTOR, b".") * SAN_SECTORS
    return make_bootable + sectors[len(make_bootable):]


class Files(http.server.BaseHTTPRequestHandler):
    """Serves the server's `files`, whole or by byte range."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        data = self.server.files[self.path]
        wanted = self.headers.get("Range")
        if wanted:
            first, last = map(int, wanted.removeprefix("bytes=").split("-"))
            size, data = len(data), data[first:last + 1]
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def san_server(image: bytes) -> Iterator[str]:
    """Serves the image; yields the URL of a script that boots it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        url = f"http://{HOST}:{server.server_port}"
        server.files = {"/image": image,
                        "/script": f"#!ipxe\nsanboot --no-describe {url}/image\n".encode()}
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"{url}/script"
        finally:
            server.shutdown()


@pytest.mark.qemu("iPXE sanboot")
def test_our_disks_follow_ipxe_san_disk(tmp_path):
    """iPXE takes over 80h when the BIOS boots it. The drive that had 80h gets the
    next free number. The agent boots from the network disk."""
    disks = disks_and_cd(tmp_path, "scsi", {0: 0, 1: 0})
    with san_server(san_image(bootcds.agent_code())) as script, Machine(
            PATHS["c810"], *disks, "-netdev", f"user,id=net,bootfile={script}",
            "-device", "virtio-net-pci,netdev=net,bootindex=0") as machine:
        pc = Agent(machine)
        machine.console.wait_for("Booting from SAN device 0x80")
        for _ in range(2):
            assert pc.text_on(0x80, SAN_SECTORS - 1) == "san"
            assert [pc.text_on(drive, 1) for drive in (0x81, 0x82)] == ["scsi1", "scsi0"]
        assert pc.disk_count() == 3
        assert [pc.without_checks(ah=0x08, dl=drive).dl for drive in (0x81, 0x82)] == [3, 3]
