/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * PMM is tried first because its memory is not part of DOS's 640 KiB.
 */
#include "memory.h"

#include "pc/bda.h"
#include "pc/far.h"
#include "pc/post/pmm.h"
#include "rom/layout.h"
#include "rom/workspace.h"
#include "rom_image.h"
#include "state.h"

#define KIB 1024
#define LEAST_MEMORY_KIB 64 /* a lower 40:13h is not plausible */

/* Is the size of conventional memory plausible? FS is on the BDA then. */
static bool top_is_plausible(void)
{
	bda_open();
	u16 top = FAR16(BDA_MEMORY_KIB);
	return top >= LEAST_MEMORY_KIB && top <= MOST_MEMORY_KIB;
}

/* Bytes to keep around the BIOS's SP: below for what init, the BIOS and its
 * interrupt handlers will push, above for what is on its stack already
 */
#define STACK_BELOW 512
#define STACK_ABOVE 128

/* Does the BIOS's stack lie between these two, in KiB? */
static bool holds_stack(u32 from, u32 to)
{
	return post.stack + STACK_ABOVE > from * KIB &&
	       post.stack < to * KIB + STACK_BELOW;
}

static u16 conventional_take(u16 kib)
{
	if (!top_is_plausible())
		return 0;
	u16 top = (u16)(FAR16(BDA_MEMORY_KIB) - kib);
	if (holds_stack(top, top + kib))
		return 0;
	FAR16(BDA_MEMORY_KIB) = top;
	return (u16)(top * PARAGRAPHS_PER_KIB);
}

/* PMM 1.00 has no permanent blocks: it returns a temporary one, in memory that
 * the operating system regards as free.
 */
static bool in_free_memory(u16 segment)
{
	u32 top = top_is_plausible() ? FAR16(BDA_MEMORY_KIB) : MOST_MEMORY_KIB;

	return segment < top * PARAGRAPHS_PER_KIB;
}

u16 memory_take(u16 kib, bool permanent)
{
	/* If PMM had no memory for init, init runs in memory that is not
	 * allocated, and PMM could return the same memory.
	 */
	u16 segment = *(u16 IN_ROM *)ROM_PMM
			      ? pmm_allocate((u32)kib * KIB, permanent)
			      : 0;

	if (segment && permanent && in_free_memory(segment)) {
		pmm_free(segment);
		segment = 0;
	}
	return segment ? segment : conventional_take(kib);
}

void memory_give_back(u16 segment, u16 kib)
{
	bda_open();
	u16 top = FAR16(BDA_MEMORY_KIB);
	if (segment == (u16)(top * PARAGRAPHS_PER_KIB))
		FAR16(BDA_MEMORY_KIB) = (u16)(top + kib);
	else
		pmm_free(segment);
}

void memory_leave(const struct memory *memory)
{
	rom_image_install_empty(memory->place);
	if (memory->place_kib)
		memory_give_back(memory->place, memory->place_kib);
	if (memory->workspace)
		memory_give_back(memory->workspace, WORKSPACE_KIB);
}
