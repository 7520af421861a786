/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Settings of the host: QEMU's files "bootorder" and "bios-geometry". To be
 * used only where fwcfg_present().
 */
#ifndef ROM_HOST_H
#define ROM_HOST_H

#include "int13/geometry.h"
#include "pc/post/fwcfg.h"
#include "scsi/scsi.h"

#define HOST_NO_RANK 0xff
#define HOST_MOST_BRIDGES 3

/* Where the controller is: device << 3 | function of itself, of the bridge to
 * its bus, of the bridge to that one's, up to bus 0
 */
struct host_path {
	u8 steps; /* 0: further away than we can say */
	u8 step[1 + HOST_MOST_BRIDGES];
	struct fwcfg_file order, geometries; /* the host's two files */
};

/* Find it by PCI BIOS calls, on a stack that has room for them, and the files;
 * where fwcfg_present(). Moves FS.
 */
void host_find_path(u16 pci_address, struct host_path *path);

/* Rank of a unit of that controller in QEMU's list (0 is first), HOST_NO_RANK
 * if it is not named or there is no list.
 */
u8 host_boot_rank(const struct host_path *path, struct scsi_device device);

/* The geometry the host gives to the unit; false if it gives none that can
 * be used.
 */
bool host_geometry(const struct host_path *path, struct scsi_device device,
		   struct geometry *geometry);

#endif
