/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The boot sector of an emulated drive: gets the geometry from AH=08h and reads
 * every sector of the drive by CHS, track by track, and each first and last
 * sector of a track in a call of its own. Sends over COM2, which no BIOS uses,
 * in hexadecimal: DL at entry; BX, CX and DX of AH=08h; the sum of all dwords,
 * rotated left by one before each addition; the same sum of the single sectors.
 * tests/boot/bootcds.py writes it to the start of an image.
 */
#define BOOT 0x7c00
#define AT(label) (BOOT + label - _start)
#define BUFFER_SEGMENT 0x1000

	.code16
	.globl	_start
_start:	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$BOOT, %sp
	sti
	cld
	movb	%dl, AT(drive)
	movw	$AT(hello), %si
1:	lodsb
	callw	send
	cmpb	$' ', %al
	jne	1b
	movb	$0x08, %ah
	movb	AT(drive), %dl
	xorw	%bx, %bx
	int	$0x13
	jc	failed
	pushw	%dx
	pushw	%cx
	pushw	%bx
	movb	%dh, AT(last_head)
	movb	%cl, %al
	andb	$0x3f, %al
	movb	%al, AT(track)
	shrb	$6, %cl
	xchgb	%ch, %cl
	movw	%cx, AT(last_cylinder)
	movb	AT(drive), %al
	callw	byte
	popw	%ax
	callw	word
	popw	%ax
	callw	word
	popw	%ax
	callw	word

	xorl	%ebp, %ebp		# EBP = sum of tracks, EDI = sum of single sectors
	xorl	%edi, %edi
next:	movb	$1, %cl
	movb	AT(track), %al
	callw	read
	xchgl	%ebp, %edi
	movb	$1, %cl
	movb	$1, %al
	callw	read
	movb	AT(track), %cl
	movb	$1, %al
	callw	read
	xchgl	%ebp, %edi
	incb	AT(head)
	movb	AT(head), %al
	cmpb	AT(last_head), %al
	jbe	next
	movb	$0, AT(head)
	incw	AT(cylinder)
	movw	AT(cylinder), %ax
	cmpw	AT(last_cylinder), %ax
	jbe	next

	pushl	%edi
	movl	%ebp, %eax
	callw	dword
	popl	%eax
	callw	dword
	movb	$'.', %al
	callw	send
stop:	hlt
	jmp	stop

/* Read AL sectors from sector CL of the track on; adds their dwords to EBP */
read:	movb	%al, AT(sectors)
	movw	AT(cylinder), %dx
	movb	%dl, %ch
	shlb	$6, %dh
	orb	%dh, %cl
	movb	AT(head), %dh
	movb	AT(drive), %dl
	movb	$0x02, %ah
	movw	$BUFFER_SEGMENT, %bx
	movw	%bx, %es
	xorw	%bx, %bx
	int	$0x13
	jc	failed
	movzbw	AT(sectors), %cx
	shlw	$7, %cx
	xorw	%si, %si
1:	roll	$1, %ebp
	addl	%es:(%si), %ebp
	addw	$4, %si
	loop	1b
	retw

#include "serial.inc"

hello:	.ascii	"cdcheck: "
drive:	.byte	0
track:	.byte	0
last_head: .byte 0
last_cylinder: .word 0
sectors: .byte	0
head:	.byte	0
cylinder: .word	0
	.org	0x1b8
	.org	0x1fe
	.word	0xaa55
