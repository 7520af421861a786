/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The skeleton of a UEFI application for tests: services, text, memory, checks and
 * SCSI commands. It shares declarations with the driver, but no code.
 */
#ifndef TESTS_EFI_APP_H
#define TESTS_EFI_APP_H

#include "efi/efi.h"
#include "efi/protocols.h"

#pragma GCC visibility push(hidden)

#define MIB (1u << 20)
#define SECONDS(n) ((u64)(n) * 10000000) /* a time-out of a packet, in 100 ns */
#define BLOCK 512u

/* ---- Services (start.c) ---- */

extern struct efi_system_table *system_table;
extern struct efi_boot_services *boot;
extern efi_handle own_image;

/* The application proper: checks.c or bench.c. */
void app_main(void);

/* ---- Text (text.c) ---- */

/* Print a line on the console. Formats: %s string, %u decimal, %x hexadecimal; all
 * numbers are u64. The line end is added.
 */
void print(const char *format, ...);

/* Write text into `line` as print() does; returns `line`. */
char *format_text(char *line, u32 bytes, const char *format, ...);

/* ---- Memory (memory.c) ---- */

#define FILL 0xa5

void *memset(void *at, int value, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

/* Allocate pages below 4 GiB, or above it. Stops the application if there are none. */
u8 *memory_low(u32 bytes);
u8 *memory_high(u32 bytes);

/* Number of bytes from `at` that still are FILL, at most `bytes` */
u32 memory_filled(const u8 *at, u32 bytes);

/* Number of free pages by the memory map */
u64 memory_free_pages(void);

/* ---- Checks (check.c). Each prints one line: "ok GROUP: NAME" or
 * "FAILED GROUP: NAME: expected X, got Y". ----
 */

/* How a packet ends: its status, both status bytes, bytes transferred */
struct ending {
	efi_status status;
	u8 host, target;
	u32 moved;
};

#define ENDS_WELL(bytes) (struct ending){EFI_SUCCESS, HOST_OK, TARGET_GOOD, bytes}
#define HOST_OK EFI_EXT_SCSI_STATUS_HOST_ADAPTER_OK
#define TARGET_GOOD 0x00
#define TARGET_CHECK_CONDITION 0x02

struct command;

void check_group(const char *name);
void check_equal(const char *name, u64 expected, u64 got);
void check_true(const char *name, bool got);
void check_status(const char *name, efi_status expected, efi_status got);
void check_ending(const char *name, struct ending expected, const struct command *c);
/* `got` is 0, or the number of the first case that is wrong, from 1 */
void check_each(const char *name, u32 got);

/* The closing line, with the number of checks */
void check_close(void);

/* ---- Controllers and commands (scsi.c) ---- */

/* Targets of the first controller */
#define ID_DISK 0    /* 32 MiB in which every dword is its number */
#define ID_PAUSING 1 /* the same data, 128 KiB each second */
#define ID_EMPTY 2   /* a CD drive without a disc */
#define ID_SLOW 3    /* the same data, 64 KiB each second */
#define ID_ABSENT 4
#define ID_OTHER 6   /* the same data */
/* Targets of the second one */
#define ID_FAILING 1 /* the first disk's data; some blocks fail */
#define ID_SECOND 5  /* each byte is SECOND_BYTE */
#define SECOND_BYTE 0x32
#define DISK_BLOCKS 65536u

#define MOST_CONTROLLERS 2

struct controller {
	efi_handle handle;
	struct efi_pci_io *pci;
	struct efi_ext_scsi_pass_thru *bus;
};

extern struct controller controllers[MOST_CONTROLLERS]; /* by their PCI location */
extern u32 controller_count;
extern efi_handle foreign_controller; /* the host bridge */
#define BUS (controllers[0].bus) /* the one under test */
#define SECOND (controllers[1].bus)

/* Connect drivers to all PCI devices and find those with a SCSI bus. */
void controllers_find(void);

struct command {
	struct efi_ext_scsi_pass_thru_packet packet;
	u8 cdb[16];
	u8 sense[256];
	efi_status status;
};

/* Set a command with a time-out of 10 s and 18 bytes of sense data. The sense buffer
 * is filled with FILL.
 */
void command_set(struct command *c, const u8 *cdb, u8 cdb_bytes, u8 direction, void *buffer,
		 u32 bytes);

/* Commands. `buffer` has `bytes`. */
void command_ready(struct command *c); /* TEST UNIT READY */
void command_inquiry(struct command *c, void *buffer, u8 bytes);
void command_read(struct command *c, u32 lba, u32 blocks, void *buffer, u32 bytes);
void command_write(struct command *c, u32 lba, u32 blocks, void *buffer, u32 bytes);
void command_sense(struct command *c, void *buffer, u8 bytes); /* REQUEST SENSE */

/* Send it to LUN 0 of a target on BUS. */
void command_send(struct command *c, u8 id);
void command_send_to(struct command *c, struct efi_ext_scsi_pass_thru *bus, u8 id, u64 lun);

/* Bytes transferred in the packet's direction */
u32 command_moved(const struct command *c);

/* TEST UNIT READY until no unit attention is reported, at most ten times. */
void command_settle(u8 id);
void command_settle_at(struct efi_ext_scsi_pass_thru *bus, u8 id);

/* Number of bytes from `data` that are those of the disk from block `lba` */
u32 disk_equal(const u8 *data, u32 lba, u32 bytes);

/* True if block 9 of a disk can be read */
bool disk_works(u8 id);
bool disk_works_at(struct efi_ext_scsi_pass_thru *bus, u8 id);

#pragma GCC visibility pop
#endif
