/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Fields of the BIOS data area and interrupt vectors, as offsets in segment
 * 0. Call bda_open() before an access.
 */
#ifndef PC_BDA_H
#define PC_BDA_H

#include "far.h"

#define IVT_INT13 (0x13 * 4)
#define IVT_INT18 (0x18 * 4) /* called if nothing can be booted */
#define IVT_INT19 (0x19 * 4) /* bootstrap */
#define IVT_INT1E (0x1e * 4) /* points to the floppy's parameter table */

#define BDA_EQUIPMENT 0x410	     /* byte: bit 0 floppies, bits 7:6 their number minus 1 */
#define BDA_MEMORY_KIB 0x413      /* word: conventional memory in KiB */
#define BDA_FLOPPY_STATUS 0x441   /* byte: status of the last floppy call */
#define BDA_DISK_STATUS 0x474     /* byte: status of the last hard disk call */
#define BDA_RESET 0x472		  /* word: BDA_WARM_BOOT, or anything else */
#define BDA_WARM_BOOT 0x1234	  /* POST leaves out the test of memory */
#define BDA_HARD_DISK_COUNT 0x475 /* byte: hard disks the BIOS counts */
#define BDA_KEYBOARD 0x496	  /* byte: bit 4, a keyboard of 101 keys is there */
#define BDA_KEYBOARD_101 0x10
#define BDA_VDS 0x47b             /* byte: bit 5, INT 4Bh serves bus masters */
#define BDA_VDS_PRESENT 0x20

/* Point FS at segment 0. Moves FS. */
static inline void bda_open(void)
{
	far_open(0);
}

#endif
