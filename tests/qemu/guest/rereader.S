/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A boot sector that reads its disk repeatedly from sector 64 on, 64 sectors at a
 * time, and checks every dword: dword n of the disk is n. Sends over COM2: 'B'
 * when booted, '.' after each pass, 'E' when a read fails and 'D' when data are
 * wrong, after which it stops. The byte READING is not 0 during a call;
 * tests/boot/test_reboot.py reads it.
 */
#define COM2 0x2f8
#define LSR (COM2 + 5)
#define LSR_CAN_SEND 0x20
#define BOOT 0x7c00
#define READING 0x0500
#define PACKET 0x0510
#define PACKET_BYTES 16
#define PIECE 64			/* sectors: 32 KiB */
#define SECTORS 2048			/* of a pass */
#define BUFFER_SEGMENT 0x1000

	.code16
	.globl	_start
_start:	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$BOOT, %sp
	movb	$0, READING
	sti
	cld
	movb	$'B', %al
	callw	send
	movw	$BUFFER_SEGMENT, %ax
	movw	%ax, %es

pass:	movl	$PIECE, %ebp		# EBP = first sector of the piece
next:	movl	$PACKET_BYTES | PIECE << 16, PACKET
	movl	$BUFFER_SEGMENT << 16, PACKET + 4
	movl	%ebp, PACKET + 8
	movl	$0, PACKET + 12
	movw	$PACKET, %si
	movb	$1, READING
	movb	$0x42, %ah
	int	$0x13
	movb	$0, READING
	movb	$'E', %al
	jc	stop

	movl	%ebp, %eax
	shll	$7, %eax		# dwords of a sector
	movw	$PIECE * 128, %cx
	xorw	%di, %di
1:	scasl
	jne	wrong
	incl	%eax
	loop	1b
	addl	$PIECE, %ebp
	cmpl	$SECTORS, %ebp
	jb	next
	movb	$'.', %al
	callw	send
	jmp	pass

wrong:	movb	$'D', %al
stop:	callw	send
1:	hlt
	jmp	1b

/* Send AL. Preserves DX */
send:	pushw	%dx
	movb	%al, %ah
	movw	$LSR, %dx
1:	inb	%dx, %al
	testb	$LSR_CAN_SEND, %al
	jz	1b
	movw	$COM2, %dx
	movb	%ah, %al
	outb	%al, %dx
	popw	%dx
	retw
	.org	0x1b8
	.org	0x1fe
	.word	0xaa55
