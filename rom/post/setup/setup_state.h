/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The state of the set-up screen: what the user sees, and what must be DMA-able or in the
 * segment of the stack. rom.ld places it in bounce_sector, which POST does not use.
 */
#ifndef ROM_SETUP_STATE_H
#define ROM_SETUP_STATE_H

#include "adapters.h"
#include "pc/post/text.h"
#include "rom/workspace.h"
#include "scsi/disk.h"
#include "scsi/scan.h"

enum setup_page {
	PAGE_CONTROLLERS,
	PAGE_ALL, /* settings that all controllers share */
	PAGE_LEAVE,
	PAGE_CONTROLLER,
	PAGE_DEVICES,
	PAGE_DEVICE,
	PAGES,
};

struct setup_state {
	struct text line; /* the next row of the screen */
	u8 row;		/* where it will be */
	u8 colour;
	u8 page; /* enum setup_page */
	u8 id;	 /* of the device, on PAGE_DEVICE */
	u8 selected[PAGES]; /* row */
	struct adapter __seg_gs *adapter; /* whose settings the page has */
	char IN_ROM *note; /* a line about what the last key did */
	/* The device of PAGE_DEVICE */
	struct scsi_inquiry inquiry;
	struct disk_capacity capacity; /* 0 blocks if it is not known */
	enum scsi_result result; /* of the first command that failed, or trouble since */
	struct disk_job job;
	struct text list; /* of bad blocks, or the name of a product */
};
_Static_assert(sizeof(struct setup_state) <= sizeof(bounce_sector),
	       "the set-up screen has one sector of the workspace");

extern struct setup_state setup;

#endif
