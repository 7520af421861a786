/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sense data in words.
 */
#ifndef ROM_POST_SENSE_TEXT_H
#define ROM_POST_SENSE_TEXT_H

#include "pc/post/text.h"

/* Append "medium error 11/00": the sense key, then ASC and ASCQ in hexadecimal, of
 * SENSE_BYTES bytes in fixed format. "none" if they are no sense data, as those of a
 * scsi_bus before the first CHECK CONDITION. "deferred " precedes an error of an earlier
 * command.
 */
void sense_text(struct text *text, const u8 *sense);

#endif
