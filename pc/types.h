/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Integer types, the ROM-constant qualifier and the small helpers that every
 * folder uses. Nothing here knows the machine.
 */
#ifndef PC_TYPES_H
#define PC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Enumerations in structures and tables are bytes: -fshort-enums. */
enum one_byte { ONE_BYTE };
_Static_assert(sizeof(enum one_byte) == 1, "compile with -fshort-enums");

/* DS is our RAM, so a constant must be read through GS, which holds the ROM's
 * own segment. ROM_CONST puts an object where that works; the linker refuses
 * any other read-only data.
 */
#define IN_ROM const __seg_gs
#define ROM_CONST static IN_ROM __attribute__((section(".romdata")))

/* Functions that do not stay behind init, or not always; most are told by their
 * file (rom/rom.ld).
 */
#define IN_POST __attribute__((section(".post")))
#define IN_EXTRA __attribute__((section(".extra")))

/* Functions that gcc 14 would put into their callers, where they are larger. */
#define NOT_INLINE __attribute__((noinline))

/* A string literal that lies in the ROM. */
#define ROM_STRING(literal)                        \
	({                                         \
		ROM_CONST char string_[] = literal; \
		&string_[0];                       \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Big-endian dwords at any address, as SCSI has them */
typedef u32 __attribute__((aligned(1), may_alias)) u32_anywhere;

static inline u32 be32(const u8 *bytes)
{
	return __builtin_bswap32(*(const u32_anywhere *)bytes);
}

static inline void put_be32(u8 *bytes, u32 value)
{
	*(u32_anywhere *)bytes = __builtin_bswap32(value);
}

#endif
