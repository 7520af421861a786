/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The headers of a UEFI image for AArch64, whose linker makes no PE files, and its entry
 * [PE/COFF "MS-DOS Stub", "COFF File Header", "Optional Header", "Section Table"]. The
 * linker script driver.ld gives the lengths.
 */
#define MACHINE_ARM64 0xaa64
#define EXECUTABLE_IMAGE 0x0002
#define LINE_NUMS_STRIPPED 0x0004
#define DEBUG_STRIPPED 0x0200
#define PE32_PLUS 0x020b
#define EFI_BOOT_SERVICE_DRIVER 11
#define NX_COMPAT 0x0100
#define DIRECTORIES 16

#define CODE_READ_EXECUTE 0x60000020
#define DATA_READ_WRITE 0xc0000040

#define R_AARCH64_RELATIVE 1027
#define RELA_BYTES 24

	.section .header, "a"
	.globl	image
image:
	.ascii	"MZ"
	.skip	0x3c - 2
	.long	pe - image
pe:
	.ascii	"PE\0\0"
	.short	MACHINE_ARM64, 2		/* sections */
	.long	0, 0, 0				/* time, symbols */
	.short	sections - optional
	.short	EXECUTABLE_IMAGE | LINE_NUMS_STRIPPED | DEBUG_STRIPPED
optional:
	.short	PE32_PLUS, 0
	.long	text_bytes, data_bytes, 0
	.long	entry_at, text_at
	.quad	0				/* image base */
	.long	4096, 512			/* alignment in memory, in the file */
	.long	0, 0, 0, 0			/* versions */
	.long	image_bytes, text_in_file, 0	/* headers, checksum */
	.short	EFI_BOOT_SERVICE_DRIVER, NX_COMPAT
	.quad	0, 0, 0, 0			/* stack, heap */
	.long	0, DIRECTORIES
	.skip	DIRECTORIES * 8
sections:
	.ascii	".text\0\0\0"
	.long	text_bytes, text_at, text_bytes, text_in_file, 0, 0, 0, CODE_READ_EXECUTE
	.ascii	".data\0\0\0"
	.long	data_bytes, data_at, data_bytes, data_in_file, 0, 0, 0, DATA_READ_WRITE

/*
 * Entry: add the image's address to the pointers in its data, then call efi_main().
 * In:		X0 = image handle, X1 = system table, X30 = return address
 * Out:		X0 = status, from efi_main()
 * Preserves:	X0, X1, X30 for efi_main()
 * Stack:	none
 * Flags:	changed
 */
	.section .text.entry, "ax"
	.globl	entry
entry:
	adrp	x2, image
	adrp	x3, relocations
	add	x3, x3, :lo12:relocations
	adrp	x4, relocations_end
	add	x4, x4, :lo12:relocations_end
1:	cmp	x3, x4
	b.hs	efi_main
	ldp	x5, x6, [x3]			/* offset, type */
	ldr	x7, [x3, #16]			/* addend */
	add	x3, x3, #RELA_BYTES
	cmp	x6, #R_AARCH64_RELATIVE
	b.ne	1b
	add	x7, x7, x2
	str	x7, [x2, x5]
	b	1b
