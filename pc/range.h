/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A piece of memory as a bus master addresses it.
 */
#ifndef PC_RANGE_H
#define PC_RANGE_H

#include "types.h"

/* Memory that is contiguous on the bus. */
struct phys_range {
	u32 address;
	u32 bytes;
};

#endif
