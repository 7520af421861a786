/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Entry points for test_saving.py, besides those of native.h.
 */
#ifndef NATIVE_SAVING_H
#define NATIVE_SAVING_H

#include "native.h"

/* settings_read() for a chip */
void native_read_settings(struct driver *driver, u32 device, u32 revision);

/* settings_write(); returns enum nvram_result. */
u32 native_write_settings(struct driver *driver);

#endif
