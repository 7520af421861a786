# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Register names of the 53C8xx as in the manual, their bits, and timing constants.

[LSI53C895A technical manual chapter 4]
"""

from __future__ import annotations

US = 1_000
MS = 1_000_000

# Offsets
SCNTL0, SCNTL1, SCNTL2, SCNTL3, SCID, SXFER, SDID, GPREG = range(8)
SFBR, SOCL, SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2 = range(8, 16)
DSA, ISTAT, ISTAT1, MBOX0, MBOX1 = 0x10, 0x14, 0x15, 0x16, 0x17
CTEST0, CTEST1, CTEST2, CTEST3, TEMP = 0x18, 0x19, 0x1A, 0x1B, 0x1C
DFIFO, CTEST4, CTEST5 = 0x20, 0x21, 0x22
DBC, DCMD, DNAD, DSP, DSPS = 0x24, 0x27, 0x28, 0x2C, 0x30
DMODE, DIEN, DCNTL, SIEN0, SIEN1, SIST0, SIST1 = 0x38, 0x39, 0x3B, 0x40, 0x41, 0x42, 0x43
MACNTL, GPCNTL, STIME0, STIME1, RESPID0, RESPID1 = 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B
STEST0, STEST1, STEST2, STEST3 = 0x4C, 0x4D, 0x4E, 0x4F
SWIDE, SODL = 0x45, 0x54
STEST4, CCNTL0, CCNTL1, SCNTL4, AIPCNTL1, DFBC = 0x52, 0x56, 0x57, 0xBC, 0xBF, 0xF0
READ_ONLY = {SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2, SIST0, SIST1, DFIFO, CTEST1, STEST0,
             STEST4, DFBC, DFBC + 1}

# Bits
EPC, AAP = 0x08, 0x02                           # SCNTL0
RST_LINE, CONNECTED1 = 0x08, 0x10               # SCNTL1
SDU, CHM, WSS, WSR = 0x80, 0x40, 0x08, 0x01      # SCNTL2
ULTRA, EWS = 0x80, 0x08                         # SCNTL3
RRE = 0x40                                      # SCID
PINS, GPIO0, GPIO1 = 0x1F, 0x01, 0x02           # GPREG; GPCNTL: 1 is an input
ME, FE, LEDC = 0x80, 0x40, 0x20                 # GPCNTL: GPIO1 or GPIO0 as an indicator
ABRT, SRST, SIGP, SEM, CON, INTF, SIP, DIP = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01
SRUN = 0x02                                     # ISTAT1
DFE, MDPE, BF, D_ABRT, D_SSI, D_SIR, D_IID = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x01  # DSTAT
ORF, OLF, RST_NOW = 0x40, 0x20, 0x02            # SSTAT0
ORF1, OLF1, LDSC = 0x40, 0x20, 0x02             # SSTAT2
LED = 0x01                                      # GPIO0 in GPREG and GPCNTL
ATN_LINE, ACK_LINE = 0x08, 0x40                 # SOCL, SBCL
NO_OVERLAP = 0x20                               # CTEST0, for an erratum of the 876
CTEST2_SIGP = 0x40
CLF, WRIE, TE, CSF = 0x04, 0x01, 0x80, 0x02     # CTEST3 twice, STEST3 twice
DFS = 0x20                                      # CTEST5
COM, IRQD, STD, IRQM, SSM, PFEN, PFF = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40    # DCNTL
MAN, ERMP, ERL = 0x01, 0x04, 0x08               # DMODE
MULTIPLIED, NO_SGE = 0x0C, 0x30                 # STEST1, the latter for an erratum of the 1010
DIF = 0x20                                      # STEST2
DPR, DILS = 0x01, 0x02                          # CCNTL0
U3EN, XCLKH_ST, XCLKS_ST, DISAIP = 0x80, 0x04, 0x01, 0x08      # SCNTL4 3 times, AIPCNTL1
# Not supported by the model: START and TRG; IARB and AESP; SRE; driving lines by hand;
# the PCI clock; phase mismatch jumps
NOT_MODELLED = {SCNTL0: 0x21, SCNTL1: 0x06, SCID: 0x20, SOCL: 0xFF, STEST1: 0x80, CCNTL0: 0x80}
# SIST, SIST1 in the high byte
MA, CMP, SEL, RSL, SGE, UDC, RST, PAR = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01
SBMC, STO, GEN, HTH = 0x1000, 0x0400, 0x0200, 0x0100
NONFATAL = CMP | SEL | RSL | GEN | HTH          # unless enabled in SIEN

RST_HOLD_NS = 25 * US
RST_TO_SELECTION_NS = 250 * MS
UNAVOIDABLE_NS = 50 * US    # between the last read of ISTAT and the write to DSP
RAM_BASE = 0xF8000000                           # SCRIPTS RAM, unless a BIOS moves it
CHIP_TYPE = {0x0001: 0x40, 0x0012: 0xF0}        # MACNTL 7:4, for chips where it is known


def timer_ns(code: int, clock_mhz: int = 40) -> int:
    """Period of a timer: code 1 is 125 us, or 100 us at 80 MHz; each further
    code doubles it; 0 is off."""
    return (100 if clock_mhz == 80 else 125) * US << (code - 1) if code else 0


class DmaFault(Exception):
    """Raised by memory access functions: the PCI cycle failed."""

    def __init__(self, cause: int = BF):
        super().__init__(f"DSTAT {cause:#04x}")
        self.cause = cause
