/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Entry points for native.py. All memory that the model reaches is one piece; the
 * driver's own structure lies at its start.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include "lsi/found.h"
#include "lsi/nvram.h"
#include "scsi/command.h"
#include "scsi/service.h"

struct driver {
	struct lsi lsi;
	struct scsi_bus bus;
	struct hba_request request;
	u16 progress; /* of a format */
};

/* What phys_of() returns for objects on the stack, which a part of the functions has */
#define NATIVE_STACK_ADDRESS 0x50000000u
#define NATIVE_STACK_BYTES 0x4000u
u64 native_stack(void);

/* Layout, for what Python reads and writes */
u32 native_driver_bytes(void);
u32 native_request_at(void);
u32 native_request_bytes(void);
u32 native_sense_at(void);
/* What the chip writes of the driver's structure besides sense data */
u32 native_moved_at(void);
u32 native_moved_bytes(void);

/* Name the memory and its address on the bus. */
void native_place(u8 *own, u32 bytes, u32 bus_address);

/* lsi_stop() and lsi_open(); return enum hba_result. `flags` and `disconnects` are
 * their options.
 */
#define NATIVE_INSTANT 1u
#define NATIVE_NO_PARITY 2u
#define NATIVE_LED 4u
u32 native_stop(struct driver *driver, const struct model *model, u32 device,
		u32 revision, u32 flags, u32 disconnects);
u32 native_open(struct driver *driver, const struct model *model, u32 device,
		u32 revision, u32 flags, u32 disconnects);

/* nvram_detect(), nvram_read(), nvram_write(); return their enumerations. */
u32 native_detect(struct driver *driver);
u32 native_load(struct driver *driver, u32 at, u8 *bytes, u32 count);
u32 native_store(struct driver *driver, u32 at, const u8 *bytes, u32 count);

/* lsi_found_in_use() of the chip in its present state */
u32 native_found_in_use(struct driver *driver, u32 device, u32 revision);

/* lsi_execute() with driver->request; returns enum hba_result. */
u32 native_execute(struct driver *driver);

/* scsi_reset(); returns bus->suspect. */
u32 native_reset(struct driver *driver);

/* lsi_reset_target() with driver->request; returns enum hba_result. */
u32 native_reset_target(struct driver *driver);

/* service_format() and service_format_progress() of the unit in driver->request; return enum
 * scsi_result.
 */
u32 native_format(struct driver *driver);
u32 native_format_progress(struct driver *driver);
u32 native_progress(struct driver *driver);
u32 native_waited(struct driver *driver); /* bus->waited */

/* scsi_command() with driver->request, as a call of its own; returns enum scsi_result. */
u32 native_command(struct driver *driver);

#endif
