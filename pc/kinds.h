/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Kinds of memory, and the size of an enumeration, in real mode. Part of the
 * machine interface (types.h).
 */
#ifndef PC_KINDS_H
#define PC_KINDS_H

/* Enumerations in structures and tables are bytes: -fshort-enums. */
enum one_byte { ONE_BYTE };
_Static_assert(sizeof(enum one_byte) == 1, "compile with -fshort-enums");

/* DS is our RAM, so a constant must be read through GS, which holds the ROM's
 * own segment. ROM_CONST puts an object where that works; the linker refuses
 * any other read-only data. IN_ROM qualifies the target of a pointer to one.
 */
#define IN_ROM const __seg_gs
#define ROM_CONST static IN_ROM __attribute__((section(".romdata")))

/* Functions that do not stay in memory after init, or not always. Most are
 * chosen by their file (rom/rom.ld).
 */
#define IN_POST __attribute__((section(".post")))
#define IN_EXTRA __attribute__((section(".extra")))

#endif
