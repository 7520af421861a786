/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The serial EEPROM of a card, on its general-purpose pins [24C16 and 93C46 data
 * sheets; 8xx-TM "GPREG", "GPCNTL"]. Its bus is two lines, of which SDA is a low
 * output or an input that a pull-up makes high: no output drives against the chip's.
 */
#include "lsi/nvram.h"

#include "lsi/regs.h"

/* Lines, and the pins that they are on */
#define SDA 0x01
#define SCL 0x02
/* The same two bits for a 93C46 are its input and clock, one pin further, and its
 * output is on SDA's.
 */
#define TEKRAM_SHIFT 1
#define TEKRAM_SELECT 0x10
#define TEKRAM_OUTPUTS 0x16
#define OTHER_PINS 0x1c /* GPCNTL: 1 is an input */

#define HALF_CLOCK_US 5 /* at least 4.7, at 100 kHz */
#define BYTE_CLOCKS 9 /* the last is the acknowledgement */
#define WRITE_CYCLE_TRIES 200 /* of at least 100 us; a cycle takes up to 10 ms */

#define DEVICE_CODE 0xa0 /* with bits 10:8 of the address in 3:1 */
#define DEVICE_READ 0x01
#define ANY_BYTE 0xff /* leaves SDA to the chip */
#define WORD_CLOCKS 25
#define READ_WORD 0x180u /* start bit, opcode, address: the first nine */
#define WORD_DUMMY (1u << 16) /* is 0 before the bits of a word */
#define TEKRAM_WORDS 64
#define TEKRAM_SUM 0x1234

/* Of the bus that is in use */
static IN_POST_MEMORY struct {
	io_t io;
	u8 gpreg, gpcntl; /* as found */
	u8 select; /* TEKRAM_SELECT, or 0: a 24C16 */
} pins POST_MEMORY;

/* GPREG is written first because SCL falls before SDA changes, and again because
 * 86Box sees a new direction only then. GPIO0 and GPIO1 lose their other functions
 * (upper bits of GPCNTL).
 */
static void set_pins(u8 high, u8 outputs)
{
	u8 inputs = (u8)~outputs;
	u8 gpreg = (u8)((pins.gpreg & inputs & ~(SDA | SCL)) | high);
	io_t io = pins.io;

	io_write8(io, LSI_GPREG, gpreg);
	io_write8(io, LSI_GPCNTL,
		  ((pins.gpcntl & OTHER_PINS) | SDA | SCL) & inputs);
	io_write8(io, LSI_GPREG, gpreg);
	clock_delay_us(HALF_CLOCK_US);
}

/* Set the levels of both lines; returns that of SDA. */
static u8 set_lines(u8 high)
{
	if (pins.select)
		set_pins((u8)(pins.select | high << TEKRAM_SHIFT),
			 TEKRAM_OUTPUTS);
	else
		set_pins(high & SCL, (high ^ SDA) | SCL);
	return io_read8(pins.io, LSI_GPREG) & SDA;
}

/* Send the upper bits of `out`; returns as many that were read. */
static u32 exchange(u32 out, u8 clocks)
{
	u32 in = 0;

	do {
		u8 sda = (u8)(out >> 31);

		out <<= 1;
		(void)set_lines(sda);
		in = in << 1 | set_lines(sda | SCL);
	} while (--clocks);
	return in;
}

/* Send a byte, or receive one and acknowledge it; returns it and the acknowledgement,
 * which is 0.
 */
static u32 exchange_byte(u32 byte, u8 acknowledge)
{
	return exchange((byte << 1 | acknowledge) << 23, BYTE_CLOCKS);
}

static bool send(u32 byte)
{
	return !(exchange_byte(byte, 1) & 1);
}

/* START; false if SDA stays low. A chip that a reset of the machine has left in a read
 * is clocked until it releases SDA; one that was left in a write then stores nothing.
 */
static bool start(void)
{
	for (u8 i = BYTE_CLOCKS; i; i--) {
		(void)set_lines(SDA);
		if (set_lines(SDA | SCL)) {
			(void)set_lines(SCL);
			return true;
		}
	}
	return false;
}

/* STOP; 0 if SDA stays low. */
static u8 stop(void)
{
	(void)set_lines(0);
	(void)set_lines(SCL);
	return set_lines(SDA | SCL);
}

static bool select(u32 at, u8 direction)
{
	return start() &&
	       send(DEVICE_CODE | (at >> 7 & 0x0e) | direction);
}

/* Select an address. The chip does not answer during a write cycle. */
static bool address(u32 at)
{
	u8 i = WRITE_CYCLE_TRIES;

	do
		if (select(at, 0))
			return send(at & 0xff);
	while (--i);
	return false;
}

static void begin(struct lsi *lsi)
{
	pins.io = lsi->io;
	pins.select = 0; /* other memory of POST is not 0 at first */
	pins.gpreg = lsi_read8(lsi, LSI_GPREG);
	pins.gpcntl = lsi_read8(lsi, LSI_GPCNTL);
}

/* STOP, and restore the pins. 0 if SDA stays low. */
static u8 end(void)
{
	u8 released = stop();

	io_write8(pins.io, LSI_GPREG, pins.gpreg); /* first: no START */
	io_write8(pins.io, LSI_GPCNTL, pins.gpcntl);
	return released;
}

static bool is_93c46(void)
{
	u16 sum = 0;

	for (u8 word = 0; word < TEKRAM_WORDS; word++) {
		pins.select = TEKRAM_SELECT;
		u32 in = exchange((READ_WORD | word) << 23, WORD_CLOCKS);
		pins.select = 0;
		set_pins(0, TEKRAM_OUTPUTS);
		if (in & WORD_DUMMY)
			return false;
		sum = (u16)(sum + in);
	}
	return sum == TEKRAM_SUM;
}

enum nvram_chip nvram_detect(struct lsi *lsi)
{
	enum nvram_chip chip = NVRAM_NONE;

	begin(lsi);
	if (start())
		chip = send(DEVICE_CODE) ? NVRAM_24C16
		       : is_93c46()	 ? NVRAM_93C46
					 : NVRAM_NONE;
	return end() ? chip : NVRAM_STUCK;
}

#define NEXT_BYTE (NVRAM_PART(1, 0) - NVRAM_PART(0, 1)) /* to add to a part */
#define IS_LEFT(part) ((part) >= NVRAM_PART(0, 1))

/* Read, or compare with what has been written. */
static enum nvram_result read(u32 part, u8 IN_POST_MEMORY *bytes, bool compare)
{
	enum nvram_result result = NVRAM_OK;

	if (!address(part))
		return compare ? NVRAM_BUSY : NVRAM_NO_ACKNOWLEDGE;
	if (!select(part, DEVICE_READ))
		return NVRAM_NO_ACKNOWLEDGE;
	do {
		part += NEXT_BYTE;
		u8 byte = (u8)(exchange_byte(ANY_BYTE, !IS_LEFT(part)) >> 1);

		if (!compare)
			*bytes = byte;
		else if (*bytes != byte)
			result = NVRAM_DIFFERS;
		bytes++;
	} while (IS_LEFT(part));
	return result;
}

enum nvram_result nvram_read(struct lsi *lsi, u32 part, u8 IN_POST_MEMORY *bytes)
{
	begin(lsi);
	enum nvram_result result = read(part, bytes, false);
	return end() ? result : NVRAM_NO_ACKNOWLEDGE;
}

static enum nvram_result write_pages(u32 part, const u8 IN_POST_MEMORY *bytes)
{
	enum nvram_result silent = NVRAM_NO_ACKNOWLEDGE;

	do {
		if (!address(part))
			return silent;
		do {
			if (!send(*bytes++))
				return NVRAM_NO_ACKNOWLEDGE;
			part += NEXT_BYTE;
		} while (IS_LEFT(part) && part % NVRAM_PAGE_BYTES);
		(void)stop();
		silent = NVRAM_BUSY;
	} while (IS_LEFT(part));
	return NVRAM_OK;
}

enum nvram_result nvram_write(struct lsi *lsi, u32 part,
			      const u8 IN_POST_MEMORY *bytes)
{
	begin(lsi);
	enum nvram_result result = write_pages(part, bytes);
	if (result == NVRAM_OK)
		result = read(part, (u8 IN_POST_MEMORY *)bytes, true);
	return end() ? result : NVRAM_NO_ACKNOWLEDGE;
}
