/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * PassThru() with one wrong argument. The packet is not sent, and no buffer changes
 * [UEFI 2.10 "EFI_EXT_SCSI_PASS_THRU_PROTOCOL.PassThru()", "Status Codes Returned"].
 */
#include "checks.h"

#define DATA_BYTES 36u
#define OWN_ID 7

/* All arguments of one call */
struct call {
	struct command c;
	struct efi_ext_scsi_pass_thru_packet *packet;
	u8 id[TARGET_MAX_BYTES];
	u8 *target;
	u64 lun;
};

static u8 data[DATA_BYTES];

static void spoil_nothing(struct call *call)
{
	(void)call;
}

static void spoil_packet(struct call *call)
{
	call->packet = NULL;
}

static void spoil_target(struct call *call)
{
	call->target = NULL;
}

static void spoil_cdb(struct call *call)
{
	call->packet->cdb = NULL;
}

static void spoil_cdb_none(struct call *call)
{
	call->packet->cdb_length = 0;
}

static void spoil_cdb_short(struct call *call)
{
	call->packet->cdb_length = 5;
}

static void spoil_cdb_long(struct call *call)
{
	call->packet->cdb_length = 17;
}

static void spoil_cdb_longest(struct call *call)
{
	call->packet->cdb_length = 255;
}

static void spoil_in_buffer(struct call *call)
{
	call->packet->in_data_buffer = NULL;
}

static void spoil_out_buffer(struct call *call)
{
	command_write(&call->c, 0, 1, NULL, BLOCK);
}

static void spoil_direction(struct call *call)
{
	call->packet->data_direction = 3;
}

static void spoil_direction_most(struct call *call)
{
	call->packet->data_direction = 255;
}

static void spoil_both_directions(struct call *call)
{
	call->packet->data_direction = EFI_EXT_SCSI_DATA_DIRECTION_BIDIRECTIONAL;
	call->packet->out_data_buffer = data;
	call->packet->out_transfer_length = DATA_BYTES;
}

static void spoil_sense(struct call *call)
{
	call->packet->sense_data = NULL;
}

static void spoil_id(struct call *call)
{
	call->id[0] = 16;
}

static void spoil_id_most(struct call *call)
{
	call->id[0] = 255;
}

static void spoil_id_all(struct call *call)
{
	memset(call->id, 0xff, sizeof(call->id));
}

static void spoil_own_id(struct call *call)
{
	call->id[0] = OWN_ID;
}

static void spoil_second_byte(struct call *call)
{
	call->id[1] = 1;
}

static void spoil_last_byte(struct call *call)
{
	call->id[TARGET_MAX_BYTES - 1] = 1;
}

static void spoil_lun(struct call *call)
{
	call->lun = 8;
}

static void spoil_lun_high(struct call *call)
{
	call->lun = 1ull << 32;
}

static void spoil_lun_most(struct call *call)
{
	call->lun = ~0ull;
}

static const struct row {
	const char *name;
	void (*spoil)(struct call *call);
	efi_status status;
} rows[] = {
	{.name = "all are right", spoil_nothing, EFI_SUCCESS},
	{.name = "no packet", spoil_packet, EFI_INVALID_PARAMETER},
	{.name = "no target", spoil_target, EFI_INVALID_PARAMETER},
	{.name = "no CDB", spoil_cdb, EFI_INVALID_PARAMETER},
	{.name = "CDB of 0 bytes", spoil_cdb_none, EFI_INVALID_PARAMETER},
	{.name = "CDB without its last byte", spoil_cdb_short, EFI_INVALID_PARAMETER},
	{.name = "CDB of 17 bytes", spoil_cdb_long, EFI_UNSUPPORTED},
	{.name = "CDB of 255 bytes", spoil_cdb_longest, EFI_UNSUPPORTED},
	{.name = "length without a buffer for data in", spoil_in_buffer, EFI_INVALID_PARAMETER},
	{.name = "length without a buffer for data out", spoil_out_buffer, EFI_INVALID_PARAMETER},
	{.name = "direction 3", spoil_direction, EFI_INVALID_PARAMETER},
	{.name = "direction 255", spoil_direction_most, EFI_INVALID_PARAMETER},
	{.name = "both directions", spoil_both_directions, EFI_UNSUPPORTED},
	{.name = "length of sense data without a buffer", spoil_sense, EFI_INVALID_PARAMETER},
	{.name = "target 16", spoil_id, EFI_INVALID_PARAMETER},
	{.name = "target 255", spoil_id_most, EFI_INVALID_PARAMETER},
	{.name = "target of FFh bytes", spoil_id_all, EFI_INVALID_PARAMETER},
	{.name = "the controller's own ID", spoil_own_id, EFI_INVALID_PARAMETER},
	{.name = "target with a second byte", spoil_second_byte, EFI_INVALID_PARAMETER},
	{.name = "target with a 16th byte", spoil_last_byte, EFI_INVALID_PARAMETER},
	{.name = "LUN 8", spoil_lun, EFI_INVALID_PARAMETER},
	{.name = "LUN with bit 32", spoil_lun_high, EFI_INVALID_PARAMETER},
	{.name = "LUN of FFh bytes", spoil_lun_most, EFI_INVALID_PARAMETER},
};

void check_arguments(void)
{
	static struct call call;
	bool changed = false;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(data, FILL, sizeof(data));
		command_inquiry(&call.c, data, DATA_BYTES);
		memset(call.id, 0, sizeof(call.id));
		call.packet = &call.c.packet;
		call.target = call.id;
		call.lun = 0;
		rows[i].spoil(&call);
		efi_status status =
			BUS->pass_thru(BUS, call.target, call.lun, call.packet, NULL);
		check_status(rows[i].name, rows[i].status, status);
		if (rows[i].status)
			changed |= memory_filled(data, DATA_BYTES) < DATA_BYTES ||
				   memory_filled(call.c.sense, sizeof(call.c.sense)) <
					   sizeof(call.c.sense);
	}
	check_true("buffers are unchanged after each error", !changed);
	check_true("the bus works after them", disk_works(ID_DISK));
}
