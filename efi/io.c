/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Access to the chip's registers [UEFI 2.10 "EFI_PCI_IO_PROTOCOL.Io.Read() and
 * Io.Write()"]. Both machines are little-endian, as the registers are: a value of fewer
 * than 32 bits lies in the first bytes.
 */
#include "pc/io.h"

#define REGISTERS_BAR 0

u32 io_read(io_t io, u32 width, u8 offset)
{
	u32 value = 0;
	efi_status status = io->io.read(io, width, REGISTERS_BAR, offset, 1, &value);

	io_order();
	return EFI_ERROR(status) ? ~0u : value;
}

void io_write(io_t io, u32 width, u8 offset, u32 value)
{
	io_order();
	(void)io->io.write(io, width, REGISTERS_BAR, offset, 1, &value);
}
