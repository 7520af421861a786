/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Runs all groups of checks on the first controller.
 */
#include "checks.h"

static const struct group {
	const char *name;
	void (*run)(void);
} groups[] = {
	{"mode", check_mode},
	{"arguments", check_arguments},
	{"reads", check_reads},
	{"writes", check_writes},
	{"lengths", check_lengths},
	{"sense", check_sense},
	{"absent", check_absent},
	{"timeouts", check_timeouts},
	{"calls", check_calls},
	{"iteration", check_iteration},
	{"paths", check_paths},
	{"resets", check_resets},
	{"several", check_several},
	{"errors", check_errors},
	{"binding", check_binding},
	{"names", check_names},
	{"unload", check_unload},
};

void app_main(void)
{
	controllers_find();
	if (controller_count == MOST_CONTROLLERS) {
		for (u8 id = 0; id < 7; id++)
			command_settle(id);
		for (u32 i = 0; i < ARRAY_SIZE(groups); i++) {
			check_group(groups[i].name);
			groups[i].run();
		}
	} else {
		print("controllers with a driver: %u", (u64)controller_count);
	}
	check_close();
}
