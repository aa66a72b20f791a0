/* Of the engine's xsmc.h what the firmware's C files use, so that they can be compiled without the SDK. */
#ifndef STUB_XSMC_H
#define STUB_XSMC_H

#include <stddef.h>
#include <stdint.h>

typedef struct xsMachineRecord xsMachine;
typedef struct { int unused; } xsSlot;
typedef int32_t xsIntegerValue;
typedef uint32_t xsUnsignedValue;
typedef double xsNumberValue;

extern xsSlot xsArg(int index), xsResult;
void stubSetInteger(xsMachine *the, xsIntegerValue value);
void stubSetBoolean(xsMachine *the, int value);
void stubSetString(xsMachine *the, const char *text);
void stubSetArrayBuffer(xsMachine *the, void *data, xsIntegerValue length);
void stubToStringBuffer(xsMachine *the, xsSlot value, char *buffer, size_t length);
xsIntegerValue stubToInteger(xsMachine *the, xsSlot value);
xsNumberValue stubToNumber(xsMachine *the, xsSlot value);
void stubGetBuffer(xsMachine *the, xsSlot value, void **data, xsUnsignedValue *length);
void stubThrow(xsMachine *the, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

#define xsmcSetInteger(SLOT, VALUE) ((void)(SLOT), stubSetInteger(the, VALUE))
#define xsmcSetBoolean(SLOT, VALUE) ((void)(SLOT), stubSetBoolean(the, VALUE))
#define xsmcSetString(SLOT, TEXT) ((void)(SLOT), stubSetString(the, TEXT))
#define xsmcSetArrayBuffer(SLOT, DATA, LENGTH) ((void)(SLOT), stubSetArrayBuffer(the, DATA, LENGTH))
#define xsmcToStringBuffer(SLOT, BUFFER, LENGTH) stubToStringBuffer(the, SLOT, BUFFER, LENGTH)
#define xsmcToInteger(SLOT) stubToInteger(the, SLOT)
#define xsmcToNumber(SLOT) stubToNumber(the, SLOT)
#define xsmcGetBufferReadable(SLOT, DATA, LENGTH) stubGetBuffer(the, SLOT, DATA, LENGTH)
#define xsmcGetBufferWritable(SLOT, DATA, LENGTH) stubGetBuffer(the, SLOT, DATA, LENGTH)
#define xsRangeError(...) stubThrow(the, __VA_ARGS__)
#define xsUnknownError(...) stubThrow(the, __VA_ARGS__)

#endif
