/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Kinds of memory in a process: there is one.
 */
#ifndef PC_KINDS_H
#define PC_KINDS_H

#define IN_ROM const
#define IN_POST_MEMORY
#define POST_MEMORY
#define ROM_CONST static const
#define IN_POST
#define IN_EXTRA

#endif
