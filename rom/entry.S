/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The doors that stay open after init: INT 13h and the boot connection
 * vectors. Each saves the caller's registers and moves to our own stack.
 */
#include "door.inc"
#include "workspace.h"
#include "int13/frame.h"

#define FLAGS_IF_BIT 9
#define FLAGS_IF 0x200
#define BUSY_BIT 0
#define FIRST_HARD_DISK 0x80
#define BIOS_NUMBERS 32
#define STATUS_NOT_READY 0xaa

	.code16

/* Purpose:   INT 13h. Ours: serve it. Others': to the previous handler.
 * In:        all registers as the caller of INT 13h had them
 * Out:       as int13/ says; other drives: as the previous handler says
 * Preserves: everything not named by int13/, upper halves included
 * Stack:     20 bytes of the caller's, its INT frame included
 * Flags:     the caller's, with CF set as the result; while a command runs,
 *            irq_window opens interrupts if the caller had them open
 */
	.section .text.entry, "ax"
	.globl	rom_int13
rom_int13:
	DOOR_ENTER
	movzbl	%dl, %eax
	subb	$FIRST_HARD_DISK, %al
	cmpb	$BIOS_NUMBERS, %al
	jae	pass_on
	btl	%eax, WS_DRIVE_MAP
	jnc	pass_on
	movw	$int13_dispatch, %bp

/* Purpose:   what both doors do with a call for us
 * In:        as DOOR_ENTER leaves it; BP = the C function that serves the call
 * Out:       to the caller of INT 13h
 */
	.globl	int13_serve
int13_serve:
	btsw	$BUSY_BIT, WS_BUSY
	jc	refuse

	movw	%ss, WS_CALLER_SS
	movl	%esp, WS_CALLER_ESP
	movw	%ds, %ax
	movw	%ax, %ss
	movl	$STACK_BYTES, %esp
	pushl	$0			# frame.flags
	pushw	%gs
	pushw	%fs
	pushw	%es
	pushw	%ax			# frame.ds, below
	pushal				# EAX in it is not the caller's, below
	cld
	movw	%ax, %es
	movzwl	%bp, %ecx
	movl	%esp, %ebp
	movl	$0, FRAME_BOOT(%ebp)

	movw	WS_CALLER_ESP, %di	# fetch what lies on the old stack
	movw	WS_CALLER_SS, %fs
	movl	%fs:ENTRY_EAX(%di), %eax
	movl	%eax, FRAME_EAX(%ebp)
	movw	%fs:ENTRY_DS(%di), %ax
	movw	%ax, FRAME_DS(%ebp)
	movw	%fs:ENTRY_FLAGS(%di), %ax
	movw	%ax, FRAME_FLAGS(%ebp)
	movw	%ax, WS_CALLER_FLAGS
	movw	%cs, %dx
	movw	%dx, %gs
	movl	%ebp, %eax
	movl	$WS_INT13, %edx
	callw	*%cx

	movw	WS_CALLER_ESP, %di	# hand back EAX and CF
	movw	WS_CALLER_SS, %fs
	movl	FRAME_EAX(%esp), %eax
	movl	%eax, %fs:ENTRY_EAX(%di)
	movw	FRAME_FLAGS(%esp), %ax
	movw	%ax, %fs:ENTRY_FLAGS(%di)
	movl	FRAME_BOOT(%esp), %ecx
	jecxz	1f
	movl	%ecx, %fs:ENTRY_ADDRESS(%di)
1:	popal
	addl	$2, %esp		# DS comes from the old stack
	popw	%es
	popw	%fs
	popw	%gs
	movw	WS_CALLER_SS, %ss
	movl	WS_CALLER_ESP, %esp
	btrw	$BUSY_BIT, WS_BUSY
	popl	%eax
	popw	%bp
	popw	%ds
	addw	$6, %sp			# flags and slot
	iretw

/* An interrupt handler called us inside a call: not now. */
refuse:
	movw	%sp, %bp
	movb	$STATUS_NOT_READY, ENTRY_EAX + 1(%bp)
	orb	$1, ENTRY_FLAGS(%bp)
	popl	%eax
	popw	%bp
	popw	%ds
	addw	$6, %sp
	iretw

pass_on:
	DOOR_PASS_ON WS_PREVIOUS

/* Purpose:   boot connection or bootstrap entry vector: give a disk its drive
 *            number, or boot a CD
 * In:        the unit's index on the stack, above it the far return address
 * Out:       returns; or goes to where boot_connect() says, with the boot
 *            drive in DL and interrupts open
 * Preserves: all registers
 * Stack:     56 bytes of the caller's
 * Flags:     all preserved
 */
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
	movzwl	42(%bp), %eax		# behind GS FS ES DS, PUSHAL, flags
	movl	$boot_connect, %ecx
	callw	run_c			# EAX = where to go instead of back
	testl	%eax, %eax
	jz	1f
	movw	%sp, %bp
	movl	%eax, 44(%bp)		# behind the index
	movb	WS_BOOT_DRIVE, %al
	movb	%al, 28(%bp)		# PUSHAL's EDX
	orb	$FLAGS_IF >> 8, 41(%bp)
1:	popw	%gs
	popw	%fs
	popw	%es
	popw	%ds
	popal
	pushw	%bp			# flags go where the index was, so that
	movw	%sp, %bp		# nothing has to be added behind POPF
	pushw	%ax
	movw	2(%bp), %ax
	movw	%ax, 4(%bp)
	popw	%ax
	popw	%bp
	addw	$2, %sp
	popfw
	lretw

/* Purpose:   let interrupts in, on the caller's stack [pc/port.h]
 * In:        DS = workspace, interrupts closed
 * Out:       -
 * Preserves: EBX ESI EDI EBP and segments
 * Stack:     4 bytes of ours; the handlers' are the caller's
 * Flags:     IF closed again; DF clear
 */
	.globl	irq_window
irq_window:
	btw	$FLAGS_IF_BIT, WS_CALLER_FLAGS
	jnc	1f
	movl	%esp, %eax
	movw	WS_CALLER_SS, %ss
	movl	WS_CALLER_ESP, %esp
	sti
	rep; nop			# STI takes effect behind this one
	cli
	movw	%ds, %dx
	movw	%dx, %ss
	movl	%eax, %esp
1:	retw

/* Purpose:   run a C function on the workspace's stack
 * In:        DS = workspace, EAX = argument, ECX = function
 * Out:       EAX = its result
 * Preserves: SS, ESP, DS
 * Stack:     2 bytes of the caller's
 * Flags:     IF closed, but see irq_window; DF clear
 */
	.globl	run_c
run_c:
	pushfw
	popw	WS_CALLER_FLAGS
	cli
	btsw	$BUSY_BIT, WS_BUSY	# no INT 13h of an interrupt handler
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

/* Purpose:   INT 18h and 19h on a BIOS that does not know boot entries
 * In:        -
 * Out:       do not come back: to a boot image, or to the handler before us
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
