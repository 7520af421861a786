/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * rom/post/settings.c above lsi/post/nvram.c, for test_saving.py.
 */
#include "saving.h"

#include "rom/post/settings.h"
#include "rom/post/state.h"

struct post_state post;

void native_read_settings(struct driver *driver, u32 device, u32 revision)
{
	post.chip = lsi_chip_find((u16)device, (u8)revision);
	settings_read(&driver->lsi);
}

u32 native_write_settings(struct driver *driver)
{
	return settings_write(&driver->lsi);
}
