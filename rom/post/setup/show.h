/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Shows the pages of the set-up screen. From the top: title, why settings are locked, data,
 * rows, what a long operation does, a note, help for the selected row, keys.
 */
#ifndef ROM_SHOW_H
#define ROM_SHOW_H

#include "rows.h"
#include "screen.h"

#define SHOW_WORK 17 /* two rows for long operations */

/* Show the whole page, the note. Moves FS. */
void show_page(void);
void show_note(char IN_ROM *note);

#endif
