/* oci.h - the part of the Oracle Call Interface that the double offers: constants and entry points.
 * Every handle is a void pointer here, as the ABI has it; double.h says what stands behind them. */
#ifndef AURORA_OCI_H
#define AURORA_OCI_H

#include <stddef.h>
#include <stdint.h>

#define OCI_API __attribute__((visibility("default")))

enum {
    OCI_SUCCESS = 0,
    OCI_SUCCESS_WITH_INFO = 1,
    OCI_NEED_DATA = 99,
    OCI_NO_DATA = 100,
    OCI_ERROR = -1,
    OCI_INVALID_HANDLE = -2,
    OCI_CONTINUE = -24200
};

enum {
    OCI_HTYPE_ENV = 1,
    OCI_HTYPE_ERROR = 2,
    OCI_HTYPE_SVCCTX = 3,
    OCI_HTYPE_STMT = 4,
    OCI_HTYPE_BIND = 5,
    OCI_HTYPE_DEFINE = 6,
    OCI_HTYPE_DESCRIBE = 7,
    OCI_HTYPE_SERVER = 8,
    OCI_HTYPE_SESSION = 9,
    OCI_HTYPE_TRANS = 10,
    OCI_HTYPE_SPOOL = 27,
    OCI_DTYPE_LOB = 50,
    OCI_DTYPE_PARAM = 53,
    OCI_DTYPE_ROWID = 54,
    OCI_DTYPE_INTERVAL_YM = 62,
    OCI_DTYPE_INTERVAL_DS = 63,
    OCI_DTYPE_TIMESTAMP = 68,
    OCI_DTYPE_TIMESTAMP_TZ = 69,
    OCI_DTYPE_TIMESTAMP_LTZ = 70
};

enum {
    OCI_STMT_UNKNOWN = 0,
    OCI_STMT_SELECT = 1,
    OCI_STMT_UPDATE = 2,
    OCI_STMT_DELETE = 3,
    OCI_STMT_INSERT = 4,
    OCI_STMT_CREATE = 5,
    OCI_STMT_DROP = 6,
    OCI_STMT_ALTER = 7,
    OCI_STMT_BEGIN = 8,
    OCI_STMT_DECLARE = 9,
    OCI_STMT_CALL = 10,
    OCI_STMT_EXPLAIN = 15,
    OCI_STMT_MERGE = 16,
    OCI_STMT_ROLLBACK = 17,
    OCI_STMT_COMMIT = 21
};

enum {
    OCI_STRLS_CACHE_DELETE = 0x10,
    OCI_DESCRIBE_ONLY = 0x10,
    OCI_COMMIT_ON_SUCCESS = 0x20,
    OCI_PARSE_ONLY = 0x100,
    OCI_DATA_AT_EXEC = 2,
    OCI_DYNAMIC_FETCH = 2,
    OCI_FETCH_NEXT = 2,
    OCI_ONE_PIECE = 0,
    OCI_FIRST_PIECE = 1,
    OCI_NEXT_PIECE = 2,
    OCI_LAST_PIECE = 3,
    OCI_TRANS_READONLY = 0x100,
    OCI_SERVER_NOT_CONNECTED = 0,
    OCI_SERVER_NORMAL = 1,
    OCI_CHARSET_WE8ISO8859P1 = 31,
    OCI_CHARSET_AL32UTF8 = 873
};

enum {
    SQLT_CHR = 1,
    SQLT_NUM = 2,
    SQLT_INT = 3,
    SQLT_FLT = 4,
    SQLT_STR = 5,
    SQLT_VNU = 6,
    SQLT_LNG = 8,
    SQLT_RID = 11,
    SQLT_DAT = 12,
    SQLT_BFLOAT = 21,
    SQLT_BDOUBLE = 22,
    SQLT_BIN = 23,
    SQLT_LBI = 24,
    SQLT_UIN = 68,
    SQLT_LVC = 94,
    SQLT_LVB = 95,
    SQLT_AFC = 96,
    SQLT_AVC = 97,
    SQLT_IBFLOAT = 100,
    SQLT_IBDOUBLE = 101,
    SQLT_RDD = 104,
    SQLT_CLOB = 112,
    SQLT_BLOB = 113,
    SQLT_JSON = 119,
    SQLT_ODT = 156,
    SQLT_TIMESTAMP = 187,
    SQLT_TIMESTAMP_TZ = 188,
    SQLT_INTERVAL_YM = 189,
    SQLT_INTERVAL_DS = 190,
    SQLT_TIMESTAMP_LTZ = 232,
    SQLT_BOL = 252
};

typedef int32_t (*oci_define_cb)(void *ctx, void *def, uint32_t iter, void **buf, uint32_t **alen,
                                 uint8_t *piece, void **ind, uint16_t **rcode);
typedef int32_t (*oci_in_cb)(void *ctx, void *bind, uint32_t iter, uint32_t index, void **buf,
                             uint32_t *alen, uint8_t *piece, void **ind);

/* Library and environment. */
OCI_API void OCIClientVersion(int *major, int *minor, int *update, int *patch, int *port);
OCI_API int OCIEnvNlsCreate(void **env, uint32_t mode, void *ctx, void *malocf, void *ralocf,
                            void *mfreef, size_t xtra, void **usrmem, uint16_t charset,
                            uint16_t ncharset);
OCI_API int OCITerminate(uint32_t mode);
OCI_API int OCIErrorGet(void *err, uint32_t recno, char *sqlstate, int32_t *code, char *buf,
                        uint32_t size, uint32_t htype);
OCI_API int OCIHandleAlloc(const void *env, void **h, uint32_t type, size_t xtra, void **usrmem);
OCI_API int OCIHandleFree(void *h, uint32_t type);
OCI_API int OCIDescriptorAlloc(const void *env, void **d, uint32_t type, size_t xtra,
                               void **usrmem);
OCI_API int OCIDescriptorFree(void *d, uint32_t type);
OCI_API int OCIArrayDescriptorAlloc(const void *env, void **array, uint32_t type, uint32_t n,
                                    size_t xtra, void **usrmem);
OCI_API int OCIArrayDescriptorFree(void **array, uint32_t type);
OCI_API int OCIAttrGet(const void *h, uint32_t htype, void *value, uint32_t *size, uint32_t attr,
                       void *err);
OCI_API int OCIAttrSet(void *h, uint32_t htype, void *value, uint32_t size, uint32_t attr,
                       void *err);

/* Connection. */
OCI_API int OCIServerAttach(void *srv, void *err, const char *connect, int32_t len, uint32_t mode);
OCI_API int OCIServerDetach(void *srv, void *err, uint32_t mode);
OCI_API int OCISessionBegin(void *svc, void *err, void *ses, uint32_t credt, uint32_t mode);
OCI_API int OCISessionEnd(void *svc, void *err, void *ses, uint32_t mode);
OCI_API int OCIPing(void *svc, void *err, uint32_t mode);
OCI_API int OCIBreak(void *h, void *err);
OCI_API int OCIReset(void *h, void *err);
OCI_API int OCIServerVersion(void *h, void *err, char *buf, uint32_t size, uint8_t htype);
OCI_API int OCIServerRelease(void *h, void *err, char *buf, uint32_t size, uint8_t htype,
                             uint32_t *version);
OCI_API int OCIServerRelease2(void *h, void *err, char *buf, uint32_t size, uint8_t htype,
                              uint32_t *version, uint32_t mode);
OCI_API int OCITransStart(void *svc, void *err, unsigned timeout, uint32_t flags);
OCI_API int OCITransCommit(void *svc, void *err, uint32_t flags);
OCI_API int OCITransRollback(void *svc, void *err, uint32_t flags);

/* Statements. */
OCI_API int OCIStmtPrepare2(void *svc, void **stmt, void *err, const char *sql, uint32_t len,
                            const char *key, uint32_t keylen, uint32_t lang, uint32_t mode);
OCI_API int OCIStmtPrepare(void *stmt, void *err, const char *sql, uint32_t len, uint32_t lang,
                           uint32_t mode);
OCI_API int OCIStmtRelease(void *stmt, void *err, const char *key, uint32_t keylen, uint32_t mode);
OCI_API int OCIStmtExecute(void *svc, void *stmt, void *err, uint32_t iters, uint32_t rowoff,
                           const void *snap_in, void *snap_out, uint32_t mode);
OCI_API int OCIStmtFetch2(void *stmt, void *err, uint32_t nrows, uint16_t orientation,
                          int32_t offset, uint32_t mode);
OCI_API int OCIStmtGetNextResult(void *stmt, void *err, void **result, uint32_t *type,
                                 uint32_t mode);
OCI_API int OCIStmtGetBindInfo(void *stmt, void *err, uint32_t size, uint32_t start, int32_t *found,
                               char *names[], uint8_t namelens[], char *inds[], uint8_t indlens[],
                               uint8_t dup[], void *hndl[]);
OCI_API int OCIParamGet(const void *h, uint32_t htype, void *err, void **param, uint32_t pos);
OCI_API int OCIBindByName2(void *stmt, void **bind, void *err, const char *name, int32_t namelen,
                           void *value, int64_t size, uint16_t dty, void *ind, uint32_t *alen,
                           uint16_t *rcode, uint32_t maxarr, uint32_t *curelem, uint32_t mode);
OCI_API int OCIBindByPos2(void *stmt, void **bind, void *err, uint32_t pos, void *value,
                          int64_t size, uint16_t dty, void *ind, uint32_t *alen, uint16_t *rcode,
                          uint32_t maxarr, uint32_t *curelem, uint32_t mode);
OCI_API int OCIBindByName(void *stmt, void **bind, void *err, const char *name, int32_t namelen,
                          void *value, int32_t size, uint16_t dty, void *ind, uint16_t *alen,
                          uint16_t *rcode, uint32_t maxarr, uint32_t *curelem, uint32_t mode);
OCI_API int OCIBindByPos(void *stmt, void **bind, void *err, uint32_t pos, void *value,
                         int32_t size, uint16_t dty, void *ind, uint16_t *alen, uint16_t *rcode,
                         uint32_t maxarr, uint32_t *curelem, uint32_t mode);
OCI_API int OCIBindDynamic(void *bind, void *err, void *ictx, oci_in_cb in, void *octx, void *out);
OCI_API int OCIDefineByPos2(void *stmt, void **def, void *err, uint32_t pos, void *value,
                            uint64_t size, uint16_t dty, void *ind, uint32_t *rlen, uint16_t *rcode,
                            uint32_t mode);
OCI_API int OCIDefineByPos(void *stmt, void **def, void *err, uint32_t pos, void *value,
                           int32_t size, uint16_t dty, void *ind, uint16_t *rlen, uint16_t *rcode,
                           uint32_t mode);
OCI_API int OCIDefineDynamic(void *def, void *err, void *ctx, oci_define_cb cb);

/* LOBs. */
OCI_API int OCILobGetLength2(void *svc, void *err, void *loc, uint64_t *len);
OCI_API int OCILobGetLength(void *svc, void *err, void *loc, uint32_t *len);
OCI_API int OCILobRead2(void *svc, void *err, void *loc, uint64_t *bytes, uint64_t *chars,
                        uint64_t offset, void *buf, uint64_t buflen, uint8_t piece, void *ctx,
                        void *cb, uint16_t csid, uint8_t csform);
OCI_API int OCILobRead(void *svc, void *err, void *loc, uint32_t *amount, uint32_t offset,
                       void *buf, uint32_t buflen, void *ctx, void *cb, uint16_t csid,
                       uint8_t csform);
OCI_API int OCILobGetChunkSize(void *svc, void *err, void *loc, uint32_t *n);
OCI_API int OCILobIsTemporary(void *env, void *err, void *loc, int *yes);
OCI_API int OCILobLocatorIsInit(void *env, void *err, const void *loc, int *yes);
OCI_API int OCILobCharSetForm(void *env, void *err, const void *loc, uint8_t *form);
OCI_API int OCILobCharSetId(void *env, void *err, const void *loc, uint16_t *id);
OCI_API int OCILobLocatorAssign(void *svc, void *err, const void *src, void **dst);
OCI_API int OCILobFreeTemporary(void *svc, void *err, void *loc);
OCI_API int OCILobOpen(void *svc, void *err, void *loc, uint8_t mode);
OCI_API int OCILobClose(void *svc, void *err, void *loc);
OCI_API int OCILobIsOpen(void *svc, void *err, void *loc, int *yes);
OCI_API int OCILobFileIsOpen(void *svc, void *err, void *loc, int *yes);

/* Values of descriptors. */
OCI_API int OCIDateTimeGetDate(void *env, void *err, const void *dt, int16_t *year, uint8_t *month,
                               uint8_t *day);
OCI_API int OCIDateTimeGetTime(void *env, void *err, const void *dt, uint8_t *hour, uint8_t *minute,
                               uint8_t *second, uint32_t *ns);
OCI_API int OCIDateTimeGetTimeZoneOffset(void *env, void *err, const void *dt, int8_t *hour,
                                         int8_t *minute);
OCI_API int OCIDateTimeConstruct(void *env, void *err, void *dt, int16_t year, uint8_t month,
                                 uint8_t day, uint8_t hour, uint8_t minute, uint8_t second,
                                 uint32_t ns, const char *tz, size_t tzlen);
OCI_API int OCIIntervalGetDaySecond(void *env, void *err, int32_t *day, int32_t *hour,
                                    int32_t *minute, int32_t *second, int32_t *ns,
                                    const void *interval);
OCI_API int OCIIntervalGetYearMonth(void *env, void *err, int32_t *year, int32_t *month,
                                    const void *interval);
OCI_API int OCIIntervalSetDaySecond(void *env, void *err, int32_t day, int32_t hour, int32_t minute,
                                    int32_t second, int32_t ns, void *interval);
OCI_API int OCIIntervalSetYearMonth(void *env, void *err, int32_t year, int32_t month,
                                    void *interval);
OCI_API int OCIRowidToChar(void *rowid, char *buf, uint16_t *len, void *err);

/* Threads, memory, character sets. */
OCI_API void OCIThreadProcessInit(void);
OCI_API int OCIThreadKeyInit(void *env, void *err, void **key, void (*destroy)(void *));
OCI_API int OCIThreadKeyDestroy(void *env, void *err, void **key);
OCI_API int OCIThreadKeyGet(void *env, void *err, void *key, void **value);
OCI_API int OCIThreadKeySet(void *env, void *err, void *key, void *value);
OCI_API int OCIMemoryAlloc(void *ses, void *err, void **mem, uint16_t dur, uint32_t size,
                           uint32_t flags);
OCI_API int OCIMemoryFree(void *ses, void *err, void *mem);
OCI_API int OCIContextGetValue(void *ses, void *err, const char *key, uint8_t keylen, void **value);
OCI_API int OCIContextSetValue(void *ses, void *err, uint16_t dur, const char *key, uint8_t keylen,
                               void *value);
OCI_API int OCINlsNumericInfoGet(void *env, void *err, int32_t *value, uint16_t item);
OCI_API int OCINlsEnvironmentVariableGet(void *value, size_t size, uint16_t item, uint16_t charset,
                                         size_t *rsize);
OCI_API uint16_t OCINlsCharSetNameToId(void *env, const char *name);
OCI_API int OCINlsCharSetIdToName(void *env, char *buf, size_t size, uint16_t id);
OCI_API int OCINlsCharSetConvert(void *env, void *err, uint16_t dst_id, void *dst, size_t dst_size,
                                 uint16_t src_id, const void *src, size_t src_size, size_t *out);

#endif
