/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What efi/ and its tests use of UEFI: types, status codes and the tables of services
 * [UEFI 2.10 "Overview", "EFI System Table", "Services - Boot Services"]. The protocols
 * are in protocols.h. Members have the specification's names; services that are not
 * used are pointers without a type.
 */
#ifndef EFI_EFI_H
#define EFI_EFI_H

#include "pc/types.h"

/* Calling convention of all services and of what firmware calls; tests define their own */
#ifndef EFIAPI
#ifdef __x86_64__
#define EFIAPI __attribute__((ms_abi))
#else
#define EFIAPI
#endif
#endif

typedef u64 efi_status;
typedef void *efi_handle;
typedef void *efi_event;
typedef u64 efi_tpl;
typedef u16 efi_char16;

struct efi_guid {
	u32 data1;
	u16 data2, data3;
	u8 data4[8];
};

/* Status codes [UEFI 2.10 "Status Codes"] */
#define EFI_SUCCESS 0
#define EFI_ERROR_BIT 0x8000000000000000u
#define EFI_ERROR(status) (((status) & EFI_ERROR_BIT) != 0)
#define EFI_INVALID_PARAMETER (EFI_ERROR_BIT | 2)
#define EFI_UNSUPPORTED (EFI_ERROR_BIT | 3)
#define EFI_BAD_BUFFER_SIZE (EFI_ERROR_BIT | 4)
#define EFI_BUFFER_TOO_SMALL (EFI_ERROR_BIT | 5)
#define EFI_NOT_READY (EFI_ERROR_BIT | 6)
#define EFI_DEVICE_ERROR (EFI_ERROR_BIT | 7)
#define EFI_OUT_OF_RESOURCES (EFI_ERROR_BIT | 9)
#define EFI_NOT_FOUND (EFI_ERROR_BIT | 14)
#define EFI_ACCESS_DENIED (EFI_ERROR_BIT | 15)
#define EFI_TIMEOUT (EFI_ERROR_BIT | 18)
#define EFI_ALREADY_STARTED (EFI_ERROR_BIT | 20)

/* Task priority levels [UEFI 2.10 "Task Priority Level (TPL) Services"] */
#define TPL_APPLICATION 4
#define TPL_CALLBACK 8
#define TPL_NOTIFY 16
#define TPL_HIGH_LEVEL 31

#define EVT_TIMER 0x80000000u
#define EVT_NOTIFY_SIGNAL 0x00000200u
#define EVT_SIGNAL_EXIT_BOOT_SERVICES 0x00000201u

enum efi_timer_delay { TIMER_CANCEL, TIMER_PERIODIC, TIMER_RELATIVE };

enum efi_allocate_type { ALLOCATE_ANY_PAGES, ALLOCATE_MAX_ADDRESS, ALLOCATE_ADDRESS };

enum efi_memory_type {
	EFI_LOADER_DATA = 2,
	EFI_BOOT_SERVICES_DATA = 4,
	EFI_CONVENTIONAL_MEMORY = 7,
};

struct efi_memory_descriptor {
	u32 type;
	u64 physical_start, virtual_start, pages, attribute;
};

#define EFI_OPEN_PROTOCOL_GET_PROTOCOL 0x02u
#define EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER 0x08u
#define EFI_OPEN_PROTOCOL_BY_DRIVER 0x10u

struct efi_open_protocol_information_entry {
	efi_handle agent_handle, controller_handle;
	u32 attributes, open_count;
};

enum efi_locate_search { ALL_HANDLES, BY_REGISTER_NOTIFY, BY_PROTOCOL };

struct efi_table_header {
	u64 signature;
	u32 revision, header_size, crc32, reserved;
};

typedef void EFIAPI efi_event_notify(efi_event event, void *context);

struct efi_boot_services {
	struct efi_table_header hdr;
	efi_tpl(EFIAPI *raise_tpl)(efi_tpl tpl);
	void(EFIAPI *restore_tpl)(efi_tpl tpl);
	efi_status(EFIAPI *allocate_pages)(u32 type, u32 memory_type, u64 pages,
					   u64 *memory);
	efi_status(EFIAPI *free_pages)(u64 memory, u64 pages);
	efi_status(EFIAPI *get_memory_map)(u64 *bytes, void *map, u64 *key, u64 *each,
					   u32 *version);
	efi_status(EFIAPI *allocate_pool)(u32 memory_type, u64 bytes, void **buffer);
	efi_status(EFIAPI *free_pool)(void *buffer);
	efi_status(EFIAPI *create_event)(u32 type, efi_tpl notify_tpl,
					 efi_event_notify *notify, void *context,
					 efi_event *event);
	efi_status(EFIAPI *set_timer)(efi_event event, u32 type, u64 time_100ns);
	void *wait_for_event, *signal_event;
	efi_status(EFIAPI *close_event)(efi_event event);
	efi_status(EFIAPI *check_event)(efi_event event);
	void *install_protocol_interface;
	void *reinstall_protocol_interface;
	void *uninstall_protocol_interface;
	efi_status(EFIAPI *handle_protocol)(efi_handle handle, const struct efi_guid *protocol,
					    void **interface);
	void *reserved;
	void *register_protocol_notify;
	void *locate_handle;
	void *locate_device_path;
	void *install_configuration_table;
	void *load_image;
	void *start_image;
	void *exit;
	efi_status(EFIAPI *unload_image)(efi_handle image);
	void *exit_boot_services;
	void *get_next_monotonic_count;
	efi_status(EFIAPI *stall)(u64 us);
	efi_status(EFIAPI *set_watchdog_timer)(u64 seconds, u64 code, u64 bytes,
					       efi_char16 *data);
	efi_status(EFIAPI *connect_controller)(efi_handle controller, efi_handle *drivers,
					       void *remaining_path, u8 recursive);
	efi_status(EFIAPI *disconnect_controller)(efi_handle controller, efi_handle driver,
						  efi_handle child);
	efi_status(EFIAPI *open_protocol)(efi_handle handle, const struct efi_guid *protocol,
					  void **interface, efi_handle agent,
					  efi_handle controller, u32 attributes);
	efi_status(EFIAPI *close_protocol)(efi_handle handle, const struct efi_guid *protocol,
					   efi_handle agent, efi_handle controller);
	efi_status(EFIAPI *open_protocol_information)(
		efi_handle handle, const struct efi_guid *protocol,
		struct efi_open_protocol_information_entry **entries, u64 *count);
	void *protocols_per_handle;
	efi_status(EFIAPI *locate_handle_buffer)(u32 search, const struct efi_guid *protocol,
						 void *key, u64 *count, efi_handle **buffer);
	void *locate_protocol;
	efi_status(EFIAPI *install_multiple_protocol_interfaces)(efi_handle *handle, ...);
	efi_status(EFIAPI *uninstall_multiple_protocol_interfaces)(efi_handle handle, ...);
};

struct efi_simple_text_output {
	void *reset;
	efi_status(EFIAPI *output_string)(struct efi_simple_text_output *self,
					  const efi_char16 *text);
};

struct efi_runtime_services {
	struct efi_table_header hdr;
	void *get_time, *set_time, *get_wakeup_time, *set_wakeup_time;
	void *set_virtual_address_map, *convert_pointer;
	void *get_variable, *get_next_variable_name, *set_variable;
	void *get_next_high_monotonic_count;
	void(EFIAPI *reset_system)(u32 type, efi_status status, u64 bytes, void *data);
};

#define EFI_RESET_SHUTDOWN 2u

struct efi_system_table {
	struct efi_table_header hdr;
	efi_char16 *firmware_vendor;
	u32 firmware_revision;
	efi_handle console_in_handle;
	void *con_in;
	efi_handle console_out_handle;
	struct efi_simple_text_output *con_out;
	efi_handle standard_error_handle;
	struct efi_simple_text_output *std_err;
	struct efi_runtime_services *runtime_services;
	struct efi_boot_services *boot_services;
};

/* The entry of an image */
efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *system);

#endif
