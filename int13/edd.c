/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Enhanced disk drive functions [EDD-3].
 */
#include "int13.h"

#include "pc/far.h"

#define EDD_CALL_SIGNATURE 0x55aa
#define EDD_REPLY_SIGNATURE 0xaa55
#define EDD_VERSION_30 0x30
#define EDD_PACKET_FUNCTIONS 0x0001 /* 42h to 44h, 47h, 48h */

/* Disk address packet [EDD-3 "Disk address packet"] */
#define DAP_BYTES 16
#define DAP_SIZE 0	/* byte: 10h or more */
#define DAP_COUNT 2	/* word: blocks; blocks really done on return */
#define DAP_BUFFER 4	/* dword: seg:off */
#define DAP_LBA 8	/* qword */
#define DAP_FLAT_BUFFER 0xffffffffu /* the address is at 10h */

/* Result buffer of 48h [EDD-3 "Get drive parameters"] */
#define RESULT_BYTES_1X 0x1a
#define RESULT_BYTES_20 0x1e
#define RESULT_SIZE 0x00	/* word: room, then bytes filled in */
#define RESULT_FLAGS 0x02	/* word */
#define RESULT_CYLINDERS 0x04	/* dword */
#define RESULT_HEADS 0x08	/* dword */
#define RESULT_SECTORS_PER_TRACK 0x0c /* dword */
#define RESULT_SECTORS 0x10	/* qword */
#define RESULT_SECTOR_BYTES 0x18 /* word */
#define RESULT_DPTE 0x1a	/* dword: FFFF:FFFF, there is no ATA table */
#define FLAG_DMA_BOUNDARY_HANDLED 0x0001
#define FLAG_CHS_VALID 0x0002
/* Beyond this many sectors CHS is not to be used [EDD-3]. */
#define CHS_MOST_SECTORS 15482880u

/* INT 13, 41 - Check extensions present
 *
 * In:  BX 55AAh
 * Out: BX AA55h, AH version (set by the dispatcher, see there), CX functions
 */
enum int13_status int13_41_check(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;

	if (regs->bx != EDD_CALL_SIGNATURE)
		return STATUS_BAD_COMMAND;
	regs->bx = EDD_REPLY_SIGNATURE;
	regs->cx = EDD_PACKET_FUNCTIONS;
	return STATUS_OK;
}

/* INT 13, 42 - Extended read
 *
 * In:  DS:SI disk address packet
 * Out: the packet's count = blocks read
 */
enum int13_status int13_42_read(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	u32 packet = far_open_range(regs->ds, (u16)regs->esi, DAP_BYTES);

	if (packet == FAR_UNREACHABLE || FAR8(packet + DAP_SIZE) < DAP_BYTES)
		return STATUS_BAD_COMMAND;
	u32 count = FAR16(packet + DAP_COUNT);
	u32 buffer = FAR32(packet + DAP_BUFFER);
	u32 lba = FAR32(packet + DAP_LBA);
	bool beyond = FAR32(packet + DAP_LBA + 4) != 0;
	if (buffer == DAP_FLAT_BUFFER)
		return STATUS_BAD_COMMAND;
	if (count == 0)
		return STATUS_OK;
	enum int13_status status = STATUS_NOT_FOUND;
	if (beyond)
		count = 0;
	else
		status = int13_read(call, lba, &count, (u16)(buffer >> 16),
				    (u16)buffer);
	(void)far_open_range(regs->ds, (u16)regs->esi, DAP_BYTES);
	FAR16(packet + DAP_COUNT) = (u16)count;
	return status;
}

/* INT 13, 48 - Get drive parameters
 *
 * In:  DS:SI result buffer, its first word how many bytes it has
 * Out: 1Ah or 1Eh bytes filled in
 */
enum int13_status int13_48_parameters(const struct int13_call *call)
{
	const struct int13_frame *regs = call->regs;
	const struct disk *disk = call->disk;
	u32 result = far_open_range(regs->ds, (u16)regs->esi, RESULT_BYTES_1X);

	if (result == FAR_UNREACHABLE ||
	    FAR16(result + RESULT_SIZE) < RESULT_BYTES_1X)
		return STATUS_BAD_COMMAND;
	u16 bytes = RESULT_BYTES_1X;
	if (FAR16(result + RESULT_SIZE) >= RESULT_BYTES_20) {
		bytes = RESULT_BYTES_20;
		result = far_open_range(regs->ds, (u16)regs->esi, bytes);
		if (result == FAR_UNREACHABLE)
			return STATUS_BAD_COMMAND;
		FAR32(result + RESULT_DPTE) = 0xffffffff;
	}
	const struct geometry *geometry = &disk->geometry;
	u32 cylinder_sectors =
		(u32)geometry->heads * geometry->sectors_per_track;
	u32 cylinders = disk->sectors / cylinder_sectors;
	/* A caller multiplies them to get the size [EDD-3], so they are only
	 * valid if they account for every sector.
	 */
	bool chs_valid = disk->sectors <= CHS_MOST_SECTORS &&
			 cylinders * cylinder_sectors == disk->sectors;
	FAR16(result + RESULT_SIZE) = bytes;
	FAR16(result + RESULT_FLAGS) = (u16)(
		FLAG_DMA_BOUNDARY_HANDLED | (chs_valid ? FLAG_CHS_VALID : 0));
	FAR32(result + RESULT_CYLINDERS) = cylinders;
	FAR32(result + RESULT_HEADS) = geometry->heads;
	FAR32(result + RESULT_SECTORS_PER_TRACK) = geometry->sectors_per_track;
	FAR32(result + RESULT_SECTORS) = disk->sectors;
	FAR32(result + RESULT_SECTORS + 4) = 0;
	FAR16(result + RESULT_SECTOR_BYTES) = SECTOR_BYTES;
	return STATUS_OK;
}
