/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A small memory manager like EMM386. It is called as an interrupt in real mode,
 * at its first byte, and returns in virtual-8086 mode under the page tables that
 * the test has built. From then on
 *
 *   CLI STI PUSHF POPF INT IRET HLT  are emulated,
 *   IN and OUT                       are permitted,
 *   IRQs                             go to the program's handlers,
 *   INT 4Bh AH=81h                   provides Virtual DMA Services, based on the
 *                                    page tables, if the test has enabled them;
 *                                    or each of them fails,
 *   other faults                     stop the machine: report, 'X' over COM2, halt.
 *
 * Segments CODE and DATA begin at MONITOR, FLAT at 0. PAGE_TABLE maps the first
 * 4 MiB. tests/qemu/test_v86_qemu.py defines the addresses.
 * [i386 "Virtual 8086 mode"; VDS 1.0]
 */
#define COM2 0x2f8
#define LSR (COM2 + 5)
#define LSR_CAN_SEND 0x20

#define MONITOR_SEGMENT (MONITOR >> 4)
#define CODE 0x08
#define DATA 0x10
#define FLAT 0x18
#define TASK 0x20

#define CR0_PE 0x01
#define CR0_PG 0x80000000
#define FLAG_CF 0x00000001
#define FLAG_TF_IF 0x00000300
#define FLAG_IF 0x00000200
#define FLAG_IOPL_SHIFT 12
#define FLAG_VM 0x00020000
#define OWN_FLAGS 0x00004fd5		/* flags that a program can see and set, 16-bit */
#define OWN_FLAGS32 0x00244fd5		/* and 32-bit */

#define VECTORS 0x78
#define GENERAL_PROTECTION 13
#define PAGE_FAULT 14

#define VDS_INT 0x4b
#define VDS_PRESENT_FLAG 0x47b
#define VDS_PRESENT 0x20
#define VDS_OFFERED 0x01		/* in `services` */
#define VDS_NO_LISTS 0x02
#define VDS_FAILING 0x04		/* each service fails */
#define VDS_COPY 0x02			/* in DX */
#define VDS_NO_BUFFER 0x04
#define BUFFER_ID 1
#define PAGE 4096
#define MIB 0x100000

/* Stack frame of a trap, relative to EBP */
#define F_EBX 16
#define F_EDX 20
#define F_EAX 28
#define F_EDI 0
#define F_VECTOR 32
#define F_EIP 40
#define F_CS 44
#define F_EFLAGS 48
#define F_ESP 52
#define F_SS 56
#define F_ES 60

	.code16
	.globl	_start
_start:	jmp	enter
	.org	4			# written by the test
iopl:	.byte	0
services: .byte	0
	.org	8			# read by the test
faults:	.long	0			# emulated instructions
locks:	.long	0			# locks held now
locked:	.long	0			# locks in total
copied:	.long	0			# of those, with the buffer
listed:	.long	0			# and with a page list
report:	.skip	20			# vector, error, EIP, CS, EFLAGS

enter:	cli
	pushal
	pushw	%ds
	pushw	%es
	pushw	%fs
	pushw	%gs
	movw	%cs, %ax
	movw	%ax, %ds
	movw	%ss, v86_ss
	movw	%sp, v86_sp
	lgdtl	gdt_register
	lidtl	idt_register
	movl	%cr0, %eax
	orb	$CR0_PE, %al
	movl	%eax, %cr0
	ljmpl	$CODE, $protected

virtual: popw	%gs			# as pushed above
	popw	%fs
	popw	%es
	popw	%ds
	popal
	iretw

vds_door: hlt				# entry point of INT 4Bh
	iretw

	.code32
protected:
	movw	$DATA, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movl	$stack_end, %esp
	movw	$FLAT, %ax
	movw	%ax, %es
	movw	%ax, %fs
	movw	$TASK, %ax
	ltr	%ax

	xorl	%ebx, %ebx		# copy the contents of each remapped page
1:	movl	%ebx, %eax
	shrl	$12, %eax
	movl	%fs:PAGE_TABLE(,%eax,4), %edi
	andl	$~(PAGE - 1), %edi
	movl	%ebx, %esi
	movl	$PAGE / 4, %ecx
	cmpl	%esi, %edi
	je	2f
	rep movsl %fs:(%esi), %es:(%edi)
2:	addl	$PAGE, %ebx
	cmpl	$MIB, %ebx
	jb	1b
	movl	$PAGE_DIRECTORY, %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0

	movl	$stubs, %eax		# a gate for each stub
	movl	$idt, %edi
1:	movw	%ax, (%edi)
	movl	$0x8e000000 | CODE, 2(%edi)
	movw	$0, 6(%edi)
	addl	$16, %eax
	addl	$8, %edi
	cmpl	$idt_end, %edi
	jb	1b

	testb	$VDS_OFFERED, services
	jz	2f
	orb	$VDS_PRESENT, %fs:VDS_PRESENT_FLAG
	movw	$vds_door, %fs:VDS_INT * 4
	movw	$MONITOR_SEGMENT, %fs:VDS_INT * 4 + 2
2:	xorl	%eax, %eax
	pushl	%eax			# GS FS DS ES: `virtual` loads them
	pushl	%eax
	pushl	%eax
	pushl	%eax
	movw	v86_ss, %ax
	pushl	%eax
	movw	v86_sp, %ax
	pushl	%eax
	movzbl	iopl, %eax
	shll	$FLAG_IOPL_SHIFT, %eax
	orl	$FLAG_VM | 2, %eax
	pushl	%eax
	pushl	$MONITOR_SEGMENT
	pushl	$virtual
	iretl

/* ---- Traps --------------------------------------------------------------- */

/* IRQs use vectors of 386 exceptions: vectors 8 to 12 and 15 are taken for IRQs,
 * which push no error code.
 */
	.balign	16
stubs:	.set	number, 0
	.rept	VECTORS
	.balign	16
	.if	number != GENERAL_PROTECTION && number != PAGE_FAULT
	pushl	$0
	.endif
	pushl	$number
	jmp	trap
	.set	number, number + 1
	.endr

trap:	pushal
	movl	%esp, %ebp
	cld
	movw	$DATA, %ax
	movw	%ax, %ds
	movw	$FLAT, %ax
	movw	%ax, %es
	movw	%ax, %fs
	testl	$FLAG_VM, F_EFLAGS(%ebp)
	jz	fatal			# a fault of the monitor
	movl	F_VECTOR(%ebp), %eax
	cmpl	$GENERAL_PROTECTION, %eax
	je	fault
	cmpl	$0x70, %eax		# IRQ 8 to 15
	jae	1f
	cmpl	$8, %eax		# IRQ 0 to 4
	jb	fatal
	cmpl	$13, %eax
	jb	1f
	cmpl	$15, %eax		# IRQ 7
	jne	fatal
1:	call	reflect
leave:	popal
	addl	$8, %esp
	iretl

/* Continue at the program's handler for interrupt EAX, as INT does */
reflect:
	pushl	%eax
	movl	F_EFLAGS(%ebp), %eax
	andl	$OWN_FLAGS, %eax
	orl	$2, %eax
	call	push_word
	movl	F_CS(%ebp), %eax
	call	push_word
	movl	F_EIP(%ebp), %eax
	call	push_word
	andl	$~FLAG_TF_IF, F_EFLAGS(%ebp)
	popl	%eax
	movzwl	%fs:(,%eax,4), %ecx
	movl	%ecx, F_EIP(%ebp)
	movzwl	%fs:2(,%eax,4), %ecx
	movl	%ecx, F_CS(%ebp)
	ret

/* EDX = linear address of the top of the program's stack. Clobbers ECX */
stack:	movzwl	F_SS(%ebp), %edx
	shll	$4, %edx
	movzwl	F_ESP(%ebp), %ecx
	addl	%ecx, %edx
	ret

/* Push or pop AX (BL = 0) or EAX (BL = 1) on the program's stack. Clobbers ECX, EDX */
push_flags:
	testb	%bl, %bl
	jz	push_word
	rorl	$16, %eax
	call	push_word
	rorl	$16, %eax
push_word:
	subw	$2, F_ESP(%ebp)
	call	stack
	movw	%ax, %fs:(%edx)
	ret
pop:	call	pop_word
	testb	%bl, %bl
	jz	1f
	pushl	%eax
	call	pop_word
	shll	$16, %eax
	orl	%eax, (%esp)
	popl	%eax
	ret
pop_word:
	call	stack
	movzwl	%fs:(%edx), %eax
	addw	$2, F_ESP(%ebp)
1:	ret

/* ---- Privileged instructions ------------------------------------------------ */

fault:	incl	faults
	movl	F_EIP(%ebp), %eax
	movl	%eax, v86_eip		# for the report
	movzwl	F_CS(%ebp), %esi
	shll	$4, %esi
	addl	%eax, %esi
	xorl	%ebx, %ebx		# BL = 1: 32-bit operands
1:	movb	%fs:(%esi), %al
	incl	%esi
	incl	F_EIP(%ebp)
	cmpb	$0x66, %al
	jne	2f
	incl	%ebx
	jmp	1b
2:	cmpb	$0xfa, %al
	je	do_cli
	cmpb	$0xfb, %al
	je	do_sti
	cmpb	$0x9c, %al
	je	do_pushf
	cmpb	$0x9d, %al
	je	do_popf
	cmpb	$0xcd, %al
	je	do_int
	cmpb	$0xcf, %al
	je	do_iret
	cmpb	$0xf4, %al
	je	do_hlt
	movl	v86_eip, %eax
	movl	%eax, F_EIP(%ebp)

fatal:	leal	F_VECTOR(%ebp), %esi
	movl	$report, %edi
	movl	$5, %ecx
1:	movl	(%esi), %eax
	movl	%eax, (%edi)
	addl	$4, %esi
	addl	$4, %edi
	loop	1b
	movw	$LSR, %dx
2:	inb	%dx, %al
	testb	$LSR_CAN_SEND, %al
	jz	2b
	movw	$COM2, %dx
	movb	$'X', %al
	outb	%al, %dx
3:	hlt				# interrupts are disabled
	jmp	3b

do_cli:	andl	$~FLAG_IF, F_EFLAGS(%ebp)
	jmp	leave

do_sti:	orl	$FLAG_IF, F_EFLAGS(%ebp)
	jmp	leave

do_pushf:
	movl	F_EFLAGS(%ebp), %eax
	andl	$OWN_FLAGS32, %eax
	orl	$2, %eax
	call	push_flags
	jmp	leave

do_iret:
	call	pop
	movzwl	%ax, %eax
	movl	%eax, F_EIP(%ebp)
	call	pop
	movzwl	%ax, %eax
	movl	%eax, F_CS(%ebp)
do_popf:
	call	pop
	movl	$OWN_FLAGS, %ecx
	testb	%bl, %bl
	jz	1f
	movl	$OWN_FLAGS32, %ecx
1:	andl	%ecx, %eax
	notl	%ecx
	andl	%ecx, F_EFLAGS(%ebp)
	orl	%eax, F_EFLAGS(%ebp)
	jmp	leave

do_int:	movzbl	%fs:(%esi), %eax
	incl	F_EIP(%ebp)
	call	reflect
	jmp	leave

/* The program continues at once; for it, this is the same as an IRQ. */
do_hlt:	cmpl	$MONITOR + vds_door + 1, %esi
	jne	leave
	movl	$leave, %eax
	pushl	%eax

/* ---- Virtual DMA Services ------------------------------------------------------ */

/* EDI = DMA descriptor of the request, ESI = its region, EBX = size of the region */
vds:	movzwl	F_ES(%ebp), %edi
	shll	$4, %edi
	movzwl	F_EDI(%ebp), %eax
	addl	%eax, %edi
	movzwl	%fs:8(%edi), %esi
	shll	$4, %esi
	addl	%fs:4(%edi), %esi
	movl	%fs:(%edi), %ebx
	testb	$VDS_FAILING, services
	jnz	1f
	movl	F_EAX(%ebp), %eax
	cmpw	$0x8103, %ax
	je	lock
	cmpw	$0x8104, %ax
	je	unlock
	testb	$VDS_NO_LISTS, services
	jnz	1f
	cmpw	$0x8105, %ax
	je	lock_list
	cmpw	$0x8106, %ax
	je	give_back
1:	movb	$0x0f, %al		# no such function

/* The flags that IRET will load are at offset 4 on the program's stack, after
 * the return address.
 */
refuse:	movb	%al, F_EAX(%ebp)
	call	stack
	orb	$FLAG_CF, %fs:4(%edx)
	ret
agree:	call	stack
	andb	$~FLAG_CF, %fs:4(%edx)
	ret

/* EAX = physical address of linear EDX. Clobbers EDX */
physical:
	movl	%edx, %eax
	shrl	$12, %eax
	movl	%fs:PAGE_TABLE(,%eax,4), %eax
	andl	$~(PAGE - 1), %eax
	andl	$PAGE - 1, %edx
	addl	%edx, %eax
	ret

/* ECX = bytes from linear ESI to the end of its page */
rest_of_page:
	movl	$PAGE, %ecx
	movl	%esi, %eax
	andl	$PAGE - 1, %eax
	subl	%eax, %ecx
	ret

lock:	call	rest_of_page		# ECX = contiguous bytes
	movl	%esi, %edx
	call	physical
	movl	%eax, physical_start
1:	cmpl	%ebx, %ecx
	jae	2f
	leal	(%esi,%ecx), %edx
	call	physical
	subl	physical_start, %eax
	cmpl	%ecx, %eax
	jne	apart
	addl	$PAGE, %ecx
	jmp	1b
2:	movl	physical_start, %eax
	xorl	%ecx, %ecx
locked_at:
	movl	%eax, %fs:12(%edi)
	movw	%cx, %fs:10(%edi)
	incl	locks
	incl	locked
	jmp	agree

apart:	movb	$0x01, %al		# not contiguous
	testb	$VDS_NO_BUFFER, F_EDX(%ebp)
	jnz	3f
	movb	$0x05, %al		# too large for the buffer
	cmpl	$BUFFER_BYTES, %ebx
	ja	3f
	movb	$0x06, %al		# buffer in use
	cmpb	$0, buffer_used
	jne	3f
	movb	$1, buffer_used
	incl	copied
	testb	$VDS_COPY, F_EDX(%ebp)
	jz	1f
	pushl	%edi
	movl	$BUFFER, %edi
	call	copy
	popl	%edi
1:	movl	$BUFFER, %eax
	movl	$BUFFER_ID, %ecx
	jmp	locked_at
3:	movl	%ecx, %fs:(%edi)
	jmp	refuse

/* Copy EBX bytes of linear memory from ESI to EDI */
copy:	movl	%ebx, %ecx
	pushl	%ds
	pushl	%es
	popl	%ds
	rep movsb
	popl	%ds
	ret

unlock:	cmpw	$0, %fs:10(%edi)
	je	give_back
	testb	$VDS_COPY, F_EDX(%ebp)
	jz	1f
	movl	%esi, %edi
	movl	$BUFFER, %esi
	call	copy
1:	movb	$0, buffer_used
give_back:
	movb	$0x08, %al		# was not locked
	cmpl	$0, locks
	je	refuse
	decl	locks
	jmp	agree

/* One entry for each page */
lock_list:
	movl	%ebx, left
	movw	$0, %fs:14(%edi)
	leal	16(%edi), %ebx		# EBX = next entry
1:	call	rest_of_page
	cmpl	left, %ecx
	jbe	2f
	movl	left, %ecx
2:	incw	%fs:14(%edi)		# entries used,
	movw	%fs:14(%edi), %ax
	cmpw	%fs:12(%edi), %ax	# entries available
	ja	3f
	movl	%esi, %edx
	call	physical
	movl	%eax, %fs:(%ebx)
	movl	%ecx, %fs:4(%ebx)
	addl	$8, %ebx
3:	addl	%ecx, %esi
	subl	%ecx, left
	jnz	1b
	movw	%fs:14(%edi), %cx
	movb	$0x09, %al		# too few entries
	cmpw	%fs:12(%edi), %cx
	ja	refuse
	incl	listed
	incl	locks
	incl	locked
	jmp	agree

/* ---- Data ---------------------------------------------------------------------- */

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff | MONITOR << 16
	.quad	0x00cf92000000ffff | MONITOR << 16
	.quad	0x00cf92000000ffff
	.word	task_end - task - 1, task
	.byte	MONITOR >> 16, 0x89, 0, 0
gdt_end:
gdt_register:
	.word	gdt_end - gdt - 1
	.long	MONITOR + gdt
idt_register:
	.word	idt_end - idt - 1
	.long	MONITOR + idt

physical_start: .long 0
left:	.long	0
v86_eip: .long	0
v86_ss:	.word	0
v86_sp:	.word	0
buffer_used: .byte 0

	.balign	8
idt:	.skip	VECTORS * 8
idt_end:
task:	.long	0
	.long	stack_end, DATA		# ring 0
	.skip	0x66 - 12
	.word	0x68			# offset of the port bitmap
	.skip	0x2000			# all ports are permitted
	.byte	0xff
task_end:
	.balign	4
	.skip	1024
stack_end:
