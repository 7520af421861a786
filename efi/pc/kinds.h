/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Kinds of memory under UEFI: there is one. Part of the machine interface
 * (pc/types.h).
 */
#ifndef PC_KINDS_H
#define PC_KINDS_H

/* No reference leads out of the image: without this, gcc would read the addresses of
 * other files' objects from a global offset table, which a PE file does not have.
 */
#pragma GCC visibility push(hidden)

#define IN_ROM const
#define IN_POST_MEMORY
#define POST_MEMORY
#define ROM_CONST static const
#define IN_POST
#define IN_EXTRA

#endif
