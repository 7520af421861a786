/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * El Torito: reasons why a disc or a boot image cannot be booted, and media
 * types. All of int13/cd/ stays in memory only if there is a CD drive
 * (rom/rom.ld).
 */
#ifndef INT13_CD_CD_H
#define INT13_CD_CD_H

#include "int13/int13.h"

/* Why a disc or a boot image cannot be booted: an INT 13h status in bits 7:0
 * and, if the status alone is too vague, a reason in bits 15:8.
 * rom/boot/cd/cdboot.c has the text of each reason.
 */
enum cd_result {
	CD_OK = 0,
	CD_NO_BOOT_RECORD = 0x0100 | STATUS_BAD_MEDIA,
	CD_BAD_CATALOG = 0x0200 | STATUS_BAD_MEDIA,
	CD_BAD_CHECKSUM = 0x0300 | STATUS_BAD_MEDIA,
	CD_NO_ENTRY = 0x0400 | STATUS_BAD_MEDIA,
	CD_BAD_TYPE = 0x0500 | STATUS_BAD_COMMAND,
	CD_BEYOND_DISC = 0x0600 | STATUS_NOT_FOUND,
	CD_NO_COUNT = 0x0700 | STATUS_BAD_COMMAND,
	CD_NO_ROOM = 0x0800 | STATUS_DMA_BOUNDARY,
	CD_NO_PARTITION = 0x0900 | STATUS_BAD_MEDIA,
	CD_STATUS_MASK = 0xff, /* mask of the INT 13h status */
};
#define CD_REASON_SHIFT 8

/* Media type [El Torito 1.0 "Boot media type"] */
#define MEDIA_TYPE 0x0f
#define MEDIA_NO_EMULATION 0
/* 1 to 3: floppies of 1.2, 1.44 and 2.88 MB */
#define MEDIA_HARD_DISK 4

#endif
