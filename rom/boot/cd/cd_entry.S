/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The second entry point of INT 13h, for our CDs and the emulated drive. It
 * is hooked when a CD is booted and so runs before all other handlers. While
 * a drive is emulated, drives of its kind appear with numbers one higher than
 * before; calls for them are passed on with the old number.
 */
#include "rom/door.inc"
#include "rom/workspace.h"

/* Stack after a call of the previous handler: BP, flags, then the slot of
 * door.inc
 */
#define BACK_FLAGS 2
#define BACK_DRIVE 4		/* in the slot */
#define BACK_FUNCTION 5
#define BACK_CALLER_FLAGS 12

#define NOT_EMULATED 0xff
#define ANY_EMULATED 0x7f		/* DL of 4Bh: whichever drive is emulated */
#define OTHER_NUMBERS 0x60	/* bits of DL that floppies and hard disks lack */
#define TERMINATE 0x4b
#define GET_PARAMETERS 0x08
#define GET_TYPE 0x15
#define TYPE_HARD_DISK 3
#define CF 0x01
#define BDA_EQUIPMENT 0x410
#define BDA_HARD_DISK_COUNT 0x475

	.code16

/* Purpose:   INT 13h for CDs and the emulated drive
 * In:        all registers as the caller of INT 13h had them
 * Out:       as the function in int13/ documents; for other drives, the results
 *            of the previous handler, with the caller's own number in DL
 * Preserves: all registers without a result, upper halves included
 * Stack:     20 bytes of the caller's, its INT frame included; for a drive with
 *            another number 34 and those of the previous handler
 * Flags:     as rom_int13
 */
	.section .text.cd_entry, "ax"
	.globl	rom_int13_cd
rom_int13_cd:
	DOOR_ENTER far_workspace
	movb	%dl, %al
	subb	WS_CD_FIRST, %al
	movb	$0, WS_FOR_EMULATED
	cmpb	WS_CD_COUNT, %al
	jb	serve
	movb	WS_EMULATED, %al
	cmpb	$NOT_EMULATED, %al
	je	pass_on
	cmpb	%al, %dl
	je	for_emulated
	jb	1f
	xorb	%dl, %al		# one a hard disk, one a floppy: no change
	js	1f
	testb	$OTHER_NUMBERS, %dl
	jz	renumber
1:	cmpb	$ANY_EMULATED, %dl
	jne	pass_on
	cmpb	$TERMINATE, %ah
	jne	pass_on
for_emulated:
	movb	$1, WS_FOR_EMULATED
serve:
	jmp	far_serve

pass_on:
	DOOR_PASS_ON WS_PREVIOUS_CD

/* A drive whose number was one lower before. Call the previous handler as INT
 * would. Its address and ours replace the saved registers, which are pushed
 * again below.
 */
renumber:
	movw	%sp, %bp
	movb	%dl, ENTRY_SLOT(%bp)
	movb	%ah, ENTRY_SLOT + 1(%bp)
	pushw	ENTRY_DS(%bp)
	pushw	ENTRY_BP(%bp)
	pushl	ENTRY_EAX(%bp)
	movl	WS_PREVIOUS_CD, %eax
	movl	%eax, (%bp)
	movw	$back, 4(%bp)
	movw	%cs, 6(%bp)
	movw	ENTRY_FLAGS(%bp), %ax	# with the caller's IF
	movw	%ax, 8(%bp)
	popl	%eax
	popw	%bp
	popw	%ds
	decb	%dl
	lretw
back:
	pushfw
	pushw	%bp
	movw	%sp, %bp
	pushw	%ax
	movb	BACK_FLAGS(%bp), %al
	movb	%al, BACK_CALLER_FLAGS(%bp)
	movb	BACK_FUNCTION(%bp), %al
	testb	$CF, BACK_FLAGS(%bp)
	jnz	old_number
	cmpb	$GET_PARAMETERS, %al
	je	number_of_drives
	cmpb	$GET_TYPE, %al
	jne	old_number
	cmpb	$TYPE_HARD_DISK, %ah	# then DX is part of a size
	je	1f
old_number:
	movb	BACK_DRIVE(%bp), %dl
1:	popw	%ax
	popw	%bp
	addw	$6, %sp			# flags and slot
	iretw

/* DL of 08h: our count, because the previous handler may not count the emulated
 * drive.
 */
number_of_drives:
	pushw	%ds
	xorw	%ax, %ax
	movw	%ax, %ds
	movb	BDA_HARD_DISK_COUNT, %dl
	testb	$0x80, BACK_DRIVE(%bp)
	jnz	2f
	movb	BDA_EQUIPMENT, %dl	# at least one: the emulated drive
	shrb	$6, %dl
	incb	%dl
2:	popw	%ds
	jmp	1b
