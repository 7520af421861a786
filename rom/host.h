/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What the host wants: QEMU's files "bootorder" and "bios-geometry". All of
 * it only where fwcfg_present().
 */
#ifndef ROM_HOST_H
#define ROM_HOST_H

#include "int13/geometry.h"
#include "scsi/scsi.h"

#define HOST_NO_RANK 0xff

/* Rank of a unit of the controller at this PCI address in QEMU's list (0 is
 * first), HOST_NO_RANK if it is not named or there is no list.
 */
u8 host_boot_rank(u16 pci_address, struct scsi_device device);

/* The geometry the host gives to the unit; false if it gives none that can
 * be used.
 */
bool host_geometry(u16 pci_address, struct scsi_device device,
		   struct geometry *geometry);

/* Does the host want large blocks as they are? File
 * "opt/lsi8xx-rom/native-blocks", "1".
 */
bool host_native_blocks(void);

#endif
