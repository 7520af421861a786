/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The defaults of the settings, and their way from and to the NVRAM.
 */
#include "settings.h"

#include "lsi/regs.h"
#include "state.h"

struct settings IN_POST_MEMORY settings __attribute__((section(".post_memory")));

#define CARD(member) offsetof(struct settings, card.member)
#define OWN(member) offsetof(struct settings, own.member)
#define OWN_BLOCK offsetof(struct settings, own)
#define BLOCKS_END offsetof(struct settings, source)

#define SUMMED_BYTES 356u /* from `major` to the trailer */

#define USUAL_PERIOD 100
#define USUAL_TIMEOUT_S 10
#define MOST_OFFSET 62 /* of the 53C1010 */

/* A byte of `settings` with a default other than 0, or with a limit, or that the user can
 * set to the default
 */
struct row {
	u16 at;
	u8 usual;
	u8 most; /* or one of these */
#define ANY 0xff
#define LAST_ID 0xfe
	u8 set, shared; /* the bits that the user sets, for one controller and for all */
};

ROM_CONST struct row rows[] = {
	{CARD(bytes), SUMMED_BYTES & 0xff, ANY, 0, 0},
	{CARD(bytes) + 1, SUMMED_BYTES >> 8, ANY, 0, 0},
	{CARD(minor), 0x30, ANY, 0, 0}, /* as SDMS 4 has it */
	{CARD(flags), SYMBIOS_PARITY | SYMBIOS_CHS_ALTERNATE, ANY,
	 SYMBIOS_PARITY | SYMBIOS_CHS_ALTERNATE, SYMBIOS_VERBOSE},
	{CARD(flags1), 0, ANY, SYMBIOS_SCAN_DOWN, 0},
	{CARD(flags2), 0, ANY, SYMBIOS_AVOID_RESET, 0},
	{CARD(removable), SYMBIOS_REMOVABLE_ALL, SYMBIOS_REMOVABLE_ALL, 0xff, 0},
	{CARD(removable) + 1, 0, 0, 0xff, 0},
	{CARD(host_id), 7, LAST_ID, 0xff, 0},
	{CARD(hosts_most), SETTINGS_HOSTS, ANY, 0, 0},
	{CARD(targets_most), SETTINGS_TARGETS, ANY, 0, 0},
	{OWN(flags), 0, ANY, 0, OWN_QUIET | OWN_CD_FIRST | OWN_NATIVE_BLOCKS},
	{OWN(scan_delay), 0, 60, 0xff, 0},
	{OWN(spin_up_delay), 0, 15, 0xff, 0},
	{OWN(boot_timeout), 5, 60, 0, 0xff},
	{OWN(window), 1, 10, 0, 0xff},
	{OWN(boot_ids[0]), NO_BOOT_ID, LAST_ID, 0xff, 0},
	{OWN(boot_ids[1]), NO_BOOT_ID, LAST_ID, 0xff, 0},
	{OWN(boot_ids[2]), NO_BOOT_ID, LAST_ID, 0xff, 0},
	{OWN(boot_ids[3]), NO_BOOT_ID, LAST_ID, 0xff, 0},
};

static u8 IN_POST_MEMORY *byte_at(u32 at)
{
	return (u8 IN_POST_MEMORY *)&settings + at;
}

static bool is_wide(void)
{
	return post.chip->features & CHIP_WIDE;
}

static u8 last_id(void)
{
	return is_wide() ? 15 : 7;
}

static void fill_target(struct symbios_target IN_POST_MEMORY *target, bool all)
{
	u8 width = is_wide() ? 16 : 8;

	if (all) {
		target->flags |= TARGET_DISCONNECTS | TARGET_SCANNED |
				 TARGET_LUNS;
		target->period = USUAL_PERIOD;
	}
	if (target->width != 8 || all) /* also one that is not 16 */
		target->width = width;
	if (target->offset > MOST_OFFSET || all)
		target->offset = width;
	if (target->timeout > MOST_TIMEOUT || all)
		target->timeout = USUAL_TIMEOUT_S;
}

/* Set everything from that offset in `settings` on to the defaults, and before it the
 * values that are out of range.
 */
static void fill(u32 from)
{
	struct symbios_host IN_POST_MEMORY *host = &settings.card.hosts[0];

	for (u32 at = from; at < BLOCKS_END; at++)
		*byte_at(at) = 0;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 most = rows[i].most == LAST_ID ? last_id() : rows[i].most;

		if (rows[i].at >= from || *byte_at(rows[i].at) > most)
			*byte_at(rows[i].at) = rows[i].usual;
	}
	for (u32 i = 0; i < SETTINGS_TARGETS; i++) {
		if (!from)
			settings.card.targets[i].flags = TARGET_TAGS;
		fill_target(&settings.card.targets[i], !from);
	}
	if (from)
		return;
	host->type = SYMBIOS_HOST_8XX;
	host->device = post.chip->device;
	host->vendor = LSI_PCI_VENDOR;
	host->bus = (u8)(post.pci_address >> 8);
	host->function = (u8)post.pci_address;
	host->flags = SYMBIOS_HOST_BOOTS;
	host->io = post.io;
}

void settings_absent(void)
{
	fill(0);
	settings.source = SETTINGS_DEFAULT;
	settings.chip = NVRAM_NONE;
	settings.damaged = false;
}

void settings_set_usual(bool shared)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 bits = rows[i].set | (shared ? rows[i].shared : 0);
		u8 IN_POST_MEMORY *byte = byte_at(rows[i].at);

		*byte = (u8)((*byte & ~bits) | (rows[i].usual & bits));
	}
	for (u32 i = 0; i < SETTINGS_TARGETS; i++)
		fill_target(&settings.card.targets[i], true);
}

/* Use the defaults, but the ID that the firmware has set. */
static void use_defaults(struct lsi *lsi)
{
	fill(0);
	u8 id = lsi_read8(lsi, LSI_SCID) & last_id();
	if (id)
		settings.card.host_id = id;
}

void settings_ignore(struct lsi *lsi)
{
	use_defaults(lsi);
	settings.source = SETTINGS_IGNORED;
}

/* ---- Reading --------------------------------------------------------------- */

/* Has the chip not been written, or was it erased? */
static bool is_blank(void)
{
	u8 first = *byte_at(0);

	for (u32 at = 1; at < OWN_BLOCK; at++)
		if (*byte_at(at) != first)
			return false;
	return !first || first == 0xff;
}

static u16 sum(void)
{
	u16 sum = 0;

	for (u32 i = 0; i < SUMMED_BYTES; i++)
		sum = (u16)(sum + *byte_at(CARD(major) + i));
	return sum;
}

/* CRC-16-CCITT of our block */
static u16 crc(void)
{
	u16 crc = 0xffff;

	for (u32 at = OWN(version); at < BLOCKS_END; at++) {
		crc ^= (u16)(*byte_at(at) << 8);
		for (u32 bit = 8; bit; bit--)
			crc = (u16)(crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0));
	}
	return crc;
}

/* Read a part to that offset in `settings`. If that fails, nothing may be written over what
 * could not be read.
 */
static bool read_part(struct lsi *lsi, u32 part, u32 to)
{
	if (nvram_read(lsi, part, byte_at(to)) == NVRAM_OK)
		return true;
	settings.chip = NVRAM_STUCK;
	return false;
}

static enum settings_source read_card(struct lsi *lsi)
{
	const struct symbios_block IN_POST_MEMORY *card = &settings.card;

	if (!read_part(lsi, NVRAM_PART(SYMBIOS_AT, sizeof(*card)), 0))
		return SETTINGS_INVALID;
	if (is_blank())
		return SETTINGS_DEFAULT;
	for (u32 i = 2; i < sizeof(card->trailer); i++)
		if (card->trailer[i])
			return SETTINGS_INVALID;
	return card->trailer[0] == 0xfe && card->trailer[1] == 0xfe &&
			       !card->type && card->bytes == SUMMED_BYTES && card->sum == sum()
		       ? SETTINGS_STORED
		       : SETTINGS_INVALID;
}

/* Returns whether our block is valid. */
static bool read_own(struct lsi *lsi)
{
	const struct own_block IN_POST_MEMORY *own = &settings.own;

	settings.damaged = true;
	if (!read_part(lsi, NVRAM_PART(OWN_AT, sizeof(*own)), OWN_BLOCK))
		return false;
	bool ours = own->signature == OWN_SIGNATURE;
	settings.damaged = ours && own->crc != crc();
	return ours && !settings.damaged && own->version == OWN_VERSION;
}

/* A chip that stops answering reads as ones, like a blank or a damaged one: read damaged data
 * again, and look for the chip again before anything is written over such data.
 */
static void read_blocks(struct lsi *lsi)
{
	bool own = false;

	settings.source = read_card(lsi);
	if (settings.source == SETTINGS_INVALID)
		settings.source = read_card(lsi);
	settings.damaged = settings.source == SETTINGS_INVALID;
	if (settings.source == SETTINGS_STORED) {
		own = read_own(lsi);
		if (settings.damaged)
			own = read_own(lsi);
	}
	if (!own && settings.chip == NVRAM_24C16)
		settings.chip = nvram_detect(lsi);
	if (settings.source == SETTINGS_STORED)
		fill(own ? BLOCKS_END : OWN_BLOCK);
}

void settings_read(struct lsi *lsi)
{
	settings.source = SETTINGS_DEFAULT;
	settings.damaged = false;
	settings.chip = post.emulated ? NVRAM_NONE : nvram_detect(lsi);
	if (settings.chip == NVRAM_24C16)
		read_blocks(lsi);
	else if (settings.chip == NVRAM_93C46)
		settings.source = SETTINGS_FOREIGN;
	if (settings.source != SETTINGS_STORED)
		use_defaults(lsi);
}

/* ---- Writing --------------------------------------------------------------- */

#define TRAILER_AT (SYMBIOS_AT + offsetof(struct symbios_block, trailer))

struct step {
	u16 at;
	u16 from; /* offset in `settings` */
	u16 bytes;
};

ROM_CONST struct step steps[] = {
	/* Our signature: anything but a trailer */
	{TRAILER_AT, OWN_BLOCK, sizeof(settings.card.trailer)},
	{OWN_AT, OWN_BLOCK, sizeof(settings.own)},
	{SYMBIOS_AT, 0, TRAILER_AT - SYMBIOS_AT},
	{TRAILER_AT, CARD(trailer), sizeof(settings.card.trailer)},
};

enum nvram_result settings_write(struct lsi *lsi)
{
	enum nvram_result result = NVRAM_OK;

	settings.card.trailer[0] = settings.card.trailer[1] = 0xfe;
	settings.card.sum = sum();
	settings.own.signature = OWN_SIGNATURE;
	settings.own.version = OWN_VERSION;
	settings.own.crc = crc();
	for (u32 i = 0; i < ARRAY_SIZE(steps) && result == NVRAM_OK; i++)
		result = nvram_write(lsi,
				     NVRAM_PART(steps[i].at, steps[i].bytes),
				     byte_at(steps[i].from));
	if (result == NVRAM_OK) {
		settings.source = SETTINGS_STORED;
		settings.damaged = false;
	}
	return result;
}
