/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The settings of each controller lie in the memory of POST; those of the controller that is
 * read, opened or written pass through `settings`.
 */
#include "adapters.h"

#include "pc/post/pci.h"
#include "rom/post/configure.h"
#include "rom/post/controller.h"
#include "rom/post/state.h"
#include "rom/post/switches.h"
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

/* With a host, only if it is still the controller there. */
static NOT_INLINE void add(u16 pci_address, u16 own,
			   const struct symbios_host __seg_gs *host)
{
	struct adapter __seg_gs *adapter = adapters;
	struct controller controller;

	if (!pci_has_function(pci_address) ||
	    !controller_identify(&controller, pci_address) ||
	    controller.chip->features == CHIP_REFUSED ||
	    (host && (host->device != controller.chip->device ||
		      host->vendor != LSI_PCI_VENDOR)))
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
	adapter->emulated = controller_is_emulated(pci_address);
	adapter->changed = false;
	adapter->host = (struct symbios_host){
		.type = SYMBIOS_HOST_8XX,
		.device = controller.chip->device,
		.vendor = LSI_PCI_VENDOR,
		.bus = (u8)(pci_address >> 8),
		.function = (u8)pci_address,
		.flags = SYMBIOS_HOST_BOOTS,
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
			    host);
	}
	(void)pci_version(&last_bus);
	for (u32 at = 0; at < (last_bus + 1) << 8; at++)
		add((u16)at, own, NULL);
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

/* Take its settings. Another one is open no more. */
static NOT_INLINE void use(const struct adapter __seg_gs *adapter)
{
	if (opened != adapter)
		opened = NULL;
	post.chip = adapter->chip;
	post.io = adapter->host.io;
	post.pci_address = adapter->pci_address;
	post.emulated = adapter->emulated;
	copy(&settings, &adapter->settings, sizeof(settings));
}

/* Give it to this one, with its settings. HBA_CHIP if its chip does not answer. */
static NOT_INLINE enum hba_result select(const struct adapter __seg_gs *adapter,
					 struct lsi_options *options)
{
	use(adapter);
	opened = NULL;
	*options = (struct lsi_options){
		.chip = post.chip, .io = post.io, .instant = post.emulated};
	return lsi_stop(&workspace.lsi, options);
}

/* Does POST use it? With a copy of the ROM for each, its own list of controllers counts. */
static void read_order(struct adapter __seg_gs *adapter)
{
	struct controller controller = {adapter->pci_address, adapter->chip};

	if (post.named)
		controller_set_order();
	IN_ROM struct symbios_host *host = controller_in_order(&controller);
	if (host)
		adapter->host.flags = host->flags;
}

void adapters_read(void)
{
	struct lsi_options options;
	struct adapter __seg_gs *adapter = adapters;

	for (u32 i = adapter_count; i; i--, adapter++) {
		if (adapter->host.io && select(adapter, &options) == HBA_OK) {
			settings_read(&workspace.lsi);
		} else {
			use(adapter);
			settings_absent();
		}
		read_order(adapter);
		keep_settings(adapter);
	}
}

void adapter_set_defaults(struct adapter __seg_gs *adapter, u32 id, bool shared)
{
	u8 host_id = adapter->settings.card.host_id;

	use(adapter);
	settings_set_usual(shared);
	if (adapter_has_device(adapter, settings.card.host_id))
		settings.card.host_id = host_id;
	adapter->changed = true;
	if (id < SETTINGS_TARGETS) {
		copy(&adapter->settings.card.targets[id], &settings.card.targets[id],
		     sizeof(struct symbios_target));
		return;
	}
	adapter->host.flags |= SYMBIOS_HOST_BOOTS;
	keep_settings(adapter);
}

bool adapter_open(const struct adapter __seg_gs *adapter)
{
	struct lsi_options options;

	if (opened == adapter)
		return true;
	if (select(adapter, &options) != HBA_OK)
		return false;
	options.own_id = LSI_ID_AS_FOUND; /* a new one may be that of a device */
	options.keep_bus = settings.card.flags2 & SYMBIOS_AVOID_RESET ||
			   !post.switches[SWITCH_BUS_RESET];
	options.no_parity = !(settings.card.flags & SYMBIOS_PARITY);
	if (lsi_open(&workspace.lsi, &options) != HBA_OK)
		return false;
	configure_timeouts(&workspace.lsi.hba);
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
	enum nvram_result first_error = NVRAM_OK;
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
		if (result == NVRAM_OK) {
			adapter->changed = false;
			keep_settings(adapter);
		} else if (first_error == NVRAM_OK) {
			first_error = result;
		}
	}
	return first_error;
}
