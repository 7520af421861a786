/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chooses the memory to unpack the ROM image to. This file and the functions
 * that it calls are the only C code that runs from the file itself.
 */
#include "memory.h"
#include "pc/bda.h"
#include "pc/far.h"
#include "pc/phys.h"
#include "pc/post/pmm.h"
#include "rom/workspace.h"
#include "rom_image.h"

/* Interrupt vectors, BIOS data and the boot sector lie below. */
#define LEAST_MEMORY_KIB 32

extern const char rom_image_kib[], resident_kib[]; /* values; unpack.ld */

u32 unpack_place(void);

/* Without PMM, POST uses the top of conventional memory: init takes its memory
 * from the top down, and the ROM image is unpacked below the most that init can
 * take. If the BIOS's stack, on which this code runs, lies in between, as on two
 * Intel boards, the image is unpacked below the
 * stack's segment. Init refuses memory with the stack in it (memory.c). Returns the
 * segment of the lowest byte, 0 if it would lie below LEAST_MEMORY_KIB.
 */
static u32 top_of_memory(void)
{
	u32 kib = (u32)rom_image_kib;
	u16 stack;

	bda_open();
	u32 top = FAR16(BDA_MEMORY_KIB);
	u32 end = top - ((u32)resident_kib + WORKSPACE_KIB + BLOCK_BUFFER_KIB);
	if (top > MOST_MEMORY_KIB || top < LEAST_MEMORY_KIB + kib)
		return 0;
	__asm__("movw %%ss, %0" : "=r"(stack));
	u32 at = linear_of(stack, (u16)(u32)&stack) / 1024;
	if (at >= end - kib && at < top && end > stack / PARAGRAPHS_PER_KIB)
		end = stack / PARAGRAPHS_PER_KIB;
	return end < LEAST_MEMORY_KIB + kib ? 0 : (end - kib) * PARAGRAPHS_PER_KIB;
}

/* Called by unpack_entry.S on the BIOS's stack. The lower half of the result
 * is the segment to unpack to, 0 if there is no memory. The upper half is the
 * same segment if PMM has allocated it, else 0. Moves FS.
 */
u32 unpack_place(void)
{
	u32 segment = pmm_allocate((u32)rom_image_kib * 1024, false);

	if (segment)
		return segment << 16 | segment;
	segment = top_of_memory();
	if (segment)
		return segment;
	rom_image_withdraw(rom_segment());
	return 0;
}
