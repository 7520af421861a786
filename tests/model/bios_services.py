# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Services of the virtual PC's BIOS: each is an address in the F000 segment;
Python handles calls to it.
"""

from __future__ import annotations

import struct

from tests.model.bios_data import (ANY_STACK, BBS_VERSION, BIOS_SEGMENT, BOOTSTRAP, BOOTSTRAP_CODE, CF,
                                   CHARACTER_NS, EQUIPMENT, GET_BBS_VERSION, GIVEN_BACK, KEY_NS,
                                   MEMORY_KIB, MEMORY_SIZE, MOST_TEXT, OWN_SECTORS,
                                   PCI_BAD_REGISTER, PCI_NOT_FOUND, PCI_STACK, PCI_UNSUPPORTED,
                                   PMM_ENTRY, PMM_STACK, PNP_ENTRY, PNP_STACK, PNP_UNSUPPORTED, RESET_FLAG, RESET_VECTOR,
                                   SERVICE, TICKS, ZF)
from tests.model.rules import RuleViolation
from tests.model.vds import SILENT


class Rebooted(Exception):
    """The ROM has booted the machine again. The argument is the word at 40:72h."""


class Services:
    """The part of Bios that handles calls."""

    def service(self, offset: int) -> None:
        """The CPU is about to execute F000:offset."""
        if offset in (PMM_ENTRY, PNP_ENTRY):
            (self._pmm_call if offset == PMM_ENTRY else self._pnp_call)()
            return
        if offset in range(BOOTSTRAP, BOOTSTRAP + len(BOOTSTRAP_CODE)):
            return
        if offset == RESET_VECTOR:
            self._reset()
        number = (offset - SERVICE) // 16
        if number == 0x10 and offset > SERVICE + number * 16:
            return
        if offset != SERVICE + number * 16 or number not in range(256):
            raise RuleViolation("BIOS service not expected", f"F000:{offset:04x}")
        if number == 0x1C and self._pc.timer.running:
            return
        answer = self.SERVICES.get(number)
        allowed = self.AT_BOOT if self._pc.booting else self.AFTER_BOOT
        if answer is None or (self._pc.booted and number not in allowed):
            raise RuleViolation("BIOS service not expected", f"INT {number:02x}h")
        self._need_stack(ANY_STACK, f"INT {number:02x}h")
        answer(self)

    def _reset(self) -> None:
        """The CPU jumps to the BIOS's first instruction: the machine boots again."""
        if not self.keyboard or self._pc.get("cs") != 0xFFFF:
            raise RuleViolation("code outside the ROM run", "at the reset vector")
        raise Rebooted(self._pc.word(RESET_FLAG))

    def _get(self, name: str) -> int:
        """A register, or its lower half by its 16-bit name."""
        return self._pc.get(name) if name[0] == "e" and len(name) == 3 else (
            self._pc.get(f"e{name}") & 0xFFFF)

    def _set(self, name: str, value: int) -> None:
        if name[0] == "e" and len(name) == 3:
            self._pc.set(name, value)
        else:
            self._pc.set(f"e{name}", self._pc.get(f"e{name}") & 0xFFFF0000 | value & 0xFFFF)

    def _set_ah(self, value: int) -> None:
        self._set("ax", self._get("ax") & 0x00FF | value << 8)

    def _return_flag(self, flag: int, on: bool) -> None:
        """Set or clear a flag in the frame that INT pushed."""
        at = (self._pc.get("ss") << 4) + (self._get("sp") + 4 & 0xFFFF)
        flags = self._pc.word(at) & ~flag | (flag if on else 0)
        self._pc.poke(at, struct.pack("<H", flags))

    def _need_stack(self, least: int, service: str) -> None:
        """Check the space left if SS is the ROM's own stack; the caller's is large enough."""
        stack, sp = self._pc.get("ss") << 4, self._get("sp")
        ours = [*self.kept_memory(), *(block.place for block in self._own_blocks()), self.taken]
        if any(stack in place for place in ours) and sp - 4 < least:
            raise RuleViolation("stack too small for the BIOS", f"{sp - 4} bytes for {service}")

    def _int10(self) -> None:
        function, screen = self._get("ax") >> 8, self.screen
        if function == 0x00:
            screen.set_mode(self._get("ax") & 0xFF)
        elif function == 0x02:
            screen.place(self._get("dx") >> 8, self._get("dx") & 0xFF)
        elif function == 0x03:
            self._set("cx", 0x0607)
            self._set("dx", screen.row << 8 | screen.column)
        elif function == 0x09:
            screen.write(self._get("ax") & 0xFF, self._get("bx") & 0xFF, self._get("cx"))
            self._pc.pass_time(CHARACTER_NS)
        elif function == 0x0E:
            self._pc.text += chr(self._get("ax") & 0xFF)
            if len(self._pc.text) > MOST_TEXT:
                raise RuleViolation("step bound", "output does not end")
            screen.teletype(self._get("ax") & 0xFF)
            self._pc.pass_time(CHARACTER_NS)
        elif function == 0x0F:
            self._set("ax", 80 << 8 | screen.mode)
            self._set("bx", self._get("bx") & 0xFF)
        else:
            raise RuleViolation("BIOS service not expected", f"INT 10h AH={function:02x}h")
        if function in (0x02, 0x09) and self._get("bx") >> 8:
            raise RuleViolation("BIOS service misused", f"INT 10h AH={function:02x}h, page {self._get('bx') >> 8}")

    def _int11(self) -> None:
        self._set("ax", self._pc.word(EQUIPMENT))

    def _int12(self) -> None:
        self._set("ax", self._pc.word(MEMORY_SIZE))

    def _int13(self) -> None:
        """The handler that was there before ours: it fails every call, except
        those for drives in `answers`."""
        self.passed_on.append(self._pc.registers())
        good = self._get("dx") & 0xFF in self.answers and self._int13_answer(
            self._get("ax") >> 8, self._get("dx") & 0xFF)
        if not good:
            self._set_ah(0x01)
        self._return_flag(CF, not good)

    def _int13_answer(self, function: int, drive: int) -> bool:
        """Handle a call for a BIOS drive. False if the function is not supported."""
        floppy = drive < 0x80
        if function == 0x08:
            of_its_kind = sum((d < 0x80) == floppy for d in self.answers if d < 0xE0)
            self._set("ax", 0)
            self._set("bx", self._get("bx") & 0xFF00 | (4 if floppy else 0))
            self._set("cx", 0x4F12 if floppy else 0xFEBF)
            self._set("dx", of_its_kind | (0x0100 if floppy else 0x0F00))
        elif function == 0x15:
            self._set_ah(2 if floppy else 3)
            if not floppy:
                self._set("cx", OWN_SECTORS >> 16)
                self._set("dx", OWN_SECTORS)
        elif function == 0x41 and not floppy:
            self._set("bx", 0xAA55)
            self._set("cx", 0x0001)
            self._set_ah(0x21)
        elif function in (0x00, 0x02, 0x42):
            self._set_ah(0)
        else:
            return False
        return True

    def _int15(self) -> None:
        if self._pc.booted:
            self._eject_requested()
        elif self._get("ax") == 0xE820:
            self._memory_map()
        elif self._get("ax") >> 8 == 0x88:
            self._set("ax", MEMORY_KIB - 1024)
            self._return_flag(CF, False)
        else:
            self._set_ah(0x86)
            self._return_flag(CF, True)

    def _eject_requested(self) -> None:
        """[EDD-3 "INT 15h AH=52h"] A disk driver may call no other function."""
        if self._get("ax") >> 8 != 0x52:
            raise RuleViolation("BIOS service not expected", f"INT 15h AX={self._get('ax'):04x}h")
        self.eject_asked.append(self._get("dx") & 0xFF)
        self._set_ah(self.eject_answer)
        self._return_flag(CF, self.eject_answer != 0)

    def _memory_map(self) -> None:
        usable, reserved = 1, 2
        ends = [(0, self._pc.word(MEMORY_SIZE) * 1024, usable),
                (self._top_kib * 1024, 0xA0000, reserved), (0xE8000, 0x100000, reserved),
                (0x100000, MEMORY_KIB * 1024, usable)]
        index = self._get("ebx")
        good = index < len(ends) and self._get("ecx") >= 20
        self._return_flag(CF, not good)
        if good:
            start, end, kind = ends[index]
            self._pc.poke((self._pc.get("es") << 4) + self._get("di"),
                          struct.pack("<QQI", start, end - start, kind))
            self._set("eax", 0x534D4150)
            self._set("ecx", 20)
            self._set("ebx", (index + 1) % len(ends))

    def _int16(self) -> None:
        """Deliver `keys`, each at its time, and those of `user` when one is waited for."""
        function, now = self._get("ax") >> 8, self._pc.chip.now
        self._first_poll_at = now if self._first_poll_at is None else self._first_poll_at
        typed = bool(self.keys) and now >= self._first_poll_at + self.keys[0][0]
        if function in (0x01, 0x11):
            self._pc.pass_time(KEY_NS)
            self._return_flag(ZF, not typed)
            if typed:
                self._set("ax", self.keys[0][1])
        elif function in (0x00, 0x10) and typed:
            self._set("ax", self.keys.popleft()[1])
        elif function == 0x00 and self.user and not self._pc.booted:
            self._pc.wait_for_user()
            self._set("ax", self.user(self._pc))
        elif function in (0x02, 0x12):
            self._set("ax", function << 8)
        else:
            raise RuleViolation("BIOS service not expected", f"INT 16h AH={function:02x}h")

    def _int18(self) -> None:
        self.noted.append(0x18)

    def _int19(self) -> None:
        self.noted.append(0x19)

    # ---- INT 1Ah ----------------------------------------------------------------------

    def _int1a(self) -> None:
        function = self._get("ax")
        if function >> 8 == 0x00:
            ticks = self._pc.word(TICKS) | self._pc.word(TICKS + 2) << 16
            self._set("cx", ticks >> 16)
            self._set("dx", ticks)
            self._set("ax", 0)
        elif function >> 8 == 0xB1 and self.pci:
            self._need_stack(PCI_STACK, "INT 1Ah")
            status = self._pci(function & 0xFF)
            self._set_ah(status)
            self._return_flag(CF, status != 0)
        else:
            self._return_flag(CF, True)

    def _pci(self, function: int) -> int:
        """Call a PCI BIOS function; returns its status."""
        if function == 0x01:
            self._set("edx", 0x20494350)
            self._set("bx", self.pci_version)
            self._set("cx", self._get("cx") & 0xFF00 | self._pc.pci.last_bus)
            self._set("ax", 0x0001)
            return 0
        if function == 0x02:
            return self._pci_found(self._pc.pci.find(
                self._get("cx") << 16 | self._get("dx"), self._get("si")))
        if function == 0x03:
            return self._pci_found(self._pc.pci.find_class(
                self._get("ecx") & 0xFFFFFF, self._get("si")))
        if 0x08 <= function <= 0x0D:
            return self._pci_register(function)
        return PCI_UNSUPPORTED

    def _pci_found(self, address: int | None) -> int:
        if address is None:
            return PCI_NOT_FOUND
        self._set("bx", address)
        return 0

    def _pci_register(self, function: int) -> int:
        size = 1 << (function - 8) % 3
        address, register = self._get("bx"), self._get("di")
        if register + size > 256 or register % size:
            return PCI_BAD_REGISTER
        mask = (1 << 8 * size) - 1
        if function < 0x0B:
            self._set("ecx", self._get("ecx") & ~mask & 0xFFFFFFFF
                      | self._pc.pci.read(address, register, size))
        else:
            self._pc.pci.write(address, register, size, self._get("ecx") & mask)
        return 0

    # ---- INT 4Bh ----------------------------------------------------------------------

    def _int4b(self) -> None:
        """Present only with a memory manager."""
        if self._pc.vds is None:
            raise RuleViolation("BIOS service not expected", "INT 4bh")
        pointer = (self._pc.get("es") << 4) + self._get("di")
        if self._pc.vds.services == SILENT:
            return
        error, registers = self._pc.vds.call(self._get("ax"), self._get("dx"), pointer)
        for name, value in registers.items():
            self._set(name, value)
        if error:
            self._set("ax", self._get("ax") & 0xFF00 | error)
        self._return_flag(CF, error != 0)

    # ---- PMM --------------------------------------------------------------------------

    def _pmm_call(self) -> None:
        if self._pc.booted:
            raise RuleViolation("PMM misused", "called after POST")
        self._need_stack(PMM_STACK, "PMM")
        stack = (self._pc.get("ss") << 4) + self._get("sp") + 4
        before = [block.place for block in self.memory.blocks]
        result = self.memory.call(struct.unpack("<6H", self._pc.peek(stack, 12)))
        for place in before:
            if place not in [block.place for block in self.memory.blocks]:
                self._pc.poke(place.start, bytes([GIVEN_BACK]) * len(place))
        self._pc.allow_post_writes()
        self._pc.images_changed()
        self._set("ax", result)
        self._set("dx", result >> 16)

    # ---- PnP --------------------------------------------------------------------------

    def _pnp_call(self) -> None:
        """[PnP-BIOS 1.0A 4.5; BBS 1.01 "Get version and installation check"]"""
        if self.pnp in ("bad checksum", "bare") or self._pc.booted:
            raise RuleViolation("PnP BIOS misused", "no PnP BIOS is available")
        self._need_stack(PNP_STACK, "the PnP BIOS")
        stack = (self._pc.get("ss") << 4) + self._get("sp") + 4
        function, offset, segment, selector = struct.unpack("<4H", self._pc.peek(stack, 8))
        if function != GET_BBS_VERSION or selector != BIOS_SEGMENT:
            raise RuleViolation("PnP BIOS misused", f"function {function:02x}h, DS {selector:04x}h")
        if self.pnp == "BBS":
            self._pc.write_for("PnP BIOS", segment * 16 + offset, struct.pack("<H", BBS_VERSION))
        self._set("ax", 0 if self.pnp == "BBS" else PNP_UNSUPPORTED)

    SERVICES = {0x10: _int10, 0x11: _int11, 0x12: _int12, 0x13: _int13, 0x15: _int15,
                0x16: _int16, 0x18: _int18, 0x19: _int19, 0x1A: _int1a, 0x4B: _int4b}
    AFTER_BOOT = {0x13, 0x15, 0x18, 0x19, 0x4B}
    AT_BOOT = {*AFTER_BOOT, 0x10, 0x11, 0x12, 0x16, 0x1A}
