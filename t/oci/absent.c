/* absent.c - entry points that consumers are linked to and the double does not make: a call says so and fails. Others,
 * which consumers look up when they need them, are left out: there the loader's error names them. */
#include "double.h"

#define ABSENT(name)                                                                               \
    OCI_API int name(void);                                                                        \
    int name(void)                                                                                 \
    {                                                                                              \
        dbl_misuse(#name, "the double does not make this call");                                   \
        return OCI_INVALID_HANDLE;                                                                 \
    }

ABSENT(OCIBindArrayOfStruct)
ABSENT(OCIBindObject)
ABSENT(OCIDBShutdown)
ABSENT(OCIDBStartup)
ABSENT(OCIDateTimeToText)
ABSENT(OCIDateToText)
ABSENT(OCIDefineObject)
ABSENT(OCIDescribeAny)
ABSENT(OCIIntervalToText)
ABSENT(OCIIterCreate)
ABSENT(OCIIterDelete)
ABSENT(OCIIterNext)
ABSENT(OCILobCreateTemporary)
ABSENT(OCILobFileClose)
ABSENT(OCILobFileOpen)
ABSENT(OCILobTrim)
ABSENT(OCILobWrite)
ABSENT(OCILobWriteAppend)
ABSENT(OCINumberToReal)
ABSENT(OCIObjectFree)
ABSENT(OCIObjectGetAttr)
ABSENT(OCIObjectGetTypeRef)
ABSENT(OCIObjectNew)
ABSENT(OCIObjectPin)
ABSENT(OCIRawPtr)
ABSENT(OCIRawSize)
ABSENT(OCISessionGet)
ABSENT(OCISessionPoolCreate)
ABSENT(OCISessionPoolDestroy)
ABSENT(OCISessionRelease)
ABSENT(OCIStmtGetPieceInfo)
ABSENT(OCIStmtSetPieceInfo)
ABSENT(OCIStringAssignText)
ABSENT(OCIStringPtr)
ABSENT(OCITypeByName)
ABSENT(OCITypeByRef)
ABSENT(OCIXMLTypeCreateFromSrc)
