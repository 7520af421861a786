/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Operating registers by the firmware's PCI I/O protocol [UEFI 2.10
 * "EFI_PCI_IO_PROTOCOL.Io.Read() and Io.Write()"]. Part of the machine interface
 * (pc/types.h).
 */
#ifndef PC_IO_H
#define PC_IO_H

#include "efi/protocols.h"

/* The chip's device; BAR 0 has the registers as I/O ports. */
typedef struct efi_pci_io *io_t;

/* Read or write one register; width is an enum efi_pci_io_width. All ones are read if the
 * firmware reports an error, as from a device that does not answer (efi/io.c).
 */
u32 io_read(io_t io, u32 width, u8 offset);
void io_write(io_t io, u32 width, u8 offset, u32 value);

static inline u8 io_read8(io_t io, u8 offset)
{
	return (u8)io_read(io, PCI_IO_UINT8, offset);
}

static inline u16 io_read16(io_t io, u8 offset)
{
	return (u16)io_read(io, PCI_IO_UINT16, offset);
}

static inline u32 io_read32(io_t io, u8 offset)
{
	return io_read(io, PCI_IO_UINT32, offset);
}

static inline void io_write8(io_t io, u8 offset, u8 value)
{
	io_write(io, PCI_IO_UINT8, offset, value);
}

static inline void io_write16(io_t io, u8 offset, u16 value)
{
	io_write(io, PCI_IO_UINT16, offset, value);
}

static inline void io_write32(io_t io, u8 offset, u32 value)
{
	io_write(io, PCI_IO_UINT32, offset, value);
}

/* Registers and the memory that the chip reads and writes are accessed in program order.
 * x64 does so by itself. The firmware's register access alone does not do so on AArch64.
 */
static inline void io_order(void)
{
#ifdef __x86_64__
	__asm__ volatile("" : : : "memory");
#else
	__asm__ volatile("dmb osh" : : : "memory");
#endif
}

/* Called in each iteration of a loop that polls memory */
static inline void cpu_pause(void)
{
#ifdef __x86_64__
	__asm__ volatile("pause" : : : "memory");
#else
	__asm__ volatile("yield" : : : "memory");
#endif
}

/* 1: a command may have any length. lsi/exec.c uses it. */
#define LONG_COMMANDS 1

#endif
