/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A substitute for the INT 13h handler that ours chains to: records its entry
 * registers and returns with AX and CF changed.
 */
	.code16
	.globl	_start
_start:
	movl	%eax, %cs:record + 24
	movl	%ecx, %cs:record + 20
	movl	%edx, %cs:record + 16
	movl	%ebx, %cs:record + 12
	movl	%ebp, %cs:record + 8
	movl	%esi, %cs:record + 4
	movl	%edi, %cs:record
	movw	%ds, %cs:record + 28
	movw	%es, %cs:record + 30
	movw	%fs, %cs:record + 32
	movw	%gs, %cs:record + 34
	pushfw
	popw	%cs:record + 36
	movw	%sp, %cs:record + 38
	movw	$0x9876, %ax
	pushw	%bp
	movw	%sp, %bp
	orb	$1, 6(%bp)
	popw	%bp
	iretw
	.org	0x80
record:
