/* There is no parser on the device: eval and new Function throw a SyntaxError. */
#include "xsAll.h"
#include "xsScript.h"

txScript *fxParseScript(txMachine *the, void *stream, txGetter getter, txUnsigned flags)
{
	(void)the;
	(void)stream;
	(void)getter;
	(void)flags;
	return NULL;
}
