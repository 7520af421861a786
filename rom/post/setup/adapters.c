/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The settings of each controller lie in the memory of POST; those of the controller that is
 * read, opened or written pass through `settings`.
 */
#include "adapters.h"

#include "pc/post/pci.h"
#include "rom/post/controller.h"
#include "rom/post/state.h"
#include "rom/post/targets.h"
#include "rom/post/waiting.h"
#include "rom/workspace.h"

struct adapter __seg_gs adapters[MOST_ADAPTERS] POST_MEMORY;
u8 __seg_gs adapter_count POST_MEMORY;
/* the one in the workspace, whose devices targets.c has */
static const struct adapter __seg_gs *__seg_gs opened POST_MEMORY;

static NOT_INLINE void copy(void __seg_gs *to, const void __seg_gs *from, u32 bytes)
{
	u8 __seg_gs *to_byte = to;
	const u8 __seg_gs *from_byte = from;

	for (; bytes; bytes--)
		*to_byte++ = *from_byte++;
}

static NOT_INLINE void keep_settings(struct adapter __seg_gs *adapter)
{
	copy(&adapter->settings, &settings, sizeof(settings));
}

/* ---- List ------------------------------------------------------------------------ */

static NOT_INLINE void add(u16 pci_address, u16 own, u16 flags)
{
	struct adapter __seg_gs *adapter = adapters;
	struct controller controller;

	if (!pci_has_function(pci_address) ||
	    !controller_identify(&controller, pci_address) ||
	    controller.chip->features == CHIP_REFUSED)
		return;
	for (u32 i = adapter_count; i; i--, adapter++)
		if (adapter->pci_address == pci_address)
			return;
	if (adapter == &adapters[MOST_ADAPTERS])
		return;
	adapter_count++;
	adapter->chip = controller.chip;
	adapter->pci_address = pci_address;
	adapter->irq = (u8)pci_read32(pci_address, PCI_INTERRUPT);
	adapter->changed = false;
	adapter->host = (struct symbios_host){
		.type = SYMBIOS_HOST_8XX,
		.device = controller.chip->device,
		.vendor = LSI_PCI_VENDOR,
		.bus = (u8)(pci_address >> 8),
		.function = (u8)pci_address,
		.flags = flags,
		.io = pci_address == own || !controller_is_foreign(&controller)
			      ? controller_enable(pci_address)
			      : 0,
	};
}

void adapters_find(u16 own)
{
	u32 last_bus = 0;

	adapter_count = 0;
	for (u32 i = 0; i < ARRAY_SIZE(settings.card.hosts); i++) {
		struct symbios_host __seg_gs *host = &settings.card.hosts[i];

		if (host->type)
			add((u16)(host->bus << 8 | host->function), own,
			    host->flags);
	}
	(void)pci_version(&last_bus);
	for (u32 at = 0; at < (last_bus + 1) << 8; at++)
		add((u16)at, own, SYMBIOS_HOST_BOOTS);
}

struct adapter __seg_gs *adapters_first(void)
{
	struct adapter __seg_gs *adapter = adapters;

	for (u32 i = adapter_count; i; i--, adapter++)
		if (adapter_saves(adapter))
			return adapter;
	return adapters;
}

void adapter_swap_with_next(struct adapter __seg_gs *adapter)
{
	u8 __seg_gs *bytes = (u8 __seg_gs *)adapter;

	for (u32 i = sizeof(*adapter); i; i--, bytes++) {
		u8 byte = *bytes;

		*bytes = bytes[sizeof(*adapter)];
		bytes[sizeof(*adapter)] = byte;
	}
	opened = NULL;
	adapters_touch();
}

void adapters_touch(void)
{
	for (u32 i = 0; i < MOST_ADAPTERS; i++)
		adapters[i].changed = true;
}

/* ---- The controller in the workspace ------------------------------------------------- */

/* Give it to this one, with its settings. HBA_CHIP if its chip does not answer. */
static NOT_INLINE enum hba_result select(const struct adapter __seg_gs *adapter,
					 struct lsi_options *options)
{
	*options = (struct lsi_options){.instant = post.emulated};
	options->chip = post.chip = adapter->chip;
	options->io = post.io = adapter->host.io;
	post.pci_address = adapter->pci_address;
	copy(&settings, &adapter->settings, sizeof(settings));
	opened = NULL;
	return lsi_stop(&workspace.lsi, options);
}

void adapters_read(void)
{
	struct lsi_options options;
	struct adapter __seg_gs *adapter = adapters;

	for (u32 i = adapter_count; i; i--, adapter++) {
		settings.chip = NVRAM_NONE;
		if (adapter->host.io && select(adapter, &options) == HBA_OK)
			settings_read(&workspace.lsi);
		keep_settings(adapter);
	}
}

void adapter_set_defaults(struct adapter __seg_gs *adapter, u32 id)
{
	struct lsi_options options;

	(void)select(adapter, &options); /* no access to the chip follows */
	settings_defaults();
	adapter->changed = true;
	if (id < SETTINGS_TARGETS)
		copy(&adapter->settings.card.targets[id], &settings.card.targets[id],
		     sizeof(struct symbios_target));
	else
		keep_settings(adapter);
}

bool adapter_open(const struct adapter __seg_gs *adapter)
{
	struct lsi_options options;

	if (opened == adapter)
		return true;
	if (select(adapter, &options) != HBA_OK)
		return false;
	options.own_id = settings.card.host_id;
	options.no_parity = !(settings.card.flags & SYMBIOS_PARITY);
	if (lsi_open(&workspace.lsi, &options) != HBA_OK)
		return false;
	waiting_begin();
	targets_identify();
	waiting_end();
	opened = adapter;
	return true;
}

bool adapter_has_device(const struct adapter __seg_gs *adapter, u8 id)
{
	return adapter == opened && targets_has(id);
}

enum nvram_result adapters_write(void)
{
	struct lsi_options options;
	struct adapter __seg_gs *adapter = adapters;

	for (u32 i = adapter_count; i; i--, adapter++) {
		if (!adapter->changed || !adapter_saves(adapter))
			continue;
		(void)select(adapter, &options); /* a chip that fails does not acknowledge */
		for (u32 n = 0; n < ARRAY_SIZE(settings.card.hosts); n++)
			if (n < adapter_count)
				copy(&settings.card.hosts[n], &adapters[n].host,
				     sizeof(adapters[n].host));
			else
				settings.card.hosts[n].type = 0;
		enum nvram_result result = settings_write(&workspace.lsi);
		if (result != NVRAM_OK)
			return result;
		adapter->changed = false;
	}
	return NVRAM_OK;
}
