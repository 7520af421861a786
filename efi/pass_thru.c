/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Commands and resets [UEFI 2.10 "EFI_EXT_SCSI_PASS_THRU_PROTOCOL"]. Each packet is sent once.
 */
#include "efi/controller.h"

#include "efi/driver.h"
#include "pc/phys.h"
#include "scsi/cdb.h"

#define NONE EFI_EXT_SCSI_STATUS_HOST_ADAPTER_OK
#define HOST(status) EFI_EXT_SCSI_STATUS_HOST_ADAPTER_##status

#define UNITS_PER_MS 10000u /* of a packet's time-out */
#define MOST_TIMEOUT_MS 1200000u

bool controller_take(struct controller *c)
{
	/* A call that interrupts this one here ends before this one goes on. */
	if (c->busy)
		return false;
	c->busy = true;
	return true;
}

void controller_give_back(struct controller *c)
{
	c->busy = false;
}

bool controller_has(const struct controller *c, const u8 *target, u64 lun)
{
	const struct hba *hba = &c->own->lsi.hba;

	for (u32 i = 1; i < TARGET_MAX_BYTES; i++)
		if (target[i])
			return false;
	return target[0] <= hba->last_id && target[0] != hba->own_id && lun < MOST_LUNS;
}

/* The caller's buffer of the packet's direction */
struct buffer {
	void *address;
	u32 *bytes; /* the packet's length, in and out */
	u8 direction; /* enum hba_direction */
	u32 operation; /* enum efi_pci_io_operation */
	u64 bus_address;
	void *mapping;
};

static struct buffer buffer_of(struct efi_ext_scsi_pass_thru_packet *p)
{
	if (p->data_direction == EFI_EXT_SCSI_DATA_DIRECTION_WRITE)
		return (struct buffer){p->out_data_buffer, &p->out_transfer_length,
				       HBA_DATA_OUT, BUS_MASTER_READ, 0, NULL};
	return (struct buffer){p->in_data_buffer, &p->in_transfer_length, HBA_DATA_IN,
			       BUS_MASTER_WRITE, 0, NULL};
}

/* Length of a CDB by bits 7:5 of the operation code; 1 where it has none [SPC-3 "Operation
 * code"]
 */
static const u8 least_cdb_lengths[] = {6, 10, 10, 1, 16, 12, 1, 1};

/* A target that is sent fewer bytes than it requests gets the first ones again in their place. */
static bool is_cut(const struct efi_ext_scsi_pass_thru_packet *p)
{
	return p->cdb_length < least_cdb_lengths[*(const u8 *)p->cdb >> 5];
}

static efi_status check_packet(struct efi_ext_scsi_pass_thru_packet *p)
{
	if (p->data_direction > EFI_EXT_SCSI_DATA_DIRECTION_BIDIRECTIONAL || !p->cdb ||
	    !p->cdb_length || is_cut(p) || (p->sense_data_length && !p->sense_data))
		return EFI_INVALID_PARAMETER;
	if (p->data_direction == EFI_EXT_SCSI_DATA_DIRECTION_BIDIRECTIONAL ||
	    p->cdb_length > SCSI_CDB_MAX)
		return EFI_UNSUPPORTED;
	struct buffer buffer = buffer_of(p);
	return *buffer.bytes && !buffer.address ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

#define CAUTIOUS_BYTES 0x10000u /* that the firmware can always copy below 4 GiB */

/* Map the buffer for the chip, which has 32 address bits: the firmware copies a buffer that
 * lies above. EFI_BAD_BUFFER_SIZE if a smaller part can be mapped; its length is in the
 * packet then.
 */
static efi_status map(struct controller *c, struct buffer *buffer)
{
	struct efi_pci_io *pci = c->pci;
	u32 wanted = *buffer->bytes, possible = CAUTIOUS_BYTES;
	u64 bytes = wanted;

	if (!wanted)
		return EFI_SUCCESS;
	if (!EFI_ERROR(pci->map(pci, buffer->operation, buffer->address, &bytes,
				&buffer->bus_address, &buffer->mapping))) {
		if (bytes == wanted && buffer->bus_address <= (1ull << 32) - bytes)
			return EFI_SUCCESS;
		(void)pci->unmap(pci, buffer->mapping);
		possible = (u32)bytes;
	}
	if (!possible || possible >= wanted)
		return EFI_DEVICE_ERROR;
	*buffer->bytes = possible;
	return EFI_BAD_BUFFER_SIZE;
}

/* End map(). The chip's registers have been read, which has brought its writes to the host
 * bridge [UEFI 2.10 "PCI Bus Master Write Operation"].
 */
static efi_status unmap(struct controller *c, const struct buffer *buffer)
{
	if (!buffer->mapping)
		return EFI_SUCCESS;
	if (buffer->operation == BUS_MASTER_WRITE)
		(void)c->pci->flush(c->pci);
	return c->pci->unmap(c->pci, buffer->mapping);
}

static u32 timeout_ms(u64 timeout)
{
	u64 ms = timeout / UNITS_PER_MS + (timeout % UNITS_PER_MS != 0);

	return ms && ms < MOST_TIMEOUT_MS ? (u32)ms : MOST_TIMEOUT_MS;
}

/* The status byte as the protocol has it, without bits that SCSI-1 leaves to the vendor */
static u8 target_status(const struct hba_request *request)
{
	return request->status == SCSI_STATUS_TASK_ABORTED ? request->status
							     : request->status & SCSI_STATUS_MASK;
}

struct ending_row {
	efi_status status;
	u8 host_adapter_status;
};

static const struct ending_row endings[] = {
	[HBA_OK] = {EFI_SUCCESS, HOST(OK)},
	[HBA_NO_TARGET] = {EFI_TIMEOUT, HOST(SELECTION_TIMEOUT)},
	[HBA_TIMEOUT] = {EFI_TIMEOUT, HOST(TIMEOUT_COMMAND)},
	[HBA_BUS_RESET] = {EFI_DEVICE_ERROR, HOST(BUS_RESET)},
	[HBA_BUS_FREE] = {EFI_DEVICE_ERROR, HOST(BUS_FREE)},
	[HBA_PROTOCOL] = {EFI_DEVICE_ERROR, HOST(PHASE_ERROR)},
	[HBA_PARITY] = {EFI_DEVICE_ERROR, HOST(PARITY_ERROR)},
	[HBA_CHIP] = {EFI_DEVICE_ERROR, HOST(OTHER)},
};

/* Set the results of the packet but its sense data. */
static efi_status set_results(struct efi_ext_scsi_pass_thru_packet *p, u32 *bytes,
			      const struct hba_request *request, enum hba_result result)
{
	struct ending_row row = endings[result];
	bool ended = result == HBA_OK;

	if (ended && request->overrun)
		row = (struct ending_row){EFI_DEVICE_ERROR, HOST(DATA_OVERRUN_UNDERRUN)};
	p->host_adapter_status = row.host_adapter_status;
	p->target_status = ended ? target_status(request) : 0;
	*bytes = ended ? request->moved : 0;
	return row.status;
}

/* Fetch the sense data of a CHECK CONDITION into the packet, within its time limit once more. */
static efi_status fetch_sense(struct own_memory *own, struct efi_ext_scsi_pass_thru_packet *p,
			      u8 room)
{
	struct hba *hba = &own->lsi.hba;
	struct hba_request *request = &own->request;
	u8 cdb_lun = (u8)(request->lun << 5);
	struct scsi_device device = {request->target, request->lun, cdb_lun};
	u32 limit_ms = request->timeout_ms;

	/* SCSI-3 commands may have other bits there, such as RDPROTECT. */
	if ((request->cdb[1] & CDB_LUN_MASK) != cdb_lun)
		device.cdb_lun = 0;
	cdb_request_sense(request, &device);
	if (request->timeout_ms > limit_ms)
		request->timeout_ms = limit_ms;
	request->data = (struct phys_range){phys_of(own->data), OWN_DATA_BYTES};
	request->data_bytes = room < OWN_DATA_BYTES ? room : OWN_DATA_BYTES;
	request->cdb[4] = (u8)request->data_bytes;
	if (hba->execute(hba, request) != HBA_OK ||
	    target_status(request) != SCSI_STATUS_GOOD || !request->moved) {
		p->host_adapter_status = HOST(REQUEST_SENSE_FAILED);
		return EFI_DEVICE_ERROR;
	}
	for (u32 i = 0; i < request->moved; i++)
		((u8 *)p->sense_data)[i] = own->data[i];
	p->sense_data_length = (u8)request->moved;
	return EFI_SUCCESS;
}

/* Send the packet, which has been checked, to its end. */
static efi_status send(struct controller *c, u8 target, u8 lun,
		       struct efi_ext_scsi_pass_thru_packet *p)
{
	struct own_memory *own = c->own;
	struct hba_request *request = &own->request;
	struct buffer buffer = buffer_of(p);
	u8 sense_room = p->sense_data_length;
	efi_status status = map(c, &buffer);

	if (EFI_ERROR(status))
		return status;
	*request = (struct hba_request){
		.target = target,
		.lun = lun,
		.direction = *buffer.bytes ? buffer.direction : HBA_NO_DATA,
		.cdb_bytes = p->cdb_length,
		.timeout_ms = timeout_ms(p->timeout),
		.data_bytes = *buffer.bytes,
		.data = {(u32)buffer.bus_address, *buffer.bytes},
	};
	for (u32 i = 0; i < p->cdb_length; i++)
		request->cdb[i] = ((const u8 *)p->cdb)[i];
	enum hba_result result = own->lsi.hba.execute(&own->lsi.hba, request);
	p->sense_data_length = 0;
	status = set_results(p, buffer.bytes, request, result);
	if (EFI_ERROR(unmap(c, &buffer)) && result == HBA_OK) {
		p->host_adapter_status = HOST(OTHER);
		*buffer.bytes = 0;
		return EFI_DEVICE_ERROR;
	}
	if (p->target_status != SCSI_STATUS_CHECK_CONDITION || !sense_room)
		return status;
	efi_status sense_status = fetch_sense(own, p, sense_room);
	return EFI_ERROR(status) ? status : sense_status;
}

static efi_status EFIAPI pass_thru(struct efi_ext_scsi_pass_thru *self, u8 *target, u64 lun,
				   struct efi_ext_scsi_pass_thru_packet *packet, efi_event event)
{
	struct controller *c = controller_of(self);

	(void)event; /* ignored without EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_NONBLOCKIO */
	if (!packet || !target || !controller_has(c, target, lun))
		return EFI_INVALID_PARAMETER;
	efi_status status = check_packet(packet);
	if (EFI_ERROR(status))
		return status;
	if (!controller_take(c))
		return EFI_NOT_READY;
	status = send(c, target[0], (u8)lun, packet);
	controller_give_back(c);
	return status;
}

static efi_status EFIAPI reset_channel(struct efi_ext_scsi_pass_thru *self)
{
	struct controller *c = controller_of(self);

	if (!controller_take(c))
		return EFI_DEVICE_ERROR;
	enum hba_result result = lsi_reset(&c->own->lsi);
	controller_give_back(c);
	return endings[result].status;
}

static efi_status EFIAPI reset_target_lun(struct efi_ext_scsi_pass_thru *self, u8 *target, u64 lun)
{
	struct controller *c = controller_of(self);

	if (!target || !controller_has(c, target, lun))
		return EFI_INVALID_PARAMETER;
	if (!controller_take(c))
		return EFI_DEVICE_ERROR;
	c->own->request.target = target[0];
	c->own->request.lun = (u8)lun;
	enum hba_result result = lsi_reset_target(&c->own->lsi, &c->own->request);
	controller_give_back(c);
	/* The bus reset has reset this target, too. */
	return result == HBA_BUS_RESET ? EFI_SUCCESS : endings[result].status;
}

void pass_thru_install(struct controller *c)
{
	c->mode.attributes = EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_PHYSICAL |
			     EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_LOGICAL;
	c->mode.io_align = 0;
	c->pass_thru.mode = &c->mode;
	c->pass_thru.pass_thru = pass_thru;
	c->pass_thru.reset_channel = reset_channel;
	c->pass_thru.reset_target_lun = reset_target_lun;
}
