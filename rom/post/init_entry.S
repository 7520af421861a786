/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The entry point of POST in the unpacked ROM image. unpack_entry.S jumps to it.
 */
#include "rom/layout.h"
#include "rom/workspace.h"

/* Offsets on the BIOS's stack */
				/* 0: the segment of the file; above it our own
				 * if PMM has allocated it, else 0 */
#define SAVED_EAX 40		/* above GS FS ES DS: PUSHAL's */

#define PMM_DEALLOCATE 2	/* [PMM 1.01 section 3] */
#define AX_DISKS 0x0120		/* INT 13h block device, one is attached */

	.code16

/* Purpose:   option ROM initialisation, in the unpacked ROM image
 * In:        on the stack as above what unpack_entry.S has pushed: AX and BX as
 *            the BIOS passed them, and the two segments; DF clear
 * Out:       goes to rom_leave or rom_leave_without_pmm, with AX on the stack set
 *            to the devices found
 * Preserves: nothing; rom_leave restores all registers
 * Stack:     350 bytes of the caller's for the search for a controller, then our
 *            own stack
 * Flags:     IF as it was
 */
	.section .text.init, "ax"
	.globl	rom_init
rom_init:
	movl	%esp, %ebp		# the upper half may not be zero
	movw	%ss, %bx		# C needs DS = ES = SS and GS = CS
	movw	%bx, %ds
	movw	%bx, %es
	movw	%cs, %bx
	movw	%bx, %gs
	movzwl	%sp, %esp
	movl	%esp, %eax		# the registers
	callw	init_locate		# AX = workspace
	movl	%ebp, %esp
	testw	%ax, %ax
	jz	0f
scan:
	pushw	%ax
	movw	%ax, %ds
	movl	$init_main, %ecx
	callw	own_stack_call			# EAX = number of units
	popw	%dx
	movw	%ss, %bx		# run on the BIOS's stack: init_finish
	movw	%bx, %ds		# may free the workspace
	movw	%bx, %es
	movl	%esp, %ebp
	movzwl	%sp, %esp
	movzwl	%dx, %esi		# workspace; C preserves ESI
	testl	%eax, %eax
	jnz	finish
	movl	%esi, %eax
	callw	init_next		# EAX = workspace for another scan, or 0
	testl	%eax, %eax
	movl	%ebp, %esp
	jnz	scan
	movzwl	%sp, %esp
finish:
	movl	%esi, %edx
	callw	init_finish		# EAX = number of units
	movl	%ebp, %esp
	testl	%eax, %eax
	movw	$AX_DISKS, %ax
	jnz	1f
0:	xorw	%ax, %ax
1:	movw	%sp, %bp
	movw	%ax, SAVED_EAX(%bp)

	popw	%bx			# ROM segment
	popw	%si			# PMM's memory
	testw	%si, %si
	jz	3f

	movl	%esp, %ebp		# free the memory that this code runs in:
	movzwl	%sp, %esp		# jump to PMM with a return address in
	callw	pmm_entry		# the header of the file
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
