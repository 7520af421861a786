/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Opens the controller by its settings.
 */
#ifndef ROM_POST_CONFIGURE_H
#define ROM_POST_CONFIGURE_H

#include "scsi/hba.h"

/* Read the settings of the controller in `post`, and open it by them and the switches.
 * Prints the start of the banner's line. False if this controller is not to be scanned
 * now: there is a line that states why, unless only its settings were wanted. Moves FS.
 */
bool configure(void);

/* Set how long commands may take, by target, from `settings`. */
void configure_timeouts(struct hba *hba);

#endif
