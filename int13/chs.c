/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The functions of the original BIOS, addressed by cylinder, head and sector.
 */
#include "extra/emulated.h"
#include "transfer.h"

#include "pc/bda.h"
#include "pc/phys.h"
#include "scsi/command.h"

#define MOST_CHS_SECTORS 128 /* 64 KiB: what one segment can hold */
#define READY_PATIENCE CDB_PATIENCE(2000)

/* INT 13, 00 0D - Reset
 *
 * A failed command has already reset chip and bus if that was necessary. After a
 * failure, or if another driver has used the chip, check that the drive answers;
 * else no command is sent.
 */
enum int13_status int13_00_reset(const struct int13_call *call)
{
	struct scsi_bus *bus = &call->state->bus;

	scsi_reset(bus);
	for (u32 i = 0; i < 2 && bus->suspect; i++)
		(void)int13_status_of(
			call, disk_simple(bus, &call->disk->device,
					  CDB_TEST_UNIT_READY));
	return bus->suspect ? STATUS_RESET_FAILED : STATUS_OK;
}

/* Cylinders and heads address sectors of 512 bytes only. */
static enum int13_status ensure_geometry(const struct int13_call *call)
{
	enum int13_status status = int13_ensure_size(call);

	if (status == STATUS_OK && call->disk->sector_shift != SECTOR_SHIFT)
		return STATUS_BAD_COMMAND;
	return status;
}

/* The first sector is read to where a BIOS starts it: the disk is tried. */
static NOT_INLINE void note_first_sector(const struct int13_call *call,
					 const struct int13_job *job)
{
	struct int13_state *state = call->state;

	if (job->action != DISK_READ || job->buffer != BOOT_PLACE)
		return;
	call->disk->flags |= DISK_TRIED;
	if (state->boot_sector_read)
		state->boot_sector_read();
}

/* INT 13, 02 03 04 0C - Read, write, verify sectors; seek
 *
 * In:  AL count (1 to 128; not for 0C), CH and CL bits 7:6 cylinder, CL bits
 *      5:0 sector, DH head, ES:BX buffer (02 03)
 * Out: AL sectors transferred (not for 0C)
 */
enum int13_status int13_02_blocks(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	u8 action = (u8)call->action;
	struct chs chs = {(u16)((regs->cl & 0xc0) << 2 | regs->ch), regs->dh,
			  regs->cl & 0x3f};
	struct int13_job job;

	job.action = action;
	job.count = 1;
	if (action != DISK_SEEK) {
		job.count = regs->al;
		regs->al = 0;
	}
	if (job.count - 1 >= MOST_CHS_SECTORS)
		return STATUS_BAD_COMMAND;
	enum int13_status status = ensure_geometry(call);
	if (status != STATUS_OK)
		return status;
	u32 lba = geometry_lba(&call->disk->geometry, chs);
	if (lba == GEOMETRY_NO_LBA)
		return STATUS_NOT_FOUND;
	job.lba = lba;
	int13_job_set_buffer(&job, linear_of(regs->es, regs->bx));
	if (!lba)
		note_first_sector(call, &job);
	status = int13_transfer(call, &job);
	if (action != DISK_SEEK)
		regs->al = (u8)job.done;
	return status;
}

/* INT 13, 08 - Get drive parameters
 *
 * Out: AL 0, BL 0 (no floppy type), CH and CL bits 7:6 last cylinder,
 *      CL bits 5:0 last sector, DH last head, DL hard disks in the machine;
 *      for an emulated floppy BL, DL and ES:DI: emulation_floppy_parameters()
 */
enum int13_status int13_08_parameters(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	const struct geometry *geometry = &call->disk->geometry;
	enum int13_status status = ensure_geometry(call);

	if (status != STATUS_OK)
		return status;
	regs->al = 0;
	regs->bl = 0;
	regs->ch = (u8)(geometry->cylinders - 1);
	regs->cl = geometry_cl(geometry);
	regs->dh = (u8)(geometry->heads - 1);
	bda_open();
	regs->dl = FAR8(BDA_HARD_DISK_COUNT);
	if (call->disk->flags & DISK_FLOPPY)
		emulation_floppy_parameters(call);
	return STATUS_OK;
}

/* INT 13, 10 - Check drive ready, by TEST UNIT READY */
enum int13_status int13_10_ready(const struct int13_call *call)
{
	return int13_status_of(call, disk_simple(&call->state->bus,
						 &call->disk->device,
						 CDB_TEST_UNIT_READY |
							 READY_PATIENCE));
}

/* INT 13, 15 - Get disk type
 *
 * Out: AH 3 and CX:DX number of sectors (the table in dispatch.c sets AH), or
 *      AH 2 for an emulated floppy (cd_dispatch() sets it)
 */
enum int13_status int13_15_type(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	enum int13_status status = int13_ensure_size(call);
	u32 sectors = drives_sectors32(call->disk);

	if (status == STATUS_OK && !(call->disk->flags & DISK_FLOPPY)) {
		regs->cx = (u16)(sectors >> 16);
		regs->dx = (u16)sectors;
	}
	return status;
}
