/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Times sequential reads through block I/O, for `make bench` (tests/benchmark/blocks.py,
 * which sets ROUNDS). Each round measures every side in turn and begins with another one. A
 * line for each run: "run SIDE, BYTES of a request, ticks of a run of RUN_BYTES".
 */
#include "app.h"
#include "block.h"

#define RUN_BYTES (16 * MIB)
#define LIMITED_BYTES (60 * 1024u)
#define SECOND_US 1000000u
#define REGISTERS_BAR 0
#define SCRATCHA 0x34 /* a register that has no effect and that the driver does not use */

static struct efi_guid block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static struct efi_guid device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

/* A side is the disk of a PCI device. On the limited one, our driver is given commands of at
 * most LIMITED_BYTES.
 */
static struct side {
	const char *name;
	u8 device;
	bool limited;
	struct efi_block_io *disk;
} sides[] = {
	{"driver", 4, false, NULL},
	{"limited", 4, true, NULL},
	{"virtio-scsi", 5, false, NULL},
	{"virtio-blk", 6, false, NULL},
};

static const u32 sizes[] = {64 * 1024, MIB};

static u8 *data;

/* ---- The disks ---- */

/* The PCI device number in a device path, or 0xff */
static u8 pci_device(const u8 *node)
{
	for (; node[0] != END_OF_PATH; node += node[2] | node[3] << 8)
		if (node[0] == HARDWARE_DEVICE_PATH && node[1] == HW_PCI_DP)
			return node[5];
	return 0xff;
}

static void find_disk(efi_handle handle)
{
	struct efi_block_io *disk;
	u8 *path;

	if (boot->handle_protocol(handle, &block_io_guid, (void **)&disk) ||
	    boot->handle_protocol(handle, &device_path_guid, (void **)&path) ||
	    disk->media->logical_partition || !disk->media->media_present)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		if (sides[i].device == pci_device(path))
			sides[i].disk = disk;
}

static void find_disks(void)
{
	efi_handle *handles;
	u64 count;

	if (boot->locate_handle_buffer(BY_PROTOCOL, &block_io_guid, NULL, &count, &handles))
		return;
	for (u64 i = 0; i < count; i++)
		find_disk(handles[i]);
	boot->free_pool(handles);
}

/* ---- The limit: a READ(10) is cut into commands ---- */

static efi_status(EFIAPI *unlimited)(struct efi_ext_scsi_pass_thru *self, u8 *target, u64 lun,
				     struct efi_ext_scsi_pass_thru_packet *packet,
				     efi_event event);

static efi_status EFIAPI pass_thru_limited(struct efi_ext_scsi_pass_thru *self, u8 *target,
					   u64 lun, struct efi_ext_scsi_pass_thru_packet *packet,
					   efi_event event)
{
	u32 left = packet->in_transfer_length, lba = be32((u8 *)packet->cdb + 2);
	efi_status status = EFI_SUCCESS;

	for (u8 *to = packet->in_data_buffer; left && !status;) {
		u32 bytes = left < LIMITED_BYTES ? left : LIMITED_BYTES;
		struct command c;

		command_read(&c, lba, bytes / BLOCK, to, bytes);
		status = unlimited(self, target, lun, &c.packet, event);
		packet->host_adapter_status = c.packet.host_adapter_status;
		packet->target_status = c.packet.target_status;
		to += bytes;
		left -= bytes;
		lba += bytes / BLOCK;
	}
	packet->sense_data_length = 0;
	return status;
}

/* ---- Runs ---- */

static u64 ticks(void)
{
	return __builtin_ia32_rdtsc();
}

/* Tell the requests of a run apart in QEMU's trace: KiB of a request, 0 after the run. */
static void mark(const struct side *side, u32 bytes)
{
	struct efi_pci_io *pci = controllers[0].pci;
	u32 kib = bytes / 1024;

	if (side->device == sides[0].device)
		pci->io.write(pci, PCI_IO_UINT32, REGISTERS_BAR, SCRATCHA, 1, &kib);
}

/* Ticks of a run. All reads must succeed, and the last one must have the disk's data. */
static u64 run(const struct side *side, u32 bytes)
{
	struct efi_block_io *disk = side->disk;
	u32 blocks = bytes / BLOCK, end = RUN_BYTES / BLOCK;
	efi_status status = EFI_SUCCESS;

	if (side->limited)
		BUS->pass_thru = pass_thru_limited;
	memset(data + bytes - BLOCK, FILL, BLOCK);
	mark(side, side->limited ? 0 : bytes);
	u64 before = ticks();
	for (u32 lba = 0; lba < end && !status; lba += blocks)
		status = disk->read_blocks(disk, disk->media->media_id, lba, bytes, data);
	u64 took = ticks() - before;
	mark(side, 0);
	BUS->pass_thru = unlimited;
	if (status || disk_equal(data, end - blocks, bytes) != bytes)
		print("wrong data: %s, %u, status %x", side->name, (u64)bytes, status);
	return took;
}

static void measure(u32 bytes)
{
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		(void)run(&sides[i], bytes); /* the first is a warm-up */
	for (u32 round = 0; round < ROUNDS; round++)
		for (u32 i = 0; i < ARRAY_SIZE(sides); i++) {
			const struct side *side = &sides[(round + i) % ARRAY_SIZE(sides)];

			print("run %s, %u, %u", side->name, (u64)bytes, run(side, bytes));
		}
}

void app_main(void)
{
	controllers_find();
	find_disks();
	data = memory_low(MIB);
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		if (!sides[i].disk) {
			print("no disk: %s", sides[i].name);
			return;
		}
	unlimited = BUS->pass_thru;
	u64 before = ticks();
	boot->stall(SECOND_US);
	print("ticks in a second: %u", ticks() - before);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		measure(sizes[i]);
	print("end of runs");
}
