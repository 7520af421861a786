/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A FAT16 boot sector like that of DOS: it computes CHS addresses from the
 * geometry in the file system, not from that of AH=08h, and reads single sectors
 * with AH=02h. It reads the file LINE.TXT, in which each sector begins with its
 * number, and prints the last one. tests/boot/bootdisks.py inserts the parameter
 * block.
 */
#define BOOT 0x7c00
#define SECTOR 0x8000			/* buffer */

#define RESERVED (BOOT + 0x0e)		/* the parameter block */
#define CLUSTER_SECTORS (BOOT + 0x0d)
#define FATS (BOOT + 0x10)
#define ROOT_ENTRIES (BOOT + 0x11)
#define FAT_SECTORS (BOOT + 0x16)
#define TRACK_SECTORS (BOOT + 0x18)
#define HEADS (BOOT + 0x1a)
#define HIDDEN (BOOT + 0x1c)

#define ENTRY_CLUSTER 26
#define ENTRY_SIZE 28

	.code16
	.globl	_start
_start:	jmp	start
	.org	0x3e
start:	cli
	xorw	%ax, %ax
	movw	%ax, %ss
	movw	$BOOT, %sp
	movw	%ax, %ds
	movw	%ax, %es
	sti
	cld
	movb	%dl, BOOT + drive - _start

	movzbl	FATS, %eax		# EBP = first sector of the root
	movzwl	FAT_SECTORS, %ebp
	imull	%eax, %ebp
	movzwl	RESERVED, %eax
	addl	%eax, %ebp
	addl	HIDDEN, %ebp
	movzwl	ROOT_ENTRIES, %ecx
	shrl	$4, %ecx		# sectors of the root

1:	callw	read
	movw	$SECTOR, %di
2:	pushw	%cx
	pushw	%di
	movw	$BOOT + name - _start, %si
	movw	$11, %cx
	repe cmpsb
	popw	%di
	popw	%cx
	je	found
	addw	$32, %di
	cmpw	$SECTOR + 512, %di
	jb	2b
	incl	%ebp
	loop	1b
	movw	$BOOT + no_file - _start, %si
	jmp	print

found:	addl	%ecx, %ebp		# first sector after the root
	movzwl	ENTRY_CLUSTER(%di), %eax
	decl	%eax
	decl	%eax
	movzbl	CLUSTER_SECTORS, %edx
	imull	%edx, %eax
	addl	%eax, %ebp
	movl	ENTRY_SIZE(%di), %ecx
	shrl	$9, %ecx
	xorw	%bx, %bx		# number of the sector in the file
3:	callw	read
	movw	$BOOT + wrong - _start, %si
	cmpw	%bx, SECTOR
	jne	print
	incw	%bx
	incl	%ebp
	loop	3b
	movw	$SECTOR + 2, %si

print:	lodsb
	testb	%al, %al
	jz	4f
	movb	$0x0e, %ah
	movw	$7, %bx
	int	$0x10
	jmp	print
4:	hlt
	jmp	4b

/* Read sector EBP to SECTOR. Preserves all registers */
read:	pushal
	movl	%ebp, %eax
	xorl	%edx, %edx
	movzwl	TRACK_SECTORS, %ecx
	divl	%ecx
	movl	%edx, %ebx		# sector - 1
	xorl	%edx, %edx
	movzwl	HEADS, %ecx
	divl	%ecx			# EAX = cylinder, EDX = head
	movb	%dl, %dh
	movb	%al, %ch
	shlb	$6, %ah
	movb	%ah, %cl
	orb	%bl, %cl
	incb	%cl
	movb	BOOT + drive - _start, %dl
	movw	$0x0201, %ax
	movw	$SECTOR, %bx
	int	$0x13
	popal
	jc	5f
	retw
5:	movw	$BOOT + bad_read - _start, %si
	jmp	print

drive:	.byte	0
name:	.ascii	"LINE    TXT"
no_file: .asciz	"chsboot: no file\r\n"
wrong:	.asciz	"chsboot: another sector\r\n"
bad_read: .asciz "chsboot: read error\r\n"
	.org	0x1fe
	.word	0xaa55
