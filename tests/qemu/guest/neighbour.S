/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A foreign option ROM with a disk of its own. Its boot connection vector hooks
 * INT 13h, takes the next drive number from 40:75h and increments the count
 * there. Every block of the disk begins with its name. It implements only AH=42h
 * for one block; calls for other drives go to the previous handler.
 */
#define IVT_INT13 (0x13 * 4)
#define DISK_COUNT 0x475
#define FIRST_DISK 0x80
#define CARRY 0x01
#define STACKED_FLAGS 10		/* above BP, ES, DI, IP and CS */

	.code16
	.text
	.globl	_start
_start:
rom:
	.byte	0x55, 0xaa
	.byte	ROM_BLOCKS
	lretw				# init: nothing to do
	.org	rom + 0x1a
	.word	pnp - rom
	.balign	16
pnp:
	.ascii	"$PnP"
	.byte	1, 2
	.word	0
	.byte	0, 0
	.long	0
	.word	maker, product
	.byte	1, 0, 0
	.byte	0x14
	.word	bcv, 0, 0
	.word	0, 0
maker:	.asciz	"lsi8xx-rom tests"
product: .asciz	"neighbour"

bcv:	pushw	%ds
	pushl	%eax
	xorw	%ax, %ax
	movw	%ax, %ds
	movl	IVT_INT13, %eax
	movl	%eax, %cs:previous
	movw	$int13, IVT_INT13
	movw	%cs, IVT_INT13 + 2
	movb	DISK_COUNT, %al
	addb	$FIRST_DISK, %al
	movb	%al, %cs:drive
	incb	DISK_COUNT
	popl	%eax
	popw	%ds
	lretw

int13:	cmpb	%cs:drive, %dl
	je	1f
	ljmpw	*%cs:previous
1:	pushw	%di
	pushw	%es
	pushw	%bp
	movw	%sp, %bp
	orw	$CARRY, STACKED_FLAGS(%bp)
	cmpb	$0x42, %ah
	movb	$0x01, %ah		# no such function
	jne	3f
	lesw	4(%si), %di		# the packet's buffer
	xorw	%bp, %bp
2:	movb	%cs:name(%bp), %ah
	movb	%ah, %es:(%di)
	incw	%di
	incw	%bp
	testb	%ah, %ah
	jnz	2b
	movw	%sp, %bp
	andw	$~CARRY, STACKED_FLAGS(%bp)
	xorb	%ah, %ah
3:	popw	%bp
	popw	%es
	popw	%di
	iretw

previous: .long	0
drive:	.byte	0
name:	.asciz	"neighbour......."
