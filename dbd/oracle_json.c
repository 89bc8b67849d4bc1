/* oracle_json.c - values of JSON columns, which arrive as trees, as text. */
#include "oracle.h"

#include <math.h>
#include <string.h>

/* Deeper than a JSON column of Oracle can be. */
#define MAX_DEPTH 1024

typedef struct {
    char *out;
    apr_size_t size, n; /* n may pass size: then it counts only */
    int bad;
} json_t;

static void put(json_t *j, const char *s, apr_size_t len)
{
    if (j->n < j->size) {
        apr_size_t room = j->size - j->n;
        memcpy(j->out + j->n, s, len < room ? len : room);
    }
    j->n += len;
}

static void put_string(json_t *j, const char *s, apr_size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const char *end = s + len, *from = s;

    put(j, "\"", 1);
    for (; s < end; s++) {
        unsigned char c = (unsigned char)*s;
        char escape[6] = {'\\', (char)c, '0', '0'};
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        put(j, from, (apr_size_t)(s - from));
        from = s + 1;
        if (c < 0x20) {
            escape[1] = 'u';
            escape[2] = '0';
            escape[4] = hex[c >> 4];
            escape[5] = hex[c & 15];
        }
        put(j, escape, c < 0x20 ? 6 : 2);
    }
    put(j, from, (apr_size_t)(s - from));
    put(j, "\"", 1);
}

static void put_hex(json_t *j, const dpiBytes *bytes)
{
    static const char hex[] = "0123456789ABCDEF";
    uint32_t i;

    put(j, "\"", 1);
    for (i = 0; i < bytes->length; i++) {
        unsigned char c = (unsigned char)bytes->ptr[i];
        char two[2] = {hex[c >> 4], hex[c & 15]};
        put(j, two, 2);
    }
    put(j, "\"", 1);
}

static void put_double(json_t *j, double d, int is_float)
{
    char text[ORA_TIME_TEXT];

    if (!isfinite(d)) {
        put(j, "null", 4); /* JSON has no word for it */
        return;
    }
    put(j, text, ora_double_write(text, d, is_float));
}

static void put_number(json_t *j, const dpiBytes *bytes)
{
    char text[ORA_NUMBER_TEXT];
    apr_size_t len = bytes->length;
    const char *s = ora_number_plain(bytes->ptr, &len, text);

    if (s) {
        put(j, s, len);
    }
    else {
        j->bad = 1;
    }
}

static void put_scalar(json_t *j, const dpiJsonNode *node)
{
    char text[ORA_TIME_TEXT];

    switch (node->nativeTypeNum) {
    case DPI_NATIVE_TYPE_NULL:
        put(j, "null", 4);
        return;
    case DPI_NATIVE_TYPE_BOOLEAN:
        put(j, node->value->asBoolean ? "true" : "false", node->value->asBoolean ? 4 : 5);
        return;
    case DPI_NATIVE_TYPE_DOUBLE:
        put_double(j, node->value->asDouble, 0);
        return;
    case DPI_NATIVE_TYPE_FLOAT:
        put_double(j, (double)node->value->asFloat, 1);
        return;
    case DPI_NATIVE_TYPE_TIMESTAMP:
        put_string(j, text, ora_timestamp_write(text, &node->value->asTimestamp, 0));
        return;
    case DPI_NATIVE_TYPE_INTERVAL_DS:
        put_string(j, text, ora_interval_ds_write(text, &node->value->asIntervalDS, 0));
        return;
    case DPI_NATIVE_TYPE_INTERVAL_YM:
        put_string(j, text, ora_interval_ym_write(text, &node->value->asIntervalYM));
        return;
    case DPI_NATIVE_TYPE_BYTES:
        if (node->oracleTypeNum == DPI_ORACLE_TYPE_NUMBER) {
            put_number(j, &node->value->asBytes);
        }
        else if (node->oracleTypeNum == DPI_ORACLE_TYPE_RAW) {
            put_hex(j, &node->value->asBytes);
        }
        else {
            put_string(j, node->value->asBytes.ptr, node->value->asBytes.length);
        }
        return;
    default:
        j->bad = 1;
    }
}

static void put_node(json_t *j, const dpiJsonNode *node, int depth)
{
    uint32_t i;

    if (depth > MAX_DEPTH) {
        j->bad = 1;
        return;
    }
    if (node->nativeTypeNum == DPI_NATIVE_TYPE_JSON_OBJECT) {
        const dpiJsonObject *object = &node->value->asJsonObject;
        put(j, "{", 1);
        for (i = 0; i < object->numFields; i++) {
            put(j, ",", i > 0);
            put_string(j, object->fieldNames[i], object->fieldNameLengths[i]);
            put(j, ":", 1);
            put_node(j, &object->fields[i], depth + 1);
        }
        put(j, "}", 1);
    }
    else if (node->nativeTypeNum == DPI_NATIVE_TYPE_JSON_ARRAY) {
        const dpiJsonArray *array = &node->value->asJsonArray;
        put(j, "[", 1);
        for (i = 0; i < array->numElements; i++) {
            put(j, ",", i > 0);
            put_node(j, &array->elements[i], depth + 1);
        }
        put(j, "]", 1);
    }
    else {
        put_scalar(j, node);
    }
}

apr_ssize_t ora_json_write(char *out, apr_size_t size, const dpiJsonNode *node)
{
    json_t j = {out, size, 0, 0};

    put_node(&j, node, 0);
    return j.bad ? -1 : (apr_ssize_t)j.n;
}
