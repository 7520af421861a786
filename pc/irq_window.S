/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The moment in which interrupt handlers run while our code waits. rom/rom.ld
 * places caller_esp, caller_ss and caller_flags: what the entry points save of
 * their caller.
 */
#define FLAGS_IF_BIT 9

	.code16

/* Purpose:   let interrupts in, on the caller's stack [pc/port.h]
 * In:        DS = workspace, interrupts closed
 * Out:       -
 * Preserves: EBX ESI EDI EBP and segments
 * Stack:     4 bytes of ours; the handlers' are the caller's
 * Flags:     IF closed again; DF clear
 */
	.section .text.irq_window, "ax"
	.globl	irq_window
irq_window:
	btw	$FLAGS_IF_BIT, caller_flags
	jnc	1f
	movl	%esp, %eax
	movw	caller_ss, %ss
	movl	caller_esp, %esp
	sti
	rep; nop			# STI takes effect after this one
	cli
	movw	%ds, %dx
	movw	%dx, %ss
	movl	%eax, %esp
1:	retw
