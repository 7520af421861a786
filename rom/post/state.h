/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What the steps of POST tell each other. It lies in the ROM image that init runs
 * in, which is RAM, so that it takes nothing of the workspace.
 */
#ifndef ROM_POST_STATE_H
#define ROM_POST_STATE_H

#include "host.h"
#include "lsi/chips.h"
#include "pc/post/pnp.h"
#include "switch_names.h"

struct post_state {
	IN_ROM struct lsi_chip *chip;
	u16 pci_address; /* of the controller, and its I/O address, or 0 */
	u16 io;
	u8 irq; /* of the controller, as its PCI configuration has it */
	u32 stack; /* linear address of the BIOS's SP at init */
	u16 place; /* segment of the resident ROM image */
	bool buffer_kept; /* the block buffer is permanent */
	u8 place_kib; /* size of `place` if init has allocated it, else 0 */
	bool named; /* the BIOS has named the controller */
	bool fwcfg; /* QEMU's configuration device exists */
	bool emulated; /* the controller is QEMU's model */
	bool removable; /* a disk has removable media */
	u8 cds; /* number of CD drives */
	enum pnp_calls bios; /* what the BIOS does with boot entries */
	bool cd_first; /* the user has asked for it by a key */
	bool offers_setup; /* by a key, during the scan and for a while after it */
	bool setup_wanted; /* the user has asked for it */
	bool ignore_stored; /* so he has for the defaults */
	/* the search for a controller that the BIOS has not named (controller.c) */
	bool looking_for_order; /* controllers are visited for their settings only */
	bool visited; /* one has been scanned or refused, and there is a line for it */
	u32 next;     /* candidate */
	/* the scan (waiting.c), as clock_mark() */
	u16 got_further;   /* when it began, or a unit was last completed */
	u16 spin_up_begun; /* the same, but not before all targets were identified */
	u16 unit_begun;
	u16 announced; /* bit n: the line about waiting for ID n was printed */
	u8 switches[SWITCHES]; /* SWITCH_NOT_SET until the settings are known */
	struct host_path path; /* valid if `fwcfg` */
};

extern struct post_state __seg_gs post;

#endif
