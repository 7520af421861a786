/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * An image on a CD: loaded, or seen as a floppy or a hard disk.
 * [El Torito 1.0; EDD-4 "CD and DVD"]
 */
#include "image.h"

#include "pc/bda.h"
#include "pc/phys.h"

enum int13_status image_load_by(const struct int13_call *call, u32 block,
				struct disk_job *job)
{
	struct int13_state *state = call->state;
	enum int13_status status = STATUS_OK;

	*job = (struct disk_job){
		.blocks = {.lba = block, .count = 1},
		.action = DISK_READ,
		.block_shift = CD_BLOCK_SHIFT,
		.data = {state->buffer_address, 1u << CD_BLOCK_SHIFT},
	};
	if (state->buffer_block != block) {
		state->buffer_block = NO_BLOCK;
		status = int13_status(call, disk_do(&state->bus,
						    &call->disk->device, job));
		if (status == STATUS_OK)
			state->buffer_block = block;
	}
	far_open(state->buffer_segment);
	return status;
}

enum int13_status image_load(const struct int13_call *call, u32 block)
{
	struct disk_job job;

	return image_load_by(call, block, &job);
}

/* ---- The image as a drive ------------------------------------------------ */

struct disk *image_view(const struct int13_state *state, struct disk *view)
{
	const struct image *image = &state->image;
	const struct geometry *geometry = &image->geometry;
	const struct disk *cd = &state->disk[image->disk];
	u64 rest = (cd->sectors - image->lba) << IMAGE_SECTOR_SPLIT;
	u32 sectors = (u32)geometry->cylinders * geometry->heads *
		      geometry->sectors_per_track;

	*view = *cd;
	view->number = state->emulated;
	view->geometry = *geometry;
	view->sector_shift = SECTOR_SHIFT;
	view->split = IMAGE_SECTOR_SPLIT;
	view->sectors = sectors && sectors < rest ? sectors : rest;
	view->flags |= DISK_IMAGE;
	if (sectors && state->emulated < FIRST_HARD_DISK)
		view->flags |= DISK_FLOPPY;
	return view;
}

/* The sum of the block that is in the buffer. */
static u16 block_sum(void)
{
	u16 sum = 0;

	for (u32 i = 0; i < 1u << CD_BLOCK_SHIFT; i += 2)
		sum = (u16)(sum + FAR16(i));
	return sum;
}

enum int13_status image_check(const struct int13_call *call)
{
	struct image *image = &call->state->image;

	if (image->checked)
		return STATUS_OK;
	call->state->buffer_block = NO_BLOCK;
	enum int13_status status = image_load(call, image->lba);
	if (status == STATUS_NOT_FOUND)
		return STATUS_NO_MEDIUM; /* that disc is shorter */
	if (status != STATUS_OK)
		return status;
	image->checked = block_sum() == image->sum;
	return image->checked ? STATUS_OK : STATUS_NO_MEDIUM;
}

/* ---- The BIOS's count of drives ------------------------------------------ */

#define FLOPPIES_PRESENT 0x01 /* in BDA_EQUIPMENT */
#define FLOPPIES_SHIFT 6      /* number less 1 */
#define FLOPPIES_MASK 0xc1
#define MOST_FLOPPIES 4

static u8 count_drives(bool hard_disks)
{
	bda_open();
	u8 equipment = FAR8(BDA_EQUIPMENT);
	if (hard_disks)
		return FAR8(BDA_HARD_DISK_COUNT);
	return equipment & FLOPPIES_PRESENT
		       ? (u8)((equipment >> FLOPPIES_SHIFT) + 1)
		       : 0;
}

static void put_floppies(u8 bits)
{
	FAR8(BDA_EQUIPMENT) =
		(u8)((FAR8(BDA_EQUIPMENT) & ~FLOPPIES_MASK) | bits);
}

static void begin_emulation(struct int13_state *state, u8 number)
{
	u8 floppies = count_drives(false);

	state->emulated = number;
	if (number >= FIRST_HARD_DISK) {
		FAR8(BDA_HARD_DISK_COUNT)++;
		return;
	}
	state->equipment = FAR8(BDA_EQUIPMENT);
	if (floppies == MOST_FLOPPIES)
		floppies--;
	put_floppies((u8)(floppies << FLOPPIES_SHIFT | FLOPPIES_PRESENT));
}

void image_end_emulation(struct int13_state *state)
{
	bda_open();
	if (state->emulated < FIRST_HARD_DISK)
		put_floppies(state->equipment & FLOPPIES_MASK);
	else if (state->emulated != NOT_EMULATED)
		FAR8(BDA_HARD_DISK_COUNT)--;
	state->emulated = NOT_EMULATED;
}

/* May the image become that drive? Numbers must not leave a gap. */
static bool number_fits(const struct int13_state *state,
			const struct image_boot *boot)
{
	bool hard_disk = (boot->image.media & MEDIA_TYPE) == MEDIA_HARD_DISK;
	u8 drives = count_drives(hard_disk);

	if (state->emulated != NOT_EMULATED &&
	    (state->emulated >= FIRST_HARD_DISK) == hard_disk)
		drives--;
	return (u8)(boot->number - (hard_disk ? FIRST_HARD_DISK : 0)) <= drives;
}

void image_floppy_parameters(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;

	regs->bl = (u8)((call->state->image.media & MEDIA_TYPE) * 2);
	regs->dl = count_drives(false);
	regs->es = FAR16(IVT_INT1E + 2);
	regs->edi = (regs->edi & 0xffff0000) | FAR16(IVT_INT1E);
}

/* ---- Booting ------------------------------------------------------------- */

ROM_CONST u8 floppy_sectors_per_track[] = {0, 15, 18, 36};

/* The first block of the image: in the buffer. Fills geometry and sum. */
static enum image_result examine(struct image *image, bool boots)
{
	u8 media = image->media & MEDIA_TYPE;
	bool signature = FAR16(MBR_SIGNATURE_AT) == MBR_SIGNATURE;

	image->sum = block_sum();
	if (media == MEDIA_NO_EMULATION)
		return IMAGE_OK;
	if (!signature && (boots || media == MEDIA_HARD_DISK))
		return IMAGE_NO_BOOT_SECTOR;
	if (media != MEDIA_HARD_DISK) {
		image->geometry = (struct geometry){
			80, 2, floppy_sectors_per_track[media]};
		return IMAGE_OK;
	}
	struct chs end = geometry_unpack(MBR_TABLE_AT + PART_END_CHS);
	if (!FAR8(MBR_TABLE_AT + PART_TYPE) || !end.sector || end.head == 255)
		return IMAGE_NO_PARTITION;
	image->geometry = (struct geometry){(u16)(end.cylinder + 1),
					    (u8)(end.head + 1), end.sector};
	return IMAGE_OK;
}

static enum image_result find(const struct int13_call *call,
			      struct image_boot *boot, bool boots)
{
	struct image *image = &boot->image;
	u8 media = image->media & MEDIA_TYPE;
	enum int13_status status = int13_know_size(call);

	if (status != STATUS_OK)
		return (enum image_result)status;
	if (media > MEDIA_HARD_DISK)
		return IMAGE_BAD_TYPE;
	if (!image->lba || image->lba >= call->disk->sectors)
		return IMAGE_BEYOND_DISC;
	if (media != MEDIA_NO_EMULATION && !number_fits(call->state, boot))
		return (enum image_result)STATUS_BAD_COMMAND;
	call->state->buffer_block = NO_BLOCK; /* of another CD */
	status = image_load(call, image->lba);
	if (status != STATUS_OK)
		return (enum image_result)status;
	image->geometry = (struct geometry){0};
	image->disk = (u8)(call->disk - call->state->disk);
	image->checked = true;
	return examine(image, boots);
}

#define LOWEST_LOAD 0x600 /* behind the BIOS's data */
#define KIB_SHIFT 10

/* Stacks grow down, and have something on them. */
#define STACK_BELOW 512
#define STACK_ABOVE 256

/* May so much be loaded there? */
static bool room_for(u32 to, u32 bytes, u32 stack)
{
	u32 end = to + bytes;

	bda_open();
	if (to < LOWEST_LOAD ||
	    end > (u32)FAR16(BDA_MEMORY_KIB) << KIB_SHIFT)
		return false;
	return !stack || to >= stack + STACK_ABOVE || end + STACK_BELOW <= stack;
}

/* Load the image to linear address `to`: whole blocks, then what is left. */
static enum image_result load(const struct int13_call *call,
			      const struct image_boot *boot, u32 to)
{
	const struct image *image = &boot->image;
	u32 rest = image->count & ((1u << IMAGE_SECTOR_SPLIT) - 1);
	struct int13_range range = {
		.lba = image->lba,
		.buffer = to,
		.room = REAL_MODE_END - to,
		.count = image->count >> IMAGE_SECTOR_SPLIT,
		.action = DISK_READ,
	};

	if (!image->count)
		return IMAGE_NO_COUNT;
	if (!room_for(to, (u32)image->count << SECTOR_SHIFT, boot->stack))
		return IMAGE_NO_ROOM;
	if (range.count + (rest != 0) > call->disk->sectors - image->lba)
		return IMAGE_BEYOND_DISC;
	enum int13_status status = int13_transfer(call, &range);
	if (status == STATUS_OK && rest) {
		status = image_load(call, image->lba + range.count);
		if (status == STATUS_OK)
			far_copy(to + (range.count << CD_BLOCK_SHIFT),
				 linear_of(call->state->buffer_segment, 0),
				 rest << SECTOR_SHIFT);
	}
	return (enum image_result)status;
}

#define USUAL_SEGMENT 0x7c0

enum image_result image_boot(const struct int13_call *call,
			     struct image_boot *boot)
{
	struct int13_state *state = call->state;
	u32 to = (boot->image.load_segment ? boot->image.load_segment
					   : USUAL_SEGMENT)
		 << 4;
	enum image_result result = find(call, boot, true);

	if (result == IMAGE_OK)
		result = load(call, boot, to);
	if (result != IMAGE_OK)
		return result;
	image_end_emulation(state);
	state->image = boot->image;
	if (boot->image.media & MEDIA_TYPE)
		begin_emulation(state, boot->number);
	else
		boot->number = call->disk->number;
	/* 0000:7C00 is what boot sectors expect, not 07C0:0000. */
	boot->entry = (to & 0xf0000) << 12 | (to & 0xffff);
	return IMAGE_OK;
}

/* ---- INT 13h ------------------------------------------------------------- */

/* [El Torito 1.0 "Specification packet"; the device number as in EDD-4] */
struct packet {
	u8 bytes;
	u8 media;
	u8 number;
	u8 controller;
	u32 lba;
	u8 lun;
	u8 target;
	u16 buffer_segment; /* for a cache: we have our own */
	u16 load_segment;
	u16 count;
	u8 cylinders; /* last one, as AH=08h says it */
	u8 sectors;
	u8 heads; /* last one */
} __attribute__((packed));
_Static_assert(sizeof(struct packet) == 0x13, "the specification packet");

static bool read_packet(const struct int13_call *call, struct image_boot *boot)
{
	const struct int13_frame *regs = call->regs;
	u32 at = far_open_range(regs->ds, (u16)regs->esi, sizeof(struct packet));

	if (regs->al || at == FAR_UNREACHABLE ||
	    FAR8(at) < sizeof(struct packet))
		return false;
	boot->number = FAR8(at + offsetof(struct packet, number));
	boot->stack = 0; /* whose it is knows where it may be loaded */
	boot->image = (struct image){
		.lba = FAR32(at + offsetof(struct packet, lba)),
		.load_segment =
			FAR16(at + offsetof(struct packet, load_segment)),
		.count = FAR16(at + offsetof(struct packet, count)),
		.media = FAR8(at + offsetof(struct packet, media)),
	};
	return true;
}

/* INT 13, 4A - Initiate disk emulation
 *
 * In:  AL 0, DS:SI specification packet
 */
enum int13_status image_4a_emulate(const struct int13_call *call)
{
	struct int13_state *state = call->state;
	struct image_boot boot;

	if (!read_packet(call, &boot) || !(boot.image.media & MEDIA_TYPE))
		return STATUS_BAD_COMMAND;
	if (state->emulated != NOT_EMULATED)
		return STATUS_IN_USE;
	enum image_result result = find(call, &boot, false);
	if (result == IMAGE_OK) {
		state->image = boot.image;
		begin_emulation(state, boot.number);
	}
	return (enum int13_status)(result & IMAGE_STATUS);
}

#define TERMINATE 0 /* AL of 4Bh; 1 only asks */

static struct packet specification(const struct int13_call *call)
{
	const struct int13_state *state = call->state;
	const struct image *image = &state->image;
	const struct disk *disk = call->disk;
	struct packet packet = {
		.bytes = sizeof(packet),
		.number = disk->number,
		.lun = disk->device.lun,
		.target = disk->device.target,
	};

	if (!image->lba || disk != &state->disk[image->disk])
		return packet;
	packet.media = image->media;
	packet.lba = image->lba;
	packet.load_segment = image->load_segment;
	packet.count = image->count;
	if (state->emulated != NOT_EMULATED)
		packet.number = state->emulated;
	if (image->geometry.heads) {
		packet.cylinders = (u8)(image->geometry.cylinders - 1);
		packet.sectors = geometry_cl(&image->geometry);
		packet.heads = (u8)(image->geometry.heads - 1);
	}
	return packet;
}

/* INT 13, 4B - Terminate disk emulation
 *
 * In:  AL 0 terminate, if it is this drive's; 1 only ask; DS:SI room for a
 *      specification packet
 * Out: the packet of what was booted or emulated
 */
enum int13_status image_4b_terminate(const struct int13_call *call)
{
	const struct int13_frame *regs = call->regs;
	struct packet packet = specification(call);
	u32 to = far_open_range(regs->ds, (u16)regs->esi, sizeof(packet));

	if (regs->al > 1 || to == FAR_UNREACHABLE)
		return STATUS_BAD_COMMAND;
	for (u32 i = 0; i < sizeof(packet); i++)
		FAR8(to + i) = ((const u8 *)&packet)[i];
	if (regs->al == TERMINATE &&
	    call->disk == &call->state->disk[call->state->image.disk])
		image_end_emulation(call->state);
	return STATUS_OK;
}

/* INT 13, 4C - Initiate disk emulation and boot
 *
 * In:  AL 0, DS:SI specification packet
 * Out: does not come back; the image gets its drive number in DL
 */
enum int13_status image_4c_boot(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	struct image_boot boot;

	if (!read_packet(call, &boot))
		return STATUS_BAD_COMMAND;
	enum image_result result = image_boot(call, &boot);
	if (result == IMAGE_OK) {
		regs->dl = boot.number;
		regs->boot = boot.entry;
		regs->flags = FLAGS_IF;
	}
	return (enum int13_status)(result & IMAGE_STATUS);
}

#define COMMAND_BYTES 8
#define COMMAND_COUNT 1	 /* byte: blocks */
#define COMMAND_BUFFER 2 /* dword: seg:off */
#define COMMAND_FIRST 6	 /* word: first block */

/* INT 13, 4D - Return boot catalog
 *
 * In:  AL 0, DS:SI command packet
 */
enum int13_status image_4d_catalog(const struct int13_call *call)
{
	const struct int13_frame *regs = call->regs;
	u32 at = far_open_range(regs->ds, (u16)regs->esi, COMMAND_BYTES);
	u32 lba;

	if (regs->al || at == FAR_UNREACHABLE || FAR8(at) < COMMAND_BYTES)
		return STATUS_BAD_COMMAND;
	u32 buffer = linear_of(FAR16(at + COMMAND_BUFFER + 2),
			       FAR16(at + COMMAND_BUFFER));
	struct int13_range range = {
		.lba = FAR16(at + COMMAND_FIRST),
		.buffer = buffer,
		.room = REAL_MODE_END - buffer,
		.count = FAR8(at + COMMAND_COUNT),
		.action = DISK_READ,
	};
	enum int13_status status = int13_know_size(call);
	if (status != STATUS_OK)
		return status;
	enum image_result result = catalog_find(call, &lba);
	if (result != IMAGE_OK)
		return (enum int13_status)(result & IMAGE_STATUS);
	range.lba += lba;
	return int13_transfer(call, &range);
}
