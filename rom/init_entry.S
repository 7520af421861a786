/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The door that is used once: initialisation by the BIOS.
 */
#include "image.h"
#include "workspace.h"

#define SAVED_EAX 36		/* behind GS FS ES DS, then PUSHAL's EAX */
#define AX_DISKS 0x0120		/* INT 13h block device, one is attached */

	.code16

/* Purpose:   option ROM initialisation [PCI 3.0 firmware, PnP-BIOS 1.0A]
 * In:        AX = bus/device/function, if the BIOS is a PCI BIOS;
 *            BX = where the image is to stay, if it is one of version 3
 * Out:       AX = what was found [PnP-BIOS 1.0A "Initialization"]
 * Preserves: all other registers, upper halves included
 * Stack:     the caller's for the search for a controller (400 bytes), then
 *            our own
 * Flags:     all preserved
 */
	.section .text.init, "ax"
	.globl	rom_init
rom_init:
	pushfw
	pushal
	pushw	%ds
	pushw	%es
	pushw	%fs
	pushw	%gs
	cld
	movl	%esp, %ebp		# the upper half may not be zero
	movzwl	%bx, %edx
	movw	%ss, %bx		# C wants DS = ES = SS and GS = CS
	movw	%bx, %ds
	movw	%bx, %es
	movw	%cs, %bx
	movw	%bx, %gs
	movzwl	%sp, %esp
	movzwl	%ax, %eax
	callw	init_locate		# AX = workspace
	movl	%ebp, %esp
	testw	%ax, %ax
	jz	1f
	pushw	%ax
	movw	%ax, %ds
	movl	$init_main, %ecx
	callw	run_c			# EAX = number of units
	popw	%dx
	movw	%ss, %bx		# giving back the workspace needs a
	movw	%bx, %ds		# stack that is not in it
	movw	%bx, %es
	movl	%esp, %ebp
	movzwl	%sp, %esp
	movzwl	%dx, %edx		# EDX = workspace
	callw	init_finish		# EAX = number of units
	movl	%ebp, %esp
	movl	%eax, %ecx
	jecxz	1f
	movw	$AX_DISKS, %ax
	jmp	2f
1:	xorw	%ax, %ax
2:	movw	%sp, %bp
	movw	%ax, SAVED_EAX(%bp)
	popw	%gs
	popw	%fs
	popw	%es
	popw	%ds
	popal
	popfw
	lretw
