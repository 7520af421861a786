/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls C code on our own stack, for entry points other than INT 13h.
 */
#include "rom/workspace.h"

#define BUSY_BIT 0

	.code16

/* Purpose:   call a C function on the workspace's stack
 * In:        DS = workspace, EAX and EDX = arguments, ECX = function
 * Out:       EAX = its result
 * Preserves: SS, ESP, DS
 * Stack:     2 bytes of the caller's; the function runs on ours
 * Flags:     IF clear, but irq_window opens interrupts if the caller had them
 *            open; DF clear
 */
	.section .text.own_stack, "ax"
	.globl	own_stack_call
own_stack_call:
	pushfw
	popw	WS_CALLER_FLAGS
	cli
	btsw	$BUSY_BIT, WS_BUSY	# refuse INT 13h from interrupt handlers
	movw	%ss, WS_CALLER_SS
	movl	%esp, WS_CALLER_ESP
	movw	%ds, %bx
	movw	%bx, %ss
	movl	$STACK_BYTES, %esp
	movw	%bx, %es
	movw	%cs, %bx
	movw	%bx, %gs
	cld
	callw	*%cx
	movw	WS_CALLER_SS, %ss
	movl	WS_CALLER_ESP, %esp
	btrw	$BUSY_BIT, WS_BUSY
	retw
