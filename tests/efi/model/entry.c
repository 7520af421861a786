/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The driver as a shared library: its entry, and where the chip may write into a
 * controller's own page.
 */
#include "efi/controller.h"

#pragma GCC visibility push(default)

efi_status start_image(efi_handle image, struct efi_system_table *system);
u32 own_places(u32 *places);

efi_status start_image(efi_handle image, struct efi_system_table *system)
{
	return efi_main(image, system);
}

/* Offset and length of each place */
u32 own_places(u32 *places)
{
	places[0] = offsetof(struct own_memory, lsi.moved.status);
	places[1] = sizeof(struct lsi_moved) - offsetof(struct lsi_moved, status);
	places[2] = offsetof(struct own_memory, data);
	places[3] = sizeof(((struct own_memory *)0)->data);
	return 2;
}
