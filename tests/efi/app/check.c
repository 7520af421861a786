/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Checks: each prints one line.
 */
#include "app.h"

static const char *group;
static u64 checks, failures;

void check_group(const char *name)
{
	group = name;
}

static void report(const char *name, bool ok, const char *expected, const char *got)
{
	checks++;
	if (ok) {
		print("ok %s: %s", group, name);
		return;
	}
	failures++;
	print("FAILED %s: %s: expected %s, got %s", group, name, expected, got);
}

void check_equal(const char *name, u64 expected, u64 got)
{
	char a[24], b[24];

	report(name, expected == got, format_text(a, sizeof(a), "%x", expected),
	       format_text(b, sizeof(b), "%x", got));
}

void check_true(const char *name, bool got)
{
	report(name, got, "yes", "no");
}

void check_each(const char *name, u32 got)
{
	char text[32];

	report(name, !got, "no wrong case", format_text(text, sizeof(text), "case %u", (u64)got));
}

static const struct status_name {
	efi_status status;
	const char *name;
} status_names[] = {
	{EFI_SUCCESS, "SUCCESS"},
	{EFI_INVALID_PARAMETER, "INVALID_PARAMETER"},
	{EFI_UNSUPPORTED, "UNSUPPORTED"},
	{EFI_BAD_BUFFER_SIZE, "BAD_BUFFER_SIZE"},
	{EFI_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL"},
	{EFI_NOT_READY, "NOT_READY"},
	{EFI_DEVICE_ERROR, "DEVICE_ERROR"},
	{EFI_OUT_OF_RESOURCES, "OUT_OF_RESOURCES"},
	{EFI_NOT_FOUND, "NOT_FOUND"},
	{EFI_ACCESS_DENIED, "ACCESS_DENIED"},
	{EFI_TIMEOUT, "TIMEOUT"},
	{EFI_ALREADY_STARTED, "ALREADY_STARTED"},
};

static const char *status_name(efi_status status, char *room, u32 bytes)
{
	for (u32 i = 0; i < ARRAY_SIZE(status_names); i++)
		if (status_names[i].status == status)
			return status_names[i].name;
	return format_text(room, bytes, "status %x", status);
}

void check_status(const char *name, efi_status expected, efi_status got)
{
	char a[32], b[32];

	report(name, expected == got, status_name(expected, a, sizeof(a)),
	       status_name(got, b, sizeof(b)));
}

static void ending_text(char *text, u32 bytes, struct ending e)
{
	char room[32];

	format_text(text, bytes, "%s host %x target %x moved %u",
		    status_name(e.status, room, sizeof(room)), (u64)e.host, (u64)e.target,
		    (u64)e.moved);
}

void check_ending(const char *name, struct ending expected, const struct command *c)
{
	struct ending got = {c->status, c->packet.host_adapter_status, c->packet.target_status,
			     command_moved(c)};
	char a[80], b[80];

	ending_text(a, sizeof(a), expected);
	ending_text(b, sizeof(b), got);
	report(name,
	       expected.status == got.status && expected.host == got.host &&
		       expected.target == got.target && expected.moved == got.moved,
	       a, b);
}

void check_close(void)
{
	print("end of %u checks, %u failed", checks, failures);
}
