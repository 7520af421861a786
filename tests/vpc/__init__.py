# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The strict virtual PC: runs the shipped ROM file against a 53C8xx model
written from the manual, which objects to every rule broken (ring 1).

    law.py      the one exception
    bus.py      the SCSI bus: handshakes, ATN, bus free; targets as generators
    target.py   a disk, and how it may behave
    chip.py     registers of the 53C8xx and their side effects
    scripts.py  the SCRIPTS processor
    pc.py       CPU (Unicorn), memory, BIOS services, ports; runs init, BCV, INT 13h

It shares no file with the ROM.
"""
