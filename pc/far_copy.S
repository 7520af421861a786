/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Copies between two places outside the workspace: FS is only one window.
 */
	.code16
	.section .text.copy, "ax"

/* Purpose:   copy bytes from anywhere to anywhere [pc/far.h]
 * In:        EAX = to, EDX = from: linear addresses, all bytes up to FFFF:FFFFh;
 *            ECX = bytes, up to 65520; DF clear
 * Out:       nothing
 * Preserves: EBX ESI EDI EBP and segments
 * Stack:     16 bytes
 * Flags:     DF clear; IF unchanged
 */
	.globl	far_copy
far_copy:
	pushl	%esi
	pushl	%edi
	pushw	%ds
	pushw	%es
	call	split
	movw	%ax, %es
	movw	%si, %di
	movl	%edx, %eax
	call	split
	movw	%ax, %ds
	rep movsb
	popw	%es
	popw	%ds
	popl	%edi
	popl	%esi
	retw

/* AX:SI = linear address EAX, which is at most FFFF:FFFFh */
split:	movw	%ax, %si
	shrl	$4, %eax
	btl	$16, %eax
	jc	1f
	andw	$15, %si
	retw
1:	movw	$0xffff, %ax		# from 1 MiB on
	addw	$16, %si
	retw
