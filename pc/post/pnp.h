/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What the BIOS says of itself through its Plug and Play entry point.
 */
#ifndef PC_PNP_H
#define PC_PNP_H

#include "pc/types.h"

/* Does it say that it follows the BIOS boot specification, so that it calls
 * boot entries? Some do and do not say so.
 */
bool pnp_bbs(void);

#endif
