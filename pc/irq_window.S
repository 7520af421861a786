/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Lets interrupt handlers run for a moment while our code waits. The entry
 * points save stack and flags of their caller in caller_esp, caller_ss and
 * caller_flags, which rom/rom.ld places.
 */
#define FLAGS_IF_BIT 9

	.code16

/* Purpose:   open interrupts for a moment, on the caller's stack, if the caller had
 *            them open [pc/port.h]
 * In:        DS = workspace, interrupts closed
 * Out:       nothing
 * Preserves: EBX ESI EDI EBP and segments
 * Stack:     4 bytes of ours; interrupt handlers use the caller's
 * Flags:     IF clear; DF clear
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
