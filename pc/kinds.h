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

/* DS is the segment of our RAM, so constants must be read through GS, the
 * segment of the ROM image. ROM_CONST declares such a constant; the linker
 * script refuses any other read-only data. IN_ROM qualifies the target of a
 * pointer to a constant.
 */
#define IN_ROM const __seg_gs
#define ROM_CONST static IN_ROM __attribute__((section(".romdata")))

/* Memory that only POST uses, not in the file. IN_POST_MEMORY qualifies a variable
 * there, or the target of a pointer; POST_MEMORY follows the name of a variable.
 */
#define IN_POST_MEMORY __seg_gs
#define POST_MEMORY __attribute__((section(".post_memory")))

/* For functions that do not stay in memory after init (IN_POST), or only if
 * they are needed (IN_EXTRA). Most such functions are selected by their
 * folder (rom/rom.ld).
 */
#define IN_POST __attribute__((section(".post")))
#define IN_EXTRA __attribute__((section(".extra")))

#endif
