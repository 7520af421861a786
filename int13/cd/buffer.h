/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The block buffer as a cache of one block of a CD: a volume descriptor, a
 * part of the boot catalog, or a block of a boot image.
 */
#ifndef INT13_CD_BUFFER_H
#define INT13_CD_BUFFER_H

#include "int13/int13.h"

/* Read a block (2048 bytes) of call->disk unless it is in the buffer already,
 * and point FS at it. Returns the status of the read. Moves FS.
 */
enum int13_status cd_buffer_fill(const struct int13_call *call, u32 block);

/* The same; *piece is memory for the command, which does not fit the stack a
 * second time. Moves FS.
 */
enum int13_status cd_buffer_fill_by(const struct int13_call *call, u32 block,
				    struct disk_job *piece);

/* CRC-32 [ISO 3309] of the block at FS:0 and the number of blocks of its disc,
 * least significant byte first.
 */
u32 cd_buffer_crc(u32 blocks);

#endif
