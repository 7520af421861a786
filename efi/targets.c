/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Which units there are, and their device paths [UEFI 2.10
 * "EFI_EXT_SCSI_PASS_THRU_PROTOCOL.GetNextTargetLun()" to "GetNextTarget()", "SCSI Device
 * Path"; SCSI-2 "INQUIRY command"].
 */
#include "efi/controller.h"

#include "efi/driver.h"
#include "pc/phys.h"
#include "scsi/cdb.h"
#include "scsi/scan.h"

#define INQUIRY_TIMEOUT_MS 5000 /* also for a device that a bus reset has made busy */
#define SCAN_TRIES 3 /* of a command: a bus reset or UNIT ATTENTION may end one */
#define QUALIFIER_MASK 0xe0 /* not 0: the target has no such unit now */
#define QUALIFIER_NOT_CONNECTED 0x20 /* but it could have */
#define MOST_HUNG 2 /* targets in a row: then the bus hangs */

enum answer { ABSENT, PRESENT, HUNG };

/* Send INQUIRY. The data, as far as it came, is in own->data; the rest of it is 0. */
static enum answer inquire(struct own_memory *own, u8 target, u8 lun, u8 cdb_lun)
{
	struct hba *hba = &own->lsi.hba;
	struct hba_request *request = &own->request;
	struct scsi_device device = {target, lun, cdb_lun};
	struct scsi_inquiry *answer = (struct scsi_inquiry *)own->data;

	for (u32 tries = SCAN_TRIES; tries; tries--) {
		*answer = (struct scsi_inquiry){0};
		cdb_inquiry(request, &device);
		request->data = (struct phys_range){phys_of(answer), sizeof(*answer)};
		request->timeout_ms = INQUIRY_TIMEOUT_MS;
		enum hba_result result = hba->execute(hba, request);

		if (result == HBA_NO_TARGET)
			return ABSENT;
		if (result == HBA_TIMEOUT)
			return HUNG;
		if (result == HBA_OK &&
		    (request->status & SCSI_STATUS_MASK) == SCSI_STATUS_GOOD)
			return answer->type & QUALIFIER_MASK ? ABSENT : PRESENT;
	}
	/* It answers, but not with data: LUN 0 may become ready later. */
	return lun ? ABSENT : PRESENT;
}

static bool same_bytes(const void *a, const void *b, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (((const u8 *)a)[i] != ((const u8 *)b)[i])
			return false;
	return true;
}

/* Read the capacity as the unit sends it; 0 if it does not. */
static void read_capacity(struct own_memory *own, u8 target, u8 lun, u8 *capacity)
{
	struct hba *hba = &own->lsi.hba;
	struct hba_request *request = &own->request;
	struct scsi_device device = {target, lun, (u8)(lun << 5)};
	bool good = false;

	for (u32 tries = SCAN_TRIES; tries && !good; tries--) {
		cdb_read_capacity(request, &device, CAPACITY10_BYTES);
		request->data = (struct phys_range){phys_of(own->data), CAPACITY10_BYTES};
		request->timeout_ms = INQUIRY_TIMEOUT_MS;
		good = hba->execute(hba, request) == HBA_OK &&
		       (request->status & SCSI_STATUS_MASK) == SCSI_STATUS_GOOD;
	}
	for (u32 i = 0; i < CAPACITY10_BYTES; i++)
		capacity[i] = good ? own->data[i] : 0;
}

/* Is the unit that has just answered INQUIRY LUN 0 again? A device of SCSI-2 that
 * ignores the LUN answers for each.
 */
static bool is_first_again(struct own_memory *own, u8 target, u8 lun,
			   const struct scsi_inquiry *first)
{
	u8 capacity[2][CAPACITY10_BYTES];

	if (!same_bytes(own->data, first, sizeof(*first)))
		return false;
	read_capacity(own, target, 0, capacity[0]);
	read_capacity(own, target, lun, capacity[1]);
	return same_bytes(capacity[0], capacity[1], CAPACITY10_BYTES);
}

/* Find the LUNs of a target. Devices before SCSI-2 may ignore the LUN, so that each would
 * be a copy of LUN 0; those of SCSI-2 have no gaps.
 */
static enum answer scan_target(struct controller *c, u8 target)
{
	struct own_memory *own = c->own;
	const struct scsi_inquiry *data = (const struct scsi_inquiry *)own->data;
	enum answer answer = inquire(own, target, 0, 0);
	struct scsi_inquiry first = *data;
	u8 version = data->version & INQUIRY_VERSION_MASK;
	bool absent = answer == ABSENT && !data->type;

	c->luns[target] = answer == PRESENT;
	if (absent || answer == HUNG || version < INQUIRY_VERSION_SCSI2)
		return answer;
	bool gaps = version > INQUIRY_VERSION_SCSI2;
	for (u8 lun = 1; lun < MOST_LUNS; lun++) {
		enum answer further = inquire(own, target, lun, gaps ? 0 : (u8)(lun << 5));

		if (further == PRESENT && !gaps && is_first_again(own, target, lun, &first))
			break;
		if (further == PRESENT)
			c->luns[target] |= (u8)(1u << lun);
		else if (further == HUNG ||
			 (!gaps && (data->type & QUALIFIER_MASK) != QUALIFIER_NOT_CONNECTED))
			break;
	}
	return answer;
}

static efi_status scan(struct controller *c)
{
	const struct hba *hba = &c->own->lsi.hba;
	u32 hung = 0;

	if (!controller_take(c))
		return EFI_DEVICE_ERROR;
	for (u32 target = 0; target < MOST_TARGETS; target++) {
		c->luns[target] = 0;
		if (target > hba->last_id || target == hba->own_id || hung == MOST_HUNG)
			continue;
		hung = scan_target(c, (u8)target) == HUNG ? hung + 1 : 0;
	}
	controller_give_back(c);
	return EFI_SUCCESS;
}

static bool is_start(const u8 *target)
{
	for (u32 i = 0; i < TARGET_MAX_BYTES; i++)
		if (target[i] != 0xff)
			return false;
	return true;
}

static void set_target(u8 *bytes, u8 target)
{
	for (u32 i = 0; i < TARGET_MAX_BYTES; i++)
		bytes[i] = 0;
	bytes[0] = target;
}

/* Find the next unit from number `from` on: 8 times the target plus the LUN. */
static efi_status next_unit(const struct controller *c, u32 from, u8 *target, u64 *lun)
{
	for (u32 i = from; i < MOST_TARGETS * MOST_LUNS; i++) {
		if (!(c->luns[i / MOST_LUNS] >> i % MOST_LUNS & 1))
			continue;
		set_target(target, (u8)(i / MOST_LUNS));
		*lun = i % MOST_LUNS;
		return EFI_SUCCESS;
	}
	return EFI_NOT_FOUND;
}

static efi_status EFIAPI get_next_target_lun(struct efi_ext_scsi_pass_thru *self, u8 **target,
					     u64 *lun)
{
	struct controller *c = controller_of(self);

	if (!target || !*target || !lun)
		return EFI_INVALID_PARAMETER;
	if (is_start(*target)) {
		efi_status status = scan(c);

		return EFI_ERROR(status) ? status : next_unit(c, 0, *target, lun);
	}
	if (!controller_has(c, *target, *lun) || !(c->luns[**target] >> *lun & 1))
		return EFI_INVALID_PARAMETER;
	return next_unit(c, **target * MOST_LUNS + (u32)*lun + 1, *target, lun);
}

static efi_status EFIAPI get_next_target(struct efi_ext_scsi_pass_thru *self, u8 **target)
{
	struct controller *c = controller_of(self);
	u64 lun;

	if (!target || !*target)
		return EFI_INVALID_PARAMETER;
	if (is_start(*target)) {
		efi_status status = scan(c);

		return EFI_ERROR(status) ? status : next_unit(c, 0, *target, &lun);
	}
	if (!controller_has(c, *target, 0) || !c->luns[**target])
		return EFI_INVALID_PARAMETER;
	return next_unit(c, (**target + 1u) * MOST_LUNS, *target, &lun);
}

static efi_status EFIAPI build_device_path(struct efi_ext_scsi_pass_thru *self, u8 *target,
					   u64 lun, struct efi_scsi_device_path **path)
{
	void *node;

	if (!target || !path)
		return EFI_INVALID_PARAMETER;
	if (!controller_has(controller_of(self), target, lun))
		return EFI_NOT_FOUND;
	efi_status status = boot->allocate_pool(EFI_BOOT_SERVICES_DATA, sizeof(**path), &node);
	if (EFI_ERROR(status))
		return EFI_OUT_OF_RESOURCES;
	*path = node;
	**path = (struct efi_scsi_device_path){
		.type = MESSAGING_DEVICE_PATH,
		.sub_type = MSG_SCSI_DP,
		.length = {sizeof(**path), 0},
		.pun = target[0],
		.lun = (u16)lun,
	};
	return EFI_SUCCESS;
}

static efi_status EFIAPI get_target_lun(struct efi_ext_scsi_pass_thru *self,
					struct efi_scsi_device_path *path, u8 **target, u64 *lun)
{
	u8 found[TARGET_MAX_BYTES];

	if (!path || !target || !*target || !lun)
		return EFI_INVALID_PARAMETER;
	if (path->type != MESSAGING_DEVICE_PATH || path->sub_type != MSG_SCSI_DP ||
	    path->length[0] != sizeof(*path) || path->length[1])
		return EFI_UNSUPPORTED;
	set_target(found, (u8)path->pun);
	if (path->pun >= MOST_TARGETS || !controller_has(controller_of(self), found, path->lun))
		return EFI_NOT_FOUND;
	set_target(*target, found[0]);
	*lun = path->lun;
	return EFI_SUCCESS;
}

void targets_install(struct controller *c)
{
	c->pass_thru.get_next_target_lun = get_next_target_lun;
	c->pass_thru.build_device_path = build_device_path;
	c->pass_thru.get_target_lun = get_target_lun;
	c->pass_thru.get_next_target = get_next_target;
}
