/* attr.c - attributes: each written at its own width, for callers pass cells of one and two bytes. */
#include "double.h"

#include <stdlib.h>
#include <string.h>

enum {
    A_DATA_SIZE = 1,
    A_DATA_TYPE = 2,
    A_DISP_SIZE = 3,
    A_NAME = 4,
    A_PRECISION = 5, /* and ENV of a service context */
    A_SCALE = 6,     /* and SERVER */
    A_IS_NULL = 7,   /* and SESSION */
    A_TRANS = 8,     /* and TYPE_NAME */
    A_ROW_COUNT = 9, /* and SCHEMA_NAME */
    A_SQLFNCODE = 10,
    A_PREFETCH_ROWS = 11,
    A_PREFETCH_MEMORY = 13,
    A_FSPRECISION = 16,
    A_LFPRECISION = 17,
    A_PARAM_COUNT = 18,
    A_ROWID = 19,
    A_USERNAME = 22,
    A_PASSWORD = 23,
    A_STMT_TYPE = 24,
    A_CHARSET_ID = 31,
    A_CHARSET_FORM = 32,
    A_MAXDATA_SIZE = 33,
    A_DML_ROW_OFFSET = 74,
    A_PARSE_ERROR_OFFSET = 129,
    A_SERVER_STATUS = 143,
    A_STATEMENT = 144,
    A_STMTCACHESIZE = 176,
    A_BIND_COUNT = 190,
    A_ROWS_FETCHED = 197,
    A_STMT_IS_RETURNING = 218,
    A_CURRENT_SCHEMA = 224,
    A_NCHARSET_ID = 262,
    A_CLIENT_IDENTIFIER = 278,
    A_CHAR_USED = 285,
    A_CHAR_SIZE = 286,
    A_MODULE = 366,
    A_ACTION = 367,
    A_CLIENT_INFO = 368,
    A_DBNAME = 391,
    A_INSTNAME = 392,
    A_SERVICENAME = 393,
    A_DBDOMAIN = 399,
    A_DRIVER_NAME = 424,
    A_LOBPREFETCH_SIZE = 439,
    A_LOBPREFETCH_LENGTH = 440,
    A_UB8_ROW_COUNT = 457,
    A_ERROR_IS_RECOVERABLE = 472,
    A_MAX_OPEN_CURSORS = 471,
    A_TRANSACTION_IN_PROGRESS = 484,
    A_MAX_IDENTIFIER_LEN = 500,
    A_SQL_ID = 504,
    A_PDBNAME = 524,
    A_CALL_TIMEOUT = 531,
    A_JSON_COL = 534,
    A_OSON_COL = 623,
    A_DOMAIN_SCHEMA = 659,
    A_DOMAIN_NAME = 660,
    A_NUM_ANNOTATIONS = 687,
    A_SERVER_TYPE = 694
};

static int put(void *value, uint64_t n, size_t width)
{
    switch (width) {
    case 1: {
        uint8_t v = (uint8_t)n;
        memcpy(value, &v, 1);
        break;
    }
    case 2: {
        uint16_t v = (uint16_t)n;
        memcpy(value, &v, 2);
        break;
    }
    case 4: {
        uint32_t v = (uint32_t)n;
        memcpy(value, &v, 4);
        break;
    }
    default:
        memcpy(value, &n, 8);
        break;
    }
    return OCI_SUCCESS;
}

static int put_pointer(void *value, const void *p)
{
    memcpy(value, &p, sizeof(p));
    return OCI_SUCCESS;
}

static int put_text(void *value, uint32_t *size, const char *text)
{
    if (size) {
        *size = (uint32_t)strlen(text);
    }
    return put_pointer(value, text);
}

static uint64_t get(const void *value, size_t width)
{
    uint64_t n = 0;
    memcpy(&n, value, width);
    return n;
}

static int unknown(dbl_err_t *err, uint32_t htype, uint32_t attr)
{
    return dbl_fail(err, 24315, "illegal attribute type (attribute %u of handle type %u)", attr,
                    htype);
}

/* --- reading ------------------------------------------------------------------------------------ */

static int get_server(dbl_server_t *srv, void *value, uint32_t *size, uint32_t attr, dbl_err_t *err)
{
    switch (attr) {
    case A_CHARSET_ID:
        return put(value, dbl_latin1() ? OCI_CHARSET_WE8ISO8859P1 : OCI_CHARSET_AL32UTF8, 2);
    case A_SERVER_STATUS:
        return put(value,
                   srv->attached && !srv->lost ? OCI_SERVER_NORMAL : OCI_SERVER_NOT_CONNECTED, 4);
    case A_DBNAME:
    case A_INSTNAME:
    case A_SERVICENAME:
        return put_text(value, size, srv->database);
    case A_DBDOMAIN:
        return put_text(value, size, "");
    case A_IS_NULL - 4: /* NONBLOCKING_MODE */
        return put(value, 0, 1);
    default:
        return unknown(err, OCI_HTYPE_SERVER, attr);
    }
}

static int get_svc(dbl_svc_t *svc, void *value, uint32_t *size, uint32_t attr, dbl_err_t *err)
{
    switch (attr) {
    case A_PRECISION:
        return put_pointer(value, svc->head.env);
    case A_SCALE:
        return put_pointer(value, svc->server);
    case A_IS_NULL:
        return put_pointer(value, svc->session);
    case A_TRANS:
        return put_pointer(value, svc->trans);
    case A_STMTCACHESIZE:
        return put(value, svc->cache_size, 4);
    case A_MAX_IDENTIFIER_LEN:
        return put(value, 128, 1);
    case A_CALL_TIMEOUT:
        return put(value, svc->call_timeout, 4);
    case A_PDBNAME:
        return put_text(value, size, svc->server ? svc->server->database : "");
    case A_SERVER_TYPE:
        return put(value, 1, 1);
    default:
        return unknown(err, OCI_HTYPE_SVCCTX, attr);
    }
}

/* The service context whose session this is: transactions are the connection's. */
static dbl_svc_t *svc_of(dbl_session_t *ses)
{
    dbl_svc_t *found = NULL;
    pthread_mutex_lock(&ses->head.env->lock);
    for (dbl_head_t *h = ses->head.env->all; h && !found; h = h->next) {
        found =
            h->type == OCI_HTYPE_SVCCTX && ((dbl_svc_t *)h)->session == ses ? (dbl_svc_t *)h : NULL;
    }
    pthread_mutex_unlock(&ses->head.env->lock);
    return found;
}

static int get_session(dbl_session_t *ses, void *value, uint32_t *size, uint32_t attr,
                       dbl_err_t *err)
{
    switch (attr) {
    case A_USERNAME:
        return put_text(value, size, ses->user);
    case A_CURRENT_SCHEMA:
        return put_text(value, size, *ses->schema ? ses->schema : ses->user);
    case A_CLIENT_IDENTIFIER:
        return put_text(value, size, ses->client_identifier);
    case A_MODULE:
        return put_text(value, size, ses->module);
    case A_ACTION:
        return put_text(value, size, ses->action);
    case A_CLIENT_INFO:
        return put_text(value, size, ses->client_info);
    case A_DRIVER_NAME:
        return put_text(value, size, ses->driver);
    case A_MAX_OPEN_CURSORS:
        return put(value, 300, 4);
    case A_TRANSACTION_IN_PROGRESS: {
        dbl_svc_t *svc = svc_of(ses);
        return put(value, svc && svc->server && svc->server->in_transaction, 4);
    }
    default:
        return unknown(err, OCI_HTYPE_SESSION, attr);
    }
}

static int get_stmt(dbl_stmt_t *stmt, void *value, uint32_t *size, uint32_t attr, dbl_err_t *err)
{
    if (!stmt->sql && attr != A_PREFETCH_ROWS) {
        return dbl_fail(err, 24337, NULL);
    }
    switch (attr) {
    case A_ROW_COUNT:
        return put(value, stmt->row_count, 4);
    case A_UB8_ROW_COUNT:
        return put(value, stmt->row_count, 8);
    case A_SQLFNCODE:
        return put(value, stmt->sql->type == OCI_STMT_SELECT ? 4 : 0, 2);
    case A_PREFETCH_ROWS:
        return put(value, stmt->prefetch_rows, 4);
    case A_PREFETCH_MEMORY:
        return put(value, stmt->prefetch_memory, 4);
    case A_PARAM_COUNT:
        return put(value, stmt->column_count, 4);
    case A_STMT_TYPE:
        return put(value, stmt->sql->type, 2);
    case A_PARSE_ERROR_OFFSET:
        return put(value, stmt->error_offset, 2);
    case A_STATEMENT:
        return put_text(value, size, stmt->sql->text);
    case A_BIND_COUNT:
        return put(value, stmt->sql->bind_count, 4);
    case A_ROWS_FETCHED:
        return put(value, stmt->rows_fetched, 4);
    case A_STMT_IS_RETURNING:
        return put(value, stmt->sql->returning, 1);
    case A_SQL_ID:
        return put_text(value, size, stmt->sql_id);
    case A_ROWID: /* of the last row changed: not known here, so the descriptor stays empty */
        return dbl_check(value, OCI_DTYPE_ROWID, "OCIAttrGet") ? OCI_SUCCESS : OCI_INVALID_HANDLE;
    default:
        return unknown(err, OCI_HTYPE_STMT, attr);
    }
}

static int get_param(const dbl_column_t *c, void *value, uint32_t *size, uint32_t attr,
                     dbl_err_t *err)
{
    switch (attr) {
    case A_DATA_SIZE:
        return put(value, c->size, 2);
    case A_DISP_SIZE:
        return put(value, c->size, 2);
    case A_DATA_TYPE:
        return put(value, c->dty, 2);
    case A_NAME:
        return put_text(value, size, c->name);
    case A_PRECISION:
        return put(value, (uint64_t)c->precision, 2);
    case A_SCALE:
        return put(value, (uint64_t)c->scale, 1);
    case A_IS_NULL:
        return put(value, c->nullable, 1);
    case A_TRANS:
    case A_ROW_COUNT: /* TYPE_NAME, SCHEMA_NAME: of object types only */
        return put_text(value, size, "");
    case A_FSPRECISION:
        return put(value, c->fsprecision, 1);
    case A_LFPRECISION:
        return put(value, c->lfprecision, 1);
    case A_CHARSET_ID:
        return put(value, c->csform ? OCI_CHARSET_AL32UTF8 : 0, 2);
    case A_CHARSET_FORM:
        return put(value, c->csform, 1);
    case A_CHAR_USED:
        return put(value, c->char_used, 1);
    case A_CHAR_SIZE:
        return put(value, c->char_size, 2);
    case A_JSON_COL:
        return put(value, c->json, 1);
    case A_OSON_COL:
        return put(value, 0, 1);
    case A_DOMAIN_SCHEMA:
    case A_DOMAIN_NAME:
        return put_text(value, size, "");
    case A_NUM_ANNOTATIONS:
        return put(value, 0, 4);
    default:
        return unknown(err, OCI_DTYPE_PARAM, attr);
    }
}

static int get_variable(uint8_t csform, int32_t maxdata, void *value, uint32_t attr, uint32_t htype,
                        dbl_err_t *err)
{
    switch (attr) {
    case A_CHARSET_ID:
        return put(value, OCI_CHARSET_AL32UTF8, 2);
    case A_CHARSET_FORM:
        return put(value, csform ? csform : 1, 1);
    case A_MAXDATA_SIZE:
        return put(value, (uint32_t)maxdata, 4);
    default:
        return unknown(err, htype, attr);
    }
}

/* Errors that a second try may not meet: of sessions that are gone. */
static int get_error(const dbl_err_t *of, void *value, uint32_t attr, dbl_err_t *err)
{
    switch (attr) {
    case A_ERROR_IS_RECOVERABLE:
        return put(value,
                   of->code == 28 || of->code == 3113 || of->code == 3114 || of->code == 3135, 4);
    case A_DML_ROW_OFFSET:
        return put(value, 0, 4);
    default:
        return unknown(err, OCI_HTYPE_ERROR, attr);
    }
}

static int attr_get(dbl_head_t *h, void *value, uint32_t *size, uint32_t attr, dbl_err_t *err)
{
    switch (h->type) {
    case OCI_HTYPE_ENV:
        return attr == A_CHARSET_ID || attr == A_NCHARSET_ID ? put(value, OCI_CHARSET_AL32UTF8, 2)
                                                             : unknown(err, h->type, attr);
    case OCI_HTYPE_ERROR:
        return get_error((dbl_err_t *)h, value, attr, err);
    case OCI_HTYPE_SERVER:
        return get_server((dbl_server_t *)h, value, size, attr, err);
    case OCI_HTYPE_SVCCTX:
        return get_svc((dbl_svc_t *)h, value, size, attr, err);
    case OCI_HTYPE_SESSION:
        return get_session((dbl_session_t *)h, value, size, attr, err);
    case OCI_HTYPE_STMT:
        return get_stmt((dbl_stmt_t *)h, value, size, attr, err);
    case OCI_DTYPE_PARAM:
        return get_param(((dbl_param_t *)h)->column, value, size, attr, err);
    case OCI_HTYPE_BIND:
        return get_variable(((dbl_bind_t *)h)->csform, ((dbl_bind_t *)h)->maxdata, value, attr,
                            h->type, err);
    case OCI_HTYPE_DEFINE:
        return get_variable(((dbl_define_t *)h)->csform, 0, value, attr, h->type, err);
    default:
        return unknown(err, h->type, attr);
    }
}

/* Callers name a PARAM by its own type or by that of a describe handle. */
static dbl_head_t *check_any(const void *handle, uint32_t htype, const char *where)
{
    dbl_head_t *h = dbl_check(handle, htype == OCI_HTYPE_DESCRIBE ? OCI_DTYPE_PARAM : htype, where);
    return h;
}

int OCIAttrGet(const void *handle, uint32_t htype, void *value, uint32_t *size, uint32_t attr,
               void *err_handle)
{
    dbl_head_t *h = check_any(handle, htype, __func__);
    if (!h) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    /* The error handle may be asked about itself. */
    int32_t code = err->code;
    int rv = attr_get(h, value, size, attr, err);
    rv = dbl_err_leave(err, rv);
    if (rv == OCI_SUCCESS) {
        err->code = code;
    }
    return rv;
}

/* --- writing ------------------------------------------------------------------------------------ */

static int take(char *out, size_t size, const void *value, uint32_t n)
{
    n = n < size ? n : (uint32_t)size - 1;
    if (n) {
        memcpy(out, value, n);
    }
    out[n] = '\0';
    return OCI_SUCCESS;
}

static int set_session(dbl_session_t *ses, const void *value, uint32_t size, uint32_t attr,
                       dbl_err_t *err)
{
    switch (attr) {
    case A_USERNAME:
        return take(ses->user, sizeof(ses->user), value, size);
    case A_PASSWORD:
        return take(ses->password, sizeof(ses->password), value, size);
    case A_DRIVER_NAME:
        return take(ses->driver, sizeof(ses->driver), value, size);
    case A_CURRENT_SCHEMA:
        ses->dirty = true;
        return take(ses->schema, sizeof(ses->schema), value, size);
    case A_CLIENT_INFO:
        return take(ses->client_info, sizeof(ses->client_info), value, size);
    case A_CLIENT_IDENTIFIER:
        ses->dirty = true;
        return take(ses->client_identifier, sizeof(ses->client_identifier), value, size);
    case A_MODULE:
        ses->dirty = true;
        return take(ses->module, sizeof(ses->module), value, size);
    case A_ACTION:
        ses->dirty = true;
        return take(ses->action, sizeof(ses->action), value, size);
    case 288: /* EDITION */
        dbl_trace("OCIAttrSet edition %.*s", (int)size, (const char *)value);
        return OCI_SUCCESS;
    case 425: /* CONNECTION_CLASS */
    case 426: /* PURITY */
    case 438: /* DEFAULT_LOBPREFETCH_SIZE */
        return OCI_SUCCESS;
    default:
        return unknown(err, OCI_HTYPE_SESSION, attr);
    }
}

static int set_svc(dbl_svc_t *svc, void *value, uint32_t attr, dbl_err_t *err)
{
    switch (attr) {
    case A_SCALE:
        svc->server = dbl_check(value, OCI_HTYPE_SERVER, "OCIAttrSet");
        return svc->server ? OCI_SUCCESS : OCI_INVALID_HANDLE;
    case A_IS_NULL:
        svc->session = dbl_check(value, OCI_HTYPE_SESSION, "OCIAttrSet");
        return svc->session ? OCI_SUCCESS : OCI_INVALID_HANDLE;
    case A_TRANS:
        svc->trans = value;
        return OCI_SUCCESS;
    case A_STMTCACHESIZE:
        svc->cache_size = (uint32_t)get(value, 4);
        return OCI_SUCCESS;
    case A_CALL_TIMEOUT:
        svc->call_timeout = (uint32_t)get(value, 4);
        if (svc->server) {
            atomic_store(&svc->server->call_limit_ms, svc->call_timeout);
        }
        dbl_trace("call timeout %u", svc->call_timeout);
        return OCI_SUCCESS;
    default:
        return unknown(err, OCI_HTYPE_SVCCTX, attr);
    }
}

static int set_stmt(dbl_stmt_t *stmt, const void *value, uint32_t attr, dbl_err_t *err)
{
    switch (attr) {
    case A_PREFETCH_ROWS:
        stmt->prefetch_rows = (uint32_t)get(value, 4);
        return OCI_SUCCESS;
    case A_PREFETCH_MEMORY:
        stmt->prefetch_memory = (uint32_t)get(value, 4);
        return OCI_SUCCESS;
    default:
        return unknown(err, OCI_HTYPE_STMT, attr);
    }
}

static int set_define(dbl_define_t *def, const void *value, uint32_t attr, dbl_err_t *err)
{
    switch (attr) {
    case A_CHARSET_FORM:
        def->csform = (uint8_t)get(value, 1);
        return OCI_SUCCESS;
    case A_CHARSET_ID:
    case A_MAXDATA_SIZE:
        return OCI_SUCCESS;
    case A_LOBPREFETCH_SIZE:
        def->lob_prefetch = (uint32_t)get(value, 4);
        return OCI_SUCCESS;
    case A_LOBPREFETCH_LENGTH:
        def->lob_length = (uint8_t)get(value, 1);
        return OCI_SUCCESS;
    default:
        return unknown(err, OCI_HTYPE_DEFINE, attr);
    }
}

static int set_bind(dbl_bind_t *bind, const void *value, uint32_t attr, dbl_err_t *err)
{
    switch (attr) {
    case A_CHARSET_FORM:
        bind->csform = (uint8_t)get(value, 1);
        return OCI_SUCCESS;
    case A_CHARSET_ID:
        return OCI_SUCCESS;
    case A_MAXDATA_SIZE:
        bind->maxdata = (int32_t)get(value, 4);
        return OCI_SUCCESS;
    default:
        return unknown(err, OCI_HTYPE_BIND, attr);
    }
}

static int attr_set(dbl_head_t *h, void *value, uint32_t size, uint32_t attr, dbl_err_t *err)
{
    switch (h->type) {
    case OCI_HTYPE_SESSION:
        return set_session((dbl_session_t *)h, value, size, attr, err);
    case OCI_HTYPE_SVCCTX:
        return set_svc((dbl_svc_t *)h, value, attr, err);
    case OCI_HTYPE_STMT:
        return set_stmt((dbl_stmt_t *)h, value, attr, err);
    case OCI_HTYPE_DEFINE:
        return set_define((dbl_define_t *)h, value, attr, err);
    case OCI_HTYPE_BIND:
        return set_bind((dbl_bind_t *)h, value, attr, err);
    case OCI_HTYPE_SERVER: /* timeouts of the network: SEND, RECEIVE, BREAK_ON_NET_TIMEOUT */
        return attr == 435 || attr == 436 || attr == 495 ? OCI_SUCCESS
                                                         : unknown(err, h->type, attr);
    default:
        return unknown(err, h->type, attr);
    }
}

int OCIAttrSet(void *handle, uint32_t htype, void *value, uint32_t size, uint32_t attr,
               void *err_handle)
{
    dbl_head_t *h = check_any(handle, htype, __func__);
    if (!h) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    return dbl_err_leave(err, attr_set(h, value, size, attr, err));
}
