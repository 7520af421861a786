/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The switches and their values (switches.h).
 */
#ifndef ROM_POST_SWITCH_NAMES_H
#define ROM_POST_SWITCH_NAMES_H

#include "pc/types.h"

enum rom_switch {
	SWITCH_BANNER, /* read first: it enables messages on bad values */
	SWITCH_VERBOSE,
	SWITCH_SCAN_DELAY, /* seconds */
	SWITCH_HOST_ID,
	SWITCH_BUS_RESET,
	SWITCH_NATIVE_BLOCKS,
	SWITCH_TAKE_OVER,
	SWITCH_BOOT_TIMEOUT, /* seconds */
	SWITCH_GEOMETRY, /* of a blank disk: SWITCH_BY_SIZE or SWITCH_CAM */
	SWITCH_SETUP_WAIT, /* seconds */
	SWITCHES,
};

enum geometry_rule {
	SWITCH_BY_SIZE, /* int13/geometry.h: geometry_choose() */
	SWITCH_CAM,	/* GEOMETRY_CAM */
};

#define SWITCH_NOT_SET 0xff /* the host has not set this switch */

#endif
