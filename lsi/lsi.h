/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * One 53C8xx chip: its state, access to its registers, and reset. struct lsi
 * must lie in DMA-able RAM because the chip fetches its program from there.
 */
#ifndef LSI_LSI_H
#define LSI_LSI_H

#include "chips.h"
#include "pc/clock.h"
#include "pc/io.h"
#include "script.h"
#include "scsi/hba.h"

#define MOST_STACKED_CAUSES 8 /* with more, the chip does not answer or is broken */

/* Registers with settings of the board or the user, most of them made by its firmware */
enum lsi_kept {
	KEPT_SCNTL0,
	KEPT_SCNTL3,
	KEPT_STEST2,
	KEPT_DCNTL,
	/* Some boards switch their terminators with these pins. */
	KEPT_GPREG,
	KEPT_GPCNTL,
	KEPT_SCID,
	KEPT_RESPID0,
	KEPT_REGISTERS_NARROW, /* their number, on a narrow chip */
	KEPT_RESPID1 = KEPT_REGISTERS_NARROW,
	KEPT_REGISTERS,
};

struct lsi {
	struct hba hba; /* must be the first member (lsi_execute()) */
	struct lsi_moved moved;
	io_t io;	/* the operating registers */
	u8 features;	/* CHIP_... */
	u8 kept[KEPT_REGISTERS]; /* values of the registers in enum lsi_kept */
	bool keep_bus, instant; /* as in struct lsi_options */
	u16 spins;     /* LSI_SPINS... */
	u32 place; /* bus address of `moved` that the program uses */
	u32 script[SCRIPT_DWORDS];
	u8 identify[HBA_TARGETS]; /* IDENTIFY for LUN 0, by target */
};

#define LSI_ID_AS_FOUND 0xff

struct lsi_options {
	IN_ROM struct lsi_chip *chip;
	io_t io;   /* the operating registers */
	u8 own_id; /* or LSI_ID_AS_FOUND: the ID that the firmware has set, else 7 */
	bool keep_bus; /* reset the bus only if a target holds it */
	bool instant;  /* QEMU's model: reset and CLF take no time */
	bool no_parity; /* of the SCSI bus: neither checked nor reported */
	bool led;	/* GPIO0 is an output with an activity LED, on while it is 0 */
	u16 disconnects; /* bit n: target n may disconnect (IDENTIFY) */
};

/* How often memory is polled between two reads of ISTAT. A scan has many
 * selection time-outs, which only ISTAT shows. On QEMU each read of ISTAT
 * stops the chip model for a while; on other machines 1024 would keep
 * interrupts closed too long.
 */
#define LSI_SPINS_IN_SCAN 64
#define LSI_SPINS 256
#define LSI_SPINS_ON_QEMU 1024

/* Stop a program that an earlier driver has left running, so that registers may be
 * accessed (nvram.h). Uses `chip` and `io` of the options. HBA_OK, or HBA_CHIP if
 * the chip does not answer (post/open.c).
 */
enum hba_result lsi_stop(struct lsi *lsi, const struct lsi_options *options);

/* Initialise a chip after lsi_stop(): save the board-specific settings of the
 * firmware, then lsi_reset(). HBA_OK, or HBA_CHIP if the chip does not answer or the
 * bus is stuck (post/open.c).
 */
enum hba_result lsi_open(struct lsi *lsi, const struct lsi_options *options);

/* ISTAT while the chip is idle and set up by us. SEM has no effect; any other
 * driver clears it when it resets the chip, and so does a failed reset of ours.
 */
#define ISTAT_OURS ISTAT_SEM

/* Stop a running program [8xx-TM "ISTAT, ABRT"], within 20 ms. False if it
 * cannot be stopped; the chip then needs lsi_reset().
 */
bool lsi_abort(struct lsi *lsi);

/* Stop a running program, reset the chip, set all registers, and reset the bus.
 * Takes 250 ms. Afterwards all targets are asynchronous and narrow and have no
 * command. With keep_bus, the bus is reset only if a target holds it; else all
 * agreements are doubtful. HBA_OK or HBA_CHIP, as lsi_open().
 */
enum hba_result lsi_reset(struct lsi *lsi);

/* Set all registers. Must not be called while a program runs. */
void lsi_set_registers(struct lsi *lsi);

/* Read all pending causes: SIST in bits 15:0, DSTAT in 23:16. `istat` is the current
 * value of ISTAT. If the causes do not end, SIST_SGE is added to them [8xx-TM
 * "Stacked interrupts"].
 */
#define CAUSE_DSTAT(bit) ((u32)(bit) << 16)
u32 lsi_read_causes(struct lsi *lsi, u8 istat);

/* Clear the DMA and SCSI FIFOs [8xx-TM "CTEST3, CLF", "STEST3, CSF"]. Takes
 * up to 1 ms. Must not be called while a program runs.
 */
void lsi_clear_fifos(struct lsi *lsi);

/* hba.execute (exec.c): do the request of scsi/hba.h from selection to bus
 * free [SCSI-2 "Message codes", "SCSI bus phases"]. If recovery failed, or
 * another driver has used the chip, the next call resets chip and bus, and returns
 * HBA_BUS_RESET, or HBA_CHIP if that fails.
 */
enum hba_result lsi_execute(struct hba *hba, struct hba_request *request);

/* Reset the target of the request, whose other members but the LUN are not used: IDENTIFY
 * and BUS DEVICE RESET [SCSI-2 "BUS DEVICE RESET"]. HBA_OK, or HBA_NO_TARGET. HBA_BUS_RESET
 * if the bus was reset instead, HBA_CHIP if that failed, too (reset_target.c).
 */
enum hba_result lsi_reset_target(struct lsi *lsi, struct hba_request *request);

/* Number of bytes of a data move that were not transferred, after the target
 * has ended the move early (residual.c). Call it once, before the FIFOs are
 * cleared.
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
