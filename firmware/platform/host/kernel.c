/* host.kernel…: the AES kernels as native code. Lengths are checked here, once; the kernels trust them. */
#include "best-kernel.h"
#include "natives.h"

#define KEY_OCTETS 16
#define BLOCK_OCTETS 16

const int kernelKeySetOctets = BEST_KERNEL_KEY_SET_OCTETS;
const char *const kernelName = BEST_KERNEL_NAME;

static Octets exactArgument(xsMachine *the, int index, const char *name, uint32_t length, int writable)
{
	Octets octets = writable ? writableArgument(the, index, name) : readableArgument(the, index, name);
	if (octets.length != length)
		xsRangeError("%s must have %u octets.", name, (unsigned)length);
	return octets;
}

static const uint8_t *keySetArgument(xsMachine *the)
{
	return exactArgument(the, 0, "keySet", BEST_KERNEL_KEY_SET_OCTETS, 0).data;
}

/* `message`, which must hold `least` octets. */
static uint8_t *messageArgument(xsMachine *the, uint32_t least)
{
	Octets message = writableArgument(the, 1, "message");
	if (message.length < least)
		xsRangeError("message must have at least %u octets.", (unsigned)least);
	return message.data;
}

static void kernelSetKeys(xsMachine *the)
{
	uint8_t *keySet = exactArgument(the, 0, "keySet", BEST_KERNEL_KEY_SET_OCTETS, 1).data;
	const uint8_t *encryptionKey = exactArgument(the, 1, "encryptionKey", KEY_OCTETS, 0).data;
	const uint8_t *integrityKey = exactArgument(the, 2, "integrityKey", KEY_OCTETS, 0).data;
	best_kernel_set_keys(keySet, encryptionKey, integrityKey);
}

typedef struct {
	const uint8_t *keySet;
	uint8_t *message;
	uint32_t count, bearerAndDirection, cipherStart, length, macLength;
} MessageArguments;

static MessageArguments messageArguments(xsMachine *the)
{
	MessageArguments given = {
		.count = unsignedArgument(the, 2, "count", UINT32_MAX),
		.bearerAndDirection = unsignedArgument(the, 3, "bearerAndDirection", 255),
		.length = unsignedArgument(the, 5, "length", BEST_KERNEL_MESSAGE_OCTETS - 4),
		.macLength = unsignedArgument(the, 6, "macLength", 8),
	};
	given.cipherStart = unsignedArgument(the, 4, "cipherStart", given.length);
	if (given.macLength != 4 && given.macLength != 8)
		xsRangeError("macLength must be 4 or 8.");
	if (given.length + given.macLength > BEST_KERNEL_MESSAGE_OCTETS)
		xsRangeError("length + macLength must be an integer from 0 to %u.", (unsigned)BEST_KERNEL_MESSAGE_OCTETS);
	given.keySet = keySetArgument(the);
	given.message = messageArgument(the, given.length + given.macLength);
	return given;
}

static void kernelProtect(xsMachine *the)
{
	MessageArguments given = messageArguments(the);
	best_kernel_protect(given.keySet, given.message, given.count, given.bearerAndDirection, given.cipherStart,
		given.length, given.macLength);
}

static void kernelUnprotect(xsMachine *the)
{
	MessageArguments given = messageArguments(the);
	int right = best_kernel_unprotect(given.keySet, given.message, given.count, given.bearerAndDirection,
		given.cipherStart, given.length, given.macLength);
	xsmcSetBoolean(xsResult, right);
}

static void kernelEncryptBlocks(xsMachine *the)
{
	const uint8_t *keySet = keySetArgument(the);
	best_kernel_encrypt_blocks(keySet, messageArgument(the, 2 * BLOCK_OCTETS));
}

/* A length in bits of data that leave room for one block more in `message`. */
static uint32_t bitLengthArgument(xsMachine *the)
{
	return unsignedArgument(the, 2, "bitLength", (BEST_KERNEL_MESSAGE_OCTETS - BLOCK_OCTETS) * 8);
}

static void kernelCtr(xsMachine *the)
{
	const uint8_t *keySet = keySetArgument(the);
	uint32_t bitLength = bitLengthArgument(the);
	best_kernel_ctr(keySet, messageArgument(the, BLOCK_OCTETS + (bitLength + 7) / 8), bitLength);
}

static void kernelCmac(xsMachine *the)
{
	const uint8_t *keySet = keySetArgument(the);
	uint32_t bitLength = bitLengthArgument(the);
	best_kernel_cmac(keySet, messageArgument(the, (bitLength + 7) / 8 + BLOCK_OCTETS), bitLength);
}

static void kernelErase(xsMachine *the)
{
	(void)the;
	best_kernel_erase();
}

const Native kernelNatives[] = {
	{ "kernelSetKeys", kernelSetKeys, 3 },
	{ "kernelProtect", kernelProtect, 7 },
	{ "kernelUnprotect", kernelUnprotect, 7 },
	{ "kernelEncryptBlocks", kernelEncryptBlocks, 2 },
	{ "kernelCtr", kernelCtr, 3 },
	{ "kernelCmac", kernelCmac, 3 },
	{ "kernelErase", kernelErase, 0 },
	{ NULL, NULL, 0 },
};
