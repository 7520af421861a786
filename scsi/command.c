/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sends a command, decides whether to send it again, and does so within limits.
 * sense.c decides on sense data.
 */
#include "command.h"

#include "cdb.h"
#include "pc/clock.h"
#include "pc/phys.h"
#include "sense.h"

#define RETRIES 4	 /* beyond the first try */
#define ATTENTIONS 16	 /* UNIT ATTENTIONs a drive may have queued up */
#define PAUSE_MS 100	 /* between tries of a device that is not ready */
#define AT_ONCE_MS 5000	 /* for tries without a pause, beyond the patience */

/* The verdict on a result other than HBA_OK. */
static NOT_INLINE struct scsi_verdict bus_verdict(enum hba_result result)
{
	switch (result) {
	case HBA_OK:
		return (struct scsi_verdict){SCSI_OK, ACTION_DONE};
	case HBA_NO_TARGET:
		return (struct scsi_verdict){SCSI_NO_TARGET, ACTION_DONE};
	case HBA_TIMEOUT:
		return (struct scsi_verdict){SCSI_TIMEOUT, ACTION_DONE};
	case HBA_BUS_RESET:
	case HBA_BUS_FREE:
	case HBA_PROTOCOL:
	case HBA_PARITY:
		return (struct scsi_verdict){SCSI_BUS_ERROR, ACTION_RETRY};
	case HBA_CHIP:
		break;
	}
	return (struct scsi_verdict){SCSI_BUS_ERROR, ACTION_DONE};
}

static struct scsi_device device_of(const struct hba_request *request)
{
	return (struct scsi_device){request->target, request->lun,
				    request->cdb[1] & CDB_LUN_MASK};
}

/* Fetch the sense data that belongs to the request's CHECK CONDITION. */
static struct scsi_verdict check_condition(struct scsi_bus *bus,
					   const struct hba_request *failed)
{
	struct hba_request *request = &bus->own;
	struct scsi_device device = device_of(failed);

	for (u32 i = 0; i < SENSE_BYTES; i++)
		bus->sense[i] = 0;
	cdb_request_sense(request, &device);
	request->data.address = phys_of(bus->sense);
	/* Exactly half of it comes from a target that is still wide. */
	if (bus->hba->execute(bus->hba, request) != HBA_OK ||
	    (request->status & SCSI_STATUS_MASK) != SCSI_STATUS_GOOD ||
	    request->moved == SENSE_BYTES / 2)
		return (struct scsi_verdict){SCSI_SENSE_FAILED, ACTION_RETRY};
	return sense_verdict(bus->sense, request->moved);
}

/* The verdict on GOOD status: has enough data been transferred? */
static struct scsi_verdict data_verdict(const struct hba_request *request)
{
	if (request->moved < request->least_bytes)
		return (struct scsi_verdict){SCSI_SHORT_DATA, ACTION_RETRY};
	/* A target that sends more than the allocation length of an INQUIRY, or
	 * data for a command without data, does no harm. If it sends more than
	 * the length of a block read, the data may be wrong.
	 */
	if (request->overrun && request->least_bytes &&
	    request->least_bytes == request->data_bytes)
		return (struct scsi_verdict){SCSI_OVERRUN, ACTION_RETRY};
	return (struct scsi_verdict){SCSI_OK, ACTION_DONE};
}

/* The verdict on a status other than GOOD. */
static NOT_INLINE struct scsi_verdict
status_verdict(struct scsi_bus *bus, const struct hba_request *request)
{
	switch (request->status & SCSI_STATUS_MASK) {
	case SCSI_STATUS_CHECK_CONDITION: {
		struct scsi_verdict verdict = check_condition(bus, request);
		/* Any UNIT ATTENTION counts, and so does missing sense data:
		 * a drive that was switched off cannot report a change of its
		 * medium.
		 */
		if (verdict.action == ACTION_ATTENTION ||
		    verdict.result == SCSI_SENSE_FAILED)
			bus->medium_changed = true;
		/* RECOVERED ERROR: success, if the data came */
		return verdict.result == SCSI_OK
			       ? data_verdict(request)
			       : verdict;
	}
	case SCSI_STATUS_BUSY:
	case SCSI_STATUS_QUEUE_FULL:
		return (struct scsi_verdict){SCSI_BUSY, ACTION_WAIT};
	case SCSI_STATUS_RESERVATION_CONFLICT:
		return (struct scsi_verdict){SCSI_RESERVED, ACTION_DONE};
	default: /* task aborted; intermediate, terminated, reserved: not valid here */
		return (struct scsi_verdict){SCSI_ABORTED, ACTION_RETRY};
	}
}

static struct scsi_verdict try_once(struct scsi_bus *bus,
				    struct hba_request *request)
{
	enum hba_result result = bus->hba->execute(bus->hba, request);

	bus->suspect = result != HBA_OK;
	if (result != HBA_OK)
		return bus_verdict(result);
	if ((request->status & SCSI_STATUS_MASK) != SCSI_STATUS_GOOD ||
	    request->status == SCSI_STATUS_TASK_ABORTED)
		return status_verdict(bus, request);
	return data_verdict(request);
}

/* Send a simple command to the device of the request `about`. It is sent
 * again only after UNIT ATTENTION, which means that the target has not done
 * it.
 */
static struct scsi_verdict send_simple(struct scsi_bus *bus,
				      const struct hba_request *about,
				      u32 command)
{
	struct scsi_device device = device_of(about);
	struct scsi_verdict verdict;
	u32 attentions = ATTENTIONS;

	do {
		cdb_simple(&bus->own, &device, command);
		verdict = try_once(bus, &bus->own);
	} while (verdict.action == ACTION_ATTENTION && --attentions &&
		 !clock_passed(bus->waited, AT_ONCE_MS));
	return verdict;
}

/* After a reported change there may be no medium at all. Seen: QEMU. */
static enum scsi_result changed_or_missing(struct scsi_bus *bus,
					   const struct hba_request *request)
{
	return send_simple(bus, request, CDB_TEST_UNIT_READY).result ==
			       SCSI_NO_MEDIUM
		       ? SCSI_NO_MEDIUM
		       : SCSI_MEDIUM_CHANGED;
}

/* Start the unit, once in a call. Its time does not count as that of tries. */
static void start(struct scsi_bus *bus, const struct hba_request *request)
{
	if (bus->started)
		return;
	bus->started = true;
	(void)send_simple(bus, request, CDB_START_UNIT);
	bus->waited = clock_mark();
}

/* Send the request again as the verdict on the first try requires, until it
 * succeeds or a limit is reached.
 */
static NOT_INLINE enum scsi_result try_again(struct scsi_bus *bus,
					     struct hba_request *request,
					     struct scsi_verdict verdict)
{
	/* How often the request may be sent at once, by action */
	u8 left[] = {[ACTION_DONE] = 0, [ACTION_RETRY] = RETRIES,
		     [ACTION_ATTENTION] = ATTENTIONS};
	bool answered = false;

	bus->waited = (u16)(clock_mark() - bus->waited);
	do {
		u32 limit_ms = request->patience_ms;

		/* A target that has answered before may not answer just after a
		 * bus reset.
		 */
		if (verdict.result != SCSI_NO_TARGET)
			answered = true;
		else if (answered)
			verdict.action = ACTION_WAIT;

		if (verdict.action < ARRAY_SIZE(left)) {
			if (!left[verdict.action]--)
				break;
			limit_ms += AT_ONCE_MS;
		}
		/* After a bus error the driver has done what is needed. */
		if (verdict.action == ACTION_RETRY &&
		    verdict.result != SCSI_BUS_ERROR)
			bus->hba->doubtful |= 1u << request->target;
		/* The next try shows whether it helped. */
		if (verdict.action == ACTION_START)
			start(bus, request);
		if (clock_passed(bus->waited, limit_ms))
			break;
		if (verdict.action >= ACTION_WAIT)
			clock_delay_us(PAUSE_MS * 1000);
		if (bus->medium_changed && bus->stop_at_change) {
			verdict.result = changed_or_missing(bus, request);
			break;
		}
		verdict = try_once(bus, request);
	} while (verdict.result != SCSI_OK);
	bus->waited = (u16)(clock_mark() - bus->waited);
	return verdict.result;
}

void scsi_reset(struct scsi_bus *bus)
{
	bus->hba->doubtful = HBA_ALL_TARGETS;
	bus->own.cdb_bytes = 0;
	if (bus->hba->execute(bus->hba, &bus->own) != HBA_OK)
		bus->suspect = true;
}

enum scsi_result scsi_command(struct scsi_bus *bus,
			      struct hba_request *request)
{
	bus->medium_changed = false;
	if (bus->unreachable)
		return SCSI_BUS_ERROR;
	struct scsi_verdict verdict = try_once(bus, request);
	return verdict.result == SCSI_OK ? SCSI_OK
					 : try_again(bus, request, verdict);
}
