# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The rules of the strict virtual PC, and the exception for a broken one.

Every rule is listed here; tests/model/test_mutants.py and tests/model/test_rules.py
show that each of them is enforced.
"""

from __future__ import annotations

RULES = {
    # The CPU and the registers
    "register access while SCRIPTS runs": "only ISTAT, ISTAT1 and the mailboxes are accessible",
    "register space": "a chip has 128 or 256 bytes of registers, with gaps",
    "reserved bits written": "bits that a chip does not have stay 0",
    "read-only register written": "status registers are not written to",
    "SFBR written by the CPU": "SFBR belongs to SCRIPTS",
    "SIST read in bytes": "one 16-bit read; two reads lose a cause",
    "DSTAT read before SIST": "the SCSI cause is read first",
    "DSTAT read with ABRT set": "ABRT would be raised again",
    "DSP written in parts": "one 32-bit write starts the program",
    "SRST left set": "software reset does not clear itself",
    "SRST without ABRT": "a running program is aborted first",
    "bus reset too short": "RST is held for 25 us",
    "SCRIPTS started with causes pending": "all causes in SIST and DSTAT are read first",
    "SCRIPTS started with a FIFO not empty": "set CLF and CSF first",
    "SCRIPTS started in a manual mode": "DCNTL.SSM and DMODE.MAN are off",
    "SCRIPTS started during a bus reset": "SCNTL1.RST is off",
    "SCRIPTS started with ABRT set": "ISTAT.ABRT is off",
    "erratum forgotten": "some chips need a bit set, or clear, while a program runs",
    "interrupt pin enabled": "a polled driver keeps the pin inactive",
    # The serial EEPROM (eeprom.py)
    "EEPROM bus too fast": "the minimum times of a 24C16 at 100 kHz, or of a 93C46",
    "EEPROM byte cut short": "START and STOP only between bytes, except to end an earlier transfer",
    "EEPROM line driven against the chip": "it may pull SDA down; a line has one output",
    "93C46 written to": "Tekram's settings are left alone",
    # SCRIPTS
    "SCRIPTS not aligned": "instructions are dword aligned",
    "illegal instruction": "the chip would raise DSTAT.IID",
    "CHMOV in place of MOVE": "chained moves are for wide buses and target mode",
    "block move of 0 bytes": "illegal",
    "top byte of a table count not 0": "a count has 24 bits",
    "table not aligned": "table entries are dword aligned",
    "register instruction without DCNTL.COM": "they work as documented only with COM",
    "SET ACK": "for chip tests only",
    "stale phase tested": "the first phase test after a handshake waits",
    "INT during a selection": "the program waits for the end of the selection first",
    "not modelled": "the model does not support this",
    # The bus
    "ACK still asserted": "CLEAR ACK after the last byte of a MSG IN move",
    "SDU left on": "SDU is cleared before the end of a message after which the target may leave",
    "connection dropped by SCNTL1": "only a target ends a connection, or a reset",
    "SELECT while RST is held": "the chip may hang",
    "phase test on a free bus": "no phase test after the end of a nexus",
    "no selection time-out": "STIME0.SEL is not 0",
    "own ID clashes": "the ID in SCID belongs to no other device",
    "cannot be reselected": "SCID.RRE and RESPID",
    "clock not set": "SCNTL3.CCF matches the board's clock, 40 or 80 MHz, and the multiplier",
    "selection too soon after a bus reset": "250 ms",
    "VERIFY of bytes": "the drive checks its medium; data is not sent again",
    "transfer not agreed": "SXFER, SCNTL3 and SCNTL4 match the agreement with the target",
    "wide data cut at an odd byte": "but for the last move, CHMOV or an even count",
    "transfer beyond the chip": "its offset and rate; below 100 ns with SCNTL3.ULTRA and STEST3.TE",
    # On return
    "SCRIPTS left running": "no program runs between two calls",
    "causes left pending": "SIST and DSTAT are empty",
    "target left connected": "the bus is free",
    "bus left in reset": "SCNTL1.RST is off",
    "FIFO left full": "the next command needs it empty",
    "ABRT left set": "the next program would be aborted",
    "board setting lost": "GPREG, GPCNTL, STEST2.DIF and DCNTL.IRQM are the board's; a program writes the bit of an "
                          "activity LED only, which is off between two calls",
    # Memory, ports, CPU (pc.py)
    "bus mastering not enabled": "PCI COMMAND.MASTER before any DMA",
    "DMA outside memory": "there is none at that address",
    "DMA into our memory": "of it, the chip writes only the bytes declared for it and the block buffer; "
                           "on our stack, answers above SP that are no blocks",
    "DMA into ROM": "the chip cannot write there",
    "write outside buffer and workspace": "other memory is not ours",
    "ROM written after boot": "the image is read-only after boot",
    "port not ours": "the chip, the 8254, and in POST fw_cfg",
    "BIOS service not expected": "only services a BIOS guarantees to an option ROM",
    "step bound": "every call ends",
    "waits too long": "POST at most 60 s in which no unit gets further, calls 60 s, with START STOP UNIT 140 s",
    "register not preserved": "upper halves and segments included",
    "flags not preserved": "all but CF",
    "stack not restored": "SS:ESP as the caller had it",
    "caller's stack": "64 bytes",
    "write not allowed in POST": "the image, 40:13h, 40:75h, INT 13h and 19h, and allocated memory; "
                                 "in init, if PMM refuses, also a little below 40:13h",
    "I/O space not enabled": "PCI COMMAND.IO before any port",
    "PCI register not ours": "COMMAND, cache line, latency and interrupt line of the controller",
    "PMM misused": "only known functions, own blocks, conventional memory, and only in POST",
    "BIOS service misused": "INT 10h in its standard text modes: printable characters, the cursor on the screen",
    "PnP BIOS misused": "only the BBS version is queried, in POST, and only if the table is valid",
    "stack too small for the BIOS": "PCI and PnP BIOS calls need 1024 bytes, PMM calls 256, "
                                    "other services 128",
    "8254 set anew": "counter 0 is programmed only if the BIOS has not done so",
    "8254 out of step": "only latched bytes are read, and all of them",
    "boot vector hooked in init": "a ROM hooks INT 13h in its BCV, and without BBS, INT 19h; if no "
                                  "BCV will be called, INT 13h in init, and for CDs INT 18h",
    "ROM header wrong": "the length may shrink in init, not grow",
    "ROM checksum wrong": "after init, the bytes of the image sum to 0",
    "no image at the run-time segment": "PCI 3.0: init moves the code to the segment in BX",
    "PnP header wrong": "signature, checksum, texts, and one of two vectors inside the image",
    "controller of another copy": "a copy of the ROM accesses its own controller only",
    "memory of another copy": "a copy of the ROM writes its own memory only",
    "memory of others given back": "at boot, 40:13h is raised over memory of the ROM only",
    "memory taken at boot": "a copy of the ROM takes at most 2 KiB of base memory for a CD",
    "too much ROM kept": "without PMM: a board hangs if more than 16 KiB stay",
    "workspace in free memory": "memory below 40:13h belongs to the operating system",
    "temporary memory kept": "memory that init runs in is released on every exit path",
    "code outside the ROM run": "only the image, the BIOS and booted programs are code",
    "given-back code run": "code that init released is gone",
    "CPU halted": "the ROM waits for no interrupt",
    "CPU exception": "no invalid opcode, no access outside memory",
    "interrupt on our stack": "too small for handlers: they run on the caller's; a BIOS may differ",
    "our stack overflowed": "it ends at the foot of the workspace",
    # Virtual DMA Services (vds.py)
    "vds-call": "only the lock and unlock services, with valid structures",
    "vds-unlocked": "the chip accesses memory that may be remapped only while it is locked",
    "v86-fault": "only instructions that a virtual-8086 monitor allows",
    "vds-leak": "locked memory is unlocked before the call ends",
}


class RuleViolation(AssertionError):
    """A rule of the chip, the bus or this project was broken."""

    def __init__(self, rule: str, detail: str = ""):
        if rule not in RULES:
            raise KeyError(f"rules.py does not list {rule!r}")
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
