/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * All controllers of the machine, each with its settings, for the set-up screen. At any time
 * one of them has the workspace.
 */
#ifndef ROM_ADAPTERS_H
#define ROM_ADAPTERS_H

#include "lsi/chips.h"
#include "rom/post/settings.h"

#define MOST_ADAPTERS 4u

struct adapter {
	IN_ROM struct lsi_chip *chip;
	u16 pci_address;
	u8 irq;
	bool emulated; /* QEMU's model */
	bool changed; /* its settings differ from its NVRAM */
	struct symbios_host host; /* its entry in the boot order; `io` is 0 if another driver
				   * uses it, or the BIOS has assigned no I/O address */
	struct settings settings;
};

/* In boot order, and their number */
extern struct adapter __seg_gs adapters[MOST_ADAPTERS];
extern u8 __seg_gs adapter_count;

/* Find all controllers, and enable those that no other driver uses, as none uses the one at
 * the PCI address `own`. Its settings have the boot order. Runs on the BIOS's stack. Moves FS.
 */
void adapters_find(u16 own);

/* Read the settings of all. Runs on our stack, as does all else. */
void adapters_read(void);

/* Can settings of this controller be saved? */
static inline bool adapter_saves(const struct adapter __seg_gs *adapter)
{
	return adapter->settings.chip == NVRAM_24C16;
}

/* The first controller whose settings can be saved, else the first one */
struct adapter __seg_gs *adapters_first(void);

/* Exchange the controller with the next one in the boot order. */
void adapter_swap_with_next(struct adapter __seg_gs *adapter);

/* Note that the settings of all have changed. */
void adapters_touch(void);

/* Set what the user can set for the controller, or only for the device with that ID, to the
 * defaults; also what is the same for all controllers if `shared`. The host ID stays if the
 * default is that of a device.
 */
#define ALL_IDS SETTINGS_TARGETS
void adapter_set_defaults(struct adapter __seg_gs *adapter, u32 id, bool shared);

/* Make chip and bus of the controller ready for commands, with the host ID that the chip has
 * and without a reset of the bus if that is to be avoided, and scan the bus, unless it is open
 * already. False if it fails. Moves FS.
 */
bool adapter_open(const struct adapter __seg_gs *adapter);

/* Has the scan found a device with that ID, if this controller is open? */
bool adapter_has_device(const struct adapter __seg_gs *adapter, u8 id);

/* Write the settings that have changed, with the boot order. Returns the first error; the
 * others are written all the same.
 */
enum nvram_result adapters_write(void);

#endif
