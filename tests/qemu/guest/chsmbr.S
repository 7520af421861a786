/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A master boot record as DOS has it: the active entry's head, sector and
 * cylinder go to AH=02h as they stand in the table. No LBA is used or asked
 * for. tests/boot/bootdisks.py puts a partition table behind it.
 */
#define OWN 0x0600			/* where we move to */
#define BOOT 0x7c00
#define TABLE (OWN + 0x1be)

	.code16
	.globl	_start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ss
	movw	$BOOT, %sp
	movw	%ax, %ds
	movw	%ax, %es
	sti
	cld
	movw	$BOOT, %si
	movw	$OWN, %di
	movw	$256, %cx
	rep movsw
	ljmpw	$0, $OWN + moved - _start

moved:	movw	$TABLE, %si
	movw	$4, %cx
1:	cmpb	$0x80, (%si)		# the active entry
	je	2f
	addw	$16, %si
	loop	1b
	jmp	stop
2:	movb	1(%si), %dh		# head
	movw	2(%si), %cx		# sector and cylinder, as AH=02h wants them
	movw	$0x0201, %ax
	movw	$BOOT, %bx
	int	$0x13
	jc	stop
	cmpw	$0xaa55, BOOT + 510
	jne	stop
	ljmpw	$0, $BOOT
stop:	movw	$OWN + words - _start, %si
3:	lodsb
	testb	%al, %al
	jz	4f
	movb	$0x0e, %ah
	movw	$7, %bx
	int	$0x10
	jmp	3b
4:	hlt
	jmp	4b
words:	.asciz	"chsmbr: no partition by CHS\r\n"
