/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The boot order of drives, by the host and by the settings.
 */
#include "order.h"

#include "host.h"
#include "rom/workspace.h"
#include "rom_image.h"
#include "settings.h"
#include "state.h"

#define BOOT_ID_RANK 0x4000u /* of the user's first boot drive */
#define AFTER_DISKS 0x8000u

_Static_assert(HOST_MOST_BYTES <= BOOT_ID_RANK &&
		       BOOT_ID_RANK + sizeof(settings.own.boot_ids) <= HOST_NO_RANK,
	       "the user's ranks lie between those of the host and HOST_NO_RANK");

/* Does the host have a boot order? The user's does not count then for CDs. */
static bool host_orders(void)
{
	return post.path.order.key;
}

static void swap_with_next(u32 slot)
{
	struct disk *disk = &drive_table[slot], first = disk[0];

	disk[0] = disk[1];
	disk[1] = first;
	rom_image_swap_with_next(slot);
}

/* `rank`: of the host */
static u32 rank_of(const struct disk *disk, u32 rank)
{
	if (rank == HOST_NO_RANK)
		for (u32 i = 0; i < sizeof(settings.own.boot_ids); i++)
			if (settings.own.boot_ids[i] == disk->device.target)
				return BOOT_ID_RANK + i;
	return rank;
}

/* The place of a drive in the boot order, by its rank. On a BIOS that calls
 * one boot entry at most, this has to be that of a disk: it connects all others.
 * Not on QEMU, where SeaBIOS without PMM calls all, and applies the host's order to
 * the first.
 */
static u16 place_of(const struct disk *disk, u32 rank)
{
	if (disk->flags & DISK_CD) {
		if (!rank || (rank == BOOT_ID_RANK && !host_orders()))
			workspace.cd_leads = true;
		if (post.bios >= PNP_CALLS_FIRST && !post.fwcfg)
			rank |= AFTER_DISKS;
	}
	return (u16)rank;
}

static void remove_drive(u32 slot)
{
	workspace.int13.disks--;
	for (; slot < workspace.int13.disks; slot++)
		swap_with_next(slot);
}

/* Of the removable disks, keep only the one that is the first disk. */
static void keep_boot_drive(void)
{
	bool is_first = true;

	post.removable = false;
	for (u32 slot = 0; slot < workspace.int13.disks;) {
		u8 kind = drive_table[slot].flags & (DISK_CD | DISK_REMOVABLE);

		if (kind == DISK_REMOVABLE && !is_first) {
			remove_drive(slot);
			continue;
		}
		if (kind == DISK_REMOVABLE)
			post.removable = true;
		if (!(kind & DISK_CD))
			is_first = false;
		slot++;
	}
}

void order_drives(void)
{
	u16 place[MOST_DISKS];

	host_boot_ranks(&post.path, place);
	if (settings.own.flags & OWN_CD_FIRST && !host_orders())
		post.cd_first = true;
	workspace.cd_leads = post.cd_first && post.cds;
	for (u32 i = 0; i < workspace.int13.disks; i++) {
		struct disk *disk = &drive_table[i];
		u16 own = place_of(disk, rank_of(disk, place[i]));
		u32 slot = i;

		for (; slot && place[slot - 1] > own; slot--) {
			place[slot] = place[slot - 1];
			swap_with_next(slot - 1);
		}
		place[slot] = own;
	}
	if (settings.card.removable == SYMBIOS_REMOVABLE_BOOT)
		keep_boot_drive();
}
