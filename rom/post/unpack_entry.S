/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The entry point in the file. It unpacks the ROM image to RAM (tools/pack.py
 * describes the format), where POST runs. POST then copies the resident part
 * over the file. The file may be in an EPROM, so nothing here writes to it.
 */
#include "rom/layout.h"

#define SAVED_EAX 36		/* above GS FS ES DS: PUSHAL's EAX */

	.code16

/* CF = the next bit. BP has the unused bits of a word, with a 1 as end mark. */
	.macro	GET_BIT
	addw	%bp, %bp
	jnz	bit\@
	lodsw
	adcw	%ax, %ax		# CF is that 1
	xchgw	%ax, %bp
bit\@:
	.endm

#define INT10_TELETYPE 0x0e
#define CALL 0xe8		/* and a relative address of 16 bits */

/* CX = the next number. This is a macro because calls would double the time. */
	.macro	GET_NUMBER
	movw	$1, %cx
	jmp	last\@
more\@:
	GET_BIT
	adcw	%cx, %cx
last\@:
	GET_BIT
	jnc	more\@
	.endm

/* Purpose:   option ROM initialisation [PCI 3.0 firmware, PnP-BIOS 1.0A]
 * In:        AX = bus/device/function from a PCI BIOS;
 *            BX = segment for the resident ROM image from a PCI BIOS version 3
 * Out:       AX = devices found [PnP-BIOS 1.0A "Initialization"]
 * Preserves: all other registers, upper halves included
 * Stack:     46 bytes of the caller's, and those of init_entry.S
 * Flags:     all preserved
 */
	.section .unpack, "ax"
	.globl	unpack
unpack:
	pushfw
	pushal
	pushw	%ds
	pushw	%es
	pushw	%fs
	pushw	%gs
	cld
	movl	%esp, %ebp		# the upper half may not be zero
	movw	%ss, %bx		# C needs DS = ES = SS and GS = CS
	movw	%bx, %ds
	movw	%bx, %es
	movw	%cs, %bx
	movw	%bx, %gs
	movzwl	%sp, %esp
	callw	unpack_place		# AX = segment; upper half: PMM's, or 0
	movl	%ebp, %esp
	testw	%ax, %ax
	jz	no_memory
	movw	%ax, %es
	movw	%bx, %ax
	pushl	%eax			# ROM segment; PMM's, or 0
	movw	%bx, %ds
	xorw	%si, %si
	xorw	%di, %di
	movw	$ROM_ENTRY, %cx
	rep movsb
	movw	%sp, %bp		# PMM's segment, pushed above
	movw	2(%bp), %ax
	movw	%ax, %es:ROM_PMM
	movw	$packed, %si
	movw	$0x8000, %bp		# no unused bits
literals:
	GET_NUMBER
	rep movsb
	GET_BIT
	jc	copy
	GET_NUMBER
	jmp	again
copy:
	GET_NUMBER
	testb	%ch, %ch		# 256
	jnz	unpacked
	lodsb
	movb	%al, %bl
	movb	%cl, %bh
	negb	%bh			# BX = distance, negative
	GET_NUMBER
	incw	%cx
again:
	movw	%si, %dx
	leaw	(%bx,%di), %si
	shrw	$1, %cx
	rep movsw %es:(%si), %es:(%di)
	adcw	%cx, %cx		# CX was 0
	rep movsb %es:(%si), %es:(%di)
	movw	%dx, %si
	GET_BIT
	jc	copy
	jmp	literals

/* Calls in the stream have absolute addresses (tools/pack.py); DI = end of the image */
unpacked:
	movw	%di, %cx
	movw	$ROM_ENTRY, %di
	subw	%di, %cx
calls:
	movb	$CALL, %al
	repne scasb
	jne	relative
	subw	$2, %cx
	jbe	relative
	movw	%es:(%di), %ax
	xchgb	%ah, %al
	subw	%di, %ax
	stosw
	jmp	calls
relative:
	pushw	%es
	pushw	$rom_image_rom_init
	.globl	unpack_done
unpack_done:
	lretw

no_memory:
	movw	$message, %si
1:	movb	%cs:(%si), %al
	testb	%al, %al
	jz	2f
	movb	$INT10_TELETYPE, %ah
	movw	$7, %bx			# page 0, light grey
	pushw	%si
	int	$0x10
	popw	%si
	incw	%si
	jmp	1b
2:	xorw	%ax, %ax
	movw	%sp, %bp
	movw	%ax, SAVED_EAX(%bp)
	jmp	rom_leave_without_pmm

message:
	.asciz	"lsi8xx-rom " VERSION ": no memory to unpack the ROM\r\n"
