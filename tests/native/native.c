/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * scsi/ and lsi/ as a shared library for native.py: the machine interface that is
 * not inline, and entry points with plain arguments.
 */
#include "native.h"

#include "pc/phys.h"

io_t the_model;

static const u8 *memory;
static u32 memory_bytes, memory_address;
static u64 stack; /* the lowest address of what calls may use of it */

u32 phys_of(const volatile void *object)
{
	u64 at = (u64)((const volatile u8 *)object - memory);

	if ((u64)object - stack < NATIVE_STACK_BYTES)
		return NATIVE_STACK_ADDRESS + (u32)((u64)object - stack);
	return at < memory_bytes ? memory_address + (u32)at : NO_BUS_ADDRESS;
}

/* Functions that a call reaches from here on have their objects in reach of the model. */
static __attribute__((noinline)) void note_stack(void)
{
	stack = (u64)__builtin_frame_address(0) - NATIVE_STACK_BYTES;
}

u64 native_stack(void)
{
	return stack;
}

u32 native_driver_bytes(void)
{
	return sizeof(struct driver);
}

u32 native_request_at(void)
{
	return offsetof(struct driver, request);
}

u32 native_request_bytes(void)
{
	return sizeof(struct hba_request);
}

u32 native_sense_at(void)
{
	return offsetof(struct driver, bus.sense);
}

u32 native_moved_at(void)
{
	return offsetof(struct driver, lsi.moved.status);
}

u32 native_moved_bytes(void)
{
	return sizeof(struct lsi_moved) - offsetof(struct lsi_moved, status);
}

void native_place(u8 *own, u32 bytes, u32 bus_address)
{
	memory = own;
	memory_bytes = bytes;
	memory_address = bus_address;
}

static struct lsi_options options_for(const struct model *model, u32 device,
				      u32 revision, u32 flags,
				      u32 disconnects)
{
	return (struct lsi_options){
		.chip = lsi_chip_find((u16)device, (u8)revision),
		.io = model,
		.own_id = LSI_ID_AS_FOUND,
		.instant = flags & NATIVE_INSTANT,
		.no_parity = flags & NATIVE_NO_PARITY,
		.led = flags & NATIVE_LED,
		.disconnects = (u16)disconnects,
	};
}

u32 native_stop(struct driver *driver, const struct model *model, u32 device,
		u32 revision, u32 flags, u32 disconnects)
{
	struct lsi_options options =
		options_for(model, device, revision, flags, disconnects);

	the_model = model;
	driver->bus.hba = &driver->lsi.hba;
	return lsi_stop(&driver->lsi, &options);
}

u32 native_open(struct driver *driver, const struct model *model, u32 device,
		u32 revision, u32 flags, u32 disconnects)
{
	struct lsi_options options =
		options_for(model, device, revision, flags, disconnects);

	return lsi_open(&driver->lsi, &options);
}

u32 native_detect(struct driver *driver)
{
	return nvram_detect(&driver->lsi);
}

u32 native_load(struct driver *driver, u32 at, u8 *bytes, u32 count)
{
	return nvram_read(&driver->lsi, NVRAM_PART(at, count), bytes);
}

u32 native_store(struct driver *driver, u32 at, const u8 *bytes, u32 count)
{
	return nvram_write(&driver->lsi, NVRAM_PART(at, count), bytes);
}

u32 native_found_in_use(struct driver *driver, u32 device, u32 revision)
{
	return lsi_found_in_use(driver->lsi.io, lsi_chip_find((u16)device, (u8)revision));
}

u32 native_execute(struct driver *driver)
{
	return driver->lsi.hba.execute(&driver->lsi.hba, &driver->request);
}

u32 native_reset(struct driver *driver)
{
	scsi_reset(&driver->bus);
	return driver->bus.suspect;
}

u32 native_reset_target(struct driver *driver)
{
	return lsi_reset_target(&driver->lsi, &driver->request);
}

static struct scsi_device device_of(const struct hba_request *request)
{
	return (struct scsi_device){request->target, request->lun, (u8)(request->lun << 5)};
}

u32 native_format(struct driver *driver)
{
	struct scsi_device device = device_of(&driver->request);

	note_stack();
	driver->progress = 0xeeee;
	return service_format(&driver->bus, &device, &driver->progress);
}

u32 native_format_progress(struct driver *driver)
{
	struct scsi_device device = device_of(&driver->request);

	note_stack();
	return service_format_progress(&driver->bus, &device, &driver->progress);
}

u32 native_waited(struct driver *driver)
{
	return driver->bus.waited;
}

u32 native_progress(struct driver *driver)
{
	return driver->progress;
}

u32 native_command(struct driver *driver)
{
	scsi_begin_call(&driver->bus);
	return scsi_command(&driver->bus, &driver->request);
}
