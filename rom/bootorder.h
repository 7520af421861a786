/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The host's wish in which order to boot.
 */
#ifndef ROM_BOOTORDER_H
#define ROM_BOOTORDER_H

#include "scsi/scsi.h"

#define BOOTORDER_NONE 0xff

/* Rank of a unit of the controller at this PCI address in QEMU's list (0 is
 * first), BOOTORDER_NONE if it is not named or there is no list. Only where
 * fwcfg_present().
 */
u8 bootorder_rank(u16 pci_address, struct scsi_device device);

#endif
