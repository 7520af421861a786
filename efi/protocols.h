/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The protocols that efi/ and its tests use or make [UEFI 2.10 "Protocols - UEFI Driver
 * Model", "Protocols - PCI Bus Support", "Protocols - SCSI Driver Models and Bus Support"].
 * GUIDs are macros, so that each file has only those that it uses.
 */
#ifndef EFI_PROTOCOLS_H
#define EFI_PROTOCOLS_H

#include "efi/efi.h"

/* ---- Driver model ------------------------------------------------------- */

#define EFI_DRIVER_BINDING_PROTOCOL_GUID \
	{0x18a031ab, 0xb443, 0x4d1a, {0xa5, 0xc0, 0x0c, 0x09, 0x26, 0x1e, 0x9f, 0x71}}

struct efi_driver_binding {
	efi_status(EFIAPI *supported)(struct efi_driver_binding *self, efi_handle controller,
				      void *remaining_path);
	efi_status(EFIAPI *start)(struct efi_driver_binding *self, efi_handle controller,
				  void *remaining_path);
	efi_status(EFIAPI *stop)(struct efi_driver_binding *self, efi_handle controller,
				 u64 children, efi_handle *child_handles);
	u32 version;
	efi_handle image_handle, driver_binding_handle;
};

#define EFI_COMPONENT_NAME2_PROTOCOL_GUID \
	{0x6a7a5cff, 0xe8d9, 0x4f70, {0xba, 0xda, 0x75, 0xab, 0x30, 0x25, 0xce, 0x14}}

struct efi_component_name2 {
	efi_status(EFIAPI *get_driver_name)(struct efi_component_name2 *self,
					    const char *language, efi_char16 **name);
	efi_status(EFIAPI *get_controller_name)(struct efi_component_name2 *self,
						efi_handle controller, efi_handle child,
						const char *language, efi_char16 **name);
	const char *supported_languages;
};

#define EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL_GUID \
	{0x5c198761, 0x16a8, 0x4e69, {0x97, 0x2c, 0x89, 0xd6, 0x79, 0x54, 0xf8, 0x1d}}

struct efi_driver_supported_efi_version {
	u32 length, firmware_version;
};

#define EFI_LOADED_IMAGE_PROTOCOL_GUID \
	{0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}}

struct efi_loaded_image {
	u32 revision;
	efi_handle parent_handle;
	struct efi_system_table *system_table;
	efi_handle device_handle;
	void *file_path, *reserved;
	u32 load_options_size;
	void *load_options;
	void *image_base;
	u64 image_size;
	u32 image_code_type, image_data_type;
	efi_status(EFIAPI *unload)(efi_handle image);
};

#define MESSAGING_DEVICE_PATH 3
#define MSG_SCSI_DP 2

/* [UEFI 2.10 "SCSI Device Path"] */
struct efi_scsi_device_path {
	u8 type, sub_type;
	u8 length[2]; /* little-endian */
	u16 pun, lun;
};

/* ---- PCI ---------------------------------------------------------------- */

#define EFI_PCI_IO_PROTOCOL_GUID \
	{0x4cf5b200, 0x68b8, 0x4ca5, {0x9e, 0xec, 0xb2, 0x3e, 0x3f, 0x50, 0x02, 0x9a}}

enum efi_pci_io_width { PCI_IO_UINT8, PCI_IO_UINT16, PCI_IO_UINT32 };

enum efi_pci_io_operation {
	BUS_MASTER_READ,  /* memory to device */
	BUS_MASTER_WRITE, /* device to memory */
	BUS_MASTER_COMMON_BUFFER,
};

enum efi_pci_attribute_operation {
	ATTRIBUTES_GET,
	ATTRIBUTES_SET,
	ATTRIBUTES_ENABLE,
	ATTRIBUTES_DISABLE,
};

#define EFI_PCI_IO_ATTRIBUTE_IO 0x0100u
#define EFI_PCI_IO_ATTRIBUTE_BUS_MASTER 0x0400u
#define EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE 0x8000u

struct efi_pci_io;

typedef efi_status EFIAPI efi_pci_io_access(struct efi_pci_io *self, u32 width, u8 bar,
					    u64 offset, u64 count, void *buffer);

struct efi_pci_io_registers {
	efi_pci_io_access *read, *write;
};

typedef efi_status EFIAPI efi_pci_config_access(struct efi_pci_io *self, u32 width, u32 offset,
						u64 count, void *buffer);

struct efi_pci_io {
	void *poll_mem, *poll_io;
	struct efi_pci_io_registers mem, io;
	struct {
		efi_pci_config_access *read, *write;
	} pci;
	void *copy_mem;
	efi_status(EFIAPI *map)(struct efi_pci_io *self, u32 operation, void *host_address,
				u64 *bytes, u64 *device_address, void **mapping);
	efi_status(EFIAPI *unmap)(struct efi_pci_io *self, void *mapping);
	efi_status(EFIAPI *allocate_buffer)(struct efi_pci_io *self, u32 type,
					    u32 memory_type, u64 pages, void **host_address,
					    u64 attributes);
	efi_status(EFIAPI *free_buffer)(struct efi_pci_io *self, u64 pages,
					void *host_address);
	efi_status(EFIAPI *flush)(struct efi_pci_io *self);
	void *get_location;
	efi_status(EFIAPI *attributes)(struct efi_pci_io *self, u32 operation, u64 attributes,
				       u64 *result);
	void *get_bar_attributes, *set_bar_attributes;
	u64 rom_size;
	void *rom_image;
};

/* ---- SCSI --------------------------------------------------------------- */

#define EFI_EXT_SCSI_PASS_THRU_PROTOCOL_GUID \
	{0x143b7632, 0xb81b, 0x4cb7, {0xab, 0xd3, 0xb6, 0x25, 0xa5, 0xb9, 0xbf, 0xfe}}

#define TARGET_MAX_BYTES 16

struct efi_ext_scsi_pass_thru_mode {
	u32 adapter_id, attributes, io_align;
};

#define EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_PHYSICAL 0x01
#define EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_LOGICAL 0x02
#define EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_NONBLOCKIO 0x04

enum efi_ext_scsi_data_direction {
	EFI_EXT_SCSI_DATA_DIRECTION_READ,
	EFI_EXT_SCSI_DATA_DIRECTION_WRITE,
	EFI_EXT_SCSI_DATA_DIRECTION_BIDIRECTIONAL,
};

/* host_adapter_status */
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_OK 0x00
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_TIMEOUT_COMMAND 0x09
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_BUS_RESET 0x0e
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_PARITY_ERROR 0x0f
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_REQUEST_SENSE_FAILED 0x10
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_SELECTION_TIMEOUT 0x11
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_DATA_OVERRUN_UNDERRUN 0x12
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_BUS_FREE 0x13
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_PHASE_ERROR 0x14
#define EFI_EXT_SCSI_STATUS_HOST_ADAPTER_OTHER 0x7f

struct efi_ext_scsi_pass_thru_packet {
	u64 timeout; /* in 100 ns; 0: without a limit */
	void *in_data_buffer, *out_data_buffer, *sense_data, *cdb;
	u32 in_transfer_length, out_transfer_length; /* bytes, in and out */
	u8 cdb_length;
	u8 data_direction;
	u8 host_adapter_status, target_status; /* out */
	u8 sense_data_length; /* bytes, in and out */
};

struct efi_ext_scsi_pass_thru {
	struct efi_ext_scsi_pass_thru_mode *mode;
	efi_status(EFIAPI *pass_thru)(struct efi_ext_scsi_pass_thru *self, u8 *target, u64 lun,
				      struct efi_ext_scsi_pass_thru_packet *packet,
				      efi_event event);
	efi_status(EFIAPI *get_next_target_lun)(struct efi_ext_scsi_pass_thru *self,
						u8 **target, u64 *lun);
	efi_status(EFIAPI *build_device_path)(struct efi_ext_scsi_pass_thru *self, u8 *target,
					      u64 lun, struct efi_scsi_device_path **path);
	efi_status(EFIAPI *get_target_lun)(struct efi_ext_scsi_pass_thru *self,
					   struct efi_scsi_device_path *path, u8 **target,
					   u64 *lun);
	efi_status(EFIAPI *reset_channel)(struct efi_ext_scsi_pass_thru *self);
	efi_status(EFIAPI *reset_target_lun)(struct efi_ext_scsi_pass_thru *self, u8 *target,
					     u64 lun);
	efi_status(EFIAPI *get_next_target)(struct efi_ext_scsi_pass_thru *self, u8 **target);
};

#endif
