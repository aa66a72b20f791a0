/*
 * The machine that makes the ROM image, run while building: the engine with its parser evaluates the bundle, takes away
 * what the bundle never names, freezes and shares what is left, and writes it to a file of the host. board-image.js makes
 * assembler of two such files, from the same program linked at two places: words that differ are the pointers.
 */
#include "board.h"
#include "xsAll.h"
#include "xsScript.h"
#include "machine.h"

extern void fxRemapIDs(txMachine *the, txByte *code, txSize size, txID *ids);

/* bundle.S: the firmware, then the script that takes away. */
extern char bundle[], bundleEnd[], prune[], pruneEnd[];

/* Roomy: only what is left at the end goes into the image. */
static const txCreation creation = {
	.initialChunkSize = 256 * 1024,
	.incrementalChunkSize = 64 * 1024,
	.initialHeapCount = 16 * 1024,
	.incrementalHeapCount = 4 * 1024,
	.stackCount = 4096,
	.initialKeyCount = 4096,
	.incrementalKeyCount = 256,
	.nameModulo = NAME_MODULO,
	.symbolModulo = SYMBOL_MODULO,
	.parserBufferSize = 64 * 1024,
	.parserTableModulo = 1993,
};

/* The forms of an instruction that copies its operand into the heap, and of the one that uses it where it stands. */
static const txU1 inPlace[][2] = {
	{ XS_CODE_CODE_1, XS_CODE_CODE_ARCHIVE_1 },
	{ XS_CODE_CODE_2, XS_CODE_CODE_ARCHIVE_2 },
	{ XS_CODE_CODE_4, XS_CODE_CODE_ARCHIVE_4 },
	{ XS_CODE_STRING_1, XS_CODE_STRING_ARCHIVE_1 },
	{ XS_CODE_STRING_2, XS_CODE_STRING_ARCHIVE_2 },
	{ XS_CODE_STRING_4, XS_CODE_STRING_ARCHIVE_4 },
};

/* Instructions that need what defaults.c leaves out. */
static const txU1 leftOut[] = {
	XS_CODE_ASYNC_FUNCTION, XS_CODE_GENERATOR_FUNCTION, XS_CODE_ASYNC_GENERATOR_FUNCTION, XS_CODE_EVAL, XS_CODE_REGEXP,
	XS_CODE_IMPORT, XS_CODE_MODULE, XS_CODE_FOR_AWAIT_OF, XS_CODE_WITH,
};

/* Calls `visit` with each instruction. */
static void walk(txByte *code, txSize size, void (*visit)(txU1 *instruction, void *context), void *context)
{
	txU1 *at = (txU1 *)code, *end = at + size;
	while (at < end) {
		const txS1 octets = gxCodeSizes[*at];
		visit(at, context);
		if (octets > 0)
			at += octets;
		else if (octets == 0)
			at += 1 + sizeof(txID);
		else if (octets == -1)
			at += 2 + at[1];
		else if (octets == -2)
			at += 3 + (at[1] | at[2] << 8);
		else
			at += 5 + (at[1] | at[2] << 8 | at[3] << 16 | at[4] << 24);
	}
}

/* Bytecode in flash stays where it is. */
static void useInPlace(txU1 *instruction, void *context)
{
	(void)context;
	if (memchr(leftOut, *instruction, sizeof leftOut)) {
		complain("the firmware uses %s, which the board leaves out (defaults.c).", gxCodeNames[*instruction]);
		exitBoard(1);
	}
	for (size_t i = 0; i < sizeof inPlace / sizeof *inPlace; i++)
		if (*instruction == inPlace[i][0]) {
			*instruction = inPlace[i][1];
			return;
		}
}

/* As fxRunScript does it, but for good: the code stays, with the machine's own identifiers. */
static void link(txMachine *the, txScript *script)
{
	txByte *p = script->symbolsBuffer;
	txID count;
	mxDecodeID(p, count);
	txID *ids = c_malloc((size_t)count * sizeof(txID));
	ids[0] = XS_NO_ID;
	for (txID i = 1; i < count; i++) {
		ids[i] = fxNewNameC(the, (txString)p);
		p += c_strlen((char *)p) + 1;
	}
	fxRemapIDs(the, script->codeBuffer, script->codeSize, ids);
	script->symbolsBuffer = NULL;
}

/* The firmware's bytecode, which the image holds once. */
static txByte *codeStart;
static txSize codeSize;

static void evaluate(xsMachine *machine, char *source, char *end, int isFirmware)
{
	xsBeginHost(machine);
	txStringCStream stream = { .buffer = source, .offset = 0, .size = (txSize)(end - source) };
	txSlot *realm = mxProgram.value.reference->next->value.module.realm;
	txScript *script = fxParseScript(the, &stream, fxStringCGetter, mxProgramFlag);
	if (isFirmware) {
		link(the, script);
		walk(script->codeBuffer, script->codeSize, useInPlace, NULL);
		codeStart = script->codeBuffer;
		codeSize = script->codeSize;
	}
	fxRunScript(the, script, mxRealmGlobal(realm), C_NULL, mxRealmClosures(realm)->value.reference, C_NULL,
		mxProgram.value.reference);
	xsEndHost(machine);
	runPromiseJobs(machine);
}

/* Forms of values in flash: the collector leaves what these point to alone. */
static void settle(txSlot *slot)
{
	slot->flag &= (txFlag)~XS_MARK_FLAG;
	switch (slot->kind) {
	case XS_STRING_KIND:
		slot->kind = XS_STRING_X_KIND;
		break;
	case XS_BIGINT_KIND:
		slot->kind = XS_BIGINT_X_KIND;
		break;
	case XS_CODE_KIND:
		slot->kind = XS_CODE_X_KIND;
		break;
	case XS_KEY_KIND:
		slot->kind = XS_KEY_X_KIND;
		break;
	case XS_ARRAY_BUFFER_KIND:
		/* The object is frozen, but not its octets: board-image.js puts them into RAM. */
		slot->flag &= (txFlag)~XS_DONT_SET_FLAG;
		break;
	}
	switch (slot->kind) {
	case XS_UNDEFINED_KIND:
	case XS_NULL_KIND:
	case XS_UNINITIALIZED_KIND:
		slot->value.number = 0;
		break;
	case XS_BOOLEAN_KIND:
		slot->value.callback.closures = NULL;
		slot->value.integer = slot->value.boolean;
		break;
	case XS_INTEGER_KIND:
	case XS_SYMBOL_KIND:
	case XS_STRING_X_KIND:
	case XS_REFERENCE_KIND:
	case XS_CLOSURE_KIND:
		slot->value.callback.closures = NULL;
		break;
	}
}

/* Items that an array holds: its length may be more. */
static txSize itemsOf(const txSlot *array)
{
	const char *address = (const char *)array->value.array.address;
	return address ? ((const txChunk *)(address - sizeof(txChunk)))->size / (txSize)sizeof(txSlot) : 0;
}

static int isFunction(const txSlot *instance)
{
	const txSlot *first = instance->next;
	return first && (first->kind == XS_CALLBACK_KIND || first->kind == XS_CODE_KIND || first->kind == XS_CODE_X_KIND);
}

/* Functions have a name and a number of parameters that nobody asks for. */
static void dropNameAndLength(txSlot *function)
{
	for (txSlot **link = &function->next; *link;) {
		const txSlot *property = *link;
		const int isName = property->ID == mxID(_name) && (property->kind == XS_STRING_KIND || property->kind == XS_STRING_X_KIND);
		const int isLength = property->ID == mxID(_length) && property->kind == XS_INTEGER_KIND;
		if (isName || isLength)
			*link = property->next;
		else
			link = &(*link)->next;
	}
}

/* What the machine holds beside the global object, and only what prune.ts has taken away would need. */
static void forget(txMachine *the)
{
	static const int prototypes[][2] = {
		{ _Date, mxDatePrototypeStackIndex },
		{ _RegExp, mxRegExpPrototypeStackIndex },
		{ _Map, mxMapPrototypeStackIndex },
		{ _Map, mxMapIteratorPrototypeStackIndex },
		{ _Set, mxSetPrototypeStackIndex },
		{ _Set, mxSetIteratorPrototypeStackIndex },
		{ _WeakMap, mxWeakMapPrototypeStackIndex },
		{ _WeakSet, mxWeakSetPrototypeStackIndex },
		{ _WeakRef, mxWeakRefPrototypeStackIndex },
		{ _FinalizationRegistry, mxFinalizationRegistryPrototypeStackIndex },
		{ _Proxy, mxProxyPrototypeStackIndex },
		{ _SharedArrayBuffer, mxSharedArrayBufferPrototypeStackIndex },
		{ _Compartment, mxCompartmentPrototypeStackIndex },
		/* Behind instructions that are refused above. */
		{ 0, mxModuleSourcePrototypeStackIndex },
		{ 0, mxAsyncFunctionPrototypeStackIndex },
		{ 0, mxGeneratorPrototypeStackIndex },
		{ 0, mxGeneratorFunctionPrototypeStackIndex },
		{ 0, mxModulePrototypeStackIndex },
		{ 0, mxTransferPrototypeStackIndex },
		{ 0, mxRegExpStringIteratorPrototypeStackIndex },
		{ 0, mxAsyncIteratorPrototypeStackIndex },
		{ 0, mxAsyncFromSyncIteratorPrototypeStackIndex },
		{ 0, mxAsyncGeneratorPrototypeStackIndex },
		{ 0, mxAsyncGeneratorFunctionPrototypeStackIndex },
		{ 0, mxExecuteRegExpFunctionIndex },
		{ 0, mxInitializeRegExpFunctionIndex },
		{ 0, mxModuleAccessorStackIndex },
		{ 0, mxProxyAccessorStackIndex },
		{ 0, mxCompartmentGlobalStackIndex },
	};
	char isThere[XS_INTRINSICS_COUNT] = { 0 };
	for (const txSlot *property = mxGlobal.value.reference->next; property; property = property->next)
		if (property->ID < XS_INTRINSICS_COUNT && !(property->flag & XS_INTERNAL_FLAG))
			isThere[property->ID] = 1;
	for (int id = XS_SYMBOL_ID_COUNT; id < XS_INTRINSICS_COUNT; id++)
		if (!isThere[id] && the->stackPrototypes[-1 - id].kind == XS_REFERENCE_KIND)
			the->stackPrototypes[-1 - id].kind = XS_UNDEFINED_KIND;
	for (size_t i = 0; i < sizeof prototypes / sizeof *prototypes; i++)
		if (!isThere[prototypes[i][0]])
			the->stackPrototypes[-1 - prototypes[i][1]].kind = XS_UNDEFINED_KIND;
}

/* fxShare numbers what may change from 0 on, but 0 is also the number of what may not (XS_NO_ID). */
static void completeAliases(txMachine *the)
{
	for (txSlot *heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			if (slot->kind == XS_INSTANCE_KIND && slot->ID == XS_NO_ID && !(slot->flag & XS_DONT_PATCH_FLAG))
				slot->ID = the->aliasCount++;
			if (slot->kind != XS_CLOSURE_KIND)
				continue;
			txSlot *closure = slot->value.closure;
			if (closure->ID == XS_NO_ID && !(closure->flag & XS_DONT_SET_FLAG))
				closure->ID = the->aliasCount++;
		}
}

/* What has been looked up stays in a table of the global object, which cannot be written to in flash. */
static void fillGlobalCache(txMachine *the)
{
	txSlot *global = mxGlobal.value.reference;
	for (txID id = XS_SYMBOL_ID_COUNT; id < XS_INTRINSICS_COUNT; id++) mxBehaviorGetProperty(the, global, id, 0, XS_ANY);
}

/* Every object that is there now is frozen, so that it costs no RAM, except the global object and `host`. */
static void freeze(txMachine *the, const txSlot *hostInstance)
{
	for (txSlot *heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			if (slot->kind != XS_INSTANCE_KIND || slot == hostInstance || slot == mxGlobal.value.reference)
				continue;
			if (isFunction(slot))
				dropNameAndLength(slot);
			slot->flag |= XS_DONT_PATCH_FLAG;
			for (txSlot *property = slot->next; property; property = property->next) {
				if (property->kind == XS_ARRAY_KIND) {
					for (txSize i = 0; i < itemsOf(property); i++)
						property->value.array.address[i].flag |= XS_DONT_SET_FLAG | XS_DONT_DELETE_FLAG;
				} else {
					property->flag |= XS_DONT_DELETE_FLAG;
					if (property->kind != XS_ACCESSOR_KIND)
						property->flag |= XS_DONT_SET_FLAG;
				}
			}
		}
}

static void useName(txU1 *instruction, void *used)
{
	txID id;
	if (gxCodeSizes[*instruction] != 0)
		return;
	memcpy(&id, instruction + 1, sizeof id);
	((char *)used)[id] = 1;
}

/* Names that no property and no instruction bears: about nine hundred of the engine's own. */
static void dropNames(txMachine *the, txID placeholder)
{
	static char used[65536];
	memset(used, 0, sizeof used);
	used[placeholder] = 1;
	walk(codeStart, codeSize, useName, used);
	for (txSlot *heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			/* Not the names themselves. Free slots have no name: their kind is undefined. */
			if (slot->kind == XS_KEY_X_KIND || (slot->kind == XS_UNDEFINED_KIND && slot->ID == XS_NO_ID))
				continue;
			used[slot->ID] = 1;
			if (slot->kind == XS_SYMBOL_KIND)
				used[slot->value.symbol] = 1;
		}
	for (txID id = XS_SYMBOL_ID_COUNT; id < the->keyIndex; id++)
		if (!used[id])
			the->keyArray[id] = the->keyArray[placeholder];
	for (txSize i = 0; i < the->nameModulo; i++)
		for (txSlot **link = &the->nameTable[i]; *link;)
			if (used[(*link)->ID])
				link = &(*link)->next;
			else
				*link = (*link)->next;
}

static int semihosting(uint32_t operation, const uint32_t *block)
{
	register uint32_t r0 __asm("r0") = operation;
	register const uint32_t *r1 __asm("r1") = block;
	__asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return (int)r0;
}

static int file;

static void dump(uint32_t what, const void *address, uint32_t octets)
{
	const uint32_t header[] = { what, (uint32_t)(uintptr_t)address, octets };
	const uint32_t blocks[][3] = {
		{ (uint32_t)file, (uint32_t)(uintptr_t)header, sizeof header },
		{ (uint32_t)file, (uint32_t)(uintptr_t)address, octets },
	};
	/* SYS_WRITE */
	semihosting(0x05, blocks[0]);
	semihosting(0x05, blocks[1]);
}

/* The parts of the file, see board-image.js. */
enum { MACHINE = 1, STACK, SLOTS, CHUNKS, NAMES, SYMBOLS, KEYS, CODE, CONSTANTS };

static void dumpMachine(txMachine *the)
{
	static const char name[] = "image.bin";
	/* SYS_OPEN, "wb" */
	const uint32_t open[] = { (uint32_t)(uintptr_t)name, 5, sizeof name - 1 };
	const uint32_t constants[] = { XS_ARRAY_BUFFER_KIND };
	file = semihosting(0x01, open);
	dump(CONSTANTS, constants, sizeof constants);
	/* Of the machine itself, only what fxCloneMachine reads. */
	static txMachine essence;
	essence.stackTop = the->stackTop;
	essence.nameModulo = the->nameModulo;
	essence.nameTable = the->nameTable;
	essence.symbolModulo = the->symbolModulo;
	essence.symbolTable = the->symbolTable;
	essence.keyIndex = the->keyIndex;
	essence.keyArray = the->keyArray;
	essence.aliasCount = the->aliasCount;
	essence.profileID = the->profileID;
	dump(MACHINE, &essence, sizeof essence);
	dump(STACK, the->stack, (uint32_t)((char *)the->stackTop - (char *)the->stack));
	dump(NAMES, the->nameTable, (uint32_t)the->nameModulo * sizeof(txSlot *));
	dump(SYMBOLS, the->symbolTable, (uint32_t)the->symbolModulo * sizeof(txSlot *));
	dump(KEYS, the->keyArray, (uint32_t)the->keyIndex * sizeof(txSlot *));
	for (txSlot *heap = the->firstHeap; heap; heap = heap->next)
		dump(SLOTS, heap + 1, (uint32_t)((char *)heap->value.reference - (char *)(heap + 1)));
	for (txBlock *block = the->firstBlock; block; block = block->nextBlock)
		dump(CHUNKS, block + 1, (uint32_t)(block->current - (txByte *)(block + 1)));
	dump(CODE, codeStart, (uint32_t)codeSize);
	/* SYS_CLOSE */
	const uint32_t close[] = { (uint32_t)file };
	semihosting(0x02, close);
}

int main(void)
{
	txCreation given = creation;
	txMachine *the = fxCreateMachine(&given, "best", NULL, XS_NO_ID);
	if (!the) {
		complain("no room for the engine.");
		resetBoard();
	}
	defineHost(the);
	evaluate(the, bundle, bundleEnd, 1);
	evaluate(the, prune, pruneEnd, 0);

	xsBeginHost(the);
	xsmcGet(xsResult, xsGlobal, xsID("host"));
	const txSlot *host = xsResult.value.reference;
	xsResult = xsUndefined;
	forget(the);
	fillGlobalCache(the);
	freeze(the, host);
	xsEndHost(the);

	const txID placeholder = fxID(the, "?");
	fxShareMachine(the);
	completeAliases(the);
	for (txSlot *heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			if (slot->kind == XS_ARRAY_KIND)
				for (txSize i = 0; i < itemsOf(slot); i++) {
					settle(slot->value.array.address + i);
					slot->value.array.address[i].flag |= XS_MARK_FLAG;
				}
			settle(slot);
			/* Marked for good: the collector never looks into the image. */
			slot->flag |= XS_MARK_FLAG;
		}
	for (txSlot *slot = the->stack; slot < the->stackTop; slot++) settle(slot);
	dropNames(the, placeholder);
	dumpMachine(the);
	exitBoard(0);
}
