/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * How the BIOSes of the boards in boards.py boot. The code lies in segment
 * F000, entered by INT 19h through the handler that the BIOS installed before
 * it initialised ROMs, or by the one that it installs afterwards. Labels in
 * capitals are served by boards.py when the CPU reaches them. The data at the
 * end is written by boards.py.
 */
	.code16
	.globl	CHAINED, STAYS, DECIDED, FOUR_TRIES, AMI, DISPATCHER, BOCHS, BOCHS_18H
	.globl	HANDLER_13H, PICK, TAKE_13H, FAILED, OWN_STACK, START
	.globl	below_13h, saved_19h, bootstrap_entry, passed_from, counted

	.equ	SECTOR, 0x7c00
	.equ	SIGNATURE_AT, SECTOR + 0x1fe
	.equ	HARD_DISKS, 0x475

/* Read the first sector of drive DL.
 * Out: ES 0, ZF set if it is a boot sector. Changes AX, BX, CX, DH.
 */
load:
	xorw	%cx, %cx
	movw	%cx, %es
	movw	$SECTOR, %bx
	movw	$0x0201, %ax
	incw	%cx
	movb	$0, %dh
	int	$0x13
	jc	1f
	cmpw	$0xaa55, %es:SIGNATURE_AT
	ret
1:	orb	$1, %al			/* clears ZF */
	ret

/* Reset and read the first floppy drive. There is none: only a wrong answer
 * would start it.
 */
floppy:
	movw	$0, %ax
	movb	$0, %dl
	int	$0x13
	movb	$0, %dl
	call	load
	jz	START
	ret

/* Start the sector that was read. */
START:
	ljmpw	$0, $SECTOR

/* The handler before ROMs of a BIOS whose dispatcher calls INT 19h hooks. */
CHAINED:
	iretw

/* P2B-LS: the first hard disk is tried in any case. */
STAYS:
	call	floppy
	movb	$0x80, %dl
	call	load
	jz	START
	int	$0x18
	iretw

/* BF6: the first hard disk is tried if there was one after the ROM scan. */
DECIDED:
	call	floppy
	cmpb	$0, %cs:counted
	je	1f
	call	TAKE_13H
	movb	$0x80, %dl
	call	load
	jz	START
1:	int	$0x18
	iretw

/* Phoenix: a boot sector is started with the number of the floppy drive. */
FOUR_TRIES:
	call	floppy
	call	floppy
	call	floppy
	call	floppy
	movb	$0x80, %dl
	call	load
	movb	$0, %dl
	jz	START
	cmpl	$0, %cs:bootstrap_entry
	je	1f
	lcallw	*%cs:bootstrap_entry
1:	int	$0x18
	iretw

/* AMI: all on a stack that ends where the boot sector begins. */
AMI:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$SECTOR, %sp
	sti
	call	floppy
	cmpb	$0, HARD_DISKS
	je	1f
	movb	$0x80, %dl
	call	load
	jz	START
1:	int	$0x18
	jmp	leave

/* Medallion: for each device that PICK names, read its sector, if it is a
 * drive, call the INT 19h hook, then start the device.
 */
DISPATCHER:
	cli
2:	call	PICK			/* AL: 0 none, 1 drive DL, 2 network */
	testb	%al, %al
	jz	3f
	pushw	%ax
	pushw	%dx
	cmpb	$1, %al
	jne	1f			/* clears ZF: no sector to start */
	call	load
1:	pushfw
	pushfw
	cli
	lcallw	*%cs:saved_19h
	popfw
	popw	%dx
	popw	%ax
	jz	START
	cmpb	$2, %al
	jne	2b
	int	$0x18
	jmp	2b
3:	pushfw				/* it also calls it for no device */
	cli
	lcallw	*%cs:saved_19h
	call	FAILED
	iretw

/* Bochs: INT 18h tries the next device. Each try has a new stack. */
BOCHS:
	cli
BOCHS_18H:
	cli
	xorw	%ax, %ax
	movw	%ax, %ss
	movw	$0xfffe, %sp
	sti
	call	PICK
	testb	%al, %al
	jz	leave
	call	load
	jz	START
	int	$0x18
leave:
OWN_STACK:				/* SS:SP as at the call */
	iretw

/* INT 13h as the BIOS takes it over after the ROM scan or at boot: drives from
 * the number at passed_from on belong to the handler it has found.
 */
HANDLER_13H:
	cmpb	%cs:passed_from, %dl
	jb	1f
	ljmpw	*%cs:below_13h
1:	jmp	SERVICE_13H

/* Services of boards.py. */
PICK:
	ret
TAKE_13H:
	ret
FAILED:
	ret

below_13h:
	.long	0
saved_19h:
	.long	0
bootstrap_entry:			/* vector of the first CD, or 0 */
	.long	0
passed_from:
	.byte	0
counted:				/* 40:75h after the ROM scan */
	.byte	0
