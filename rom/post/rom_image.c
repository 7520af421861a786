/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The BIOS reads the length byte and the $PnP chain after init. So all
 * changes are made in the ROM image that init runs in, which is copied to its
 * place at the end. Before that, only one word is written there
 * (rom_image_fits_into()).
 */
#include "rom_image.h"

#include "rom/layout.h"
#include "pc/far.h"
#include "pc/phys.h"

extern const char pnp_slots[], extra_end[], cd_end[]; /* offsets in the ROM image */

static u32 slot_offset(u32 slot)
{
	return (u32)pnp_slots + slot * PNP_SLOT_BYTES;
}

/* Sum of the bytes of whole dwords */
static u8 sum_of(u32 from, u32 bytes)
{
	u32 sum = 0;

	for (u32 i = 0; i < bytes; i += 4) {
		u32 four = FAR32(from + i);
		sum += four + (four >> 8) + (four >> 16) + (four >> 24);
	}
	return (u8)sum;
}

/* Point FS at the ROM image that init runs in. */
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

/* One boot entry */
union entry {
	struct {
		u8 header[PNP_HEADER_BYTES];
		char product[PNP_PRODUCT_BYTES];
		struct {
			u8 push, slot, jump;
			u16 way;
		} __attribute__((packed)) stub[2]; /* to connect, to disconnect */
	};
	u32 dwords[PNP_SLOT_BYTES / 4];
};
_Static_assert(offsetof(union entry, product) == PNP_PRODUCT &&
		       offsetof(union entry, stub) == PNP_STUBS &&
		       offsetof(union entry, stub[0].slot) == PNP_SLOT &&
		       sizeof(union entry) == PNP_SLOT_BYTES,
	       "header.S writes the first one");

static void put_word(union entry *entry, u32 offset, u32 value)
{
	entry->header[offset] = (u8)value;
	entry->header[offset + 1] = (u8)(value >> 8);
}

/* Build the entry in our stack from the first entry, then copy it: on an
 * emulated CPU each write to memory that code runs from is slow.
 */
void rom_image_set_entry(u32 slot, const struct text *product)
{
	union entry entry;
	u32 way = slot * PNP_SLOT_BYTES, to = slot_offset(slot);
	u32 IN_ROM *first = (u32 IN_ROM *)slot_offset(0);

	for (u32 i = 0; i < ARRAY_SIZE(entry.dwords); i++)
		entry.dwords[i] = first[i];
	put_word(&entry, PNP_TEXT, to + PNP_PRODUCT);
	put_word(&entry, PNP_BCV, to + PNP_STUBS);
	put_word(&entry, PNP_BEV, 0);
	put_word(&entry, PNP_DISCONNECT, to + PNP_STUBS + PNP_STUB_BYTES);
	for (u32 i = 0; i < 2; i++) {
		entry.stub[i].slot |= (u8)slot;
		entry.stub[i].way = (u16)(entry.stub[i].way - way);
	}
	for (u32 i = 0; i < PNP_PRODUCT_BYTES; i++)
		entry.product[i] =
			i < product->length && i < PNP_PRODUCT_BYTES - 1
				? product->bytes[i]
				: 0;
	open_own();
	for (u32 i = 0; i < ARRAY_SIZE(entry.dwords); i++)
		FAR32(to + i * 4) = entry.dwords[i];
}

void rom_image_set_bootstrap(u32 slot)
{
	u32 header = slot_offset(slot);

	open_own();
	FAR16(header + PNP_BEV) = FAR16(header + PNP_BCV);
	FAR16(header + PNP_BCV) = 0;
}

void rom_image_swap_with_next(u32 slot)
{
	u32 text = slot_offset(slot) + PNP_PRODUCT;

	open_own();
	for (u32 at = text; at < text + PNP_PRODUCT_BYTES; at += 4) {
		u32 four = FAR32(at);

		FAR32(at) = FAR32(at + PNP_SLOT_BYTES);
		FAR32(at + PNP_SLOT_BYTES) = four;
	}
}

void rom_image_link_entries(u32 entries)
{
	open_own();
	FAR16(ROM_PNP) = (u16)slot_offset(0);
	for (u32 i = 0; i < entries; i++) {
		u32 header = slot_offset(i);

		FAR16(header + PNP_NEXT) =
			(u16)(i + 1 < entries ? slot_offset(i + 1) : 0);
		FAR8(header + PNP_CHECKSUM) = (u8)(
			FAR8(header + PNP_CHECKSUM) -
			sum_of(header, PNP_HEADER_BYTES));
	}
}

void rom_image_set_owner(u16 workspace, u16 pci_address)
{
	open_own();
	FAR16(ROM_WORKSPACE_SEGMENT) = workspace;
	FAR16(ROM_CONTROLLER) = pci_address;
}

bool rom_image_fits_into(u16 place)
{
	far_open(place);
	FAR16(ROM_WORKSPACE_SEGMENT) = place;
	return FAR16(ROM_WORKSPACE_SEGMENT) == place;
}

void rom_image_install(u16 place, u32 entries, enum rom_image_part part)
{
	u32 end = part == ROM_IMAGE_WITH_CD	     ? (u32)cd_end
		  : part == ROM_IMAGE_WITH_EXTRA ? (u32)extra_end
					     : slot_offset(entries);
	u32 blocks = (end + ROM_BLOCK_BYTES - 1) / ROM_BLOCK_BYTES;
	u32 bytes = blocks * ROM_BLOCK_BYTES;

	open_own();
	set_lengths(blocks);
	FAR8(ROM_CHECKSUM) =
		(u8)(FAR8(ROM_CHECKSUM) - sum_of(0, bytes));
	copy_to(place, bytes);
}

void rom_image_install_empty(u16 place)
{
	rom_image_set_owner(0, 0);
	FAR16(ROM_PMM) = 0;
	copy_to(place, ROM_ENTRY);
	rom_image_withdraw(place);
}

void rom_image_withdraw(u16 place)
{
	far_open(place);
	FAR16(ROM_WORKSPACE_SEGMENT) = 0;
	set_lengths(0);
}

u32 rom_image_most_bytes(void)
{
	return (u32)cd_end;
}
