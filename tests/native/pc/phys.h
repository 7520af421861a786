/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Bus addresses of objects in the memory that the chip model reaches.
 */
#ifndef PC_PHYS_H
#define PC_PHYS_H

#include "pc/range.h"

/* An address that the model refuses, for an object elsewhere */
#define NO_BUS_ADDRESS 0xffff0000u

u32 phys_of(const volatile void *object);

#endif
