/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Where the image is unpacked to. This and what it calls is the only C that
 * runs in the ROM's own place before init.
 */
#include "rom_image.h"
#include "memory.h"
#include "pc/bda.h"
#include "pc/console.h"
#include "pc/far.h"
#include "pc/phys.h"
#include "pc/post/pmm.h"
#include "rom/workspace.h"

/* Vectors, data and stacks of BIOSes, and boot sectors, lie below */
#define LEAST_MEMORY_KIB 32

extern const char image_kib[], resident_kib[]; /* numbers; unpack.ld */

u32 unpack_place(void);

/* Does the BIOS's stack, which we are on, end there or just above it? */
static bool has_stack(u32 segment, u32 kib)
{
	u16 stack;
	__asm__("movw %%ss, %0" : "=r"(stack));
	return linear_of(stack, (u16)(u32)&stack) - linear_of((u16)segment, 0) <
	       (kib + 1) * 1024;
}

/* Memory of nobody. It lies so far below the top that what init takes there
 * leaves it alone. Returns a segment, or 0.
 */
static u32 free_memory(u32 kib)
{
	bda_open();
	u32 top = FAR16(BDA_MEMORY_KIB);
	u32 below = kib + (u32)resident_kib + WORKSPACE_KIB + BLOCK_BUFFER_KIB;
	if (top < LEAST_MEMORY_KIB + below || top > MOST_MEMORY_KIB)
		return 0;
	u32 segment = (top - below) * PARAGRAPHS_PER_KIB;
	return has_stack(segment, kib) ? 0 : segment;
}

/* Called by unpack_entry.S on the BIOS's stack. The lower half of the result
 * is a segment, 0 if there is no memory; so is the upper half if it is PMM's.
 */
u32 unpack_place(void)
{
	u32 kib = (u32)image_kib;
	u32 segment = pmm_allocate(kib * 1024, false);

	if (segment)
		return segment << 16 | segment;
	segment = free_memory(kib);
	if (segment)
		return segment;
	console_rom(ROM_STRING("lsi8xx-rom " VERSION
			       ": no memory to unpack the ROM\r\n"));
	rom_image_withdraw(rom_segment());
	return 0;
}
