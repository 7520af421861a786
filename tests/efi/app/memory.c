/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Memory below and above 4 GiB, and what gcc calls to copy and fill it.
 */
#include "app.h"

#define PAGE 4096u
#define HIGH_FROM 0x140000000u

void *memset(void *at, int value, size_t bytes)
{
	for (u8 *to = at; bytes; bytes--)
		*to++ = (u8)value;
	return at;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((u8 *)to)[i] = ((const u8 *)from)[i];
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *x = a, *y = b;

	for (; bytes; bytes--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

static u8 *pages(u32 type, u64 address, u32 bytes)
{
	u64 count = (bytes + PAGE - 1) / PAGE;

	if (boot->allocate_pages(type, EFI_LOADER_DATA, count, &address)) {
		print("no memory of %u pages at %x", count, address);
		system_table->runtime_services->reset_system(EFI_RESET_SHUTDOWN, 0, 0, NULL);
	}
	return (u8 *)address;
}

u8 *memory_low(u32 bytes)
{
	return pages(ALLOCATE_MAX_ADDRESS, 0xffffffff, bytes);
}

u8 *memory_high(u32 bytes)
{
	static u64 next = HIGH_FROM;
	u8 *at = pages(ALLOCATE_ADDRESS, next, bytes);

	next += (bytes + 2 * PAGE - 1) & ~(u64)(PAGE - 1);
	return at;
}

u32 memory_filled(const u8 *at, u32 bytes)
{
	u32 n = 0;

	while (n < bytes && at[n] == FILL)
		n++;
	return n;
}

u64 memory_free_pages(void)
{
	static u8 map[64 * 1024];
	u64 bytes = sizeof(map), key, each, free = 0;
	u32 version;

	if (boot->get_memory_map(&bytes, map, &key, &each, &version))
		return 0;
	for (u8 *at = map; at < map + bytes; at += each) {
		struct efi_memory_descriptor *range = (struct efi_memory_descriptor *)at;

		if (range->type == EFI_CONVENTIONAL_MEMORY)
			free += range->pages;
	}
	return free;
}
