/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The set-up screen (docs/setup.md).
 */
#ifndef ROM_SETUP_H
#define ROM_SETUP_H

#include "pc/types.h"

/* Show the set-up screen until the user leaves it, then boot the machine again. It uses
 * all state of POST for itself. Called on the BIOS's stack, from which it goes to that of the
 * workspace. Moves FS. Null in an image without the screen (Makefile, `small`).
 */
void setup_run(u16 workspace_segment) __attribute__((noreturn, weak));

#endif
