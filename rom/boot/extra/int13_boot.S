/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * For the user's wish to boot a CD before a hard disk of the BIOS, where the BIOS
 * never calls INT 19h handlers of ROMs: the CD is booted when the BIOS reads
 * the boot sector of that disk.
 */
#include "rom/door.inc"
#include "rom/workspace.h"

#define FIRST_HARD_DISK 0x80
#define READ_ONE_SECTOR 0x0201
#define BOOT_PLACE 0x7c00

	.code16

/* Purpose:   a call of INT 13h for a drive of others
 * In:        DS and the stack as DOOR_ENTER sets them; all registers but EAX and
 *            BP as the caller of INT 13h had them
 * Out:       the first time that the BIOS reads a boot sector, as INT 18h: goes to
 *            a boot image or to the previous handler; otherwise to the previous
 *            handler
 * Preserves: all registers, but DL if a boot image was loaded
 * Stack:     44 bytes of the caller's below the 14 of DOOR_ENTER
 * Flags:     IF set if a boot image may be loaded, others preserved
 */
	.section .text.int13_boot, "ax"
	.globl	rom_int13_boot
rom_int13_boot:
	movw	%sp, %bp
	cmpw	$READ_ONE_SECTOR, ENTRY_EAX(%bp)
	jne	1f
	cmpb	$FIRST_HARD_DISK, %dl
	jne	1f
	cmpw	$BOOT_PLACE, %bx
	jne	1f
	movw	%es, %ax
	testw	%ax, %ax
	jnz	1f
	movw	%ax, WS_FOR_OTHERS	# once
	popl	%eax
	popw	%bp
	popw	%ds
	popfw				# the slot is the room for an address
	sti
	pushw	$BOOT_INT13
	jmp	boot_entry_vector
1:	jmp	rom_int13_pass_on
