/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The messages of POST.
 */
#ifndef ROM_BANNER_H
#define ROM_BANNER_H

#include "lsi/lsi.h"
#include "pc/post/text.h"
#include "scsi/scan.h"

/* Print "lsi8xx-rom 0.1.0: ", the start of the first line. Moves FS. */
void banner_begin(void);

/* Print "53C895A at PCI 00:03.0". Moves FS. */
void banner_chip(const struct lsi_chip __seg_gs *chip, u16 pci_address);

/* Append the same to a text. */
void banner_chip_name(struct text *text, const struct lsi_chip __seg_gs *chip,
		      u16 pci_address);

/* Print ", host ID 7", and the keys that the user may press during the scan. Moves FS. */
void banner_host_id(u8 id, bool offers_cd, bool offers_setup);

/* Print ", 2 disks, 1 CD" and a new line. `lines`: lines for units have been
 * printed, so it begins on a line of its own. Moves FS.
 */
void banner_count(u32 disks, u32 cds, bool lines);

/* Print the rest of the line and a new line. Moves FS. */
void banner_end(char IN_ROM *words);

/* Print a new line and "  ID 2 LUN 0 QEMU QEMU HARDDISK: ", the start of the
 * line for a unit that cannot be used. Moves FS.
 */
void banner_failure(struct scsi_device device,
		    const struct scsi_inquiry *inquiry);

/* Print the reason, with the number in place of each '#', or as four hexadecimal
 * digits in place of each '$'. Moves FS.
 */
void banner_reason(char IN_ROM *reason, u32 number);

/* The text for a SCSI result; it may have a '#' for banner_reason(). */
char IN_ROM *banner_words(enum scsi_result result);

/* Append "SCSI 00:03.0 " or "ID 0 LUN 0 QEMU QEMU HARDDISK" to a text.
 * Together they name a unit in boot menus.
 */
void banner_controller(struct text *text, u16 pci_address);
void banner_unit(struct text *text, struct scsi_device device,
		 const struct scsi_inquiry *inquiry);

#endif
