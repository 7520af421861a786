/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The functions of the original BIOS, addressed by cylinder, head and sector.
 */
#include "int13.h"

#include "pc/bda.h"
#include "scsi/disk.h"

#define MOST_CHS_SECTORS 128 /* 64 KiB: what one segment can hold */
#define TYPE_HARD_DISK 0x03
#define READY_PATIENCE_MS 2000

/* INT 13, 02 - Read sectors
 *
 * In:  AL count (1 to 128), CH and CL bits 7:6 cylinder, CL bits 5:0 sector,
 *      DH head, ES:BX buffer
 * Out: AL sectors read
 */
enum int13_status int13_02_read(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	u32 lba, count = regs->al;
	u16 cylinder = (u16)((regs->cl & 0xc0) << 2 | regs->ch);

	regs->al = 0;
	if (count == 0 || count > MOST_CHS_SECTORS)
		return STATUS_BAD_COMMAND;
	if (!geometry_lba(&call->disk->geometry, cylinder, regs->dh,
			  regs->cl & 0x3f, &lba))
		return STATUS_NOT_FOUND;
	enum int13_status status =
		int13_read(call, lba, &count, regs->es, regs->bx);
	regs->al = (u8)count;
	return status;
}

/* INT 13, 08 - Get drive parameters
 *
 * Out: AL 0, BL 0 (no floppy type), CH and CL bits 7:6 last cylinder,
 *      CL bits 5:0 last sector, DH last head, DL hard disks in the machine
 */
enum int13_status int13_08_parameters(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	const struct geometry *geometry = &call->disk->geometry;
	u16 last_cylinder = (u16)(geometry->cylinders - 1);

	regs->al = 0;
	regs->bl = 0;
	regs->ch = (u8)last_cylinder;
	regs->cl = (u8)((last_cylinder >> 2 & 0xc0) |
			geometry->sectors_per_track);
	regs->dh = (u8)(geometry->heads - 1);
	bda_open();
	regs->dl = FAR8(BDA_HARD_DISK_COUNT);
	return STATUS_OK;
}

/* INT 13, 10 - Check drive ready: asks the drive */
enum int13_status int13_10_ready(const struct int13_call *call)
{
	return int13_status(disk_ready(&call->state->bus, call->disk->device,
				       READY_PATIENCE_MS));
}

/* INT 13, 15 - Get disk type
 *
 * Out: AH 3 (set by the dispatcher, see there), CX:DX number of sectors
 */
enum int13_status int13_15_type(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;

	regs->cx = (u16)(call->disk->sectors >> 16);
	regs->dx = (u16)call->disk->sectors;
	return STATUS_OK;
}
