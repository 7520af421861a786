/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A master boot record like that of DOS: passes head, sector and cylinder of the
 * active entry to AH=02h unchanged. It uses no LBA and does not query extensions.
 * tests/boot/bootdisks.py appends a partition table.
 */
#define OWN 0x0600			/* address after relocation */
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
	movw	2(%si), %cx		# sector and cylinder, in the form of AH=02h
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
