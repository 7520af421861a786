/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * rom/post/settings.c as a shared library for test_settings.py: its chip is an array of
 * bytes, whose accesses can fail.
 */
#include "settings.h"

#include "rom/post/state.h"

struct post_state post;
struct lsi native_lsi;
io_t the_model;

u8 native_chip[NVRAM_BYTES];
enum nvram_chip native_kind;
u32 native_left; /* accesses that succeed */
u32 native_writes[8][2], native_written; /* offset and length of each */

static u32 scid(u32 offset, u32 bytes)
{
	(void)offset;
	(void)bytes;
	return 0x40;
}

static const struct model model = {.read = scid};

enum nvram_chip nvram_detect(struct lsi *lsi)
{
	(void)lsi;
	return native_kind;
}

enum nvram_result nvram_read(struct lsi *lsi, u32 part, u8 *bytes)
{
	u32 at = (u16)part, count = part >> 16;

	(void)lsi;
	if (!native_left)
		return NVRAM_NO_ACKNOWLEDGE;
	native_left--;
	__builtin_memcpy(bytes, native_chip + at, count);
	return NVRAM_OK;
}

enum nvram_result nvram_write(struct lsi *lsi, u32 part, const u8 *bytes)
{
	u32 at = (u16)part, count = part >> 16;

	(void)lsi;
	native_writes[native_written][0] = at;
	native_writes[native_written++][1] = count;
	/* The access that fails has written the first half. */
	__builtin_memcpy(native_chip + at, bytes, native_left ? count : count / 2);
	if (!native_left)
		return NVRAM_BUSY;
	native_left--;
	return NVRAM_OK;
}

void native_read(u32 device, u32 revision, u32 pci_address)
{
	post.chip = lsi_chip_find((u16)device, (u8)revision);
	post.pci_address = (u16)pci_address;
	post.io = 0xc000;
	native_lsi.io = &model;
	settings_read(&native_lsi);
}

u32 native_write(void)
{
	native_written = 0;
	return settings_write(&native_lsi);
}

void native_ignore(void)
{
	settings_ignore(&native_lsi);
}
