/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * One block of a CD in the block buffer: a volume descriptor, a part of the boot
 * catalog, or a block of a boot image.
 */
#ifndef INT13_CD_BUFFER_H
#define INT13_CD_BUFFER_H

#include "int13/int13.h"

/* Read a block of call->disk, unless it is in the buffer already. Moves FS to
 * the buffer. Returns the status of the read.
 */
enum int13_status cd_buffer_fill(const struct int13_call *call, u32 block);

/* The same with the caller's memory for the command: our stack is small. */
enum int13_status cd_buffer_fill_by(const struct int13_call *call, u32 block,
				    struct disk_job *piece);

/* The sum of the words of the block that FS points to. */
u16 cd_buffer_sum(void);

#endif
