/* values.c - descriptors of times, intervals and rowids. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dbl_time_t *time_check(const void *dt, const char *where)
{
    dbl_head_t *h = dbl_check(dt, 0, where);
    if (!h || h->type < OCI_DTYPE_TIMESTAMP || h->type > OCI_DTYPE_TIMESTAMP_LTZ) {
        return NULL;
    }
    return (dbl_time_t *)h;
}

int OCIDateTimeGetDate(void *env, void *err_handle, const void *dt, int16_t *year, uint8_t *month,
                       uint8_t *day)
{
    dbl_time_t *t = time_check(dt, __func__);
    if (!t) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    *year = t->when.year;
    *month = t->when.month;
    *day = t->when.day;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIDateTimeGetTime(void *env, void *err_handle, const void *dt, uint8_t *hour, uint8_t *minute,
                       uint8_t *second, uint32_t *ns)
{
    dbl_time_t *t = time_check(dt, __func__);
    if (!t) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    *hour = t->when.hour;
    *minute = t->when.minute;
    *second = t->when.second;
    *ns = t->when.ns;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIDateTimeGetTimeZoneOffset(void *env, void *err_handle, const void *dt, int8_t *hour,
                                 int8_t *minute)
{
    dbl_time_t *t = time_check(dt, __func__);
    if (!t) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    if (t->head.type == OCI_DTYPE_TIMESTAMP) {
        return dbl_err_leave(err, dbl_fail(err, 1878, "the descriptor has no time zone"));
    }
    *hour = (int8_t)(t->when.zone_minutes / 60);
    *minute = (int8_t)(t->when.zone_minutes % 60);
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIDateTimeConstruct(void *env, void *err_handle, void *dt, int16_t year, uint8_t month,
                         uint8_t day, uint8_t hour, uint8_t minute, uint8_t second, uint32_t ns,
                         const char *tz, size_t tzlen)
{
    dbl_time_t *t = time_check(dt, __func__);
    if (!t) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    if (!year || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 59) {
        return dbl_err_leave(err, dbl_fail(err, 1843, NULL));
    }
    dbl_when_t when = {year, month, day, hour, minute, second, ns, 0, false};
    if (tz && tzlen) {
        char zone[16];
        int hours, minutes = 0;
        snprintf(zone, sizeof(zone), "%.*s", (int)(tzlen < 15 ? tzlen : 15), tz);
        if (sscanf(zone, "%d:%d", &hours, &minutes) < 1) {
            return dbl_err_leave(err, dbl_fail(err, 1882, "timezone region not found"));
        }
        when.zoned = true;
        when.zone_minutes = (int16_t)(hours * 60 + (*zone == '-' ? -minutes : minutes));
    }
    when.zoned |= t->head.type != OCI_DTYPE_TIMESTAMP;
    t->when = when;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIIntervalGetDaySecond(void *env, void *err_handle, int32_t *day, int32_t *hour,
                            int32_t *minute, int32_t *second, int32_t *ns, const void *interval)
{
    const dbl_interval_t *v = dbl_check(interval, OCI_DTYPE_INTERVAL_DS, __func__);
    if (!v) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    *day = v->span.days;
    *hour = v->span.hours;
    *minute = v->span.minutes;
    *second = v->span.seconds;
    *ns = v->span.ns;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIIntervalGetYearMonth(void *env, void *err_handle, int32_t *year, int32_t *month,
                            const void *interval)
{
    const dbl_interval_t *v = dbl_check(interval, OCI_DTYPE_INTERVAL_YM, __func__);
    if (!v) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    *year = v->span.years;
    *month = v->span.months;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIIntervalSetDaySecond(void *env, void *err_handle, int32_t day, int32_t hour, int32_t minute,
                            int32_t second, int32_t ns, void *interval)
{
    dbl_interval_t *v = dbl_check(interval, OCI_DTYPE_INTERVAL_DS, __func__);
    if (!v) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    v->span = (dbl_span_t){0, 0, day, hour, minute, second, ns};
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIIntervalSetYearMonth(void *env, void *err_handle, int32_t year, int32_t month,
                            void *interval)
{
    dbl_interval_t *v = dbl_check(interval, OCI_DTYPE_INTERVAL_YM, __func__);
    if (!v) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    v->span = (dbl_span_t){year, month, 0, 0, 0, 0, 0};
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIRowidToChar(void *rowid, char *buf, uint16_t *len, void *err_handle)
{
    const dbl_rowid_t *r = dbl_check(rowid, OCI_DTYPE_ROWID, __func__);
    if (!r) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    size_t n = strlen(r->text);
    if (*len < n) {
        *len = (uint16_t)n;
        return dbl_err_leave(err, dbl_fail(err, 1405, "the buffer is too small for the rowid"));
    }
    memcpy(buf, r->text, n);
    *len = (uint16_t)n;
    return dbl_err_leave(err, OCI_SUCCESS);
}
