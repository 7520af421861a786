/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The entry points through which a BIOS boots: boot connection and bootstrap
 * entry vectors, INT 18h and INT 19h.
 */
#include "rom/layout.h"
#include "rom/workspace.h"

#define FLAGS_IF 0x200

	.code16

/* Purpose:   all boot vectors: connect a disk, disconnect it, or boot a CD
 * In:        on the stack the argument of boot_connect(), above it the far return
 *            address
 * Out:       returns to the BIOS; or goes to the address that boot_connect()
 *            returns, with interrupts open and the boot drive in DL if there is one
 * Preserves: all registers, but DL if there is a boot drive
 * Stack:     56 bytes of the caller's
 * Flags:     all preserved
 */
	.section .text.boot_entry, "ax"
	.globl	boot_entry_vector
boot_entry_vector:
	pushfw
	pushal
	pushw	%ds
	pushw	%es
	pushw	%fs
	pushw	%gs
	movw	%cs:ROM_WORKSPACE_SEGMENT, %bx
	testw	%bx, %bx		# 0: init has found nothing
	jz	1f
	movw	%bx, %ds
	movb	%dl, WS_BOOT_DRIVE
	movw	%sp, %bp
	movzwl	42(%bp), %eax		# above GS FS ES DS, PUSHAL, flags
	movl	$boot_connect, %ecx
	movl	$rom_int18, %edx
	callw	own_stack_call			# EAX = address to continue at, or 0
	testl	%eax, %eax
	jz	1f
	movw	%sp, %bp
	movl	%eax, 44(%bp)		# above the index
	movb	WS_BOOT_DRIVE, %al
	movb	%al, 28(%bp)		# PUSHAL's EDX
	orb	$FLAGS_IF >> 8, 41(%bp)
1:	popw	%gs
	popw	%fs
	popw	%es
	popw	%ds
	popal
	pushw	%bp			# move the flags over the argument: an ADD
	movw	%sp, %bp		# to SP after POPF would change them
	pushw	%ax
	movw	2(%bp), %ax
	movw	%ax, 4(%bp)
	popw	%ax
	popw	%bp
	addw	$2, %sp
	popfw
	lretw

/* Purpose:   INT 18h and INT 19h on a BIOS without boot entries
 * In:        nothing
 * Out:       go to a boot image, to the previous handler or to an IRET
 * Preserves: all registers, but DL if a boot image was loaded
 * Stack:     62 bytes of the caller's
 * Flags:     IF set, others preserved
 */
	.globl	rom_int18
rom_int18:
	sti
	pushl	$0			# room for the address to continue at
	pushw	$BOOT_INT18
	jmp	boot_entry_vector

	.globl	rom_int19
rom_int19:
	sti
	pushl	$0
	pushw	$BOOT_INT19
	jmp	boot_entry_vector
