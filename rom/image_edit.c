/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The BIOS keeps what the length byte says after init, and reads the $PnP
 * chain only then. Until then the place of the image that stays is as the BIOS
 * has left it, but for one word.
 */
#include "image_edit.h"

#include "image.h"
#include "pc/far.h"
#include "pc/phys.h"

extern const char pnp_slots[], bcv_stubs[], disconnect_stubs[],
	cd_end[]; /* offsets in the image */

static u32 slot_offset(u32 slot)
{
	return (u32)pnp_slots + slot * PNP_SLOT_BYTES;
}

/* Of whole dwords */
static u8 image_sum(u32 from, u32 bytes)
{
	u32 sum = 0;

	for (u32 i = 0; i < bytes; i += 4) {
		u32 four = FAR32(from + i);
		sum += four + (four >> 8) + (four >> 16) + (four >> 24);
	}
	return (u8)sum;
}

/* The image that we run in */
static void open_own(void)
{
	far_open(rom_segment());
}

static void copy_to(u16 place, u32 bytes)
{
	far_copy(linear_of(place, 0), linear_of(rom_segment(), 0), bytes);
}

static void set_lengths(u32 blocks)
{
	FAR8(ROM_BLOCKS) = (u8)blocks;
	FAR16(ROM_PCIR_BLOCKS) = (u16)blocks;
	FAR16(ROM_PCIR_RUN_TIME_BLOCKS) = (u16)blocks;
}

void image_set_entry(u32 slot, const struct text *product)
{
	u32 from = slot_offset(0), to = slot_offset(slot);

	open_own();
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

void image_set_bootstrap(u32 slot)
{
	u32 header = slot_offset(slot);

	open_own();
	FAR16(header + PNP_BEV) = FAR16(header + PNP_BCV);
	FAR16(header + PNP_BCV) = 0;
}

void image_link_entries(const u8 *order, u32 entries)
{
	open_own();
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

void image_set_owner(u16 workspace, u16 pci_address)
{
	open_own();
	FAR16(ROM_WORKSPACE_SEGMENT) = workspace;
	FAR16(ROM_CONTROLLER) = pci_address;
}

bool image_fits_into(u16 place)
{
	far_open(place);
	FAR16(ROM_WORKSPACE_SEGMENT) = place;
	return FAR16(ROM_WORKSPACE_SEGMENT) == place;
}

void image_install(u16 place, u32 entries, bool cds)
{
	u32 end = cds ? (u32)cd_end : slot_offset(entries);
	u32 blocks = (end + ROM_BLOCK_BYTES - 1) / ROM_BLOCK_BYTES;
	u32 bytes = blocks * ROM_BLOCK_BYTES;

	open_own();
	set_lengths(blocks);
	FAR8(ROM_CHECKSUM) =
		(u8)(FAR8(ROM_CHECKSUM) - image_sum(0, bytes));
	copy_to(place, bytes);
}

void image_give_up(u16 place)
{
	image_set_owner(0, 0);
	copy_to(place, ROM_ENTRY);
	image_withdraw(place);
}

void image_withdraw(u16 place)
{
	far_open(place);
	FAR16(ROM_WORKSPACE_SEGMENT) = 0;
	set_lengths(0);
}

u32 image_most_bytes(void)
{
	return (u32)cd_end;
}
