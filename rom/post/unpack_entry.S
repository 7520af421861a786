/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The entry point in the file. All but the header is packed (tools/pack.py
 * describes the stream). POST runs in RAM and copies the resident part back
 * from there. The ROM may be an EPROM: nothing is written to it here.
 */
#include "rom/layout.h"

#define SAVED_EAX 36		/* above GS FS ES DS: PUSHAL's EAX */

	.code16

/* CF = the next bit. BP has the unused bits of a word, followed by a 1. */
	.macro	GET_BIT
	addw	%bp, %bp
	jnz	bit\@
	lodsw
	adcw	%ax, %ax		# CF is that 1
	xchgw	%ax, %bp
bit\@:
	.endm

/* CX = the next number. A macro, because calls would double the time. */
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
 * In:        AX = bus/device/function, if the BIOS is a PCI BIOS;
 *            BX = where the ROM image is to stay, if it is one of version 3
 * Out:       AX = what was found [PnP-BIOS 1.0A "Initialization"]
 * Preserves: all other registers, upper halves included
 * Stack:     46 bytes of the caller's, and what init_entry.S takes
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
	callw	unpack_place		# EAX = segment; above it PMM's, or 0
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
	movw	%sp, %bp		# PMM's, as pushed
	movw	2(%bp), %ax
	movw	%ax, %es:ROM_PMM
	movw	$packed, %si
	movw	$0x8000, %bp		# no bits
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

unpacked:
	pushw	%es
	pushw	$rom_image_rom_init
	.globl	unpack_done
unpack_done:
	lretw

no_memory:
	movw	%sp, %bp
	movw	%ax, SAVED_EAX(%bp)
	jmp	rom_leave_without_pmm
