/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Settings of the host: the files "bootorder" and "bios-geometry" of QEMU's
 * firmware configuration. Use these functions only if fwcfg_present().
 */
#ifndef ROM_HOST_H
#define ROM_HOST_H

#include "pc/post/fwcfg.h"

/* A longer file is ignored. Each file is read once for all drives, so that POST reads
 * no more. A line of QEMU has some 50 bytes, and there is one for each drive.
 */
#define HOST_MOST_BYTES 16384

#define HOST_NO_RANK 0x7fff
#define HOST_MOST_BRIDGES 3

/* Path to the controller: device << 3 | function of the controller, then of each
 * bridge on the way up to bus 0
 */
struct host_path {
	u8 steps; /* 0: unknown, or more than HOST_MOST_BRIDGES bridges */
	u8 step[1 + HOST_MOST_BRIDGES];
	struct fwcfg_file order, geometries; /* the host's two files */
};

/* Fill in the path of the controller and the files. A file that is too long is
 * reported on the screen unless `quiet`. Calls the PCI BIOS, so it must run on the
 * BIOS's stack. Moves FS.
 */
void host_find_path(u16 pci_address, struct host_path __seg_gs *path,
		    bool quiet);

/* Set the rank of each drive in drive_table: the number of its first line in "bootorder"
 * (0 is first), below HOST_MOST_BYTES, or HOST_NO_RANK if there is none or no file.
 */
void host_boot_ranks(IN_ROM struct host_path *path, u16 *ranks);

/* Set the geometry of each disk (not CD) in drive_table by its first line in
 * "bios-geometry" whose values are in range, unless it has more sectors than the disk.
 */
void host_set_geometries(IN_ROM struct host_path *path);

#endif
