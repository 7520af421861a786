/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Operating registers in the chip model, reached by callbacks.
 */
#ifndef PC_IO_H
#define PC_IO_H

#include "pc/types.h"

/* The model's side: registers, and time that passes while the driver waits. */
struct model {
	u32 (*read)(u32 offset, u32 bytes);
	void (*write)(u32 offset, u32 bytes, u32 value);
	u64 (*pass_us)(u64 us); /* returns the model's time in us */
	void (*pause)(void); /* an iteration of a loop that polls memory */
	u64 (*wait)(void); /* the same for a register; returns the time in us */
};

typedef const struct model *io_t;

/* For what has no handle: time (native.c) */
extern io_t the_model;

static inline u8 io_read8(io_t io, u8 offset)
{
	return (u8)io->read(offset, 1);
}

static inline u16 io_read16(io_t io, u8 offset)
{
	return (u16)io->read(offset, 2);
}

static inline u32 io_read32(io_t io, u8 offset)
{
	return io->read(offset, 4);
}

static inline void io_write8(io_t io, u8 offset, u8 value)
{
	io->write(offset, 1, value);
}

static inline void io_write16(io_t io, u8 offset, u16 value)
{
	io->write(offset, 2, value);
}

static inline void io_write32(io_t io, u8 offset, u32 value)
{
	io->write(offset, 4, value);
}

static inline void cpu_pause(void)
{
	the_model->pause();
}

/* 1: a command may have any length. lsi/exec.c uses it. */
#define LONG_COMMANDS 1

#endif
