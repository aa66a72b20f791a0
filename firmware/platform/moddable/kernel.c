/* The AES kernels for kernel.ts. Lengths are checked here, once; the kernels trust them. */
#include <stdint.h>

#include "best-kernel.h"
#include "xsmc.h"
#include "xsHost.h"

#define KEY_OCTETS 16
#define BLOCK_OCTETS 16

/*
 * Buffers may move when something is allocated. Nothing is from the first of these calls to the kernel's: they throw,
 * or convert numbers.
 */
static uint8_t *octetsArgument(xsMachine *the, int index, const char *name, uint32_t least, uint32_t most)
{
	void *data;
	xsUnsignedValue length;
	xsmcGetBufferWritable(xsArg(index), &data, &length);
	if (length < least || length > most)
		xsRangeError("%s has %u octets.", name, (unsigned)length);
	return data;
}

static uint8_t *keySetArgument(xsMachine *the)
{
	return octetsArgument(the, 0, "keySet", BEST_KERNEL_KEY_SET_OCTETS, BEST_KERNEL_KEY_SET_OCTETS);
}

static uint8_t *messageArgument(xsMachine *the, uint32_t least)
{
	return octetsArgument(the, 1, "message", least, UINT32_MAX);
}

static uint32_t unsignedArgument(xsMachine *the, int index, const char *name, uint32_t most)
{
	xsNumberValue value = xsmcToNumber(xsArg(index));
	if (!(value >= 0 && value <= most) || value != (xsNumberValue)(uint32_t)value)
		xsRangeError("%s must be an integer from 0 to %u.", name, (unsigned)most);
	return (uint32_t)value;
}

void xs_best_kernel_name(xsMachine *the)
{
	xsmcSetString(xsResult, BEST_KERNEL_NAME);
}

void xs_best_kernel_key_set_octets(xsMachine *the)
{
	xsmcSetInteger(xsResult, BEST_KERNEL_KEY_SET_OCTETS);
}

void xs_best_kernel_set_keys(xsMachine *the)
{
	uint8_t *keySet = keySetArgument(the);
	const uint8_t *encryptionKey = octetsArgument(the, 1, "encryptionKey", KEY_OCTETS, KEY_OCTETS);
	const uint8_t *integrityKey = octetsArgument(the, 2, "integrityKey", KEY_OCTETS, KEY_OCTETS);
	best_kernel_set_keys(keySet, encryptionKey, integrityKey);
}

typedef struct {
	const uint8_t *keySet;
	uint8_t *message;
	uint32_t count, bearerAndDirection, cipherStart, length, macLength;
} MessageArguments;

static void messageArguments(xsMachine *the, MessageArguments *given)
{
	given->count = unsignedArgument(the, 2, "count", UINT32_MAX);
	given->bearerAndDirection = unsignedArgument(the, 3, "bearerAndDirection", 255);
	given->length = unsignedArgument(the, 5, "length", BEST_KERNEL_MESSAGE_OCTETS - 8);
	given->cipherStart = unsignedArgument(the, 4, "cipherStart", given->length);
	given->macLength = unsignedArgument(the, 6, "macLength", 8);
	if (given->macLength != 4 && given->macLength != 8)
		xsRangeError("macLength must be 4 or 8.");
	given->keySet = keySetArgument(the);
	given->message = messageArgument(the, given->length + given->macLength);
}

void xs_best_kernel_protect(xsMachine *the)
{
	MessageArguments given;
	messageArguments(the, &given);
	best_kernel_protect(given.keySet, given.message, given.count, given.bearerAndDirection, given.cipherStart,
		given.length, given.macLength);
}

void xs_best_kernel_unprotect(xsMachine *the)
{
	MessageArguments given;
	messageArguments(the, &given);
	int right = best_kernel_unprotect(given.keySet, given.message, given.count, given.bearerAndDirection,
		given.cipherStart, given.length, given.macLength);
	xsmcSetBoolean(xsResult, right);
}

void xs_best_kernel_encrypt_blocks(xsMachine *the)
{
	const uint8_t *keySet = keySetArgument(the);
	best_kernel_encrypt_blocks(keySet, messageArgument(the, 2 * BLOCK_OCTETS));
}

/* A length in bits of data that leave room for one block more in `message`. */
static uint32_t bitLengthArgument(xsMachine *the)
{
	return unsignedArgument(the, 2, "bitLength", (BEST_KERNEL_MESSAGE_OCTETS - BLOCK_OCTETS) * 8);
}

void xs_best_kernel_ctr(xsMachine *the)
{
	uint32_t bitLength = bitLengthArgument(the);
	const uint8_t *keySet = keySetArgument(the);
	best_kernel_ctr(keySet, messageArgument(the, BLOCK_OCTETS + (bitLength + 7) / 8), bitLength);
}

void xs_best_kernel_cmac(xsMachine *the)
{
	uint32_t bitLength = bitLengthArgument(the);
	const uint8_t *keySet = keySetArgument(the);
	best_kernel_cmac(keySet, messageArgument(the, (bitLength + 7) / 8 + BLOCK_OCTETS), bitLength);
}

void xs_best_kernel_erase(xsMachine *the)
{
	(void)the;
	best_kernel_erase();
}
