/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Accesses the operating registers of a device, here as I/O ports. Part of
 * the machine interface (types.h).
 */
#ifndef PC_IO_H
#define PC_IO_H

#include "port.h"
#include "types.h"

/* Address of the registers of a device, here the port of register 0. Drivers
 * only store it and pass it on.
 */
typedef u16 io_t;

/* Read or write the 8-, 16- or 32-bit register at a byte offset from the
 * first one, little-endian, in one bus cycle. Errors are not reported; a
 * missing device reads as all ones.
 */
static inline u8 io_read8(io_t io, u8 offset)
{
	return inb((u16)(io + offset));
}

static inline u16 io_read16(io_t io, u8 offset)
{
	return inw((u16)(io + offset));
}

static inline u32 io_read32(io_t io, u8 offset)
{
	return inl((u16)(io + offset));
}

static inline void io_write8(io_t io, u8 offset, u8 value)
{
	outb((u16)(io + offset), value);
}

static inline void io_write16(io_t io, u8 offset, u16 value)
{
	outw((u16)(io + offset), value);
}

static inline void io_write32(io_t io, u8 offset, u32 value)
{
	outl((u16)(io + offset), value);
}

/* Call this in each iteration of a loop that polls memory. "rep nop" is PAUSE
 * on CPUs that have it, and NOP on older ones.
 */
static inline void cpu_pause(void)
{
	__asm__ volatile("rep; nop" : : : "memory");
}

/* 0: a command moves less than 64 KiB (scsi/disk.h). lsi/exec.c uses it. */
#define LONG_COMMANDS 0

#endif
