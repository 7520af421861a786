/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The bare loop of `make bench`: what a 53C895A in QEMU takes for a request
 * when no BIOS is around it. For QEMU's model alone: it does without all that
 * a chip wants and the model does not (CLEAR ACK, SDU, phase tests), trusts
 * the one way that QEMU's disks answer in, and gives up on any other.
 *
 * The agent calls it as an interrupt: AH = 42h or 43h reads or writes by the
 * packet at DS:SI (16 bytes), AH = 0 asks whether the unit is ready. CF set:
 * failed. Stopped only by the last byte that the program stores, it touches
 * the chip twice: to start, and to take the interrupt back.
 *
 * Assembled for one machine: -DBASE=linear address -DIO=port -DTARGET=ID
 * -DBLOCK_SHIFT=n
 */
#include "lsi/regs.h"
	.include "lsi/script_insn.inc"

#define READ_10 0x28
#define WRITE_10 0x2a
#define MSG_IDENTIFY 0x80
#define NOT_YET 0xff
#define MOST_LOOKS 0x1000000

	.macro MOVE_BYTES count, address, phase
	.long	0x08000000 | \phase << 24 | \count, BASE + \address
	.endm
	.macro SELECT_ID target, alternate
	.long	0x45000000 | \target << 16
	REL_TO	\alternate
	.endm

	.code16
	.globl	_start
_start:
	sti
	cld
	movl	$BASE + ready_script, %ebx
	testb	%ah, %ah
	jz	start
	movl	8(%si), %ecx			# the LBA
	bswap	%ecx
	movl	%ecx, %cs:block_cdb + 2
	movzwl	2(%si), %ecx			# how many
	movb	%ch, %cs:block_cdb + 7
	movb	%cl, %cs:block_cdb + 8
	shll	$BLOCK_SHIFT, %ecx
	movzwl	4(%si), %edx			# where to
	movzwl	6(%si), %edi
	shll	$4, %edi
	addl	%edx, %edi
	cmpb	$0x42, %ah
	jne	write
	movb	$READ_10, %cs:block_cdb
	orl	$0x08000000 | PHASE_DATA_IN << 24, %ecx
	movl	%ecx, %cs:read_move
	movl	%edi, %cs:read_move + 4
	movl	$BASE + read_script, %ebx
	jmp	start
write:	movb	$WRITE_10, %cs:block_cdb
	orl	$0x08000000 | PHASE_DATA_OUT << 24, %ecx
	movl	%ecx, %cs:write_move
	movl	%edi, %cs:write_move + 4
	movl	$BASE + write_script, %ebx

start:	movb	$NOT_YET, %cs:complete
	movl	%ebx, %eax
	movw	$IO + LSI_DSP, %dx
	outl	%eax, %dx
	movl	$MOST_LOOKS, %ecx
1:	cmpb	$NOT_YET, %cs:complete
	jne	2f
	pause
	loopl	1b
	jmp	failed
2:	movw	$IO + LSI_DSTAT, %dx
	inb	%dx, %al
	cmpb	$0, %cs:status
	jne	failed
	clc
	lretw	$2				# with our CF
failed:	stc
	lretw	$2

	.org	_start + 0x1000			# a page apart: see agent.S
identify: .byte	MSG_IDENTIFY
status:	.byte	0
message: .word	0
complete: .byte	0
block_cdb: .skip 10
ready_cdb: .skip 6

	.balign	4
read_script:
	SELECT_ID TARGET, stranger
	MOVE_BYTES 1, identify, PHASE_MSG_OUT
	MOVE_BYTES 10, block_cdb, PHASE_COMMAND
	MOVE_BYTES 2, message, PHASE_MSG_IN	/* SAVE DATA POINTER, DISCONNECT */
	WAIT_RESELECT stranger
	MOVE_BYTES 1, message, PHASE_MSG_IN	/* IDENTIFY */
read_move:
	MOVE_BYTES 0, 0, PHASE_DATA_IN
	MOVE_BYTES 1, status, PHASE_STATUS
	MOVE_BYTES 1, complete, PHASE_MSG_IN
	INT	0
write_script:
	SELECT_ID TARGET, stranger
	MOVE_BYTES 1, identify, PHASE_MSG_OUT
	MOVE_BYTES 10, block_cdb, PHASE_COMMAND
write_move:
	MOVE_BYTES 0, 0, PHASE_DATA_OUT
	MOVE_BYTES 1, status, PHASE_STATUS
	MOVE_BYTES 1, complete, PHASE_MSG_IN
	INT	0
ready_script:
	SELECT_ID TARGET, stranger
	MOVE_BYTES 1, identify, PHASE_MSG_OUT
	MOVE_BYTES 6, ready_cdb, PHASE_COMMAND
	MOVE_BYTES 1, status, PHASE_STATUS
	MOVE_BYTES 1, complete, PHASE_MSG_IN
stranger:
	INT	0
