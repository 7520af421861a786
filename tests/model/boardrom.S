/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * An option ROM with one disk, which has nothing but boot sectors. It tests
 * the models of boards.py. Each symbol that is defined adds a habit:
 *
 *	IN_INIT		connects the disk in init
 *	AT_19H		connects the disk at INT 19h
 *	HOOK_18H	hooks INT 18h in init; its handler returns
 *	HOOK_19H	hooks INT 19h in init
 *	VECTOR		has a boot connection vector, in two headers
 *	TAKE_KIB	takes that much base memory
 *	BLOCKS		its length
 */
	.code16
	.globl	_start, connect, int18, int19

	.equ	SERVICE_13H, 0xe130	/* the handler of the BIOS model */
	.ifndef	BLOCKS
	.equ	BLOCKS, 1
	.endif
	.ifdef	AT_19H
	.equ	HOOK_19H, 1
	.endif

_start:
	.byte	0x55, 0xaa, BLOCKS
	jmp	init
	.org	0x1a
	.word	header

	.macro	pnp next
	.ascii	"$PnP"
	.byte	1, 2
	.word	\next
	.byte	0, 0			/* the checksum */
	.long	0
	.word	text, text
	.byte	1, 0, 0, 0x74
	.ifdef	VECTOR
	.word	connect, 0, 0
	.else
	.word	0, 0, int19
	.endif
	.long	0
	.endm

	.balign	16
header:	pnp	second
	.balign	16
second:	pnp	0
text:	.asciz	"ROM"

	.macro	hook number, handler
	movw	$\handler, \number * 4
	movw	%cs, \number * 4 + 2
	.endm

init:
	pushw	%ds
	pushaw
	xorw	%ax, %ax
	movw	%ax, %ds
	movl	0x19 * 4, %eax
	movl	%eax, %cs:old19
	.ifdef	IN_INIT
	lcallw	*%cs:own
	.endif
	.ifdef	HOOK_18H
	hook	0x18, int18
	.endif
	.ifdef	HOOK_19H
	hook	0x19, int19
	.endif
	.ifdef	TAKE_KIB
	subw	$TAKE_KIB, 0x413
	.endif
	movb	$0, %al			/* the sum of the image is 0 again */
	xorw	%si, %si
	movw	$BLOCKS * 512, %cx
1:	subb	%cs:(%si), %al
	incw	%si
	loop	1b
	addb	%al, %cs:checksum
	popaw
	popw	%ds
	lretw

/* Connect the disk, if that has not been done. */
connect:
	pushw	%ds
	pushl	%eax
	xorw	%ax, %ax
	movw	%ax, %ds
	cmpw	$int13, 0x13 * 4
	je	1f
	hook	0x13, int13
	incb	0x475
1:	popl	%eax
	popw	%ds
	lretw

/* The disk is the last one. */
int13:
	pushw	%ds
	pushw	%ax
	xorw	%ax, %ax
	movw	%ax, %ds
	movb	0x475, %al
	addb	$0x7f, %al
	cmpb	%al, %dl
	popw	%ax
	popw	%ds
	je	1f
	ljmpw	$0xf000, $SERVICE_13H
1:	cmpb	$0x41, %ah
	je	2f
	movw	$0x6f6d, %es:(%bx)
	movw	$0xaa55, %es:510(%bx)
	movw	$1, %ax
	clc
	lretw	$2
2:	movw	$0xaa55, %bx
	clc
	lretw	$2

int18:
	iretw

int19:
	.ifdef	AT_19H
	lcallw	*%cs:own
	.endif
	ljmpw	*%cs:old19

old19:	.long	0
own:	.word	connect, 0xc800
checksum:
	.byte	0
	.org	BLOCKS * 512
