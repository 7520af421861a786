# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A QEMU machine with our ROM on one of the boot paths, and access to it:
serial console, QMP, gdb stub.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import media
import qemu

from tests.build import ROM_810, ROM_895A, symbol

SEABIOS = qemu.share("seabios")
VGA_BIOS = SEABIOS / "vgabios-stdvga.bin"
VGA_TEXT, VGA_COLUMNS, VGA_ROWS = 0xB8000, 80, 25

WAIT_S = 60  # for any expected guest output


@dataclass(frozen=True)
class BootPath:
    """How the firmware obtains the ROM; see README."""
    device: str = "lsi53c895a"  # empty: a machine without the chip
    bios: str | None = None  # file name in SEABIOS; None: QEMU's default
    uefi: tuple[str, str] | None = None  # OVMF's two files instead of a BIOS
    machine: str = "pc"
    bridge: str = ""         # the device that is the bridge to the controller's PCI bus
    fw_cfg: bool = False     # ROM as a firmware file instead of a ROM BAR
    option_rom: bool = False  # ROM that belongs to no device
    address: int = 0         # address at which QEMU loads the ROM before the BIOS starts
    build: bool = False      # BIOS built by tools/media.py ...
    without: tuple[str, ...] = ()   # ... and without these options
    more: tuple[str, ...] = ()  # further QEMU arguments for this BIOS

    @property
    def rom(self) -> Path:
        return ROM_810 if self.device == "lsi53c810" else ROM_895A

    def arguments(self, rom: Path | None) -> list[str]:
        out = list(self.more)
        if self.build:
            out += ["-bios", str(media.seabios_without_lsi(*self.without))]
        elif self.bios:
            out += ["-bios", str(SEABIOS / self.bios)]
        elif self.uefi:
            out += qemu.uefi(*self.uefi)
        if not self.device:
            return [*out, "-option-rom", str(rom)]
        if self.option_rom:
            return [*out, "-device", f"{self.device},id=scsi,addr=4", "-option-rom", str(rom)]
        if self.address:
            return [*out, "-device", f"{self.device},id=scsi,addr=4",
                    "-device", f"loader,file={rom},addr={self.address:#x},force-raw=on"]
        device = f"{self.device},id=scsi,addr=4"
        if self.bridge:
            out += ["-device", f"{self.bridge},id=bridge"]
            device += ",bus=bridge"
        if rom is None:
            device += ",rombar=0"
        elif self.fw_cfg:
            out += ["-fw_cfg", f"name=pci1000,,0012.rom,file={rom}"]
        else:
            device += f",romfile={rom}"
        return [*out, "-device", device]


# The Bochs BIOS gets no timer interrupts through an enabled APIC and runs no VGA
# BIOS from a ROM BAR. It has no serial console: its text is on the screen.
BOCHS_NEEDS = ("-cpu", "qemu64,-apic", "-device", "VGA,romfile=",
               "-device", f"loader,file={VGA_BIOS},addr=0xc0000,force-raw=on")

# OVMF: the plain build; the one with Secure Boot, Microsoft's keys and System Management Mode;
# and that of Debian 13, which also keeps code and data apart in memory.
PLAIN = ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")
SECURE = ("OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd")
STRICT_NX = ("OVMF_CODE_4M.secboot.strictnx.fd", "OVMF_VARS_4M.ms.fd")
UEFI_RAM = ("-m", "512")
SMM = (*UEFI_RAM, "-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1")

PATHS = {
    "microvm": BootPath(bios="bios-microvm.bin"),
    "fwcfg": BootPath(bios="bios-microvm.bin", fw_cfg=True),
    "c810": BootPath(device="lsi53c810"),
    "nolsi": BootPath(build=True),
    "nopmm": BootPath(build=True, without=("PMM",)),
    "nopcibios": BootPath(build=True, without=("PCIBIOS",)),
    "bochs": BootPath(bios="../bochs/BIOS-bochs-latest", address=0xD0000, more=BOCHS_NEEDS),
    "genrom": BootPath(option_rom=True),  # in addition to SeaBIOS's own driver
    "genrom-nolsi": BootPath(build=True, option_rom=True),
    "nochip": BootPath(device="", bios="bios-microvm.bin"),
    "seabios": BootPath(),  # stock SeaBIOS with its own driver: no ROM of ours
    "ovmf": BootPath(uefi=PLAIN, more=UEFI_RAM),
    "ovmf-810": BootPath(uefi=PLAIN, more=UEFI_RAM, device="lsi53c810"),
    "ovmf-q35": BootPath(uefi=PLAIN, more=UEFI_RAM, machine="q35"),
    "ovmf-q35-810": BootPath(uefi=PLAIN, more=UEFI_RAM, machine="q35", device="lsi53c810"),
    "secure": BootPath(uefi=SECURE, more=SMM, machine="q35,smm=on"),
    "secure-810": BootPath(uefi=SECURE, more=SMM, machine="q35,smm=on", device="lsi53c810"),
    "strictnx": BootPath(uefi=STRICT_NX, more=SMM, machine="q35,smm=on"),
    "strictnx-810": BootPath(uefi=STRICT_NX, more=SMM, machine="q35,smm=on", device="lsi53c810"),
}

started: list[str] = []  # paths of the machines started in this process


def _unit(kind: str, controller: str, scsi_id: int, extra: str) -> tuple[str, str]:
    """The name of a drive and the argument of -device."""
    prefix = "" if controller == "scsi" else f"{controller}-"
    drive = f"{prefix}{'cd' if kind == 'scsi-cd' else 'disk'}{scsi_id}"
    return drive, (f"{kind},bus={controller}.0,scsi-id={scsi_id},drive={drive},"
                   f"id={prefix}dev{scsi_id}{extra}")


def disk_arguments(image: Path | str, scsi_id: int, extra: str = "",
                   drive: str = "format=raw,snapshot=on", controller: str = "scsi") -> list[str]:
    """A SCSI disk on our controller. `extra` goes to -device, `drive` to
    -drive; an image with a protocol prefix is passed as it is."""
    name, device = _unit("scsi-hd", controller, scsi_id, extra)
    return ["-drive", f"if=none,id={name},file={image},{drive}", "-device", device]


def cd_arguments(image: Path | str | None, scsi_id: int, extra: str = "",
                 drive: str = "format=raw,read-only=on", controller: str = "scsi") -> list[str]:
    """A CD drive on our controller, with or without a disc."""
    name, device = _unit("scsi-cd", controller, scsi_id, extra)
    medium = f",file={image},{drive}" if image else ""
    return ["-drive", f"if=none,id={name},media=cdrom{medium}", "-device", device]


def controller_arguments(device: str, name: str, place: str) -> list[str]:
    """A further controller with its own copy of the ROM; `place` is its PCI
    bus and slot."""
    return ["-device", f"{device},id={name},{place},romfile={BootPath(device=device).rom}"]


class Timeout(Exception):
    """The expected output or state did not appear in time."""


class Pipes:
    """QEMU's input and output with the methods of a socket. A pipe holds PIPE_BYTES characters,
    a socket 278 if QEMU sends them one by one. OVMF does not wait long for a full one: it
    loses text."""

    def __init__(self, process: subprocess.Popen):
        self._process = process

    def settimeout(self, _: None) -> None:
        """It never ends a wait."""

    def recv(self, most: int) -> bytes:
        return os.read(self._process.stdout.fileno(), most)

    def sendall(self, data: bytes) -> None:
        self._process.stdin.write(data)
        self._process.stdin.flush()


PIPE_BYTES = 1 << 20


class Console:
    """Output of a guest on a serial port, and input to it."""

    ESCAPES = re.compile(r"\x1b(\[[0-9;=?]*[A-Za-z]|c)|\r")

    def __init__(self, connection: socket.socket | Pipes):
        self._socket = connection
        self._raw = b""
        self.ended = False      # the text is complete, as QEMU has ended
        # Read continuously: a full socket would stall the guest.
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self) -> None:
        self._socket.settimeout(None)
        with contextlib.suppress(OSError):
            while data := self._socket.recv(65536):
                self._raw += data
        self.ended = True

    @property
    def text(self) -> str:
        return self.ESCAPES.sub("", self._raw.decode("latin1"))

    def wait_for(self, sentence: str, seconds: float = WAIT_S) -> str:
        """Wait until the output contains `sentence`; returns all output so far."""
        end = time.monotonic() + seconds
        while sentence not in self.text:
            if time.monotonic() > end:
                raise Timeout(f"no {sentence!r} in the console output:\n{self.text}")
            time.sleep(0.02)
        return self.text

    def send(self, text: str) -> None:
        self._socket.sendall(text.encode())


class Machine:
    """One QEMU process. Use as a context manager."""

    def __init__(self, path: BootPath, *arguments: str, rom: Path | None | str = "default",
                 paused: bool = False, gdb: bool = False, with_agent: Path | None = None,
                 reboot: bool = False, accelerator: str = "tcg"):
        started.extend(name for name, known in PATHS.items() if known == path)
        self._directory = tempfile.TemporaryDirectory(prefix="lsi8xx-")
        self.directory = Path(self._directory.name)
        # OVMF's console is on each port; its shell fails if there are two.
        ports = [] if path.uefi else ["com1", "com2"]
        self._servers = {name: self._listen(name) for name in ("qmp", *ports)}
        command = [
            *qemu.command(), "-nodefaults", "-no-user-config", "-m", "64",
            "-machine", f"{path.machine},graphics=off", "-accel", accelerator, "-vga", "none", "-display", "none",
            *([] if reboot else ["-no-reboot"]),
            "-chardev", f"socket,id=qmp,path={self.directory}/qmp", "-mon", "chardev=qmp,mode=control",
            *self._serial(ports),
            *path.arguments(path.rom if rom == "default" else rom),
            *arguments,
        ]
        if with_agent:
            command += ["-option-rom", f"{with_agent},bootindex=0"]
        if gdb:
            self._servers["gdb"] = self._listen("gdb")
            command += ["-chardev", f"socket,id=gdb,path={self.directory}/gdb", "-gdb", "chardev:gdb"]
        if paused or gdb:
            command.append("-S")
        self.command = command
        self._stderr = (self.directory / "stderr").open("w+")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "pipesize": PIPE_BYTES}
        nothing = {"stdin": subprocess.DEVNULL, "stdout": self._stderr}
        self.process = subprocess.Popen(command, stderr=self._stderr, **(nothing if ports else pipes))
        try:
            connections = {name: self._accept(name) for name in self._servers}
        except Timeout:
            self.close()
            raise
        self.console = Console(connections["com1"] if ports else Pipes(self.process))
        self.com2 = connections.get("com2")     # the agent's
        self.gdb = Gdb(connections["gdb"]) if gdb else None
        self._qmp = connections["qmp"].makefile("rw")
        self._qmp.readline()
        self.qmp("qmp_capabilities")

    def _serial(self, ports: list[str]) -> list[str]:
        """Serial ports on sockets; without a name, one on QEMU's input and output."""
        sockets = [["-chardev", f"socket,id={name},path={self.directory}/{name}", "-serial", f"chardev:{name}"]
                   for name in ports]
        return sum(sockets, []) or ["-serial", "stdio"]

    def _listen(self, name: str) -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.directory / name))
        server.listen(1)
        server.settimeout(WAIT_S)
        return server

    def _accept(self, name: str) -> socket.socket:
        server = self._servers[name]
        server.settimeout(0.2)
        end = time.monotonic() + WAIT_S
        while True:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                if self.process.poll() is None and time.monotonic() < end:
                    continue
                self._stderr.seek(0)
                raise Timeout(f"QEMU did not start: {self._stderr.read()}") from None
            connection.settimeout(WAIT_S)
            return connection

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for server in self._servers.values():
            server.close()
        self._stderr.close()
        self._directory.cleanup()

    def qmp(self, command: str, **arguments: object) -> object:
        self._qmp.write(json.dumps({"execute": command, "arguments": {
            key.replace("_", "-"): value for key, value in arguments.items()}}) + "\n")
        self._qmp.flush()
        while True:
            line = ""
            with contextlib.suppress(ConnectionResetError):
                line = self._qmp.readline()
            if not line:
                raise Timeout(f"QEMU ended: {self.stderr()}")
            reply = json.loads(line)
            if "error" in reply:
                raise RuntimeError(f"QMP {command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]

    def stderr(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()

    def read_memory(self, address: int, length: int) -> bytes:
        """Guest physical memory, read through QEMU."""
        file = self.directory / "memory"
        self.qmp("pmemsave", val=address, size=length, filename=str(file))
        return file.read_bytes()

    def screen(self) -> str:
        """The text on a VGA screen, if there is one."""
        cells = self.read_memory(VGA_TEXT, VGA_COLUMNS * VGA_ROWS * 2)[::2]
        text = cells.replace(b"\0", b" ").decode("cp437")
        return "\n".join(text[row:row + VGA_COLUMNS].rstrip()
                         for row in range(0, len(text), VGA_COLUMNS))

    def wait_for(self, sentence: str, seconds: float = WAIT_S) -> str:
        """Wait until the serial console or the screen contains `sentence`;
        returns the text of both."""
        end = time.monotonic() + seconds
        while sentence not in (text := f"{self.console.text}\n{self.screen()}"):
            if time.monotonic() > end:
                raise Timeout(f"no {sentence!r} in the output:\n{text}")
            time.sleep(0.05)
        return text

    def type(self, keys: str) -> None:
        """Type on the PS/2 keyboard: letters, digits and a few other keys."""
        names = {"\n": "ret", " ": "spc", "(": "shift-9", ")": "shift-0", "/": "slash"}
        for key in keys:
            chord = [{"type": "qcode", "data": name} for name in names.get(key, key).split("-")]
            self.qmp("send-key", keys=chord)
            time.sleep(0.1)


# In the order of the protocol
GENERAL_REGISTERS = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"]


class Gdb:
    """The gdb remote commands that the tests need."""

    def __init__(self, connection: socket.socket):
        self._socket = connection

    def _byte(self) -> bytes:
        data = self._socket.recv(1)
        if not data:
            raise Timeout("the gdb stub closed the connection")
        return data

    def _reply(self) -> str:
        while self._byte() != b"$":
            pass
        text = b""
        while (byte := self._byte()) != b"#":
            text += byte
        self._byte(), self._byte()
        self._socket.sendall(b"+")
        return text.decode()

    def request(self, packet: str) -> str:
        self._socket.sendall(f"${packet}#{sum(packet.encode()) & 0xFF:02x}".encode())
        return self._reply()

    def run_to(self, address: int) -> None:
        """Continue until execution reaches this linear address."""
        if self.request(f"Z1,{address:x},1") != "OK":
            raise Timeout("the gdb stub rejects the breakpoint")
        if not self.request("c").startswith("T"):
            raise Timeout("the guest did not stop")
        self.request(f"z1,{address:x},1")

    def run_to_image(self, rom: int) -> int:
        """Continue until the ROM at this address has unpacked itself; returns
        the linear address of the unpacked image."""
        self.run_to(rom + symbol("unpack_done", "unpack"))
        return self.registers()["es"] * 16

    def registers(self) -> dict[str, int]:
        raw = bytes.fromhex(self.request("g").replace("x", "0"))
        values = {n: int.from_bytes(raw[i * 8:i * 8 + 8], "little")
                  for i, n in enumerate(GENERAL_REGISTERS)}
        base = 16 * 8 + 8 + 4  # after the general registers, RIP and flags
        for i, name in enumerate(["cs", "ss", "ds", "es", "fs", "gs"]):
            values[name] = int.from_bytes(raw[base + i * 4:base + i * 4 + 4], "little")
        return values

    def set_registers(self, **values: int) -> None:
        """Set some of the general registers, by their 32-bit names."""
        raw = bytearray.fromhex(self.request("g")[:2 * 8 * len(GENERAL_REGISTERS)])
        for name, value in values.items():
            at = 8 * GENERAL_REGISTERS.index(f"r{name[1:]}")
            raw[at:at + 8] = value.to_bytes(8, "little")
        if self.request(f"G{raw.hex()}") != "OK":
            raise Timeout("the gdb stub rejects the registers")

    def write(self, address: int, data: bytes) -> None:
        """Write guest memory, even if it is read-only for the guest."""
        if self.request(f"M{address:x},{len(data):x}:{data.hex()}") != "OK":
            raise Timeout("the gdb stub rejects the write")

    def go_on(self) -> None:
        """Let the guest run without waiting for it to stop."""
        self._socket.sendall(b"$c#63")

    def memory(self, address: int, length: int) -> bytes:
        return bytes.fromhex(self.request(f"m{address:x},{length:x}"))
