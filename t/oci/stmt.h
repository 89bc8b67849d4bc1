/* stmt.h - what stmt.c and fetch.c share. Calls are between dbl_call_begin and dbl_call_end. */
#ifndef AURORA_OCI_STMT_H
#define AURORA_OCI_STMT_H

#include "double.h"

/** Ask PostgreSQL for n more rows; a cursor that has no more is closed. */
int dbl_portion(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t n);
/** Put n rows into the defines. @return as OCIStmtFetch2 */
int dbl_fetch(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t n);

#endif
