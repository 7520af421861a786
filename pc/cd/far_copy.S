/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Copies between two places outside the workspace: FS is only one window.
 */
	.code16
	.section .text.copy, "ax"

/* Purpose:   copy bytes from anywhere to anywhere [pc/far.h]
 * In:        EAX = to, EDX = from: linear addresses, all bytes below 1 MiB;
 *            ECX = bytes, up to 65520; DF clear
 * Out:       nothing
 * Preserves: EBX ESI EDI EBP and segments
 * Stack:     14 bytes
 * Flags:     DF clear; IF unchanged
 */
	.globl	far_copy
far_copy:
	pushl	%esi
	pushl	%edi
	pushw	%ds
	pushw	%es
	movw	%ax, %di
	andl	$15, %edi
	shrl	$4, %eax
	movw	%ax, %es
	movw	%dx, %si
	andl	$15, %esi
	shrl	$4, %edx
	movw	%dx, %ds
	movb	%cl, %al
	shrl	$2, %ecx
	rep movsl
	movb	%al, %cl
	andb	$3, %cl
	rep movsb
	popw	%es
	popw	%ds
	popl	%edi
	popl	%esi
	retw
