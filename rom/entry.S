/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The entry point of INT 13h: saves the caller's registers and moves to our
 * own stack.
 */
#include "door.inc"
#include "workspace.h"
#include "int13/frame.h"

#define BUSY_BIT 0
#define FIRST_HARD_DISK 0x80
#define BIOS_NUMBERS 32
#define STATUS_NOT_READY 0xaa

	.code16

/* Purpose:   INT 13h: serve calls for our disks, pass others on
 * In:        all registers as the caller of INT 13h had them
 * Out:       as the function in int13/ documents; for other drives, the results
 *            of the previous handler
 * Preserves: all registers without a result, upper halves included
 * Stack:     20 bytes of the caller's, its INT frame included
 * Flags:     the caller's, but CF is part of the result; while a command runs,
 *            irq_window opens interrupts if the caller had them open
 */
	.section .text.entry, "ax"
	.globl	rom_int13
rom_int13:
	DOOR_ENTER ROM_WORKSPACE_SEGMENT
	movzbl	%dl, %eax
	subb	$FIRST_HARD_DISK, %al
	cmpb	$BIOS_NUMBERS, %al
	jae	pass_on
	btl	%eax, WS_DRIVE_MAP
	jnc	pass_on
	movw	$int13_dispatch, %bp

/* Purpose:   serve a call on our own stack, for both doors
 * In:        DS = workspace, interrupts closed and the stack as DOOR_ENTER sets
 *            them; BP = offset of the C function, int13_dispatch() or the gate to
 *            cd_dispatch(); all other registers but EAX as the caller of INT 13h
 *            had them
 * Out:       returns to the caller of INT 13h, or goes to the far address in
 *            frame.boot, with the registers of the frame as the function has set
 *            them. During a call: AH = STATUS_NOT_READY, CF set
 * Preserves: all registers that the function has not changed in the frame, upper
 *            halves included
 * Stack:     no more of the caller's; 46 bytes of ours and those of the function
 * Flags:     those of the frame, which begin as the caller's; in the function IF
 *            and DF are clear
 */
	.globl	rom_int13_serve
rom_int13_serve:
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
	pushw	%ax			# frame.ds, set below
	pushal				# its EAX is set below
	cld
	movw	%ax, %es
	movzwl	%bp, %ecx
	movl	%esp, %ebp
	movl	$0, FRAME_BOOT(%ebp)

	movw	WS_CALLER_ESP, %di	# fetch what DOOR_ENTER has pushed
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

	movw	WS_CALLER_ESP, %di	# return EAX and flags
	movw	WS_CALLER_SS, %fs
	movl	FRAME_EAX(%esp), %eax
	movl	%eax, %fs:ENTRY_EAX(%di)
	movw	FRAME_FLAGS(%esp), %ax
	movw	%ax, %fs:ENTRY_FLAGS(%di)
	movl	FRAME_BOOT(%esp), %ecx
	jecxz	1f
	movl	%ecx, %fs:ENTRY_ADDRESS(%di)
1:	popal
	addl	$2, %esp		# DS is popped from the old stack
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

/* An interrupt handler called INT 13h during a call, when our stack is in
 * use.
 */
refuse:
	movw	%sp, %bp
	movb	$STATUS_NOT_READY, ENTRY_EAX + 1(%bp)
	orb	$1, ENTRY_FLAGS(%bp)
	popl	%eax
	popw	%bp
	popw	%ds
	addw	$6, %sp
	.globl	rom_iret
rom_iret:
	iretw

pass_on:
	cmpw	$0, WS_FOR_OTHERS
	jne	1f
	.globl	rom_int13_pass_on
rom_int13_pass_on:
	DOOR_PASS_ON WS_PREVIOUS
1:	jmp	*WS_FOR_OTHERS
