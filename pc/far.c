/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Far window on a structure that a caller placed anywhere.
 */
#include "far.h"

u32 far_open_range(u16 segment, u16 offset, u16 len_bytes)
{
	u32 rest = offset;

	if (rest + len_bytes > 0x10000) {
		u32 paragraphs = offset >> 4;

		if (paragraphs > 0xffffu - segment)
			paragraphs = 0xffffu - segment;
		segment = (u16)(segment + paragraphs);
		rest -= paragraphs * 16;
		if (rest + len_bytes > 0x10000)
			return FAR_UNREACHABLE;
	}
	far_open(segment);
	return rest;
}
