# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The strict virtual PC: runs the shipped ROM file against a 53C8xx model
written from the manual, which objects to every rule broken (ring 1).

    rules.py    the rules, and the exception that names the one broken
    bus.py      the SCSI bus: handshakes, ATN, bus free; targets as generators
    target.py   disks and CD-ROM drives, and how they may behave
    registers.py names and bits of the 53C8xx's registers, and its times
    variants.py the chips, and how they differ
    chip.py     what reading and writing them does
    scripts.py  the SCRIPTS processor
    hardware.py silicon, QEMU or 86Box; emulators.py, emulated_qemu.py and
                emulated_86box.py have how these two differ from silicon
    pc.py       runs init, BCV, INT 13h; pc_cpu.py (Unicorn), pc_memory.py, pc_ports.py
    bios.py     how a BIOS treats an option ROM; bios_services.py, bios_data.py, pmm.py
    multi_pc.py a PC with several controllers, and a copy of the ROM for each
    vds.py      Virtual DMA Services, and memory that has moved
    v86.py      what a monitor of virtual-8086 mode does not let through
    devices.py  8254, IRQ0, fw_cfg, PCI configuration space
    board.py    chip and bus without a PC

It shares no file with the ROM.
"""
