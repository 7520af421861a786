/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Reads the settings and applies those of the controller and of INT 13h. Those of the
 * scan act in targets.c and units.c, those of the boot order in order.c.
 */
#include "configure.h"

#include "banner.h"
#include "controller.h"
#include "keys.h"
#include "lsi/regs.h"
#include "rom/workspace.h"
#include "settings.h"
#include "state.h"
#include "switches.h"
#include "waiting.h"

#define DEFAULTS_KEY 'D'

static void apply_switches(u8 IN_ROM *switches)
{
	workspace.quiet = !switches[SWITCH_BANNER];
	workspace.choice_seconds = switches[SWITCH_BOOT_TIMEOUT];
	workspace.int13.native_blocks = switches[SWITCH_NATIVE_BLOCKS];
	if (switches[SWITCH_GEOMETRY] == SWITCH_CAM)
		workspace.int13.geometry_rule = GEOMETRY_CAM;
}

static char IN_ROM *chip_failed(void)
{
	return ROM_STRING(": chip failed or SCSI bus is stuck");
}

/* Returns null, or the reason why there are no settings and the controller is not used. */
static char IN_ROM *read_settings(const struct lsi_options *options)
{
	struct lsi *lsi = &workspace.lsi;

	if (!options->io)
		return ROM_STRING(": no I/O address from the BIOS");
	if (lsi_stop(lsi, options) != HBA_OK)
		return chip_failed();
	settings_read(lsi);
	if (settings.source != SETTINGS_STORED &&
	    settings.source != SETTINGS_INVALID)
		return NULL;
	if (keys_take_all(DEFAULTS_KEY))
		post.ignore_stored = true;
	if (post.ignore_stored)
		settings_ignore(lsi);
	else if (settings.source == SETTINGS_STORED &&
		 (post.named || post.looking_for_order))
		controller_set_order();
	return NULL;
}

/* Is the controller in the boot order, but switched off there? */
static bool is_off(const struct controller *controller)
{
	IN_ROM struct symbios_host *host = controller_in_order(controller);

	return host && !(host->flags & SYMBIOS_HOST_BOOTS);
}

/* The targets that may disconnect by stored settings. Without parity, a wrong reselection
 * would not be noticed.
 */
static u16 disconnects(void)
{
	u32 bits = 0;

	if (!(settings.card.flags & SYMBIOS_PARITY))
		return 0;
	for (u32 id = 0; id < SETTINGS_TARGETS; id++)
		if (settings.card.targets[id].flags & TARGET_DISCONNECTS)
			bits |= 1u << id;
	return (u16)bits;
}

void configure_timeouts(struct hba *hba)
{
	for (u32 id = 0; id < SETTINGS_TARGETS; id++) {
		u16 timeout_s = settings.card.targets[id].timeout;

		if (!timeout_s || timeout_s > HBA_MOST_TIMEOUT_S)
			timeout_s = HBA_MOST_TIMEOUT_S;
		hba->media_timeout_s[id] = timeout_s;
	}
}

static enum hba_result open_controller(struct lsi *lsi, struct lsi_options *options)
{
	bool stored = settings.source == SETTINGS_STORED;

	options->own_id = post.switches[SWITCH_HOST_ID];
	options->keep_bus = !post.switches[SWITCH_BUS_RESET];
	options->no_parity = !(settings.card.flags & SYMBIOS_PARITY);
	/* A board of Symbios whose firmware has made the pin an output */
	options->led = stored && !(lsi_read8(lsi, LSI_GPCNTL) & GPREG_LED);
	if (stored)
		options->disconnects = disconnects();
	enum hba_result result = lsi_open(lsi, options);
	if (stored)
		configure_timeouts(&lsi->hba);
	return result;
}

/* Returns null, or the reason why the controller is not used. */
static char IN_ROM *apply_settings(const struct controller *controller,
				   struct lsi_options *options)
{
	switches_complete(post.switches);
	apply_switches(post.switches);
	if (settings.damaged)
		controller_report(controller,
				  ROM_STRING(": settings in NVRAM are damaged, using defaults"),
				  0);
	if (is_off(controller))
		return ROM_STRING(": turned off by its settings");
	return open_controller(&workspace.lsi, options) == HBA_OK
		       ? NULL
		       : chip_failed();
}

bool configure(void)
{
	struct controller controller = {post.pci_address, post.chip};
	struct lsi_options options = {
		.chip = post.chip, .io = post.io, .instant = post.emulated};
	bool only_settings = post.looking_for_order;

	char IN_ROM *failure = read_settings(&options);
	if (only_settings)
		return false;
	if (!failure)
		failure = apply_settings(&controller, &options);
	if (failure) {
		controller_report(&controller, failure, 0);
		return false;
	}
	if (!workspace.quiet) {
		banner_begin();
		banner_chip(post.chip, post.pci_address);
	}
	waiting_pause(post.switches[SWITCH_SCAN_DELAY]);
	return true;
}
