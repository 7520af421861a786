/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Entry points for test_settings.py.
 */
#ifndef NATIVE_SETTINGS_H
#define NATIVE_SETTINGS_H

#include "rom/post/settings.h"

extern struct lsi native_lsi;
extern u8 native_chip[NVRAM_BYTES];
extern enum nvram_chip native_kind;
extern u32 native_left;
extern u32 native_writes[8][2], native_written;

/* settings_read() for a controller */
void native_read(u32 device, u32 revision, u32 pci_address);

/* settings_write(); returns enum nvram_result. */
u32 native_write(void);

/* settings_ignore() */
void native_ignore(void);

#endif
