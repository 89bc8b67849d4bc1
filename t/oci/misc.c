/* misc.c - thread keys, memory, character sets: what consumers need beside a database. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void OCIThreadProcessInit(void)
{
}

int OCIThreadKeyInit(void *env, void *err, void **key, void (*destroy)(void *))
{
    pthread_key_t *k = malloc(sizeof(*k));
    if (!k || pthread_key_create(k, destroy) != 0) {
        free(k);
        return OCI_ERROR;
    }
    *key = k;
    return OCI_SUCCESS;
}

int OCIThreadKeyDestroy(void *env, void *err, void **key)
{
    pthread_key_t *k = *key;
    if (!k) {
        return OCI_INVALID_HANDLE;
    }
    pthread_key_delete(*k);
    free(k);
    *key = NULL;
    return OCI_SUCCESS;
}

int OCIThreadKeyGet(void *env, void *err, void *key, void **value)
{
    *value = key ? pthread_getspecific(*(pthread_key_t *)key) : NULL;
    return OCI_SUCCESS;
}

int OCIThreadKeySet(void *env, void *err, void *key, void *value)
{
    return key && pthread_setspecific(*(pthread_key_t *)key, value) == 0 ? OCI_SUCCESS : OCI_ERROR;
}

int OCIMemoryAlloc(void *ses, void *err, void **mem, uint16_t dur, uint32_t size, uint32_t flags)
{
    *mem = calloc(1, size ? size : 1);
    return *mem ? OCI_SUCCESS : OCI_ERROR;
}

int OCIMemoryFree(void *ses, void *err, void *mem)
{
    free(mem);
    return OCI_SUCCESS;
}

int OCIContextGetValue(void *ses, void *err, const char *key, uint8_t keylen, void **value)
{
    *value = NULL;
    return OCI_SUCCESS;
}

int OCIContextSetValue(void *ses, void *err, uint16_t dur, const char *key, uint8_t keylen,
                       void *value)
{
    return OCI_SUCCESS;
}

enum { ITEM_MAXBYTES = 91, ITEM_CHARSET = 93, ITEM_NCHARSET = 94 };

int OCINlsNumericInfoGet(void *env, void *err_handle, int32_t *value, uint16_t item)
{
    DBL_ENTER(err, err_handle, NULL);
    if (item != ITEM_MAXBYTES) {
        return dbl_err_leave(err, dbl_fail(err, 24315, NULL));
    }
    *value = 4;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCINlsEnvironmentVariableGet(void *value, size_t size, uint16_t item, uint16_t charset,
                                 size_t *rsize)
{
    uint16_t id = OCI_CHARSET_AL32UTF8;
    /* DBD::Oracle passes a size of 0 for its cell of two bytes. */
    if ((item != ITEM_CHARSET && item != ITEM_NCHARSET) || size == 1) {
        return OCI_ERROR;
    }
    memcpy(value, &id, sizeof(id));
    if (rsize) {
        *rsize = sizeof(id);
    }
    return OCI_SUCCESS;
}

static const struct {
    const char *name;
    uint16_t id;
} charsets[] = {{"US7ASCII", 1}, {"UTF8", 871}, {"AL32UTF8", 873}, {"AL16UTF16", 2000}};

uint16_t OCINlsCharSetNameToId(void *env, const char *name)
{
    for (size_t i = 0; i < sizeof(charsets) / sizeof(*charsets); i++) {
        if (!strcasecmp(name, charsets[i].name)) {
            return charsets[i].id;
        }
    }
    return 0;
}

int OCINlsCharSetIdToName(void *env, char *buf, size_t size, uint16_t id)
{
    for (size_t i = 0; i < sizeof(charsets) / sizeof(*charsets); i++) {
        if (id == charsets[i].id) {
            return (size_t)snprintf(buf, size, "%s", charsets[i].name) < size ? OCI_SUCCESS
                                                                              : OCI_ERROR;
        }
    }
    return OCI_ERROR;
}

int OCINlsCharSetConvert(void *env, void *err_handle, uint16_t dst_id, void *dst, size_t dst_size,
                         uint16_t src_id, const void *src, size_t src_size, size_t *out)
{
    DBL_ENTER(err, err_handle, NULL);
    if (dst_id != src_id || src_size > dst_size) {
        return dbl_err_leave(err, dbl_fail(err, 24801, "characters are not converted here"));
    }
    memcpy(dst, src, src_size);
    *out = src_size;
    return dbl_err_leave(err, OCI_SUCCESS);
}
