/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * One controller that the driver manages, and one command on it.
 */
#ifndef EFI_CONTROLLER_H
#define EFI_CONTROLLER_H

#include "efi/protocols.h"
#include "lsi/lsi.h"

#define MOST_TARGETS 16
#define MOST_LUNS 8
#define OWN_DATA_BYTES 252 /* for INQUIRY and REQUEST SENSE */

/* How often memory is polled between two reads of ISTAT (struct lsi). There are no closed
 * interrupts to limit it.
 */
#ifndef LSI_SPINS_UNDER_UEFI /* the tests' model of firmware has no time for so many */
#define LSI_SPINS_UNDER_UEFI 4096
#endif

/* What the chip reads and writes besides the caller's data: a page that it reaches at one
 * bus address.
 */
struct own_memory {
	struct own_page page; /* must be the first member (phys_of()) */
	struct lsi lsi;
	struct hba_request request;
	u8 data[OWN_DATA_BYTES];
};
_Static_assert(sizeof(struct own_memory) <= OWN_PAGE_BYTES, "it is one page");

#define CONTROLLER_NAME_CHARS 40

struct controller {
	struct efi_ext_scsi_pass_thru pass_thru; /* must be the first member (controller_of()) */
	struct efi_ext_scsi_pass_thru_mode mode;
	struct efi_pci_io *pci;
	u64 attributes; /* of the PCI device, as found */
	bool attributes_changed;
	struct own_memory *own;
	void *own_mapping;
	efi_event exit_event;
	bool busy; /* a command or a reset is under way */
	u8 luns[MOST_TARGETS]; /* bit n: LUN n answered (targets.c) */
	efi_char16 name[CONTROLLER_NAME_CHARS];
};

static inline struct controller *controller_of(struct efi_ext_scsi_pass_thru *pass_thru)
{
	return (struct controller *)pass_thru;
}

/* A unit as the protocol addresses it: the ID in the first of TARGET_MAX_BYTES bytes, the
 * others 0, and a LUN that is a plain number. False if no device of this bus can have the
 * address.
 */
bool controller_has(const struct controller *controller, const u8 *target, u64 lun);

/* Take the chip for a command, a scan or a reset. False if a call that this one has
 * interrupted has it: the interrupted call ends before this one can be repeated.
 */
bool controller_take(struct controller *controller);
void controller_give_back(struct controller *controller);

/* Set the members of the protocol. */
void pass_thru_install(struct controller *controller);
void targets_install(struct controller *controller);

#endif
