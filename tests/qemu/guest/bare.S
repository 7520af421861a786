/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The bare loop of `make bench`: a minimal driver that measures the time that
 * QEMU's 53C895A needs for a request without a BIOS. It works with QEMU's model
 * only: it omits everything that real chips need and the model does not (CLEAR
 * ACK, SDU, phase tests), and fails on any phase sequence but that of QEMU's
 * disks.
 *
 * The agent calls it as an interrupt: AH = 42h or 43h reads or writes according
 * to the packet at DS:SI (16 bytes), AH = 0 tests whether the unit is ready. CF
 * set: failed. It polls memory for the last byte that the SCRIPTS program
 * stores, so it accesses the chip only to start and to clear the interrupt.
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
#define MAX_POLLS 0x1000000

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
	movzwl	2(%si), %ecx			# block count
	movb	%ch, %cs:block_cdb + 7
	movb	%cl, %cs:block_cdb + 8
	shll	$BLOCK_SHIFT, %ecx
	movzwl	4(%si), %edx			# buffer
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
	movl	$MAX_POLLS, %ecx
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
	lretw	$2				# drops the saved flags: returns our CF
failed:	stc
	lretw	$2

	.org	_start + 0x1000			# data in a page without code: see agent.S
identify: .byte	MSG_IDENTIFY
status:	.byte	0
message: .word	0
complete: .byte	0
block_cdb: .skip 10
ready_cdb: .skip 6

	.balign	4
read_script:
	SELECT_ID TARGET, unexpected
	MOVE_BYTES 1, identify, PHASE_MSG_OUT
	MOVE_BYTES 10, block_cdb, PHASE_COMMAND
	MOVE_BYTES 2, message, PHASE_MSG_IN	/* SAVE DATA POINTER, DISCONNECT */
	WAIT_RESELECT unexpected
	MOVE_BYTES 1, message, PHASE_MSG_IN	/* IDENTIFY */
read_move:
	MOVE_BYTES 0, 0, PHASE_DATA_IN
	MOVE_BYTES 1, status, PHASE_STATUS
	MOVE_BYTES 1, complete, PHASE_MSG_IN
	INT	0
write_script:
	SELECT_ID TARGET, unexpected
	MOVE_BYTES 1, identify, PHASE_MSG_OUT
	MOVE_BYTES 10, block_cdb, PHASE_COMMAND
write_move:
	MOVE_BYTES 0, 0, PHASE_DATA_OUT
	MOVE_BYTES 1, status, PHASE_STATUS
	MOVE_BYTES 1, complete, PHASE_MSG_IN
	INT	0
ready_script:
	SELECT_ID TARGET, unexpected
	MOVE_BYTES 1, identify, PHASE_MSG_OUT
	MOVE_BYTES 6, ready_cdb, PHASE_COMMAND
	MOVE_BYTES 1, status, PHASE_STATUS
	MOVE_BYTES 1, complete, PHASE_MSG_IN
unexpected:
	INT	0
