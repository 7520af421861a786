/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The BIOS keeps what the length byte says after init, and reads the $PnP
 * chain only then; both are ours to change until init returns.
 */
#include "image_edit.h"

#include "image.h"
#include "pc/far.h"

extern const char pnp_slots[], bcv_stubs[], disconnect_stubs[],
	cd_end[]; /* offsets in the image */

static u32 slot_offset(u32 slot)
{
	return (u32)pnp_slots + slot * PNP_SLOT_BYTES;
}

static u8 image_sum(u32 from, u32 bytes)
{
	u8 sum = 0;

	for (u32 i = 0; i < bytes; i++)
		sum = (u8)(sum + FAR8(from + i));
	return sum;
}

void image_set_entry(u16 image, u32 slot, const struct text *product)
{
	u32 from = slot_offset(0), to = slot_offset(slot);

	far_open(image);
	for (u32 i = 0; i < PNP_HEADER_BYTES; i++)
		FAR8(to + i) = *(const u8 IN_ROM *)(from + i);
	FAR16(to + PNP_TEXT) = (u16)(to + PNP_PRODUCT);
	FAR16(to + PNP_BCV) = (u16)((u32)bcv_stubs + slot * PNP_STUB_BYTES);
	FAR16(to + PNP_BEV) = 0;
	FAR16(to + PNP_DISCONNECT) =
		(u16)((u32)disconnect_stubs + slot * PNP_STUB_BYTES);
	to += PNP_PRODUCT;
	for (u32 i = 0; i < PNP_PRODUCT_BYTES; i++)
		FAR8(to + i) = i < product->length && i < PNP_PRODUCT_BYTES - 1
				       ? (u8)product->bytes[i]
				       : 0;
}

void image_set_bootstrap(u16 image, u32 slot)
{
	u32 header = slot_offset(slot);

	far_open(image);
	FAR16(header + PNP_BEV) = FAR16(header + PNP_BCV);
	FAR16(header + PNP_BCV) = 0;
}

void image_link_entries(u16 image, const u8 *order, u32 entries)
{
	far_open(image);
	FAR16(ROM_PNP) = (u16)slot_offset(order[0]);
	for (u32 i = 0; i < entries; i++) {
		u32 header = slot_offset(order[i]);

		FAR16(header + PNP_NEXT) =
			(u16)(i + 1 < entries ? slot_offset(order[i + 1]) : 0);
		FAR8(header + PNP_CHECKSUM) = (u8)(
			FAR8(header + PNP_CHECKSUM) -
			image_sum(header, PNP_HEADER_BYTES));
	}
}

void image_shrink(u16 image, u32 entries, bool cds)
{
	u32 blocks = 0;
	u32 end = cds ? (u32)cd_end : slot_offset(entries);

	far_open(image);
	if (entries)
		blocks = (end + ROM_BLOCK_BYTES - 1) / ROM_BLOCK_BYTES;
	FAR8(ROM_BLOCKS) = (u8)blocks;
	FAR16(ROM_PCIR_BLOCKS) = (u16)blocks;
	FAR16(ROM_PCIR_RUN_TIME_BLOCKS) = (u16)blocks;
	FAR8(ROM_CHECKSUM) = (u8)(FAR8(ROM_CHECKSUM) -
				  image_sum(0, blocks * ROM_BLOCK_BYTES));
}

bool image_set_workspace(u16 image, u16 segment)
{
	far_open(image);
	FAR16(ROM_WORKSPACE_SEGMENT) = segment;
	return FAR16(ROM_WORKSPACE_SEGMENT) == segment;
}

void image_set_controller(u16 image, u16 pci_address)
{
	far_open(image);
	FAR16(ROM_CONTROLLER) = pci_address;
}

u32 image_most_bytes(void)
{
	return (u32)cd_end;
}
