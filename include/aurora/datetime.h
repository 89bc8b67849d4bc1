/* datetime.h - ISO 8601 dates and timestamps: checked, normalised. Knows APR only.
 * Calendar: proleptic Gregorian. */
#ifndef AURORA_DATETIME_H
#define AURORA_DATETIME_H

#include <apr.h>

#define AUR_DATETIME_TEXT_MAX 48

typedef struct aur_datetime_t {
    apr_int32_t year; /* astronomical: 0 is 1 BC */
    int month, day, hour, minute, second;
    int nanosecond;
    int has_time;
    int fraction_digits; /* as written, 0..9 */
    int has_zone;
    int zone_minutes; /* east of UTC */
} aur_datetime_t;

/** Parse [-]YYYY-MM-DD, or that with [T ]HH:MM[:SS[.f{1,9}]] and an optional Z, [+-]HH, [+-]HHMM or
 * [+-]HH:MM. Years have four to six digits. Days are checked against the month; second 60 and hour 24
 * are refused.
 * @return whether s[0..len) is one, whole */
int aur_datetime_parse(aur_datetime_t *out, const char *s, apr_size_t len);

/** Shift a value with a zone to UTC and drop the zone; leaves others alone. */
void aur_datetime_to_utc(aur_datetime_t *dt);

/** Write YYYY-MM-DD at out. @return bytes, no NUL */
apr_size_t aur_date_write(char *out, const aur_datetime_t *dt);
/** Write YYYY-MM-DD<sep>HH:MM:SS[.fraction as written], then +HH:MM or Z where there is a zone.
 * @return bytes, no NUL */
apr_size_t aur_timestamp_write(char *out, char sep, const aur_datetime_t *dt);

#endif
