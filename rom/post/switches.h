/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Settings of the host: files "opt/lsi8xx-rom/<name>" of QEMU's firmware
 * configuration, each with a decimal number or a word. The README lists them. They
 * replace the settings of the NVRAM (settings.h).
 */
#ifndef ROM_SWITCHES_H
#define ROM_SWITCHES_H

#include "switch_names.h"

/* Set all SWITCHES values: those of the host if `fwcfg` (fwcfg_present()), the others to
 * SWITCH_NOT_SET. A bad value is reported on the screen and ignored.
 * last_id: the highest ID that the controller can have. Moves FS.
 */
void switches_read(u8 __seg_gs *values, bool fwcfg, u8 last_id);

/* Set the switches that the host has not set, by `settings`. */
void switches_complete(u8 __seg_gs *values);

#endif
