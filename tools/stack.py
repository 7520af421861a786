# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The deepest use of the ROM's own stack, computed from the object files.

Frames are from gcc's .su files, calls from the disassembly. Every call is assumed
to be possible, so no call of the ROM uses more than the computed depth.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

RETURN_BYTES = 2
SU_RETURN_BYTES = 4     # .su files count a 32-bit return address (tools/code16.sed)
CONSTANT_BYTES = 4      # gcc -Oz loads small constants with PUSH and POP

# Functions that run on our stack, and the bytes that rom/entry.S pushes before the call
ENTRY_POINTS = {"int13_dispatch": 44, "cd_dispatch": 44, "boot_connect": 0, "init_main": 0, "setup_main": 0}

# Bytes that assembly functions push, with their return address: at most, and up to
# the first instruction of the BIOS. PMM has the longest arguments: 6 words.
STUBS = {"bios_call": 64, "bios_far_call": 38, "irq_window": 2, "far_copy": 16}
BIOS_BEGINS = {"bios_call": 34, "bios_far_call": 38}

# Bytes of a gate (rom/gates/gates.S): below the call that it passes on, and at most
GATE_BYTES, GATE_MOST_BYTES = 4, 10

# Objects with indirect calls, and the functions that these may call; for .romdata
# of an object, all functions in its tables
INDIRECT = {"scsi/command.o": ["lsi_execute"],
            "scsi/post/service.o": ["lsi_execute"],
            "int13/dispatch.o": ["int13/dispatch.o .romdata", "int13/cd/functions.o .romdata"],
            "int13/chs.o": ["cd_memory_give_back"]}

# During POST, another function calls the chip driver (rom/post/waiting.c)
POST_ENTRY, DRIVER, POST_DRIVER = "init_main", "lsi_execute", "waiting_execute"

Depth = tuple[int, tuple[str, ...]]     # bytes, and each function with its frame


class NotBounded(Exception):
    """A frame or a call whose size cannot be computed."""


def objdump(*arguments: object) -> str:
    return subprocess.run(["objdump", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def plain(name: str) -> str:
    """Without gcc's suffix of a changed copy, which .su files do not have."""
    return name.split(".")[0]


class Calls:
    """Frames and calls of the C functions in object files below `build`."""

    def __init__(self, build: Path, objects: list[Path]) -> None:
        self.build = build
        self.frames = dict(STUBS)
        self.calls: dict[str, set[str]] = {}
        self.tail_calls: dict[str, set[str]] = {}   # the caller's frame is free by then
        self.constants: set[str] = set()            # functions that push a constant
        for file in objects:
            self.read_frames(file.with_suffix(".su"))
        self.read_code(objdump("-dr", "-m", "i8086", *objects))
        self.gates = self.read_gates()

    def read_gates(self) -> set[str]:
        """The names of gates, which call the functions that have them."""
        gates = set()
        for file in self.build.glob("gates.*"):
            for name, gate in map(str.split, file.read_text().splitlines()):
                self.frames[gate], self.calls[gate] = GATE_BYTES, {name}
                gates.add(gate)
        return gates

    def read_frames(self, file: Path) -> None:
        for line in file.read_text().splitlines():
            place, size, kind = line.split("\t")
            name = plain(place.rsplit(":", 1)[1])
            if kind != "static":
                raise NotBounded(f"the frame of {name} has no fixed size")
            self.frames[name] = max(int(size) - SU_RETURN_BYTES + RETURN_BYTES, self.frames.get(name, 0))

    def read_code(self, text: str) -> None:
        file = name = operation = ""
        for line in text.splitlines():
            target = None
            if found := re.match(r"(.+):     file format|[0-9a-f]+ <(.+)>:", line):
                file, name = found[1] or file, found[2]
            elif found := re.match(r" *[0-9a-f]+:\t[^\t]+\t(\w+) *(.*)", line):
                operation, operand = found.groups()
                target = re.search(r" <([\w.]+)>$", operand)
                if operation.startswith("push") and operand.startswith("$"):
                    self.constants.add(name)
                elif operand.startswith("*"):
                    self.calls.setdefault(name, set()).update(self.indirect(file))
            else:
                target = re.search(r" R_386_PC\d+\s+(?:\.text\.)?([\w.]+)", line)
            if target and operation.startswith("call"):
                self.calls.setdefault(name, set()).add(target[1])
            elif target and target[1] != name:
                self.tail_calls.setdefault(name, set()).add(target[1])

    def indirect(self, file: str) -> set[str]:
        found = set()
        for target in INDIRECT.get(Path(file).relative_to(self.build).as_posix(), []):
            name, _, table = target.partition(" ")
            found.update(re.findall(r"R_386_32 +(?:\.text\.)?(\w+)", objdump("-r", "-j", table, self.build / name))
                         if table else [name])
        if not found:
            raise NotBounded(f"the targets of an indirect call in {file} are unknown")
        return found

    def deepest(self, name: str, ends: dict[str, int] | None = None, callers: tuple[str, ...] = ()) -> Depth:
        """The deepest call of the function. With `ends`: the deepest that ends in
        one of these functions, with these frames; 0 bytes if there is none."""
        if name in callers or plain(name) not in self.frames:
            raise NotBounded(f"recursion or no frame: {' '.join((*callers, name))}")
        frame = self.frames[plain(name)]
        own = ends.get(name, 0) if ends else max(
            frame + CONSTANT_BYTES * (name in self.constants), GATE_MOST_BYTES * (name in self.gates))
        found = [(own, (f"{name}:{own}",))]
        in_post = callers and callers[0] == POST_ENTRY and POST_DRIVER not in (*callers, name)
        for calls, kept in ((self.calls, frame), (self.tail_calls, 0)):
            for called in calls.get(name, ()):
                if called == DRIVER and in_post:
                    called = POST_DRIVER
                depth, path = self.deepest(called, ends, (*callers, name))
                if depth:
                    found.append((kept + depth, (f"{name}:{kept}", *path)))
        return max(found)

    def deepest_entry(self, ends: dict[str, int] | None = None) -> Depth:
        found = []
        for name, pushed in ENTRY_POINTS.items():
            depth, path = self.deepest(name, ends)
            found.append((depth + pushed, (f"entry:{pushed}", *path)))
        return max(found)
