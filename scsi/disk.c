/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Ready check, capacity, block transfers, medium removal.
 */
#include "disk.h"

#include "cdb.h"
#include "command.h"
#include "pc/phys.h"

enum scsi_result disk_simple(struct scsi_bus *bus,
			     const struct scsi_device *device, u32 command)
{
	struct hba_request request;

	cdb_simple(&request, device, command);
	return scsi_command(bus, &request);
}

IN_EXTRA enum scsi_result disk_capacity(struct scsi_bus *bus,
					const struct scsi_device *device,
					struct disk_capacity *capacity)
{
	u8 raw[CAPACITY16_BYTES];
	struct hba_request request;

	cdb_read_capacity(&request, device, CAPACITY10_BYTES);
	request.data.address = phys_of(raw);
	enum scsi_result result = scsi_command(bus, &request);
	/* The answer names the last block: FFFFFFFFh stands for "more than
	 * this command can say".
	 */
	capacity->blocks = (u64)be32(raw) + 1;
	capacity->block_bytes = be32(raw + 4);
	if (result != SCSI_OK || be32(raw) != 0xffffffff)
		return result;
	cdb_read_capacity(&request, device, CAPACITY16_BYTES);
	request.data.address = phys_of(raw);
	result = scsi_command(bus, &request);
	if (result == SCSI_ILLEGAL_REQUEST)
		return SCSI_OK; /* then these are all */
	if (result == SCSI_OK && be32(raw + 8) != capacity->block_bytes)
		return SCSI_HARDWARE_ERROR; /* which of them is true? */
	capacity->blocks = ((u64)be32(raw) << 32 | be32(raw + 4)) + 1;
	return result;
}

#define OP_READ10 0x28
#define OP_WRITE10 0x2a
#define OP_SEEK10 0x2b
#define OP_WRITE_AND_VERIFY10 0x2e
#define OP_VERIFY10 0x2f

struct block_command {
	u8 opcode;
	u8 direction; /* enum hba_direction */
};

ROM_CONST struct block_command block_commands[] = {
	[DISK_READ] = {OP_READ10, HBA_DATA_IN},
	[DISK_WRITE] = {OP_WRITE10, HBA_DATA_OUT},
	[DISK_WRITE_VERIFY] = {OP_WRITE_AND_VERIFY10, HBA_DATA_OUT},
	[DISK_VERIFY] = {OP_VERIFY10, HBA_NO_DATA},
	[DISK_SEEK] = {OP_SEEK10, HBA_NO_DATA},
	[DISK_READ_NOWHERE] = {OP_READ10, HBA_NO_DATA},
};

static bool blames_a_block(enum scsi_result result)
{
	return result == SCSI_MEDIUM_ERROR || result == SCSI_HARDWARE_ERROR;
}

/* How many blocks before the one that the sense data blames are good. Without
 * its name none are known to be.
 */
static NOT_INLINE u32 good_blocks(const struct scsi_bus *bus,
				  const struct hba_request *request,
				  const struct disk_job *job)
{
	u32 good = be32(&bus->sense[SENSE_INFORMATION_AT]) - (u32)job->blocks.lba;

	if (bus->sense[0] != SENSE_CURRENT_VALID || good >= job->blocks.count)
		return 0;
	u32 moved = request->moved >> job->block_shift;
	return request->direction != HBA_NO_DATA && moved < good ? moved
								  : good;
}

static enum scsi_result run_job(struct scsi_bus *bus,
				const struct scsi_device *device,
				struct disk_job *job)
{
	IN_ROM struct block_command *command =
		&block_commands[job->action];
	struct hba_request request;

	job->blocks.opcode = command->opcode;
	cdb_blocks(&request, device, &job->blocks);
	request.direction = command->direction;
	if (command->direction != HBA_NO_DATA) {
		request.data_bytes = (u32)job->blocks.count
				     << job->block_shift;
		request.least_bytes = request.data_bytes;
		request.data = job->data;
		request.more = job->more;
	}
	enum scsi_result result = scsi_command(bus, &request);
	job->done = result == SCSI_OK ? job->blocks.count : 0;
	if (blames_a_block(result))
		job->done = good_blocks(bus, &request, job);
	return result;
}

_Static_assert(HBA_DATA_IN + DISK_WRITE == HBA_DATA_OUT &&
		       OP_READ10 + 2 * DISK_WRITE == OP_WRITE10 && !DISK_READ,
	       "reading and writing differ by this much");

enum scsi_result disk_do_plain(struct scsi_bus *bus,
			       const struct scsi_device *device,
			       struct disk_job *job)
{
	struct hba_request request;

	request.target = device->target;
	request.lun = device->lun;
	request.direction = (u8)(HBA_DATA_IN + job->action);
	request.cdb_bytes = 10;
	request.cdb[0] = (u8)(OP_READ10 + 2 * job->action);
	request.cdb[1] = device->cdb_lun;
	put_be32(&request.cdb[2], (u32)job->blocks.lba);
	put_be32(&request.cdb[6], (u32)job->blocks.count << 8);
	request.timeout_ms = MEDIA_TIMEOUT_MS;
	request.patience_ms = PATIENCE_MS;
	request.data_bytes = job->data.bytes;
	request.least_bytes = job->data.bytes;
	request.data = job->data;
	enum scsi_result result = scsi_command(bus, &request);
	if (result != SCSI_OK) {
		job->block_shift = 9;
		job->done = blames_a_block(result)
				    ? good_blocks(bus, &request, job)
				    : 0;
	}
	return result;
}

/* A disk without VERIFY reads; what it sends runs into the sink. Block by
 * block, because the chip swallows it byte by byte. (Its job need not lie on
 * the stack of all others.)
 */
static __attribute__((noinline)) enum scsi_result
verify_by_reading(struct scsi_bus *bus, const struct scsi_device *device,
		  struct disk_job *job)
{
	struct disk_job one = *job;
	enum scsi_result result = SCSI_OK;

	one.action = DISK_READ_NOWHERE;
	one.blocks.count = 1;
	for (job->done = 0; job->done < job->blocks.count; job->done++) {
		result = run_job(bus, device, &one);
		if (result != SCSI_OK)
			break;
		one.blocks.lba++;
	}
	return result;
}

enum scsi_result disk_do(struct scsi_bus *bus,
			 const struct scsi_device *device,
			 struct disk_job *job)
{
	/* SEEK has no long form: its code would be another command's. */
	enum scsi_result result = SCSI_ILLEGAL_REQUEST;

	if (job->action != DISK_SEEK || !(job->blocks.lba >> 32))
		result = run_job(bus, device, job);
	if (result != SCSI_ILLEGAL_REQUEST)
		return result;
	switch (job->action) {
	case DISK_SEEK:
		job->done = job->blocks.count;
		return SCSI_OK;
	case DISK_VERIFY:
		return verify_by_reading(bus, device, job);
	case DISK_WRITE_VERIFY:
		job->action = DISK_WRITE;
		result = run_job(bus, device, job);
		if (result != SCSI_OK)
			return result;
		job->action = DISK_VERIFY;
		return disk_do(bus, device, job);
	case DISK_READ:
	case DISK_WRITE:
	case DISK_READ_NOWHERE:
		break;
	}
	return result;
}
