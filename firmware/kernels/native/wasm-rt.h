/*
 * What the C that wasm2c (wabt 1.0.39) makes of the kernel needs from its surroundings, and no more: one memory of fixed
 * size inside the instance, no heap, no tables, no signals. The kernel contains no instruction that can trap.
 */
#ifndef WASM_RT_H_
#define WASM_RT_H_

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The kernel needs a little-endian processor."
#endif

#ifndef __has_builtin
#define __has_builtin(x) 0
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/*
 * The state and a key set take 416 octets, key stream that waits for a MAC the rest: 16 octets a block. A power of two.
 *
 * The computed part of every address is masked to this size (build-kernels.js puts the mask into the generated code):
 * cheaper than comparing, and nothing outside can be reached. The constant offset of an instruction, at most
 * BEST_KERNEL_MOST_OFFSET, and the up to 4 octets of an access are added to that.
 */
#ifndef BEST_KERNEL_MEMORY_OCTETS
#ifdef BEST_KERNEL_TABLES
#define BEST_KERNEL_MEMORY_OCTETS 2048u /* with 1,024 for the table, before all the rest */
#else
#define BEST_KERNEL_MEMORY_OCTETS 512u
#endif
#endif
#define BEST_KERNEL_DATA_OCTETS (BEST_KERNEL_MEMORY_OCTETS + BEST_KERNEL_MOST_OFFSET + 4u)
#define BEST_KERNEL_ADDRESS(address) ((uint32_t)(address) & (BEST_KERNEL_MEMORY_OCTETS - 1u))

#define WASM_RT_MEMCHECK_GUARD_PAGES 1
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_STACK_DEPTH_COUNT 0
#define wasm_rt_memcpy memcpy

typedef struct {
	uint8_t data[BEST_KERNEL_DATA_OCTETS];
	uint64_t size;
} wasm_rt_memory_t;

/* The memory is static and starts as zero, so there is nothing to initialize, allocate or free. */
#define wasm_rt_is_initialized() true
#define wasm_rt_allocate_memory(memory, initial, maximum, is64, pageSize) ((void)(memory))
#define wasm_rt_free_memory(memory) ((void)(memory))

/* Named by the generated code, but out of reach without tables. */
typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_V128, WASM_RT_FUNCREF, WASM_RT_EXTERNREF } wasm_rt_type_t;
typedef enum { WASM_RT_TRAP_NONE, WASM_RT_TRAP_OOB, WASM_RT_TRAP_UNREACHABLE } wasm_rt_trap_t;
typedef const char *wasm_rt_func_type_t;
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct { wasm_rt_function_ptr_t fn; } wasm_rt_tailcallee_t;
typedef struct { wasm_rt_func_type_t func_type; wasm_rt_function_ptr_t func; wasm_rt_tailcallee_t func_tailcallee; void *module_instance; } wasm_rt_funcref_t;
typedef struct { wasm_rt_funcref_t *data; uint32_t size; } wasm_rt_funcref_table_t;
typedef void *wasm_rt_externref_t;
typedef struct { wasm_rt_externref_t *data; uint32_t size; } wasm_rt_externref_table_t;
#define wasm_rt_funcref_null_value ((wasm_rt_funcref_t){ 0, 0, { 0 }, 0 })
#define wasm_rt_externref_null_value ((wasm_rt_externref_t)0)
#define wasm_rt_trap(code) __builtin_trap()

#endif
