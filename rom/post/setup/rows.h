/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The pages of the set-up screen as tables: a row of a page is a field of the settings, or
 * something that Enter opens or runs.
 */
#ifndef ROM_ROWS_H
#define ROM_ROWS_H

#include "setup_state.h"

/* Kinds of rows. A row with a value is a field of struct adapter or, on PAGE_DEVICE, of the
 * device in it, unless another place is stated.
 */
enum row_kind {
	ROW_FIELD = 0,
	ROW_TOUCHES = 1 << 1, /* the settings of all controllers have it */
	ROW_SHARED = 1 << 2, /* the same, with one value for all */
	ROW_PARITY = 1 << 3,
	ROW_SPECIAL = 1 << 4,
	ROW_FIRST = ROW_SPECIAL, /* the place of the device in own.boot_ids, or 0 */
	ROW_RATE = ROW_SPECIAL | 1, /* offset and period of the device, as a rate */
	ROW_ID = 1 << 6, /* of the controller: IDs that devices may have are passed over */
	ROW_DOES = 1 << 5, /* has no value: Enter opens the page `does` */
	ROW_RUNS = ROW_DOES | 1, /* the same: runs the action `does` */
	ROW_RUNS_IF_SAVED = ROW_DOES | 3, /* the same, if settings can be saved */
	ROW_RUNS_IF_DISK = ROW_DOES | 5, /* the same, if the device is a disk */
};

enum setup_action {
	RUN_DEFAULTS, /* of the page and those below it */
	RUN_VERIFY,
	RUN_FORMAT,
	RUN_SAVE,
	RUN_DISCARD,
};

struct row {
	u8 kind; /* enum row_kind */
	union {
		u8 words; /* the word for value 0, or none (rows.c) */
		u8 does;
	};
	u16 at;	  /* offset in struct adapter, on PAGE_DEVICE that of target 0 */
	u16 mask; /* the bits of the value in the word there */
	u16 most; /* of ROW_RATE: for the slowest chip */
};

struct page {
	/* Zero-terminated strings: the page's title, the help for rows of a list, and for
	 * each row its label and its help.
	 */
	char IN_ROM *text;
	struct row IN_ROM *rows;
	u8 count; /* of `rows`; a list of controllers or devices precedes them */
	u8 back; /* the page that Esc returns to */
};

struct page IN_ROM *rows_page(void);

/* String number `n` of several */
char IN_ROM *rows_string(char IN_ROM *strings, u32 n);

/* How many rows of a list the page begins with */
u32 rows_listed(void);

/* The selected row; null if it belongs to the list */
struct row IN_ROM *rows_selected(void);

/* How NVRAM and settings of a controller are called */
char IN_ROM *rows_source(const struct adapter __seg_gs *adapter);

/* Why settings were not saved */
char IN_ROM *rows_result(enum nvram_result result);

/* Append the value of a row to the text of the screen, if it has one. */
void rows_value(struct row IN_ROM *row);

/* Can the user change or run the row? */
bool rows_enabled(struct row IN_ROM *row);

/* Change the value by `step`. IDs and values that have words begin again after the last. Those
 * that other devices have are passed over.
 */
void rows_change(struct row IN_ROM *row, int step);

#endif
