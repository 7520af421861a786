/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Controllers, and commands to their targets.
 */
#include "app.h"

struct controller controllers[MOST_CONTROLLERS];
u32 controller_count;
efi_handle foreign_controller;

static struct efi_guid pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static struct efi_guid pass_thru_guid = EFI_EXT_SCSI_PASS_THRU_PROTOCOL_GUID;

#define PCI_CLASS 0x0a /* sub-class, class */
#define CLASS_SCSI 0x0100
#define CLASS_HOST_BRIDGE 0x0600

static void controller_add(efi_handle handle, struct efi_pci_io *pci)
{
	struct controller *c = &controllers[controller_count];
	u16 class = 0;

	boot->connect_controller(handle, NULL, NULL, true);
	pci->pci.read(pci, PCI_IO_UINT16, PCI_CLASS, 1, &class);
	if (class == CLASS_HOST_BRIDGE)
		foreign_controller = handle;
	if (class == CLASS_SCSI && controller_count < MOST_CONTROLLERS &&
	    !boot->handle_protocol(handle, &pass_thru_guid, (void **)&c->bus)) {
		c->handle = handle;
		c->pci = pci;
		controller_count++;
	}
}

/* Handles of PCI devices are in the order of their locations. */
void controllers_find(void)
{
	efi_handle *handles;
	u64 count;

	controller_count = 0;
	if (boot->locate_handle_buffer(BY_PROTOCOL, &pci_io_guid, NULL, &count, &handles))
		return;
	for (u64 i = 0; i < count; i++) {
		struct efi_pci_io *pci;

		if (!boot->handle_protocol(handles[i], &pci_io_guid, (void **)&pci))
			controller_add(handles[i], pci);
	}
	boot->free_pool(handles);
}

void command_set(struct command *c, const u8 *cdb, u8 cdb_bytes, u8 direction, void *buffer,
		 u32 bytes)
{
	memset(c, 0, sizeof(*c));
	memset(c->sense, FILL, sizeof(c->sense));
	memcpy(c->cdb, cdb, cdb_bytes);
	c->packet = (struct efi_ext_scsi_pass_thru_packet){
		.timeout = SECONDS(10),
		.cdb = c->cdb,
		.cdb_length = cdb_bytes,
		.data_direction = direction,
		.sense_data = c->sense,
		.sense_data_length = 18,
		.host_adapter_status = FILL,
		.target_status = FILL,
	};
	if (direction == EFI_EXT_SCSI_DATA_DIRECTION_WRITE) {
		c->packet.out_data_buffer = buffer;
		c->packet.out_transfer_length = bytes;
	} else {
		c->packet.in_data_buffer = buffer;
		c->packet.in_transfer_length = bytes;
	}
}

void command_ready(struct command *c)
{
	command_set(c, (u8[6]){0x00}, 6, EFI_EXT_SCSI_DATA_DIRECTION_READ, NULL, 0);
}

void command_inquiry(struct command *c, void *buffer, u8 bytes)
{
	command_set(c, (u8[6]){0x12, [4] = bytes}, 6, EFI_EXT_SCSI_DATA_DIRECTION_READ, buffer,
		    bytes);
}

void command_sense(struct command *c, void *buffer, u8 bytes)
{
	command_set(c, (u8[6]){0x03, [4] = bytes}, 6, EFI_EXT_SCSI_DATA_DIRECTION_READ, buffer,
		    bytes);
}

static void command_move(struct command *c, u8 code, u8 direction, u32 lba, u32 blocks,
			 void *buffer, u32 bytes)
{
	u8 cdb[10] = {code, [7] = (u8)(blocks >> 8), [8] = (u8)blocks};

	put_be32(cdb + 2, lba);
	command_set(c, cdb, sizeof(cdb), direction, buffer, bytes);
}

void command_read(struct command *c, u32 lba, u32 blocks, void *buffer, u32 bytes)
{
	command_move(c, 0x28, EFI_EXT_SCSI_DATA_DIRECTION_READ, lba, blocks, buffer, bytes);
}

void command_write(struct command *c, u32 lba, u32 blocks, void *buffer, u32 bytes)
{
	command_move(c, 0x2a, EFI_EXT_SCSI_DATA_DIRECTION_WRITE, lba, blocks, buffer, bytes);
}

void command_send_to(struct command *c, struct efi_ext_scsi_pass_thru *bus, u8 id, u64 lun)
{
	u8 target[TARGET_MAX_BYTES] = {id};

	c->status = bus->pass_thru(bus, target, lun, &c->packet, NULL);
}

void command_send(struct command *c, u8 id)
{
	command_send_to(c, BUS, id, 0);
}

u32 command_moved(const struct command *c)
{
	return c->packet.data_direction == EFI_EXT_SCSI_DATA_DIRECTION_WRITE
		       ? c->packet.out_transfer_length
		       : c->packet.in_transfer_length;
}

void command_settle_at(struct efi_ext_scsi_pass_thru *bus, u8 id)
{
	struct command c;

	for (u32 i = 0; i < 10; i++) {
		command_ready(&c);
		command_send_to(&c, bus, id, 0);
		if (c.status || c.packet.target_status != TARGET_CHECK_CONDITION ||
		    (c.sense[2] & 0x0f) != 6)
			return;
	}
}

void command_settle(u8 id)
{
	command_settle_at(BUS, id);
}

u32 disk_equal(const u8 *data, u32 lba, u32 bytes)
{
	u32 at = lba * BLOCK;

	for (u32 n = 0; n < bytes; n++, at++)
		if (data[n] != (u8)(at / 4 >> at % 4 * 8))
			return n;
	return bytes;
}

bool disk_works_at(struct efi_ext_scsi_pass_thru *bus, u8 id)
{
	static u8 data[BLOCK];
	struct command c;

	memset(data, FILL, sizeof(data));
	command_read(&c, 9, 1, data, sizeof(data));
	command_send_to(&c, bus, id, 0);
	return !c.status && !c.packet.host_adapter_status && !c.packet.target_status &&
	       command_moved(&c) == BLOCK && disk_equal(data, 9, BLOCK) == BLOCK;
}

bool disk_works(u8 id)
{
	return disk_works_at(BUS, id);
}
