/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Finds the boot catalog of a disc and lists its boot images.
 * [El Torito 1.0 "Booting catalog"; ECMA-119 "Volume descriptors"]
 */
#include "catalog.h"

#include "buffer.h"
#include "pc/far.h"

#define FIRST_DESCRIPTOR 16 /* blocks from the start of the session */
#define MOST_DESCRIPTORS 64
#define BOOT_RECORD 17

/* Volume descriptors */
#define DESCRIPTOR_TYPE 0 /* byte */
#define DESCRIPTOR_ID 1	  /* "CD001" */
#define TYPE_BOOT_RECORD 0
#define TYPE_END 0xff
#define BOOT_SYSTEM 7	  /* text */
#define BOOT_CATALOG 0x47 /* dword: its LBA */

static bool text_at(u32 at, char IN_ROM *text)
{
	for (; *text; text++, at++)
		if (FAR8(at) != (u8)*text)
			return false;
	return true;
}

/* Is the block at FS:0 a volume descriptor? */
static bool is_descriptor(void)
{
	return text_at(DESCRIPTOR_ID, ROM_STRING("CD001"));
}

static bool is_boot_record(void)
{
	return is_descriptor() && FAR8(DESCRIPTOR_TYPE) == TYPE_BOOT_RECORD &&
	       text_at(BOOT_SYSTEM, ROM_STRING("EL TORITO SPECIFICATION"));
}

/* Does the status concern the block alone, so that others may be readable? */
static bool concerns_block(enum int13_status status)
{
	return status == STATUS_READ_ERROR || status == STATUS_NOT_FOUND ||
	       status == STATUS_BAD_MEDIA;
}

u32 catalog_last_session(const struct int13_call *call)
{
	u32 first;

	(void)int13_status_of(call, disk_last_session(&call->state->bus,
						      &call->disk->device,
						      &first));
	return first >> -call->disk->split;
}

/* The place of the boot record is read first, whatever the block before it is [EDD-4
 * 7.3.1]; the search of all descriptors is for discs with another order.
 */
enum cd_result catalog_find(const struct int13_call *call, u32 session,
			    u32 *lba)
{
	call->state->buffer_block = NO_BLOCK; /* may be of another CD or disc */
	for (u32 i = 0; i <= MOST_DESCRIPTORS; i++) {
		enum int13_status status = cd_buffer_fill(
			call, session + (i ? FIRST_DESCRIPTOR - 1 + i
					   : BOOT_RECORD));
		if (status == STATUS_OK && is_boot_record()) {
			*lba = FAR32(BOOT_CATALOG);
			return CD_OK;
		}
		if (!i && (status == STATUS_OK || concerns_block(status)))
			continue;
		if (status == STATUS_NOT_FOUND)
			break;
		if (status != STATUS_OK)
			return (enum cd_result)status;
		if (!is_descriptor() || FAR8(DESCRIPTOR_TYPE) == TYPE_END)
			break;
	}
	return CD_NO_BOOT_RECORD;
}

#define ENTRIES_SHIFT 6 /* entries in a block */
#define ENTRY_SHIFT 5	/* bytes of an entry */
#define MOST_ENTRIES 128

#define ID_VALIDATION 0x01
#define ID_BOOTABLE 0x88
#define ID_EXTENSION 0x44
#define ID_HEADER 0x90
#define ID_LAST_HEADER 0x91
#define PLATFORM_PC 0
#define VALIDATION_KEY 0x1e /* word */
#define KEY 0xaa55

enum int13_status catalog_open(const struct int13_call *call,
			       struct catalog_place *place)
{
	place->at = (place->number & ((1u << ENTRIES_SHIFT) - 1))
		    << ENTRY_SHIFT;
	return cd_buffer_fill(call,
			  place->lba + (place->number >> ENTRIES_SHIFT));
}

static enum cd_result validate(u32 at)
{
	u16 sum = 0;

	if (FAR8(at + ENTRY_ID) != ID_VALIDATION ||
	    FAR16(at + VALIDATION_KEY) != KEY)
		return CD_BAD_CATALOG;
	for (u32 i = 0; i < 1u << ENTRY_SHIFT; i += 2)
		sum = (u16)(sum + FAR16(at + i));
	return sum ? CD_BAD_CHECKSUM : CD_OK;
}

static bool for_pc(u32 header)
{
	return FAR8(header + ENTRY_MEDIA) == PLATFORM_PC;
}

static void add(struct catalog *catalog, u32 entry, u32 header)
{
	if (catalog->boot_images == MOST_BOOT_IMAGES)
		return;
	catalog->entry[catalog->boot_images] = (u8)entry;
	catalog->header[catalog->boot_images++] = (u8)header;
}

/* The validation entry acts as the header of one entry, the default entry. */
enum cd_result catalog_read(const struct int13_call *call, u32 lba,
			       struct catalog *catalog)
{
	struct catalog_place place = {.lba = lba};
	u32 header = 0, left = 1;
	bool more = true, wanted = false;

	*catalog = (struct catalog){.lba = lba};
	for (; place.number < MOST_ENTRIES; place.number++) {
		enum int13_status status = catalog_open(call, &place);
		if (status != STATUS_OK)
			return (enum cd_result)status;
		u8 id = FAR8(place.at + ENTRY_ID);
		if (!place.number) {
			enum cd_result result = validate(place.at);
			if (result != CD_OK)
				return result;
			wanted = for_pc(place.at);
		} else if (id == ID_EXTENSION) {
			continue;
		} else if (left) {
			left--;
			if (wanted && id == ID_BOOTABLE)
				add(catalog, place.number, header);
		} else {
			if (!more ||
			    (id != ID_HEADER && id != ID_LAST_HEADER))
				break;
			more = id == ID_HEADER;
			wanted = for_pc(place.at);
			left = FAR16(place.at + ENTRY_SEGMENT);
			header = place.number;
		}
	}
	return catalog->boot_images ? CD_OK : CD_NO_ENTRY;
}
