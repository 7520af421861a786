/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Bus addresses of objects in a controller's own page (efi/controller.h). Part of the
 * machine interface (pc/types.h).
 */
#ifndef PC_PHYS_H
#define PC_PHYS_H

#include "pc/range.h"

#define OWN_PAGE_BYTES 4096u

/* The start of each own page */
struct own_page {
	u32 bus_address; /* of the page itself */
};

/* Bus address of an object in an own page. The page is found by the object's address, as
 * there is one for each controller.
 */
static inline u32 phys_of(const volatile void *object)
{
	u64 offset = (u64)object % OWN_PAGE_BYTES;
	const struct own_page *page =
		(const struct own_page *)((u64)object - offset);

	return page->bus_address + (u32)offset;
}

#endif
