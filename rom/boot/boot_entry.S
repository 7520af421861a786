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

/* Purpose:   boot connection or bootstrap entry vector: give a disk its drive
 *            number, or boot a CD
 * In:        the unit's index on the stack, above it the far return address
 * Out:       returns; or goes to the address from boot_connect(), with the boot
 *            drive in DL and interrupts open
 * Preserves: all registers
 * Stack:     56 bytes of the caller's
 * Flags:     all preserved
 */
	.section .text.boot_entry, "ax"
	.globl	bcv_common
bcv_common:
	pushfw
	pushal
	pushw	%ds
	pushw	%es
	pushw	%fs
	pushw	%gs
	movw	%cs:ROM_WORKSPACE_SEGMENT, %bx
	testw	%bx, %bx		# init has not found anything
	jz	1f
	movw	%bx, %ds
	movw	%sp, %bp
	movzwl	42(%bp), %eax		# above GS FS ES DS, PUSHAL, flags
	movl	$boot_connect, %ecx
	movl	$rom_int18, %edx
	callw	run_c			# EAX = where to go instead of back
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
	pushw	%bp			# flags go where the index was, so that
	movw	%sp, %bp		# nothing has to be added after POPF
	pushw	%ax
	movw	2(%bp), %ax
	movw	%ax, 4(%bp)
	popw	%ax
	popw	%bp
	addw	$2, %sp
	popfw
	lretw

/* Purpose:   INT 18h and 19h on a BIOS without boot entries
 * In:        -
 * Out:       do not return: go to a boot image or to the previous handler
 * Preserves: all registers but DL
 * Stack:     62 bytes of the caller's
 * Flags:     IF open
 */
	.globl	rom_int18
rom_int18:
	sti
	pushl	$0			# the address to go to
	pushw	$BOOT_INT18
	jmp	bcv_common

	.globl	rom_int19
rom_int19:
	sti
	pushl	$0
	pushw	$BOOT_INT19
	jmp	bcv_common
