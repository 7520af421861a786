/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The boot sector of an emulated drive that reads as DOS 7 does: by AH=42h if AH=41h
 * reports packets, and by AH=02h with the shape that AH=08h returns. Sends over COM2,
 * which no BIOS uses, in hexadecimal: DL at entry; AX and CX of AH=41h; the sum of all
 * dwords of the first SECTORS sectors by AH=02h, rotated left by one before each
 * addition; if there are packets, the same sum by AH=42h.
 * tests/boot/bootcds.py writes it to the start of an image.
 */
#define BOOT 0x7c00
#define AT(label) (BOOT + label - _start)
#define BUFFER 0x1000
#define PACKETS 1			/* bit of CX of AH=41h */

	.code16
	.globl	_start
_start:	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
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
	movb	%dl, %al
	callw	byte
	movw	$0x4100, %ax
	movw	$0x55aa, %bx
	xorw	%cx, %cx
	int	$0x13
	jnc	1f
	xorw	%cx, %cx
1:	movw	%cx, AT(subsets)
	movb	$0, %al
	callw	word
	movw	AT(subsets), %ax
	callw	word

	movb	$0x08, %ah
	movb	AT(drive), %dl
	int	$0x13
	jc	failed
	andw	$0x3f, %cx
	movw	%cx, AT(track)
	movzbw	%dh, %ax
	incw	%ax
	movw	%ax, AT(heads)
	xorw	%ax, %ax
	movw	%ax, %es		# AH=08h of a floppy changes ES
	xorl	%ebp, %ebp
1:	movw	AT(lba), %ax
	xorw	%dx, %dx
	divw	AT(track)
	movw	%dx, %cx		# CL = sector
	incw	%cx
	xorw	%dx, %dx
	divw	AT(heads)
	movb	%al, %ch		# the cylinder is below 256
	movb	%dl, %dh
	movw	$0x0201, %ax
	callw	read
	jne	1b
	movl	%ebp, %eax
	callw	dword

	testb	$PACKETS, AT(subsets)
	jz	finished
	movw	$0, AT(lba)
	xorl	%ebp, %ebp
1:	movw	$AT(packet), %si
	movb	$0x42, %ah
	callw	read
	jne	1b
	movl	%ebp, %eax
	callw	dword
finished:
	movb	$'.', %al
	callw	send
stop:	hlt
	jmp	stop

/* Make the call AH for one sector, add its dwords to EBP, and step. ZF is set after the
 * last sector.
 */
read:	movb	AT(drive), %dl
	movw	$BUFFER, %bx
	int	$0x13
	jc	failed
	movw	$128, %cx
	movw	$BUFFER, %si
1:	lodsl
	roll	$1, %ebp
	addl	%eax, %ebp
	loop	1b
	incw	AT(lba)
	cmpw	$SECTORS, AT(lba)
	retw

#include "serial.inc"

hello:	.ascii	"dosread: "
drive:	.byte	0
track:	.word	0
heads:	.word	0
subsets: .word	0
packet:	.byte	16, 0
	.word	1, BUFFER, 0
lba:	.word	0, 0, 0, 0
	.org	0x1b8
	.org	0x1fe
	.word	0xaa55
