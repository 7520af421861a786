# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Each rule of the strict virtual PC is enforced: for each mutant, one place of
the ROM's source is changed, the ROM is built, and the fault sequence must raise
the rule that the mutant breaks. The unchanged ROM passes the sequence.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import romsign

from tests.build import LIMITS, TOP
from tests.model.rules import RuleViolation
from tests.model.variants import VARIANTS
from tests.rom.fault_sequence import run_fault_sequence

ANY = "the first rule that is broken"
NOP = "\t.long 0x80000000, 0\n"
ROOM = 4096     # bytes that a mutant may add to each part
STORED = 24576  # bytes that a file whose image is not compressed may be larger
SOURCES = ["Makefile", "pc", "scsi", "lsi", "int13", "rom", "tools", "build"]


@dataclass
class Mutant:
    """One replacement in one file, and the rule that it breaks."""
    rule: str
    file: str
    old: str
    new: str
    variant: str = "895A"
    timer: str = "dead"


MUTANTS = {
    # ---- The program -------------------------------------------------------------
    "complete without CLEAR ACK": Mutant(
        "ACK still asserted", "lsi/post/script.S", "\tCLEAR_ACK_ATN\n", NOP),
    "SAVE without CLEAR ACK": Mutant(
        "ACK still asserted", "lsi/post/script.S", "accepted:\n\tCLEAR_ACK\n",
        "accepted:\n" + NOP),
    "SDU on at COMMAND COMPLETE": Mutant(
        "SDU left on", "lsi/post/script.S",
        "complete:\n\tAND_REGISTER LSI_SCNTL2, SDU_OFF\n", "complete:\n" + NOP),
    "SDU on at DISCONNECT": Mutant(
        "SDU left on", "lsi/post/script.S",
        "disconnect:\n\tAND_REGISTER LSI_SCNTL2, SDU_OFF\n", "disconnect:\n" + NOP),
    "CHMOV": Mutant(
        "CHMOV in place of MOVE", "lsi/script_insn.inc", "0x08000000", "0x00000000"),
    "move of 0 bytes": Mutant(
        "block move of 0 bytes", "lsi/program.c", "\tif (bytes) {\n", "\t{\n"),
    "IF instead of WHEN": Mutant(
        "stale phase tested", "lsi/post/script.S", "JUMP_WHEN PHASE_MSG_IN, message_clean",
        "JUMP_IF PHASE_MSG_IN, message_clean"),
    "bit 24 in WAIT DISCONNECT": Mutant(
        "illegal instruction", "lsi/script_insn.inc", "0x48000000", "0x49000000"),
    "SET ACK": Mutant("SET ACK", "lsi/script_insn.inc", "0x58000008", "0x58000048"),
    "phase test after the end of a nexus": Mutant(
        "phase test on a free bus", "lsi/post/script.S", "\tWAIT_DISCONNECT\nLABEL script_patch_led_off\n",
        "\tJUMP_WHEN PHASE_MSG_IN, dispatch\nLABEL script_patch_led_off\n"),
    "INT after SELECT": Mutant(
        "INT during a selection", "lsi/post/script.S", "\tJUMP_WHEN_NOT PHASE_MSG_OUT, clear_atn\n",
        "\tINT\tINT_COMPLETE\n"),
    "program not aligned": Mutant(
        "SCRIPTS not aligned", "lsi/program.c", "phys_of(lsi->script) + entry",
        "phys_of(lsi->script) + entry + 2"),
    "synchronous without negotiation": Mutant(
        "transfer not agreed", "lsi/lsi.c", "{LSI_SXFER, 0}", "{LSI_SXFER, 8}"),
    # ---- Registers ---------------------------------------------------------------
    "no selection time-out": Mutant(
        "no selection time-out", "lsi/lsi.c", "{LSI_STIME0, STIME0_SEL_256MS}",
        "{LSI_STIME0, 0}"),
    "own ID 0": Mutant("own ID clashes", "lsi/post/open.c", "SCID_RRE | id;", "SCID_RRE;"),
    "no RRE": Mutant("cannot be reselected", "lsi/post/open.c", "SCID_RRE | id;", "id;"),
    "no RESPID": Mutant(
        "cannot be reselected", "lsi/post/open.c", "(u8)(1u << id);", "0;"),
    "no clock": Mutant(
        "clock not set", "lsi/post/open.c", "#define CCF_40MHZ 3", "#define CCF_40MHZ 0"),
    "divider for 40 MHz at 80 MHz": Mutant(
        "clock not set", "lsi/post/open.c", "#define CCF_80MHZ 5", "#define CCF_80MHZ 3", "860"),
    "erratum of the 896 ignored": Mutant(
        "erratum forgotten", "lsi/post/chips.c", "WIDE_64 | CHIP_DPR", "WIDE_64", "896"),
    "1010 treated like other chips": Mutant(
        "reserved bits written", "lsi/post/open.c", "if (!(lsi->features & CHIP_1010))", "if (1)",
        "1010-66"),
    "no COM": Mutant(
        "register instruction without DCNTL.COM", "lsi/post/open.c", "DCNTL_IRQD | DCNTL_COM;",
        "DCNTL_IRQD;"),
    "interrupt pin on": Mutant(
        "interrupt pin enabled", "lsi/post/open.c", "DCNTL_IRQD | DCNTL_COM;", "DCNTL_COM;"),
    "manual start": Mutant(
        "SCRIPTS started in a manual mode", "lsi/lsi.c", "{LSI_DMODE, 0}", "{LSI_DMODE, 1}"),
    "phase mismatch jump": Mutant(
        "not modelled", "lsi/lsi.c", "LSI_CCNTL0, 0}", "LSI_CCNTL0, 0x80}"),
    "simple arbitration": Mutant(
        "not modelled", "lsi/post/open.c", "= SCNTL0_ARB_FULL;", "= 0;"),
    "16 IDs on a narrow chip": Mutant(
        "own ID clashes", "lsi/post/open.c", "chip->features & CHIP_WIDE ? 15 : 7", "15", "810"),
    "FIFO not cleared after bus free": Mutant(
        "SCRIPTS started with a FIFO not empty", "lsi/program.c",
        "if (ending == END_NO_TARGET || ending == END_BUS_FREE) {\n\t\tlsi_clear_fifos(lsi);",
        "if (ending == END_NO_TARGET || ending == END_BUS_FREE) {"),
    "LED switched on a board without one": Mutant(
        "board setting lost", "lsi/post/open.c", "\tif (!led)\n\t\treturn;\n", ""),
    "terminator pins lost": Mutant(
        "board setting lost", "lsi/lsi.c", "[KEPT_GPREG] = LSI_GPREG", "[KEPT_GPREG] = LSI_GPCNTL"),
    "SRST not cleared": Mutant(
        "SRST left set", "lsi/lsi.c", "wait_for_chip(lsi, SRST_US);\n\tlsi_write8(lsi, LSI_ISTAT, 0);",
        "wait_for_chip(lsi, SRST_US);"),
    "SRST while running": Mutant(
        "SRST without ABRT", "lsi/lsi.c", "\t(void)lsi_abort(lsi);\n", ""),
    "ABRT not cleared": Mutant(
        "DSTAT read with ABRT set", "lsi/lsi.c",
        "lsi_write8(lsi, LSI_ISTAT, ISTAT_OURS);\n\t\t\t(void)lsi_read8(lsi, LSI_DSTAT);",
        "(void)lsi_read8(lsi, LSI_DSTAT);"),
    "short RST": Mutant(
        "bus reset too short", "lsi/lsi.c", "BUS_RESET_PULSE_US 100", "BUS_RESET_PULSE_US 10"),
    "short settling": Mutant(
        "selection too soon after a bus reset", "lsi/lsi.c", "BUS_RESET_SETTLE_US 250000",
        "BUS_RESET_SETTLE_US 100000"),
    "own reset not drained": Mutant(
        "causes left pending", "lsi/lsi.c", "\t(void)lsi_read_causes(lsi, lsi_read8(lsi, LSI_ISTAT));\n", ""),
    "ISTAT not read": Mutant(
        "SCRIPTS started with causes pending", "lsi/exec.c",
        "lsi_read8(lsi, LSI_ISTAT) != ISTAT_OURS", "false"),
    "FIFO not cleared": Mutant(
        "SCRIPTS started with a FIFO not empty", "lsi/events.c",
        "\telse\n\t\tlsi_clear_fifos(lsi);", "\telse\n\t\t;"),
    "SIST in two bytes": Mutant(
        "SIST read in bytes", "lsi/lsi.c", "causes |= lsi_read16(lsi, LSI_SIST);",
        "causes |= (u32)lsi_read8(lsi, LSI_SIST) | (u32)lsi_read8(lsi, LSI_SIST + 1) << 8;"),
    "DSTAT polled": Mutant(
        "register access while SCRIPTS runs", "lsi/program.c",
        "lsi_read8(lsi, LSI_ISTAT) & ISTAT_PENDING", "lsi_read8(lsi, LSI_DSTAT)"),
    "DSP in two halves": Mutant(
        "DSP written in parts", "lsi/program.c",
        "lsi_write32(lsi, LSI_DSP, phys_of(lsi->script) + entry);",
        "lsi_write16(lsi, LSI_DSP, (u16)(phys_of(lsi->script) + entry));"),
    "status register written": Mutant(
        "read-only register written", "lsi/lsi.c", "{LSI_SCNTL2, 0}", "{LSI_SSTAT1, 0}"),
    "SFBR written": Mutant(
        "SFBR written by the CPU", "lsi/lsi.c", "{LSI_SCNTL2, 0}", "{0x08, 0}"),
    "registers that an 810 lacks": Mutant(
        "register space", "lsi/post/chips.c", "{0x0001, 0x00, 0,", "{0x0001, 0x00, CHIP_ISTAT1,",
        "810"),
    "GPCNTL lost": Mutant(
        "board setting lost", "lsi/lsi.c", "[KEPT_GPCNTL] = LSI_GPCNTL", "[KEPT_GPCNTL] = LSI_GPREG"),
    # ---- Recovery ----------------------------------------------------------------
    "no time-out": Mutant(
        "step bound", "lsi/program.c", "\t\tif (clock_expired(&x->clock))\n\t\t\treturn 0;\n", ""),
    "no recovery from a hang": Mutant(
        "SCRIPTS left running", "lsi/exec.c",
        "\tcase HBA_TIMEOUT:\n", "\tcase HBA_TIMEOUT:\n\t\treturn;\n"),
    "no recovery from bad protocol": Mutant(
        "target left connected", "lsi/exec.c",
        "\tcase HBA_PROTOCOL:\n", "\tcase HBA_PROTOCOL:\n\t\treturn;\n"),
    "SDU on at ABORT": Mutant(
        "SDU left on", "lsi/post/script.S", "\tCLEAR_ACK\n\tAND_REGISTER LSI_SCNTL2, SDU_OFF\nLABEL",
        "\tCLEAR_ACK\n" + NOP + "LABEL"),
    # ---- Memory, ports, CPU --------------------------------------------------------
    "no bus mastering": Mutant(
        "bus mastering not enabled", "rom/post/controller.c",
        "PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER",
        "PCI_COMMAND_MEMORY"),
    "DMA outside memory": Mutant(
        "DMA outside memory", "lsi/program.c", "move[1] = address;",
        "move[1] = address | 0x40000000;"),
    "one byte too many": Mutant(
        "write outside buffer and workspace", "lsi/program.c", "\tif (bytes) {\n",
        "\tif (bytes && bytes++) {\n"),
    "interrupts on our stack": Mutant(
        "interrupt on our stack", "pc/irq_window.S",
        "\tmovw\tcaller_ss, %ss\n\tmovl\tcaller_esp, %esp\n\tsti", "\tsti",
        timer="alive"),
    "status as a word": Mutant(
        "write outside buffer and workspace", "int13/int13.h",
        "FAR8(call->status_byte) = (u8)status;", "FAR16(call->status_byte) = (u16)status;"),
    "ROM written": Mutant(
        "ROM written after boot", "int13/dispatch.c", "\tcall->action =",
        "\tfar_open(rom_segment());\n\tFAR8(0x20) = 0;\n\tcall->action ="),
    "foreign port": Mutant(
        "port not ours", "int13/dispatch.c", "\tcall->action =",
        "\t__asm__ volatile(\"outb %al, $0x80\");\n\tcall->action ="),
    "BIOS call": Mutant(
        "BIOS service not expected", "int13/dispatch.c", "\tcall->action =",
        "\tstruct bios_regs r = {0};\n\tbios_call(5, &r);\n\tcall->action ="),
    "large frame": Mutant(
        "our stack overflowed", "int13/dispatch.c", "\tcall->action =",
        "\tvolatile u8 frame[1120];\n\tfor (u32 i = 0; i < sizeof(frame); i++)\n"
        "\t\tframe[i] = 0;\n\tcall->action ="),
    "FS and GS exchanged": Mutant(
        "register not preserved", "rom/entry.S",
        "\tpopw\t%es\n\tpopw\t%fs\n\tpopw\t%gs\n\tmovw\tWS_CALLER_SS",
        "\tpopw\t%es\n\tpopw\t%gs\n\tpopw\t%fs\n\tmovw\tWS_CALLER_SS"),
    "upper half of EBX lost": Mutant(
        "register not preserved", "rom/entry.S", "\tpopal\n\taddl\t$2, %esp",
        "\tmovw\t$0, 18(%esp)\n\tpopal\n\taddl\t$2, %esp"),
    "DF not cleared": Mutant(
        ANY, "rom/entry.S", "\tcld\n\tmovw\t%ax, %es",
        "\tmovw\t%ax, %es"),
    "DF left set": Mutant(
        "flags not preserved", "rom/entry.S", "\tmovw\tFRAME_FLAGS(%esp), %ax\n",
        "\tmovw\tFRAME_FLAGS(%esp), %ax\n\torw\t$0x400, %ax\n"),
    "too much of the caller's stack": Mutant(
        "caller's stack", "rom/entry.S", "rom_int13:\n",
        "rom_int13:\n\tpushal\n\tpushal\n\tpopal\n\tpopal\n"),
    "RETF instead of IRET": Mutant(
        "stack not restored", "rom/entry.S",
        "\taddw\t$6, %sp\t\t\t# flags and slot\n\tiretw",
        "\taddw\t$6, %sp\n\tlretw"),
}


# ---- Building ---------------------------------------------------------------------


# A packer that compresses nothing, for the decoder of the ROM: compression would take most of the time
PACKER = f"""import sys
sys.path.insert(0, "{TOP}/tools")
import pack
pack.parse = lambda data: [pack.Route(0, 0, False, len(data), False, None)]     # literals
sys.exit(pack.main())
"""
MORE = {name: limit + (STORED if name == "FILE" else ROOM) for name, limit in LIMITS.items()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the sources and the build."""
    top = tmp_path_factory.mktemp("mutants")
    for name in SOURCES:
        if (TOP / name).is_dir():
            shutil.copytree(TOP / name, top / name, ignore=shutil.ignore_patterns(*(["media", "qemu"] if name == "build" else [])))
        else:
            shutil.copy2(TOP / name, top / name)
    for script in (top / "build" / "rom").glob("*.ld"):     # these contain the limits
        script.unlink()
    (top / "tools/pack.py").write_text(PACKER)
    return top


def restore(tree: Path, source: Path, since: int) -> None:
    """Take back what a mutant has changed, with the times of the files, so that the next build compiles only
    what the next mutant changes."""
    shutil.copy2(TOP / source.relative_to(tree), source)
    for made in (tree / "build").rglob("*.[dhos]"):
        if made.stat().st_mtime_ns >= since:
            shutil.copy2(TOP / made.relative_to(tree), made)
    (tree / "build/rom.elf").unlink(missing_ok=True)


def build(tree: Path, mutant: Mutant) -> Path:
    """Build the BIOS image with one place of its source changed, then restore the source."""
    binary = tree / "build/rom.bin"
    source = tree / mutant.file
    text = source.read_text()
    assert text.count(mutant.old) >= 1, "the text to replace is not in the source"
    source.write_text(text.replace(mutant.old, mutant.new))
    try:
        # A mutant may leave a variable unused.
        subprocess.run(["make", "-s", "-C", tree, "build/rom.bin", *(f"{name}_LIMIT={limit}" for name, limit in MORE.items()),
                        "WARNINGS=-w"], check=True, capture_output=True, text=True)
    finally:
        restore(tree, source, source.stat().st_mtime_ns)
    rom = tree / "mutant.rom"
    rom.write_bytes(romsign.stamp(binary.read_bytes(), 0x1000, VARIANTS[mutant.variant].device,
                                  run_time=MORE["FILE"]))
    return rom


# ---- The fault sequence ---------------------------------------------------------------


@pytest.mark.parametrize("variant, rom", [("895A", "lsi53c895a.rom"), ("810", "lsi53c810.rom")])
def test_rom_passes_the_fault_sequence(variant, rom):
    run_fault_sequence(TOP / "build" / rom, variant)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_mutant_breaks_its_rule(tree, mutant):
    rom = build(tree, mutant)
    with pytest.raises(RuleViolation) as caught:
        run_fault_sequence(rom, mutant.variant, mutant.timer)
    assert mutant.rule in (ANY, caught.value.rule)
