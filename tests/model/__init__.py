# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The strict virtual PC: runs the shipped ROM file against a 53C8xx model
written from the manual, which reports every broken rule (ring 1).

    rules.py    the rules, and the exception that names a broken one
    bus.py      the SCSI bus: handshakes, ATN, bus free; targets as generators
    target.py   disks and CD-ROM drives, with options for their behaviour
    registers.py names and bits of the 53C8xx registers, and timing constants
    variants.py the chips of the family and their differences
    chip.py     effects of register reads and writes
    scripts.py  the SCRIPTS processor
    transfer.py clock, period, offset and width by the registers; the time of data
    wide.py     odd bytes of wide transfers; cable.py: a bad cable
    agreement.py, disagreement.py  SDTR and WDTR; data between sides that are set differently
    hardware.py selects silicon, QEMU or 86Box; emulators.py, emulated_qemu.py and
                emulated_86box.py model how the emulators differ from silicon
    pc.py       runs init, BCV, INT 13h; pc_cpu.py (Unicorn), pc_memory.py, pc_ports.py
    bios.py     how a BIOS treats an option ROM; bios_services.py, bios_entries.py,
                bios_data.py, pmm.py
    boards.py   kinds of BIOSes of the 1990s, and Bochs; boards.S: how they boot
    multi_pc.py a PC with several controllers, and a copy of the ROM for each
    vds.py      Virtual DMA Services with remapped memory
    v86.py      instructions that a virtual-8086 monitor rejects
    devices.py  8254, IRQ0, fw_cfg, PCI configuration space
    board.py    chip and bus without a PC

The model shares no file with the ROM.
"""
