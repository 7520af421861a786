/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The serial EEPROM of a card: a 24C16 on GPIO0 (SDA) and GPIO1 (SCL), 2 KiB in
 * pages of 16 bytes. During POST only, while no program runs (lsi_stop()). GPREG and
 * GPCNTL are left as found. [24C16 data sheet; 8xx-TM "GPREG", "GPCNTL"]
 */
#ifndef LSI_NVRAM_H
#define LSI_NVRAM_H

#include "lsi.h"

#define NVRAM_BYTES 2048u
#define NVRAM_PAGE_BYTES 16u

enum nvram_chip {
	NVRAM_NONE,
	NVRAM_24C16,
	NVRAM_93C46, /* of a Tekram board: left alone */
	NVRAM_STUCK, /* a line of the bus does not follow */
};

enum nvram_result {
	NVRAM_OK,
	NVRAM_NO_ACKNOWLEDGE, /* the chip no longer answers */
	NVRAM_BUSY,	      /* a write cycle does not end */
	NVRAM_DIFFERS,	      /* what was written does not read back */
};

/* Which chip is there? Takes up to 2 ms without one, 60 ms with a 93C46. */
enum nvram_chip nvram_detect(struct lsi *lsi);

/* Bytes of a 24C16: at least one, and none from NVRAM_BYTES on */
#define NVRAM_PART(at, count) ((u32)(count) << 16 | (at))

/* Read a part of a 24C16 into memory of POST. After an error, `bytes` are undefined. */
enum nvram_result nvram_read(struct lsi *lsi, u32 part,
			     u8 IN_POST_MEMORY *bytes);

/* Write a part by pages, wait for the end of each write cycle (at most 20 ms), and
 * compare what reads back. After an error, any of them may have been written.
 */
enum nvram_result nvram_write(struct lsi *lsi, u32 part,
			      const u8 IN_POST_MEMORY *bytes);

#endif
