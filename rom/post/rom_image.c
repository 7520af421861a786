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
#include "rom/workspace.h"

/* Offsets in the ROM image (rom.ld) */
extern const char text_end[], extra_end[], far_rom_end[], removable_first[], gates_first[], media_end[],
	cd_end[];
extern const char entry_model[], manufacturer[], far_workspace[], far_rom[];

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

/* Copy bytes of it from an offset to a linear address. */
static void copy(u32 to, u32 from, u32 bytes)
{
	far_copy(to, linear_of(rom_segment(), (u16)from), bytes);
}

static void set_lengths(u32 blocks)
{
	FAR8(ROM_BLOCKS) = (u8)blocks;
	FAR16(ROM_PCIR_BLOCKS) = (u16)blocks;
	FAR16(ROM_PCIR_RUN_TIME_BLOCKS) = (u16)blocks;
}

/* ---- Boot entries ---------------------------------------------------------- */

/* One boot entry. It is complete when rom_image_install() knows its place. */
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
		       sizeof(union entry) == PNP_SLOT_BYTES,
	       "header.S has the model");

/* The entries of all units, after the ROM image that init runs in */
static union entry __seg_gs entries[MOST_DISKS]
	__attribute__((section(".post_memory")));

/* Note where the entries are, for connect_print_drive(). */
static void use_entries(u32 at, u32 count)
{
	FAR16(ROM_ENTRIES) = (u16)at;
	FAR8(ROM_ENTRY_COUNT) = (u8)count;
}

void rom_image_set_entry(u32 slot, const struct text *product)
{
	u32 IN_ROM *model = (u32 IN_ROM *)(u32)entry_model;
	union entry __seg_gs *entry = &entries[slot];

	for (u32 i = 0; i < ARRAY_SIZE(entry->dwords); i++)
		entry->dwords[i] = model[i];
	for (u32 i = 0; i < PNP_PRODUCT_BYTES; i++)
		entry->product[i] =
			i < product->length && i < PNP_PRODUCT_BYTES - 1
				? product->bytes[i]
				: 0;
	open_own();
	use_entries((u32)entries, slot + 1);
}

void rom_image_swap_with_next(u32 slot)
{
	union entry __seg_gs *entry = &entries[slot];

	for (u32 i = 0; i < ARRAY_SIZE(entry->dwords); i++) {
		u32 four = entry[0].dwords[i];

		entry[0].dwords[i] = entry[1].dwords[i];
		entry[1].dwords[i] = four;
	}
}

static void put_word(union entry __seg_gs *entry, u32 offset, u32 value)
{
	entry->header[offset] = (u8)value;
	entry->header[offset + 1] = (u8)(value >> 8);
}

static void put_checksum(union entry __seg_gs *entry)
{
	entry->header[PNP_CHECKSUM] =
		(u8)(entry->header[PNP_CHECKSUM] -
		     sum_of((u32)entry, PNP_HEADER_BYTES));
}

/* Complete the entry that will lie at offset `to`, before another if `more`. */
static void place_entry(u32 slot, u32 to, bool more)
{
	union entry __seg_gs *entry = &entries[slot];
	bool cd = drive_table[slot].flags & DISK_CD;
	u32 connect = to + PNP_STUBS;

	put_word(entry, PNP_NEXT, more ? to + PNP_SLOT_BYTES : 0);
	put_word(entry, PNP_TEXT, to + PNP_PRODUCT);
	put_word(entry, PNP_BCV, cd ? 0 : connect);
	put_word(entry, PNP_BEV, cd ? connect : 0);
	put_word(entry, PNP_DISCONNECT, connect + PNP_STUB_BYTES);
	for (u32 i = 0; i < 2; i++) {
		entry->stub[i].slot |= (u8)slot;
		entry->stub[i].way = (u16)(entry->stub[i].way +
					   (u32)entry_model - to);
	}
	put_checksum(entry);
}

/* Complete the entries that will lie from offset `to` on. Without any, there is
 * a header without vectors, as a PnP BIOS expects one. Returns their size in
 * bytes.
 */
static u32 place_entries(u32 to, u32 count)
{
	open_own();
	FAR16(ROM_PNP) = (u16)to;
	use_entries(to, count);
	for (u32 i = 0; i < count; i++)
		place_entry(i, to + i * PNP_SLOT_BYTES, i + 1 < count);
	if (count)
		return count * PNP_SLOT_BYTES;
	put_word(&entries[0], PNP_TEXT, (u32)manufacturer);
	put_checksum(&entries[0]);
	return PNP_HEADER_BYTES;
}

/* ---- The whole image --------------------------------------------------------- */

void rom_image_set_owner(u16 workspace, u16 pci_address)
{
	open_own();
	FAR16(ROM_WORKSPACE_SEGMENT) = workspace;
	FAR16(ROM_CONTROLLER) = pci_address;
	FAR16((u32)far_workspace) = workspace;
	FAR16((u32)far_rom) = rom_segment(); /* for POST */
	FAR16(ROM_FAR) = rom_segment();
}

bool rom_image_fits_into(u16 place)
{
	far_open(place);
	FAR16(ROM_WORKSPACE_SEGMENT) = place;
	return FAR16(ROM_WORKSPACE_SEGMENT) == place;
}

static u32 end_of(enum rom_image_part part)
{
	u32 end = (u32)text_end;

	switch (part) {
	case ROM_IMAGE_PLAIN:
		break;
	case ROM_IMAGE_WITH_EXTRA:
		end = (u32)extra_end;
		break;
	case ROM_IMAGE_WITH_FAR_ROM:
		end = (u32)far_rom_end;
		break;
	case ROM_IMAGE_WITH_REMOVABLE:
		end = (u32)media_end;
		break;
	case ROM_IMAGE_WITH_CD:
		end = (u32)cd_end;
		break;
	}
	return (end + 15) & ~15u;
}

u32 rom_image_room(enum rom_image_part part, u32 bytes)
{
	u32 end = end_of(part);

	return end < bytes ? (bytes - end) / PNP_SLOT_BYTES : 0;
}

u16 rom_image_part_kib(enum rom_image_part part, u32 count)
{
	u32 added = count ? count * PNP_SLOT_BYTES : PNP_HEADER_BYTES;

	return (u16)((end_of(part) + added + 1023) / 1024);
}

/* Set the segments that the gates use. FS must be on our own image. */
static void use_far(u16 rom, u16 far_code)
{
	FAR16((u32)far_rom) = rom;
	FAR16(ROM_FAR) = far_code;
}

void rom_image_install(u16 place, u32 count, enum rom_image_part part)
{
	u32 end = end_of(part);
	u32 added = place_entries(end, count);
	u32 blocks = (end + added + ROM_BLOCK_BYTES - 1) / ROM_BLOCK_BYTES;
	u32 rest = blocks * ROM_BLOCK_BYTES - end - added;
	u32 start = linear_of(place, 0);

	FAR16(ROM_PLACE) = place;
	if (part != ROM_IMAGE_WITH_FAR_ROM)
		use_far(place, place);
	set_lengths(blocks);
	FAR8(ROM_CHECKSUM) =
		(u8)(FAR8(ROM_CHECKSUM) - sum_of(0, end) -
		     sum_of((u32)entries, added) - sum_of(end + added, rest));
	copy(start, 0, end);
	copy(start + end, (u32)entries, added);
	copy(start + end + added, end + added, rest);
	use_entries((u32)entries, workspace.int13.disks);
}

struct rom_range rom_image_far(bool removable, bool cds)
{
	return (struct rom_range){
		(u16)(u32)(removable ? removable_first : gates_first),
		(u16)(u32)(cds ? cd_end : media_end)};
}

u32 rom_image_install_far(u16 place, u16 memory, struct rom_range range)
{
	u32 sum = 0;

	open_own();
	use_far(place, (u16)(memory - range.first / 16));
	for (u32 at = range.first; at < range.end; at += 4)
		sum += FAR32(at);
	copy(linear_of(memory, 0), range.first, range.end - range.first);
	return sum;
}

u32 rom_image_file_bytes(void)
{
	return *(u8 IN_ROM *)ROM_BLOCKS * ROM_BLOCK_BYTES;
}

void rom_image_install_empty(u16 place)
{
	rom_image_set_owner(0, 0);
	FAR16(ROM_PMM) = 0;
	FAR16(ROM_FAR) = 0;
	copy(linear_of(place, 0), 0, ROM_ENTRY);
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
	return end_of(ROM_IMAGE_WITH_CD) + PNP_HEADER_BYTES;
}
