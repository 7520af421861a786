/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The caller's registers at INT 13h, as rom/entry.S stores and restores them.
 * Offsets are shared with the assembler and asserted at the end.
 */
#ifndef INT13_FRAME_H
#define INT13_FRAME_H

#define FRAME_BOOT 12
#define FRAME_DS 32
#define FRAME_EAX 28
#define FRAME_FLAGS 40
#define FRAME_BYTES 44

#ifndef __ASSEMBLER__

#include "pc/bios.h"
#include "pc/types.h"

#define HALF_REGISTER(name)         \
	union {                     \
		u32 e##name##x;     \
		u16 name##x;        \
		struct {            \
			u8 name##l; \
			u8 name##h; \
		};                  \
	}

struct int13_frame {
	u32 edi, esi, ebp; /* PUSHAL order; bits 15:0 of EBP are not the
			    * caller's (rom/entry.S) */
	u32 boot; /* in place of PUSHAL's ESP: far address to continue at
		   * instead of returning to the caller; 0: return */
	HALF_REGISTER(b);
	HALF_REGISTER(d);
	HALF_REGISTER(c);
	HALF_REGISTER(a);
	u16 ds, es, fs, gs;
	u32 flags; /* returned to the caller in place of its own */
};

_Static_assert(offsetof(struct int13_frame, boot) == FRAME_BOOT &&
	       offsetof(struct int13_frame, eax) == FRAME_EAX &&
	       offsetof(struct int13_frame, ds) == FRAME_DS &&
	       offsetof(struct int13_frame, flags) == FRAME_FLAGS &&
	       sizeof(struct int13_frame) == FRAME_BYTES,
	       "rom/entry.S stores registers at these offsets");

#endif
#endif
