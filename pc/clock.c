/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Measures time by the 8254 [8254 "Read-back command"]. Counter 0 belongs to
 * the BIOS: it is only latched and read, and programmed only if the BIOS has
 * not done so.
 */
#include "clock.h"

#include "port.h"

#define PIT_COUNTER0 0x40
#define PIT_COMMAND 0x43
#define READ_BACK_COUNTER0 0xc2 /* latch status, then count, of counter 0 */
#define PIT_BOTH_BYTES 0x30  /* read low byte, then high byte */
#define PIT_MODE_MASK 0x06
#define PIT_SQUARE_WAVE 0x06 /* mode 3: counts down by two */
#define USUAL_SETTING 0x34	/* counter 0, both bytes, mode 2, binary */

struct pit_reading {
	u8 status;
	u16 count;
};

static struct pit_reading pit_read(void)
{
	outb(PIT_COMMAND, READ_BACK_COUNTER0);
	u8 status = inb(PIT_COUNTER0);
	u8 low = inb(PIT_COUNTER0);
	u8 high = inb(PIT_COUNTER0);

	return (struct pit_reading){status, (u16)(high << 8 | low)};
}

/* Is the count a 16-bit count? Otherwise it cannot be used. */
static bool pit_usable(struct pit_reading reading)
{
	return (reading.status & PIT_BOTH_BYTES) == PIT_BOTH_BYTES;
}

IN_POST void clock_setup(void)
{
	if (pit_usable(pit_read()))
		return;
	/* Seen: SeaBIOS for QEMU's microvm. Reload value 0 means 65536 ticks. */
	outb(PIT_COMMAND, USUAL_SETTING);
	outb(PIT_COUNTER0, 0);
	outb(PIT_COUNTER0, 0);
}

bool clock_expired(struct clock *clock)
{
	irq_window();
	struct pit_reading now = pit_read();
	u32 passed = 0;

	/* The first read is here and not in clock_start(), because it takes four
	 * port accesses, which are slow in a virtual machine.
	 */
	if (!clock->looked)
		clock->previous = now.count;
	clock->looked = true;
	/* The counter counts down. If it has wrapped, only the part down to
	 * zero counts, because a program may have changed the reload value.
	 * That makes waits longer, never shorter.
	 */
	if (pit_usable(now)) {
		passed = now.count <= clock->previous
				 ? (u32)(clock->previous - now.count)
				 : clock->previous;
		clock->previous = now.count;
		if ((now.status & PIT_MODE_MASK) != PIT_SQUARE_WAVE)
			passed *= 2;
	}
	if (passed == 0)
		passed = 1;
	clock_counted += passed;
	if (passed >= clock->left) {
		clock->left = 0;
		return true;
	}
	if (clock->left < CLOCK_NEVER)
		clock->left -= passed;
	return false;
}

bool clock_passed(u16 mark, u32 ms)
{
	return (u32)(clock_mark() - mark) << 16 >= ms * HALF_TICKS_PER_MS;
}

void clock_delay_us(u32 delay_us)
{
	struct clock clock = {.left = delay_us * 12 / 5 + 2};

	while (!clock_expired(&clock))
		;
}
