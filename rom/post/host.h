/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Settings of the host: the files "bootorder" and "bios-geometry" of QEMU's
 * firmware configuration. Use these functions only if fwcfg_present().
 */
#ifndef ROM_HOST_H
#define ROM_HOST_H

#include "int13/geometry.h"
#include "pc/post/fwcfg.h"
#include "scsi/scsi.h"

#define HOST_NO_RANK 0xff
#define HOST_MOST_BRIDGES 3

/* Path to the controller: device << 3 | function of the controller, then of each
 * bridge on the way up to bus 0
 */
struct host_path {
	u8 steps; /* 0: unknown, or more than HOST_MOST_BRIDGES bridges */
	u8 step[1 + HOST_MOST_BRIDGES];
	struct fwcfg_file order, geometries; /* the host's two files */
};

/* Fill in the path of the controller and the files. Calls the PCI BIOS, so it
 * must run on the BIOS's stack. Moves FS.
 */
void host_find_path(u16 pci_address, struct host_path __seg_gs *path);

/* Rank of a unit of that controller in "bootorder" (0 is first). HOST_NO_RANK
 * if the unit is not in the file or there is no file.
 */
u8 host_boot_rank(IN_ROM struct host_path *path, struct scsi_device device);

/* Read the geometry of the unit from "bios-geometry". False if there is none
 * or its values are out of range.
 */
bool host_geometry(IN_ROM struct host_path *path, struct scsi_device device,
		   struct geometry *geometry);

#endif
