/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Gates between the rest of the ROM and the code for CDs and for removable media,
 * called far code: it may lie in memory of its own, in another segment
 * (docs/memory.md). Every call between the two passes a gate, which changes CS. The
 * Makefile renames the calls: far code that calls NAME calls out_NAME, and other code
 * calls in_NAME.
 *
 * GS stays the segment of the ROM image, where the constants of far code lie.
 */
#include "rom/layout.h"

	.code16

/* Purpose:   continue at an offset in the other segment, as if it had been called
 * In:        on the stack the offset, above it the return address in this segment;
 *            `segment` = word with the other segment; `back` = offset there of
 *            an LRETW
 * Out:       goes to the offset. Its RETW goes to `back`, which returns to this
 *            segment
 * Preserves: all registers
 * Stack:     4 bytes until the return, 6 more in between
 * Flags:     all preserved
 */
	.macro	CROSS segment, back
	pushw	$\back
	pushw	%cs:\segment
	pushw	%bp
	movw	%sp, %bp
	pushw	%ax
	movw	6(%bp), %ax		# the offset goes below `segment`, for LRETW,
	xchgw	%ax, (%bp)		# and AX is the saved BP
	pushw	8(%bp)			# the return address moves down to its place
	popw	6(%bp)
	movw	%cs, 8(%bp)		# and gets a segment
	movw	%ax, %bp
	popw	%ax
	lretw
	.endm

/* ---- From far code to the rest --------------------------------------------- */

	.section .gates_out, "ax"
	.globl	far_workspace, far_rom
far_workspace:
	.word	0			# init: segment of the workspace
far_rom:
	.word	0			# init: segment of the rest
back_in_far:
	lretw
leave:
	CROSS	far_rom, back_in_rom

	.macro	GATE_OUT name
	.globl	out_\name
out_\name:
	pushw	$\name
	jmp	leave
	.endm

	GATE_OUT bios_call
	GATE_OUT cdb_inquiry
	GATE_OUT cdb_simple
	GATE_OUT clock_expired
	GATE_OUT connect_hook
	GATE_OUT connect_print_drive
	GATE_OUT connect_unhook
	GATE_OUT console_char
	GATE_OUT console_decimal
	GATE_OUT console_hex8
	GATE_OUT console_newline
	GATE_OUT console_rom
	GATE_OUT disk_capacity
	GATE_OUT disk_do
	GATE_OUT disk_ready_by
	GATE_OUT disk_simple
	GATE_OUT drives_find
	GATE_OUT emulation_begin
	GATE_OUT emulation_count_drives
	GATE_OUT emulation_end
	GATE_OUT emulation_view
	GATE_OUT far_copy
	GATE_OUT far_open_range
	GATE_OUT int13_check_medium
	GATE_OUT int13_find_function
	GATE_OUT int13_serve_call
	GATE_OUT int13_status_of
	GATE_OUT int13_transfer
	GATE_OUT scsi_command

/* Purpose:   the door of CDs (boot/cd/cd_entry.S) continues in entry.S
 * In:        as rom_int13_serve
 * Out:       goes to rom_int13_serve, to call cd_dispatch()
 * Preserves: all registers but BP
 * Stack:     4 bytes in between
 * Flags:     all preserved
 */
	.globl	far_serve
far_serve:
	movw	$in_cd_dispatch, %bp
	pushw	%cs:far_rom
	pushw	$rom_int13_serve
	lretw

/* ---- From the rest to far code --------------------------------------------- */

	.section .gates_in, "ax"
back_in_rom:
	lretw
enter:
	CROSS	ROM_FAR, back_in_far

	.macro	GATE_IN name
	.globl	in_\name
in_\name:
	pushw	$\name
	jmp	enter
	.endm

	GATE_IN cd_dispatch
	GATE_IN cd_function
	GATE_IN cdboot_boot
	GATE_IN cdboot_disconnect
	GATE_IN emulation_check
	GATE_IN emulation_copy_part
	GATE_IN media_changed
	GATE_IN media_eject
	GATE_IN media_lock
	GATE_IN media_measure
