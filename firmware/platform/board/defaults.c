/*
 * The engine's tables of optional parts, in place of its own xsDefaults.c (the SDK's linker makes such a file, too).
 * Parts that the firmware does not use are left out, so that the linker can drop their code: modules, proxies,
 * generators, async functions, Atomics, eval. preload.c refuses bytecode that needs one of them.
 */
#include "xsAll.h"

/* Stands for a part that is left out. */
static void leftOut(txMachine *the)
{
	fxAbort(the, XS_DEAD_STRIP_EXIT);
}

#define LEFT_OUT ((void *)leftOut)

const txDefaults gxDefaults = {
	.newAsyncInstance = LEFT_OUT,
	.runAsync = LEFT_OUT,
	.newGeneratorInstance = LEFT_OUT,
	.newGeneratorFunctionInstance = LEFT_OUT,
	.newAsyncGeneratorInstance = LEFT_OUT,
	.newAsyncGeneratorFunctionInstance = LEFT_OUT,
	.runForAwaitOf = LEFT_OUT,
	.newArgumentsSloppyInstance = fxNewArgumentsSloppyInstance,
	.newArgumentsStrictInstance = fxNewArgumentsStrictInstance,
	.runEval = LEFT_OUT,
	.runEvalEnvironment = LEFT_OUT,
	.runProgramEnvironment = LEFT_OUT,
	.newFunctionLength = fxNewFunctionLength,
	.newFunctionName = fxNewFunctionName,
	.runImport = LEFT_OUT,
	.definePrivateProperty = fxDefinePrivateProperty,
	.getPrivateProperty = fxGetPrivateProperty,
	.setPrivateProperty = fxSetPrivateProperty,
	.cleanupFinalizationRegistries = fxCleanupFinalizationRegistries,
	.captureErrorStack = fxCaptureErrorStack,
};

const txBehavior *gxBehaviors[XS_BEHAVIOR_COUNT] = {
	[XS_ORDINARY_BEHAVIOR] = &gxOrdinaryBehavior,
	[XS_ARGUMENTS_SLOPPY_BEHAVIOR] = &gxArgumentsSloppyBehavior,
	[XS_ARGUMENTS_STRICT_BEHAVIOR] = &gxOrdinaryBehavior,
	[XS_ARRAY_BEHAVIOR] = &gxArrayBehavior,
	[XS_ENVIRONMENT_BEHAVIOR] = &gxEnvironmentBehavior,
	[XS_GLOBAL_BEHAVIOR] = &gxGlobalBehavior,
	/* No object has these. */
	[XS_MODULE_BEHAVIOR] = &gxOrdinaryBehavior,
	[XS_PROXY_BEHAVIOR] = &gxOrdinaryBehavior,
	[XS_STRING_BEHAVIOR] = &gxStringBehavior,
	[XS_TYPED_ARRAY_BEHAVIOR] = &gxTypedArrayBehavior,
};

#define ROW(type, octets, shift, coerce) \
	{ octets, shift, fx##type##Getter, fx##type##Setter, coerce, fx##type##Compare, _get##type, _set##type, _##type##Array }

/* In the engine's order, of which BigInt64 and BigUint64 come first and are left out. */
const txTypeDispatch gxTypeDispatches[mxTypeArrayCount] = {
	[2] = ROW(Float32, 4, 2, fxNumberCoerce),
	[3] = ROW(Float64, 8, 3, fxNumberCoerce),
	[4] = ROW(Int8, 1, 0, fxIntCoerce),
	[5] = ROW(Int16, 2, 1, fxIntCoerce),
	[6] = ROW(Int32, 4, 2, fxIntCoerce),
	[7] = ROW(Uint8, 1, 0, fxUintCoerce),
	[8] = ROW(Uint16, 2, 1, fxUintCoerce),
	[9] = ROW(Uint32, 4, 2, fxUintCoerce),
	[10] = { 1, 0, fxUint8Getter, fxUint8ClampedSetter, fxNumberCoerce, fxUint8Compare, _getUint8, _setUint8, _Uint8ClampedArray },
};

const txTypeAtomics gxTypeAtomics[mxTypeArrayCount];

/* For the 64-bit length of a message in SHA-256. */
const txTypeBigInt gxTypeBigInt = {
	.compare = fxBigIntCompare,
	.decode = fxBigIntDecode,
	.toArrayBuffer = fxBigintToArrayBuffer,
	.toInstance = fxBigIntToInstance,
	.toNumber = fxBigIntToNumber,
	.toString = fxBigintToString,
	._add = fxBigInt_add,
	._and = fxBigInt_and,
	._dec = fxBigInt_dec,
	._div = fxBigInt_div,
	._exp = fxBigInt_exp,
	._inc = fxBigInt_inc,
	._lsl = fxBigInt_lsl,
	._lsr = fxBigInt_lsr,
	._mul = fxBigInt_mul,
	._neg = fxBigInt_neg,
	._nop = fxBigInt_nop,
	._not = fxBigInt_not,
	._or = fxBigInt_or,
	._rem = fxBigInt_rem,
	._sub = fxBigInt_sub,
	._xor = fxBigInt_xor,
};
