/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sense data in words [SCSI-2 "Sense data format", "Sense key descriptions"].
 */
#include "sense_text.h"

#include "scsi/scsi.h"

/* By sense key; each ends with a zero. */
ROM_CONST char keys[] = "no sense\0recovered error\0not ready\0"
			"medium error\0hardware error\0illegal request\0"
			"unit attention\0write protected\0blank\0vendor error\0"
			"copy aborted\0aborted command\0equal\0"
			"volume overflow\0miscompare\0key F";

void sense_text(struct text *text, const u8 *sense)
{
	char IN_ROM *words = keys;
	u8 code = sense[0] & SENSE_CODE_MASK;
	u8 additional = sense[SENSE_ADDITIONAL_AT];

	if (code != SENSE_CURRENT && code != SENSE_DEFERRED) {
		text_rom(text, ROM_STRING("none"));
		return;
	}
	if (code == SENSE_DEFERRED)
		text_rom(text, ROM_STRING("deferred "));
	for (u32 left = sense[SENSE_KEY_AT] & SENSE_KEY_MASK; left; left--)
		while (*words++)
			;
	text_rom(text, words);
	if (SENSE_ADDITIONAL_AT + additional < SENSE_ASCQ_AT)
		return;
	text_char(text, ' ');
	text_hex(text, sense[SENSE_ASC_AT], 2);
	text_char(text, '/');
	text_hex(text, sense[SENSE_ASCQ_AT], 2);
}
