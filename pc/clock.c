/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Time from the 8254 [8254 "Read-back command"]. Counter 0 belongs to the
 * BIOS: we only latch and read it, and program it only where the BIOS has not.
 */
#include "clock.h"

#include "port.h"

#define PIT_COUNTER0 0x40
#define PIT_COMMAND 0x43
#define READ_BACK_COUNTER0 0xc2 /* latch status, then count, of counter 0 */
#define STATUS_BOTH_BYTES 0x30  /* read low byte, then high byte */
#define STATUS_MODE_MASK 0x06
#define STATUS_SQUARE_WAVE 0x06 /* mode 3: counts down by two */
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

/* Is the count a 16-bit count? Else it cannot be used. */
static bool pit_usable(struct pit_reading reading)
{
	return (reading.status & STATUS_BOTH_BYTES) == STATUS_BOTH_BYTES;
}

IN_POST void clock_setup(void)
{
	if (pit_usable(pit_read()))
		return;
	/* Seen: SeaBIOS built for QEMU's microvm. 65536 ticks a round. */
	outb(PIT_COMMAND, USUAL_SETTING);
	outb(PIT_COUNTER0, 0);
	outb(PIT_COUNTER0, 0);
}

bool clock_expired(struct clock *clock)
{
	irq_window();
	struct pit_reading now = pit_read();
	u32 passed = 0;

	/* Not earlier: each look is four accesses to ports, which cost a guest
	 * dearly.
	 */
	if (!clock->looked)
		clock->previous = now.count;
	clock->looked = true;
	/* The counter counts down. When it wrapped, the reload value is not
	 * known (a program may have changed it), so only the part down to
	 * zero counts: waits get longer by that, never shorter.
	 */
	if (pit_usable(now)) {
		passed = now.count <= clock->previous
				 ? (u32)(clock->previous - now.count)
				 : clock->previous;
		clock->previous = now.count;
		if ((now.status & STATUS_MODE_MASK) != STATUS_SQUARE_WAVE)
			passed *= 2;
	}
	if (passed == 0)
		passed = 1;
	if (passed >= clock->left) {
		clock->left = 0;
		return true;
	}
	clock->left -= passed;
	return false;
}

void clock_delay_us(u32 delay_us)
{
	struct clock clock = {.left = delay_us * 12 / 5 + 2};

	while (!clock_expired(&clock))
		;
}
