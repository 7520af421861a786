/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Formats disks. [SCSI-2 "FORMAT UNIT command", SPC-3 "Sense key specific"]
 */
#include "scsi/service.h"

#include "scsi/command.h"
#include "scsi/sense.h"

/* ---- Commands without a time limit ------------------------------------- */

/* Stands between scsi/command.c and the chip driver. */
struct patient {
	struct hba hba; /* must be the first member (patient_execute()) */
	struct hba *driver;
};

static enum hba_result patient_execute(struct hba *hba,
				       struct hba_request *request)
{
	struct hba *driver = ((struct patient *)hba)->driver;

	driver->doubtful |= hba->doubtful; /* of the command before */
	hba->doubtful = 0;
	request->timeout_ms = HBA_NO_TIME_LIMIT;
	return driver->execute(driver, request);
}

static void be_patient(struct scsi_bus *bus, struct patient *patient)
{
	*patient = (struct patient){.hba.execute = patient_execute,
				    .driver = bus->hba};
	bus->hba = &patient->hba;
}

/* ---- FORMAT UNIT --------------------------------------------------------- */

#define OP_FORMAT_UNIT 0x04
/* Byte 1: a parameter list follows. Without CMPLST, and without defects in it, the lists
 * of the manufacturer and of grown defects are used.
 */
#define FORMAT_DATA 0x10
/* The list is its header only: defaults (FOV is 0), no defects. */
#define LIST_BYTES 4
#define LIST_IMMED_AT 1
#define LIST_IMMED 0x02

enum form {
	FORM_IMMEDIATE,
	FORM_PLAIN, /* the status comes at the end */
	FORM_NO_LIST, /* the same, for devices that know no list */
	FORMS,
};

/* Send FORMAT UNIT once, whatever its result. */
static enum scsi_result send_format(struct scsi_bus *bus,
				    const struct scsi_device *device,
				    enum form form)
{
	struct hba_request request;
	u8 list[LIST_BYTES] = {0};

	cdb_simple(&request, device, OP_FORMAT_UNIT);
	if (form != FORM_NO_LIST) {
		request.cdb[1] |= FORMAT_DATA;
		request.direction = HBA_DATA_OUT;
		request.data_bytes = LIST_BYTES;
		request.data = (struct phys_range){phys_of(list), LIST_BYTES};
	}
	if (form == FORM_IMMEDIATE)
		list[LIST_IMMED_AT] = LIST_IMMED;
	bus->waited = NO_MORE_TRIES;
	enum scsi_result result = scsi_command(bus, &request);
	bus->waited = 0;
	return result;
}

enum scsi_result service_format(struct scsi_bus *bus,
				const struct scsi_device *device,
				u16 *progress)
{
	struct patient patient;
	enum scsi_result result = SCSI_ILLEGAL_REQUEST;

	/* It clears UNIT ATTENTIONs and starts the unit. A device whose format is
	 * damaged may never be ready.
	 */
	scsi_begin_call(bus);
	(void)disk_simple(bus, device, CDB_TEST_UNIT_READY);
	bus->started = true;
	be_patient(bus, &patient);
	for (u32 form = FORM_IMMEDIATE;
	     form < FORMS && result == SCSI_ILLEGAL_REQUEST; form++) {
		*progress = form == FORM_IMMEDIATE ? 0 : SERVICE_DONE;
		result = send_format(bus, device, (enum form)form);
	}
	bus->hba = patient.driver;
	return result;
}

/* ---- Progress ------------------------------------------------------------- */

#define NOT_READY 0x2
#define ASC_NOT_READY 0x04
#define ASCQ_TO_BE_STARTED 0x02
#define ASCQ_BY_HAND 0x03
#define SENSE_ADDITIONAL_FOR_PROGRESS 10
#define SENSE_SPECIFIC_AT 15
#define SENSE_SPECIFIC_VALID 0x80
#define PROGRESS_AT 16

/* Does the sense data say that the unit is busy with itself? Some report 04/00 or 04/01 in
 * place of 04/04. Sets *progress if it has one.
 */
static bool is_formatting(const u8 *sense, u16 *progress)
{
	if ((sense[SENSE_KEY_AT] & SENSE_KEY_MASK) != NOT_READY ||
	    sense[SENSE_ASC_AT] != ASC_NOT_READY ||
	    sense[SENSE_ASCQ_AT] == ASCQ_TO_BE_STARTED ||
	    sense[SENSE_ASCQ_AT] == ASCQ_BY_HAND)
		return false;
	if (sense[SENSE_ADDITIONAL_AT] >= SENSE_ADDITIONAL_FOR_PROGRESS &&
	    sense[SENSE_SPECIFIC_AT] & SENSE_SPECIFIC_VALID) {
		*progress = (u16)(sense[PROGRESS_AT] << 8 |
				  sense[PROGRESS_AT + 1]);
		if (*progress == SERVICE_DONE)
			(*progress)--;
	}
	return true;
}

/* Send REQUEST SENSE as a command of its own; the verdict on what it returns. */
static enum scsi_result ask_for_sense(struct scsi_bus *bus,
				      const struct scsi_device *device)
{
	struct hba_request request;

	__builtin_memset(bus->sense, 0, SENSE_BYTES);
	cdb_request_sense(&request, device);
	request.data.address = phys_of(bus->sense);
	request.least_bytes = 0;
	request.patience_ms = 0;
	enum scsi_result result = scsi_command(bus, &request);
	return result == SCSI_OK ? sense_verdict(bus->sense, request.moved).result
				 : result;
}

/* Is the verdict on sense data no reason to believe that the format has ended or failed?
 * NO SENSE is SCSI_ABORTED.
 */
static bool says_nothing(enum scsi_result result)
{
	return result == SCSI_OK || result == SCSI_ABORTED ||
	       result == SCSI_ATTENTION || result == SCSI_MEDIUM_CHANGED ||
	       result == SCSI_SENSE_FAILED;
}

enum scsi_result service_format_progress(struct scsi_bus *bus,
					 const struct scsi_device *device,
					 u16 *progress)
{
	struct patient patient;

	scsi_begin_call(bus);
	bus->started = true; /* START UNIT must not be sent now */
	be_patient(bus, &patient);
	enum scsi_result result = ask_for_sense(bus, device);
	if (says_nothing(result)) {
		result = disk_simple(bus, device, CDB_TEST_UNIT_READY);
		if (result == SCSI_OK)
			*progress = SERVICE_DONE;
	}
	bus->hba = patient.driver;
	if (result == SCSI_BUSY ||
	    (result == SCSI_NOT_READY && is_formatting(bus->sense, progress)))
		return SCSI_OK;
	return result;
}
