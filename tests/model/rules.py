# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The laws of the bench, and the exception that names the one broken.

Every law is listed here; tests/model/test_mutants.py and tests/model/test_rules.py show
that each of them bites.
"""

from __future__ import annotations

RULES = {
    # The CPU and the registers
    "register access while SCRIPTS runs": "only ISTAT, ISTAT1 and the mailboxes are free",
    "register space": "a chip has 128 or 256 bytes of registers, not all of them there",
    "reserved bits written": "what a chip does not have stays 0",
    "read-only register written": "status registers are not written to",
    "SFBR written by the CPU": "SFBR belongs to SCRIPTS",
    "SIST read in bytes": "one 16-bit read, or a cause is lost",
    "DSTAT read before SIST": "the SCSI cause first",
    "DSTAT read with ABRT set": "ABRT would come again",
    "DSP written in parts": "one 32-bit write starts the program",
    "SRST left set": "software reset does not clear itself",
    "SRST without ABRT": "a running program is stopped first",
    "bus reset too short": "RST is held for 25 us",
    "SCRIPTS started with causes pending": "SIST and DSTAT are read empty first",
    "SCRIPTS started with a FIFO not empty": "CLF and CSF first",
    "SCRIPTS started in a manual mode": "DCNTL.SSM and DMODE.MAN are off",
    "SCRIPTS started during a bus reset": "SCNTL1.RST is off",
    "SCRIPTS started with ABRT set": "ISTAT.ABRT is off",
    "erratum forgotten": "some chips need a bit set, or clear, whenever a program runs",
    "interrupt pin enabled": "a polled driver keeps the pin silent",
    # SCRIPTS
    "SCRIPTS not aligned": "instructions lie on dwords",
    "illegal instruction": "the chip would raise DSTAT.IID",
    "CHMOV in place of MOVE": "chained moves are for wide buses and target mode",
    "block move of 0 bytes": "illegal",
    "top byte of a table count not 0": "a count has 24 bits",
    "table not aligned": "table entries lie on dwords",
    "register instruction without DCNTL.COM": "they work as documented only with COM",
    "SET ACK": "only for tests of the chip",
    "stale phase tested": "the first test behind a handshake waits",
    "INT during a selection": "the program waits for its end first",
    "not modelled": "the bench cannot judge this",
    # The bus
    "ACK still asserted": "CLEAR ACK after the last byte of a MSG IN move",
    "SDU left on": "SDU is cleared before a message that lets the target go is over",
    "connection dropped by SCNTL1": "only a target ends a connection, or a reset",
    "SELECT while RST is held": "the chip may hang",
    "phase wanted on a free bus": "no phase test behind the end of a nexus",
    "no selection time-out": "STIME0.SEL must not be 0",
    "own ID clashes": "SCID is nobody else's ID",
    "cannot be reselected": "SCID.RRE and RESPID",
    "clock not set": "SCNTL3.CCF fits the clock of the board, 40 or 80 MHz, and the multiplier",
    "selection too soon after a bus reset": "250 ms",
    "VERIFY of bytes": "the drive checks its medium; nobody sends the data again",
    "transfer not agreed": "SXFER and SCNTL3 are what the target agreed to",
    # On return
    "SCRIPTS left running": "nothing runs between two calls",
    "causes left pending": "SIST and DSTAT are empty",
    "target left connected": "the bus is free",
    "bus left in reset": "SCNTL1.RST is off",
    "FIFO left full": "the next command needs it empty",
    "ABRT left set": "the next program would be aborted",
    "board setting lost": "GPCNTL, STEST2.DIF and DCNTL.IRQM are the board's",
    # Memory, ports, CPU (pc.py)
    "bus mastering not enabled": "PCI COMMAND.MASTER before any DMA",
    "DMA outside memory": "there is none at that address",
    "DMA into ROM": "the chip cannot write there",
    "write outside buffer and workspace": "nothing else is ours",
    "ROM written after boot": "the image is read-only then",
    "port not ours": "the chip, the 8254, and in POST fw_cfg",
    "BIOS service not expected": "only what a BIOS promises an option ROM",
    "step bound": "every call ends",
    "register not preserved": "upper halves and segments included",
    "flags not preserved": "all but CF",
    "stack not restored": "SS:ESP as the caller had it",
    "caller's stack": "64 bytes",
    "write not allowed in POST": "the image, 40:13h, 40:75h, INT 13h and 19h, and what was taken; "
                                 "below 40:13h a little, in init, if PMM gives nothing",
    "I/O space not enabled": "PCI COMMAND.IO before any port",
    "PCI register not ours": "COMMAND, cache line, latency and interrupt line of the controller",
    "PMM misused": "only known functions, own blocks, conventional memory, and only in POST",
    "PnP BIOS misused": "only its BBS version is asked, in POST, and its table is right",
    "stack too small for the BIOS": "PCI and PnP BIOS calls need 1024 bytes, PMM calls 256",
    "8254 set anew": "counter 0 is set only where the BIOS has not",
    "8254 out of step": "whoever latches reads all bytes, and nobody else reads",
    "boot vector hooked in init": "a ROM hooks INT 13h in its BCV, and where there is no BBS, INT 19h",
    "ROM header wrong": "the length may shrink in init, not grow",
    "ROM checksum wrong": "the image of the length after init sums to 0",
    "no image at the run-time segment": "PCI 3.0: init moves the code to the segment in BX",
    "PnP header wrong": "signature, checksum, texts, and one of two vectors inside the image",
    "controller of another copy": "a copy of the ROM has one controller, which is its own",
    "memory of another copy": "so is its memory",
    "workspace in free memory": "below 40:13h the operating system lives",
    "temporary memory kept": "what init runs in is given back, on every way out",
    "code outside the ROM run": "only the image and the BIOS are code, and what is booted",
    "given-back code run": "what init gave back is no longer there",
    "CPU halted": "nobody waits for an interrupt",
    "CPU exception": "no invalid opcode, no address without memory",
    "interrupt on our stack": "it is too small for handlers; they get the caller's, but a BIOS does as it likes",
    "our stack overflowed": "it ends at the foot of the workspace",
    # Virtual DMA Services (vds.py)
    "vds-call": "only the services that lock and unlock, with their structures filled in",
    "vds-unlocked": "the chip comes only to memory that is locked, where that may have moved",
    "v86-fault": "nothing runs that a monitor of virtual-8086 mode does not let through",
    "vds-leak": "what is locked is unlocked before the call ends",
}


class RuleViolation(AssertionError):
    """A rule of the chip, the bus or the house was broken."""

    def __init__(self, rule: str, detail: str = ""):
        if rule not in RULES:
            raise KeyError(f"rules.py does not list {rule!r}")
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
