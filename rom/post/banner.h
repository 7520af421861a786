/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The words a user sees at boot.
 */
#ifndef ROM_BANNER_H
#define ROM_BANNER_H

#include "lsi/lsi.h"
#include "pc/post/text.h"
#include "scsi/scan.h"

/* "lsi8xx-rom 0.1.0: " before the first line of a boot. Moves FS. */
void banner_begin(void);

/* "53C895A at PCI 00:03.0". Moves FS. */
void banner_chip(const struct lsi_chip __seg_gs *chip, u16 pci_address);

/* ", host ID 7". Moves FS. */
void banner_host_id(u8 id);

/* ", 2 disks, 1 CD" and the end of the line; on a line of its own if lines for
 * units stand before it. Moves FS.
 */
void banner_count(u32 disks, u32 cds, bool lines);

/* Rest of the line, then a new one. Moves FS. */
void banner_end(char IN_ROM *words);

/* A line, begun with a new one, for a unit with trouble:
 * "  ID 2 LUN 0 QEMU QEMU HARDDISK: ". Moves FS.
 */
void banner_failure(struct scsi_device device,
		    const struct scsi_inquiry *inquiry);

/* Why: a # in the reason stands for the number. Moves FS. */
void banner_reason(char IN_ROM *reason, u32 number);

/* Words for a SCSI result. */
char IN_ROM *banner_words(enum scsi_result result);

/* "SCSI 00:03.0 ", then "ID 0 LUN 0 QEMU QEMU HARDDISK": for boot menus */
void banner_controller(struct text *text, u16 pci_address);
void banner_unit(struct text *text, struct scsi_device device,
		 const struct scsi_inquiry *inquiry);

#endif
