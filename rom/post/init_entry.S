/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The entry point of POST in the unpacked ROM image, used by unpack_entry.S.
 */
#include "rom/layout.h"
#include "rom/workspace.h"

/* On the BIOS's stack */
#define ROM_SEGMENT 0		/* above it our own, if it is PMM's memory, else 0 */
#define SAVED_EBX 28		/* above GS FS ES DS: PUSHAL's */
#define SAVED_EAX 40

#define PMM_DEALLOCATE 2	/* [PMM 1.01 section 3] */
#define AX_DISKS 0x0120		/* INT 13h block device, one is attached */

	.code16

/* Purpose:   option ROM initialisation, in the unpacked ROM image
 * In:        on the stack as above: AX = bus/device/function, if the BIOS is a
 *            PCI BIOS; BX = where the ROM image is to stay, if that is of
 *            version 3; the file's segment; DF clear
 * Out:       goes to rom_leave, with AX as unpack_entry.S says
 * Preserves: -
 * Stack:     the caller's for the search for a controller (350 bytes), then
 *            our own
 * Flags:     IF as it was
 */
	.section .text.init, "ax"
	.globl	rom_init
rom_init:
	movl	%esp, %ebp		# the upper half may not be zero
	movzwl	ROM_SEGMENT(%bp), %ecx
	movzwl	SAVED_EBX(%bp), %edx
	movzwl	SAVED_EAX(%bp), %eax
	movw	%ss, %bx		# C needs DS = ES = SS and GS = CS
	movw	%bx, %ds
	movw	%bx, %es
	movw	%cs, %bx
	movw	%bx, %gs
	movzwl	%sp, %esp
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

	popw	%bx			# ROM segment
	popw	%si			# PMM's memory
	testw	%si, %si
	jz	3f

	movl	%esp, %ebp		# give back the memory that we run in:
	movzwl	%sp, %esp		# PMM is gone to as if called from the
	callw	pmm_entry		# ROM's place
	movl	%ebp, %esp
	movzwl	%si, %esi
	shll	$4, %esi
	pushl	%esi
	pushw	$PMM_DEALLOCATE
	pushw	%bx
	pushw	$rom_leave
	pushl	%eax
	lretw
3:	pushw	%bx
	pushw	$rom_leave_without_pmm
	lretw
