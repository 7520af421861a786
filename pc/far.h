/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Memory outside our workspace is accessed through one window: FS. Open it on
 * a segment, then use the typed far pointers. They are volatile because the
 * memory is shared, and because gcc would otherwise widen 16-bit loads.
 *
 * Not every function preserves FS. In pc/, int13/ and rom/, the header
 * comment of each function that may change it says "Moves FS."; a comment
 * covers all declarations up to the next blank line. After such a call the
 * window must be opened again. tests/tools/test_layers.py compares these
 * comments with the machine code.
 */
#ifndef PC_FAR_H
#define PC_FAR_H

#include "types.h"

typedef volatile u8 __seg_fs far_u8;
typedef volatile u16 __seg_fs far_u16;
typedef volatile u32 __seg_fs far_u32;

#define FAR8(offset) (*(far_u8 *)(u32)(offset))
#define FAR16(offset) (*(far_u16 *)(u32)(offset))
#define FAR32(offset) (*(far_u32 *)(u32)(offset))

/* Point FS at a real-mode segment. Moves FS. */
static inline void far_open(u16 segment)
{
	__asm__ volatile("movw %0, %%fs" : : "r"(segment) : "memory");
}

/* The segment of the running ROM image, which has ROM_CONST objects and
 * headers.
 */
static inline u16 rom_segment(void)
{
	u16 segment;
	__asm__("movw %%cs, %0" : "=r"(segment));
	return segment;
}

/* Open FS so that len_bytes at segment:offset lie within its 64 KiB; the segment
 * is moved up if necessary. Returns the offset to use, or FAR_UNREACHABLE if the
 * range ends past FFFF:FFFFh. Moves FS.
 */
#define FAR_UNREACHABLE 0xffffffffu
u32 far_open_range(u16 segment, u16 offset, u16 len_bytes);

/* Copy up to 65520 bytes between linear addresses that the CPU reaches in real
 * mode, up to FFFF:FFFFh (far_copy.S). FS is preserved.
 */
void far_copy(u32 to, u32 from, u32 bytes);

#endif
