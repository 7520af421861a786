/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * One 53C8xx: its state, access to its registers, and reset. The structure must
 * lie in DMA-able RAM: the chip fetches its program from it.
 */
#ifndef LSI_LSI_H
#define LSI_LSI_H

#include "chips.h"
#include "pc/clock.h"
#include "pc/io.h"
#include "script.h"
#include "scsi/hba.h"

#define MOST_STACKED_CAUSES 8 /* more, and the chip is gone or broken */

struct lsi {
	struct hba hba; /* first: the contract's view of this chip */
	struct lsi_moved moved;
	io_t io;	/* the operating registers */
	u8 features;	/* CHIP_... */
	u8 scntl3;
	/* what the firmware had set for this board */
	u8 stest2, dcntl, gpreg, gpcntl;
	bool unusable; /* the last reset failed; try it again first */
	bool prompt;   /* as in struct lsi_options */
	u16 spins;     /* LSI_SPINS... */
	u32 place; /* bus address of `moved` that the program is made for */
	u32 script[SCRIPT_DWORDS];
};

#define LSI_ID_AS_FOUND 0xff

struct lsi_options {
	IN_ROM struct lsi_chip *chip;
	io_t io;   /* the operating registers */
	u8 own_id; /* or LSI_ID_AS_FOUND: what the firmware has set, else 7 */
	bool keep_bus; /* do not reset it */
	bool prompt;   /* QEMU's model: reset and CLF take no time */
};

/* How often memory is read between two reads of ISTAT. A scan has many selection
 * time-outs, which do not show in memory. On QEMU each read of ISTAT keeps the
 * chip model from its work; elsewhere interrupts must not wait that long.
 */
#define LSI_SPINS_IN_SCAN 64
#define LSI_SPINS 256
#define LSI_SPINS_ON_QEMU 1024

/* Take over a chip: read what firmware left, then reset chip and bus.
 * HBA_OK, or HBA_CHIP if the chip does not answer or the bus is stuck
 * (post/open.c).
 */
enum hba_result lsi_open(struct lsi *lsi, const struct lsi_options *options);

/* Stop a running program [8xx-TM "ISTAT, ABRT"]. Bounded; false if it cannot be
 * stopped, and the chip needs lsi_reset() next.
 */
bool lsi_abort(struct lsi *lsi);

/* Software reset, all registers, bus reset, settling time. All targets are
 * asynchronous and narrow afterwards and have forgotten their commands.
 */
enum hba_result lsi_reset(struct lsi *lsi);

/* The first part of lsi_reset(): software reset and registers. */
void lsi_reset_chip(struct lsi *lsi);

/* Its last part: settling time, pending causes, FIFOs. HBA_OK, or HBA_CHIP as
 * lsi_open() says.
 */
enum hba_result lsi_settle(struct lsi *lsi);

/* Empty the DMA and SCSI FIFOs [8xx-TM "CTEST3, CLF", "STEST3, CSF"]; takes up to
 * 1 ms. Only while no program runs.
 */
void lsi_clear_fifos(struct lsi *lsi);

/* hba.execute (exec.c): run the request of scsi/hba.h from selection to bus free
 * [SCSI-2 "Message codes", "SCSI bus phases"]. After a failed recovery it
 * returns HBA_CHIP, and the next call resets chip and bus first.
 */
enum hba_result lsi_execute(struct hba *hba, struct hba_request *request);

/* Bytes of a DATA move that was cut short that did not cross the bus, 0 to the
 * move's count (residual.c). To be read once, before the FIFOs are cleared.
 */
u32 lsi_residual(struct lsi *lsi, bool data_out);

static inline u8 lsi_read8(struct lsi *lsi, u8 reg)
{
	return io_read8(lsi->io, reg);
}

static inline u16 lsi_read16(struct lsi *lsi, u8 reg)
{
	return io_read16(lsi->io, reg);
}

static inline u32 lsi_read32(struct lsi *lsi, u8 reg)
{
	return io_read32(lsi->io, reg);
}

static inline void lsi_write8(struct lsi *lsi, u8 reg, u8 value)
{
	io_write8(lsi->io, reg, value);
}

static inline void lsi_write16(struct lsi *lsi, u8 reg, u16 value)
{
	io_write16(lsi->io, reg, value);
}

static inline void lsi_write32(struct lsi *lsi, u8 reg, u32 value)
{
	io_write32(lsi->io, reg, value);
}

#endif
