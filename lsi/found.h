/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The state in which POST finds a chip.
 */
#ifndef LSI_FOUND_H
#define LSI_FOUND_H

#include "chips.h"
#include "pc/io.h"

/* Has another driver set this chip up? False after power-on, and if the chip
 * is still as lsi_set_registers() leaves it: registers survive a warm boot. True
 * does not say that the driver still runs. Only reads registers, and none that
 * a read changes. io: the operating registers.
 */
bool lsi_found_in_use(io_t io, IN_ROM struct lsi_chip *chip);

#endif
