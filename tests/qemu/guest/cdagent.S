/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The first sector of a boot image on a CD, for any media type and load address:
 * records its entry registers, loads the agent (the option ROM that follows it)
 * and jumps to it. From an emulated drive the BIOS loads this sector only.
 * tests/boot/bootcds.py joins the two.
 */
#define ENTRY 0x3f00			/* registers in the agent's order, then SS, CS, IP */
#define COM2 0x2f8
#define FIRST_CD 0xe0

	.code16
	.globl	_start
_start:
	pushfw
	pushw	%fs
	pushw	$0
	popw	%fs
	movl	%edi, %fs:ENTRY
	movl	%esi, %fs:ENTRY + 4
	movl	%ebp, %fs:ENTRY + 8
	movl	%ebx, %fs:ENTRY + 12
	movl	%edx, %fs:ENTRY + 16
	movl	%ecx, %fs:ENTRY + 20
	movl	%eax, %fs:ENTRY + 24
	movw	%ds, %fs:ENTRY + 28
	movw	%es, %fs:ENTRY + 30
	popw	%fs:ENTRY + 32
	movw	%gs, %fs:ENTRY + 34
	popw	%fs:ENTRY + 36
	movw	%sp, %fs:ENTRY + 38
	movw	%ss, %fs:ENTRY + 40
	movw	%cs, %fs:ENTRY + 42
	callw	1f
1:	popw	%bx
	subw	$1b - _start, %bx
	movw	%bx, %fs:ENTRY + 44
	movw	%cs, %ax		# ES:0 = end of this sector
	shrw	$4, %bx
	addw	%bx, %ax
	addw	$32, %ax
	movw	%ax, %es
	cmpb	$FIRST_CD, %dl
	jae	2f
	movw	$0x0200 + AGENT_BLOCKS, %ax
	xorw	%bx, %bx
	movw	$2, %cx			# cylinder 0, head 0, sector 2
	movb	$0, %dh
	int	$0x13
	jc	3f
2:	movw	%es:0x1a, %bx		# the $PnP header and its BEV
	pushw	%es
	pushw	%es:0x1a(%bx)
	lretw
3:	movw	$COM2, %dx
	movb	$'F', %al
	outb	%al, %dx
4:	hlt
	jmp	4b
	.org	0x1b8			# leave room for a partition table
	.org	0x1fe
	.word	0xaa55
