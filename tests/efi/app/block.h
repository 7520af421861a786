/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Protocols that the driver does not use [UEFI 2.10 "EFI_BLOCK_IO_PROTOCOL", "EFI Device
 * Path Protocol"].
 */
#ifndef TESTS_EFI_BLOCK_H
#define TESTS_EFI_BLOCK_H

#include "efi/efi.h"

#define EFI_BLOCK_IO_PROTOCOL_GUID \
	{0x964e5b21, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}}

struct efi_block_io_media {
	u32 media_id;
	bool removable_media, media_present, logical_partition, read_only, write_caching;
	u32 block_size, io_align;
	u64 last_block;
};

struct efi_block_io {
	u64 revision;
	struct efi_block_io_media *media;
	void *reset;
	efi_status(EFIAPI *read_blocks)(struct efi_block_io *self, u32 media_id, u64 lba,
					u64 bytes, void *buffer);
	void *write_blocks, *flush_blocks;
};

#define EFI_DEVICE_PATH_PROTOCOL_GUID \
	{0x09576e91, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}}

/* A node: type, sub-type, length in two bytes, content */
#define HARDWARE_DEVICE_PATH 1
#define HW_PCI_DP 1 /* content: function, device */
#define END_OF_PATH 0x7f

#endif
