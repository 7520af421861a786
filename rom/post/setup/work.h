/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What the set-up screen does with a device, LUN 0 of setup.id.
 */
#ifndef ROM_WORK_H
#define ROM_WORK_H

#include "pc/types.h"

/* Fill the device in `setup` for the page of a device, which may be absent. */
void work_ask_device(void);

/* Verify all blocks, and list the first eight that cannot be read. Ends at a key. Moves FS. */
void work_verify(void);

/* Format the device, once the user has typed the name of its product. Moves FS. */
void work_format(void);

#endif
