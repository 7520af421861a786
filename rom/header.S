/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The headers that a BIOS reads: the ROM header, the PCI data structure and a
 * chain of PnP headers. The first two, and the way back to the BIOS, are the
 * same in the file and in the ROM image unpacked from it (docs/memory.md).
 * [PCI 3.0 firmware "Expansion ROM", PnP-BIOS 1.0A "Option ROM header"]
 */
#include "layout.h"

	.code16

/* ---- ROM header ------------------------------------------------------- */
	.section .header, "ax"
rom_header:
	.byte	0x55, 0xaa		# 00 signature
	.byte	file_blocks		# 02 length in blocks: unpack.ld, romsign.py
	.byte	0xe9			# 03 near jump to init
	.word	rom_header + ROM_ENTRY - . - 2
	.byte	0			# 06 checksum: romsign.py
	.byte	0			# 07 number of boot entries: init
	.word	0			# 08 workspace segment: init
	.long	ROM_OURS		# 0A other copies recognise this one by it
	.word	0			# 0E PCI address of the controller: init
	.word	0			# 10 PMM's memory: unpack_entry.S, for init
	.word	0			# 12 first boot entry: init
	.word	0			# 14 segment of far code: init
	.word	0			# 16 segment of the resident image: init
	.org	rom_header + 0x18
	.word	pcir - rom_header	# 18 PCI data structure
	.word	pnp_first		# 1A first PnP header: rom.ld, init

/* ---- PCI data structure, revision 3 ----------------------------------- */
	.org	rom_header + ROM_PCIR
	.globl	rom_pcir
rom_pcir:
pcir:
	.ascii	"PCIR"			# 00
	.word	0			# 04 vendor: romsign.py
	.word	0			# 06 device: romsign.py
	.word	device_list - pcir	# 08 further devices
	.word	0x1c			# 0A length
	.byte	3			# 0C revision
	.byte	0x00, 0x00, 0x01	# 0D class: SCSI controller
	.word	0			# 10 length in blocks: romsign.py
	.word	0x0001			# 12 our revision level
	.byte	0			# 14 code type: PC-AT
	.byte	0x80			# 15 last image
	.word	0			# 16 run-time length: romsign.py
	.word	0			# 18 no configuration utility
	.word	0			# 1A no DMTF CLP entry
device_list:
	.rept	24			# filled by romsign.py, 0 ends
	.word	0
	.endr

/* ---- Back to the BIOS --------------------------------------------------- */

/* Purpose:   end of init. It lies in the header because this part of the file is
 *            neither moved nor overwritten: PMM returns here after it has freed
 *            the memory of the unpacked ROM image
 * In:        on the stack what unpack_entry.S saved; for rom_leave, PMM's three
 *            argument words below that
 * Out:       returns to the BIOS with AX as init has set it on the stack
 * Preserves: all other registers
 * Stack:     nothing more
 * Flags:     as unpack_entry.S saved them
 */
	.globl	rom_leave, rom_leave_without_pmm
rom_leave:
	addw	$6, %sp
rom_leave_without_pmm:
	popw	%gs
	popw	%fs
	popw	%es
	popw	%ds
	popal
	popfw
rom_nothing:
	lretw
	.org	rom_header + ROM_ENTRY, 0x90

/* Init of the resident ROM image, should the BIOS call it again: no device
 * found.
 */
	.section .again, "ax"
	xorw	%ax, %ax
	lretw

/* ---- PnP headers -------------------------------------------------------- */
	.macro	PNP_HEADER connect, disconnect
	.ascii	"$PnP"			# 00
	.byte	0x01			# 04 revision
	.byte	PNP_HEADER_BYTES / 16	# 05 length
	.word	0			# 06 next: init
	.byte	0			# 08
	.byte	0			# 09 checksum: romsign.py, init
	.long	0			# 0A EISA ID: none
	.word	manufacturer		# 0E
	.word	9f			# 10
	.byte	0x01, 0x00, 0x00	# 12 type: mass storage, SCSI
	.byte	0x74			# 15 shadowable, cacheable, only for
					#    booting, initial program load
	.word	\connect		# 16 boot connection vector
	.word	\disconnect		# 18 disconnect vector
	.word	0			# 1A bootstrap entry vector
	.word	0			# 1C
	.word	0			# 1E static resources
9:	.asciz	"SCSI disk"		# 20 product: init
	.endm

/* The header in the file. Before init, it only describes the ROM; its vectors do
 * nothing.
 */
	.section .pnp.file, "a"
	.balign	16
	.globl	pnp_of_file
pnp_of_file:
	PNP_HEADER rom_nothing, rom_nothing

/* Model of a boot entry; init makes those of all units from it. */
	.section .post.entry, "ax"
	.balign	16
	.globl	entry_model
entry_model:
	PNP_HEADER 0, 0
	.org	entry_model + PNP_STUBS
	pushw	$0			# each vector pushes its slot number
	jmp	boot_entry_vector
	.org	entry_model + PNP_STUBS + PNP_STUB_BYTES
	pushw	$BOOT_DISCONNECT
	jmp	boot_entry_vector
	.org	entry_model + PNP_SLOT_BYTES

	.section .romdata, "a"
	.globl	manufacturer
manufacturer:
	.asciz	"lsi8xx-rom"
