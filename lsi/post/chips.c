/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The chip table [8xx-TM "PCI configuration registers"; IDs and revisions as
 * operating systems use them]. To support a chip, add a row, if the chip can
 * work with the small FIFO, asynchronous and narrow. Rows of one device are
 * sorted from high to low revision.
 */
#include "lsi/chips.h"

#define WIDE_64 (CHIP_WIDE | CHIP_ISTAT1)

ROM_CONST struct lsi_chip chips[] = {
	{0x0001, 0x10, 0, 0, "810A"},
	{0x0001, 0x00, 0, 0, "810"},
	{0x0002, 0x00, CHIP_WIDE, 0, "820"},
	{0x0003, 0x10, CHIP_WIDE, 0, "825A"},
	{0x0003, 0x00, CHIP_WIDE, 0, "825"},
	{0x0004, 0x00, 0, 0, "815"},
	{0x0005, 0x00, 0, 0, "810AP"},
	{0x0006, 0x00, CHIP_80MHZ, 1, "860"},
	{0x000a, 0x00, CHIP_WIDE, 2, "1510"},
	{0x000b, 0x00, WIDE_64 | CHIP_DPR, 2, "896"},
	{0x000c, 0x00, CHIP_WIDE, 2, "895"},
	{0x000d, 0x00, CHIP_WIDE, 1, "885"},
	{0x000f, 0x30, CHIP_WIDE | CHIP_EHP, 1, "876"},
	{0x000f, 0x20, CHIP_WIDE | CHIP_EHP, 1, "875E"},
	{0x000f, 0x10, CHIP_WIDE | CHIP_EHP, 1, "876"},
	{0x000f, 0x02, CHIP_WIDE | CHIP_EHP, 1, "875"},
	{0x000f, 0x00, CHIP_WIDE | CHIP_EHP | CHIP_80MHZ, 1, "875"},
	{0x0010, 0x00, CHIP_REFUSED, 0, "1510 RAID"},
	{0x0012, 0x00, WIDE_64, 2, "895A"},
	{0x0013, 0x00, WIDE_64, 1, "875A"},
	{0x0020, 0x01, WIDE_64 | CHIP_1010, 3, "1010-33"},
	{0x0020, 0x00, WIDE_64 | CHIP_1010 | CHIP_NO_SGE, 3, "1010-33"},
	{0x0021, 0x00, WIDE_64 | CHIP_1010 | CHIP_DISAIP, 3, "1010-66"},
	{0x0030, 0x00, CHIP_REFUSED, 0, "1030"},
	{0x0031, 0x00, CHIP_REFUSED, 0, "1030ZC"},
	{0x008f, 0x00, CHIP_WIDE, 1, "875J"},
};

IN_ROM struct lsi_chip *lsi_chip_find(u16 device, u8 revision)
{
	for (u32 i = 0; i < ARRAY_SIZE(chips); i++)
		if (chips[i].device == device && revision >= chips[i].revision)
			return &chips[i];
	return NULL;
}
