/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Does simple commands, reads the capacity, and does operations on blocks.
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

enum scsi_result disk_ready_by(struct scsi_bus *bus,
			       const struct scsi_device *device,
			       struct hba_request *request)
{
	cdb_simple(request, device, CDB_TEST_UNIT_READY);
	return scsi_command(bus, request);
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
	/* The answer is the LBA of the last block. FFFFFFFFh means that it does
	 * not fit.
	 */
	capacity->blocks = (u64)be32(raw) + 1;
	capacity->block_bytes = be32(raw + 4);
	if (result != SCSI_OK || be32(raw) != 0xffffffff)
		return result;
	cdb_read_capacity(&request, device, CAPACITY16_BYTES);
	request.data.address = phys_of(raw);
	result = scsi_command(bus, &request);
	if (result == SCSI_ILLEGAL_REQUEST)
		return SCSI_OK; /* the disk has exactly 2^32 blocks */
	if (result == SCSI_OK && be32(raw + 8) != capacity->block_bytes)
		return SCSI_HARDWARE_ERROR; /* contradictory answers */
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

static bool is_block_error(enum scsi_result result)
{
	return result == SCSI_MEDIUM_ERROR || result == SCSI_HARDWARE_ERROR;
}

/* Number of blocks before the one that the sense data reports as bad. If it
 * reports no block of the job, 0: none is known to be good.
 */
static u32 good_blocks(const struct scsi_bus *bus, const struct disk_job *job)
{
	u32 good = be32(&bus->sense[SENSE_INFORMATION_AT]) - (u32)job->blocks.lba;

	if (bus->sense[0] != SENSE_CURRENT_VALID || good >= job->blocks.count)
		return 0;
	u32 moved = job->request.moved >> job->block_shift;
	return job->request.direction != HBA_NO_DATA && moved < good ? moved
								      : good;
}

/* Send the command for the job's action, without a replacement if it is
 * rejected.
 */
static enum scsi_result send(struct scsi_bus *bus,
			     const struct scsi_device *device,
			     struct disk_job *job)
{
	IN_ROM struct block_command *command =
		&block_commands[job->action];
	struct hba_request *request = &job->request;
	u32 bytes = 0;

	request->timeout_ms = bus->hba->media_timeout_s[device->target] * 1000u;
	job->blocks.opcode = command->opcode;
	request->direction = command->direction;
	if (command->direction != HBA_NO_DATA)
		bytes = job->blocks.count << job->block_shift;
	request->data_bytes = bytes;
	request->least_bytes = bytes;
	cdb_blocks(request, device, &job->blocks);
	enum scsi_result result = scsi_command(bus, request);
	if (result != SCSI_OK)
		job->done = is_block_error(result) ? good_blocks(bus, job) : 0;
	return result;
}

/* Verify on a disk without VERIFY: read and discard the data. Each command
 * reads only one block, because the chip discards data byte by byte, which
 * takes long.
 */
static enum scsi_result verify_by_reading(struct scsi_bus *bus,
					  const struct scsi_device *device,
					  struct disk_job *job)
{
	u32 count = job->blocks.count, good;
	enum scsi_result result = SCSI_OK;

	job->action = DISK_READ_NOWHERE;
	job->blocks.count = 1;
	for (good = 0; good < count; good++) {
		result = send(bus, device, job);
		if (result != SCSI_OK)
			break;
		job->blocks.lba++;
	}
	job->blocks.lba -= good;
	job->blocks.count = count;
	job->done = good;
	return result;
}

/* The disk has rejected the command for the job: use others. */
static NOT_INLINE enum scsi_result
do_without(struct scsi_bus *bus, const struct scsi_device *device,
	   struct disk_job *job)
{
	enum scsi_result result = SCSI_ILLEGAL_REQUEST;

	if (job->action == DISK_SEEK)
		return SCSI_OK;
	if (job->action == DISK_WRITE_VERIFY) {
		job->action = DISK_WRITE;
		result = send(bus, device, job);
		if (result != SCSI_OK)
			return result;
		job->action = DISK_VERIFY;
		result = send(bus, device, job);
	}
	if (job->action == DISK_VERIFY && result == SCSI_ILLEGAL_REQUEST)
		return verify_by_reading(bus, device, job);
	return result;
}

enum scsi_result disk_do(struct scsi_bus *bus,
			 const struct scsi_device *device,
			 struct disk_job *job)
{
	/* SEEK has no 16-byte form: its operation code is another command's. */
	if (job->action == DISK_SEEK && job->blocks.lba >> 32)
		return SCSI_OK;
	enum scsi_result result = send(bus, device, job);
	return result == SCSI_ILLEGAL_REQUEST ? do_without(bus, device, job)
					      : result;
}
