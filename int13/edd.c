/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Enhanced disk drive functions [EDD-3, EDD-4].
 */
#include "transfer.h"

#include "pc/far.h"
#include "pc/phys.h"

#define EDD_CALL_SIGNATURE 0x55aa
#define EDD_REPLY_SIGNATURE 0xaa55
#define EDD_SUBSETS 0x000f /* bit 0: 42h to 44h, 47h, 48h; bit 1: 45h, 46h, 48h,
			    * 49h; bit 2: 48h, 4Eh; bit 3: packets with 64-bit
			    * addresses and 32-bit counts */

/* Disk address packet [EDD-4 "Device address packet"] */
#define DAP_SIZE 0	    /* byte */
#define DAP_COUNT 2	    /* word: blocks; on return: blocks transferred */
#define DAP_BUFFER 4	    /* dword: seg:off */
#define DAP_LBA 8	    /* qword */
#define DAP_FLAT_BUFFER 16  /* qword: linear address */
#define DAP_LONG_COUNT 24   /* dword */
#define DAP_BYTES 16
#define DAP_FLAT_BYTES 24
#define DAP_LONG_BYTES 32
#define COUNT_IS_LONG 0xff	     /* at DAP_COUNT */
#define BUFFER_IS_FLAT 0xffffffffu /* at DAP_BUFFER */

#define WRITE_AND_VERIFY 2 /* AL of 43h */

/* INT 13, 41 - Check extensions present
 *
 * In:  BX 55AAh
 * Out: BX AA55h, AH version (the table in dispatch.c sets it), CX EDD_SUBSETS
 */
enum int13_status int13_41_check(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;

	if (regs->bx != EDD_CALL_SIGNATURE)
		return STATUS_BAD_COMMAND;
	regs->bx = EDD_REPLY_SIGNATURE;
	regs->cx = EDD_SUBSETS;
	return STATUS_OK;
}

static u64 far_u64(u32 offset)
{
	return (u64)FAR32(offset + 4) << 32 | FAR32(offset);
}

/* Read the fields that only packets of 24 and 32 bytes have [EDD-4]. False if
 * the packet is shorter.
 */
static NOT_INLINE bool read_long_packet(const struct int13_call *call,
					struct int13_job *job, bool is_long)
{
	u8 needed = is_long ? DAP_LONG_BYTES : DAP_FLAT_BYTES;
	u32 packet = far_open_range(call->regs->ds, (u16)call->regs->esi,
				    needed);

	if (packet == FAR_UNREACHABLE || FAR8(packet + DAP_SIZE) < needed)
		return false;
	job->buffer = FAR32(packet + DAP_FLAT_BUFFER);
	/* The chip uses 32-bit addresses: the buffer must end by 4 GiB. */
	job->room = job->buffer ? 0 - job->buffer : 0xffffffff;
	if (FAR32(packet + DAP_FLAT_BUFFER + 4))
		job->room = 0;
	if (is_long)
		job->count = FAR32(packet + DAP_LONG_COUNT);
	return true;
}

/* Read the packet. Returns its form: DAP_BYTES or DAP_LONG_BYTES, by where its count
 * is; 0 if it is invalid.
 */
static u16 read_packet(const struct int13_call *call, struct int13_job *job)
{
	u32 packet = far_open_range(call->regs->ds, (u16)call->regs->esi,
				    DAP_BYTES);

	if (packet == FAR_UNREACHABLE || FAR8(packet + DAP_SIZE) < DAP_BYTES)
		return 0;
	u32 buffer = FAR32(packet + DAP_BUFFER);
	job->lba = far_u64(packet + DAP_LBA);
	job->count = FAR16(packet + DAP_COUNT);
	int13_job_set_buffer(job,
			     linear_of((u16)(buffer >> 16), (u16)buffer));
	bool is_long = job->count == COUNT_IS_LONG;
	if ((is_long ||
	     (buffer == BUFFER_IS_FLAT && call->action < DISK_VERIFY)) &&
	    !read_long_packet(call, job, is_long))
		return 0;
	return is_long ? DAP_LONG_BYTES : DAP_BYTES;
}

/* Write the count of blocks to a packet of that form, which may have been read
 * over since.
 */
static NOT_INLINE void write_count(const struct int13_call *call, u16 form,
				   u32 count)
{
	u32 packet = far_open_range(call->regs->ds, (u16)call->regs->esi, form);

	if (form == DAP_LONG_BYTES)
		FAR32(packet + DAP_LONG_COUNT) = count;
	else
		FAR16(packet + DAP_COUNT) = (u16)count;
}

/* INT 13, 42 43 44 47 - Extended read, write, verify, seek
 *
 * In:  DS:SI disk address packet; 43: AL 0 or 1 write, 2 write and verify
 * Out: count in the packet = blocks transferred (not for 47)
 */
enum int13_status int13_42_blocks(const struct int13_call *call)
{
	struct int13_job job;

	job.action = (u8)call->action;
	if (job.action == DISK_WRITE) {
		if (call->regs->al > WRITE_AND_VERIFY)
			return STATUS_BAD_COMMAND;
		if (call->regs->al == WRITE_AND_VERIFY)
			job.action = DISK_WRITE_VERIFY;
	}
	u16 form = read_packet(call, &job);
	if (!form)
		return STATUS_BAD_COMMAND;
	if (job.action == DISK_SEEK)
		job.count = 1;
	if (job.count == 0)
		return STATUS_OK;
	job.done = 0;
	enum int13_status status = int13_ensure_size(call);
	if (status == STATUS_OK)
		status = int13_transfer(call, &job);
	/* On success the packet has this count already. */
	if (status != STATUS_OK && job.action != DISK_SEEK)
		write_count(call, form, job.done);
	return status;
}

/* Result buffer of 48h [EDD-4 "Result buffer"]. The length of `path` depends on
 * the EDD version that the caller expects. Its last byte makes the sum of the
 * bytes from `key` on 0.
 */
struct parameters {
	u16 bytes;
	u16 flags;
	u32 cylinders, heads, sectors_per_track;
	u64 sectors;
	u16 sector_bytes;
	u16 dpte_offset, dpte_segment;
	u16 key;
	u8 path_bytes;
	u8 reserved[3];
	u32 host_bus, interface, interface_end; /* ASCII */
	u8 bus, slot, function, channel;
	u32 reserved2;
	u8 path[18];
} __attribute__((packed));

_Static_assert(offsetof(struct parameters, key) == 0x1e &&
	       offsetof(struct parameters, path) == 0x38 &&
	       sizeof(struct parameters) == 0x4a,
	       "struct parameters is what 48h returns");

/* Lengths of the buffer in EDD-4, Phoenix EDD-3, EDD-1.1 and EDD-1.0 */
ROM_CONST u8 parameter_lengths[] = {0x4a, 0x42, 0x1e, 0x1a};
#define PATH_BEGIN 0x1e

#define FLAG_DMA_BOUNDARY_HANDLED 0x0001
#define FLAG_CHS_VALID 0x0002
#define FLAG_REMOVABLE 0x0004
#define FLAG_WRITE_VERIFY 0x0008
#define FLAG_CHANGE_LINE 0x0010
#define FLAG_LOCKABLE 0x0020
#define FLAG_NO_MEDIUM 0x0040 /* the geometry is the largest possible */

/* Above this number of sectors a caller must not use CHS [EDD-4]. */
#define CHS_MOST_SECTORS 15482880u

/* Fill in size and geometry. A caller may multiply the geometry to get the
 * number of sectors, so it is marked valid only if the product is exact.
 */
static void fill_geometry(const struct disk *disk, struct parameters *answer)
{
	u32 sectors = drives_sectors32(disk);

	answer->sectors = disk->sectors;
	answer->sector_bytes = (u16)(1u << disk->sector_shift);
	answer->heads = disk->geometry.heads;
	answer->sectors_per_track = disk->geometry.sectors_per_track;
	u32 in_cylinder = answer->heads * answer->sectors_per_track;
	answer->cylinders = sectors / in_cylinder;
	if (disk->sector_shift == SECTOR_SHIFT && sectors <= CHS_MOST_SECTORS &&
	    answer->cylinders * in_cylinder == sectors)
		answer->flags |= FLAG_CHS_VALID;
}

/* Fill in the device path: ID and LUN, each a byte, or a word in EDD-4. */
static void fill_path(const struct int13_call *call,
		      struct parameters *answer)
{
	u16 pci_address = call->state->pci_address;
	u32 bytes = answer->bytes;
	u8 sum = 0;

	answer->path_bytes = (u8)(bytes - PATH_BEGIN);
	answer->bus = (u8)(pci_address >> 8);
	answer->slot = pci_address >> 3 & 31;
	answer->function = pci_address & 7;
	answer->path[0] = call->disk->device.target;
	answer->path[bytes == sizeof(*answer) ? 2 : 1] =
		call->disk->device.lun;
	for (u32 i = PATH_BEGIN; i < bytes - 1; i++)
		sum = (u8)(sum + ((u8 *)answer)[i]);
	((u8 *)answer)[bytes - 1] = (u8)-sum;
}

/* Adapt the DPTE to the drive, and return it. */
static void fill_dpte(const struct int13_call *call, struct parameters *answer)
{
	struct dpte *dpte = &call->state->dpte;
	u8 options = call->disk->flags & DISK_REMOVABLE
			     ? DPTE_LBA | DPTE_REMOVABLE
			     : DPTE_LBA;

	dpte->sum = (u8)(dpte->sum + dpte->options - options);
	dpte->options = options;
	answer->dpte_offset = (u16)(u32)dpte;
	answer->dpte_segment = own_segment();
}

/* INT 13, 48 - Get drive parameters
 *
 * In:  DS:SI result buffer, its length in bytes in its first word
 * Out: 4Ah, 42h, 1Eh or 1Ah bytes of it filled in, as many as fit
 */
enum int13_status int13_48_parameters(const struct int13_call *call)
{
	const struct int13_frame *regs = call->regs;
	const struct disk *disk = call->disk;
	struct parameters answer = {
		.flags = FLAG_DMA_BOUNDARY_HANDLED | FLAG_WRITE_VERIFY,
		.key = 0xbedd,
		.host_bus = 0x20494350, /* "PCI " */
		.interface = 0x49534353, /* "SCSI    " */
		.interface_end = 0x20202020,
	};
	enum int13_status status = int13_ensure_size(call);
	u16 room = 0;
	u32 to = far_open_range(regs->ds, (u16)regs->esi, sizeof(room));

	if (to != FAR_UNREACHABLE)
		room = FAR16(to);
	for (u32 i = 0; i < ARRAY_SIZE(parameter_lengths) && !answer.bytes; i++)
		if (room >= parameter_lengths[i])
			answer.bytes = parameter_lengths[i];
	to = far_open_range(regs->ds, (u16)regs->esi, answer.bytes);
	if (!answer.bytes || to == FAR_UNREACHABLE)
		return STATUS_BAD_COMMAND;

	if (disk->flags & DISK_REMOVABLE)
		answer.flags |=
			FLAG_REMOVABLE | FLAG_CHANGE_LINE | FLAG_LOCKABLE;
	if (disk->flags & DISK_CD)
		answer.flags &= (u16)~FLAG_WRITE_VERIFY;
	if (status == STATUS_NO_MEDIUM)
		answer.flags |= FLAG_NO_MEDIUM;
	else if (status != STATUS_OK)
		return status;
	fill_geometry(disk, &answer);
	fill_dpte(call, &answer);
	if (answer.bytes > PATH_BEGIN)
		fill_path(call, &answer);
	for (u32 i = 0; i < answer.bytes; i++)
		FAR8(to + i) = ((u8 *)&answer)[i];
	return STATUS_OK;
}

#define DMA_MAXIMUM 5

/* INT 13, 4E - Set hardware configuration
 *
 * In:  AL 5, maximum DMA mode: the only mode that exists here. ATA modes and
 *      prefetch are refused.
 * Out: AL 0: no other drive is affected
 */
enum int13_status int13_4e_configure(const struct int13_call *call)
{
	if (call->regs->al != DMA_MAXIMUM)
		return STATUS_BAD_COMMAND;
	call->regs->al = 0;
	return STATUS_OK;
}
