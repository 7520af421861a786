/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Opens the FS window on a structure at any seg:off address.
 */
#include "far.h"

/* Move the segment up until the range fits. */
static NOT_INLINE u32 open_moved(u32 segment, u32 offset, u32 len_bytes)
{
	u32 paragraphs = offset >> 4;

	if (paragraphs > 0xffff - segment)
		paragraphs = 0xffff - segment;
	offset -= paragraphs * 16;
	if (offset + len_bytes > 0x10000)
		return FAR_UNREACHABLE;
	far_open((u16)(segment + paragraphs));
	return offset;
}

u32 far_open_range(u16 segment, u16 offset, u16 len_bytes)
{
	if ((u32)offset + len_bytes > 0x10000)
		return open_moved(segment, offset, len_bytes);
	far_open(segment);
	return offset;
}
