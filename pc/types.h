/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Integer types and the small helpers that every folder uses.
 *
 * The machine interface is the part of the machine that scsi/ and lsi/ use:
 *
 *   pc/kinds.h   kinds of memory: constants, and code that is freed after init
 *   pc/io.h      registers of a device
 *   pc/clock.h   time limits and delays
 *   pc/phys.h    bus addresses of objects
 *
 * These four in pc/ are its implementation for real mode. A build for another
 * machine puts the folder with its own four before this one in the include
 * path; hence they are always included by their full name.
 */
#ifndef PC_TYPES_H
#define PC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pc/kinds.h"

typedef uint8_t u8;
typedef int8_t i8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* For functions that gcc 14 would inline, which makes the code larger. */
#define NOT_INLINE __attribute__((noinline))

/* A string literal in the ROM image */
#define ROM_STRING(literal)                        \
	({                                         \
		ROM_CONST char string_[] = literal; \
		&string_[0];                       \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A big-endian dword at any address, as in SCSI data */
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
