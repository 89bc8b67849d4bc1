/* encode.h - values in Oracle's binary forms, from the texts PostgreSQL writes, and back.
 * No memory is taken; any thread. Written from the examples in Oracle's manuals and known byte dumps. */
#ifndef AURORA_OCI_ENCODE_H
#define AURORA_OCI_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBL_NUMBER_MAX  21 /* bytes of SQLT_NUM */
#define DBL_NUMBER_TEXT 300

/* A point in time: year 0 does not exist, 4712 BC is -4712. */
typedef struct dbl_when_t {
    int16_t year;
    uint8_t month, day, hour, minute, second;
    uint32_t ns;
    int16_t zone_minutes; /* east of Greenwich */
    bool zoned;
} dbl_when_t;

/* All parts of one interval have one sign. */
typedef struct dbl_span_t {
    int32_t years, months, days, hours, minutes, seconds, ns;
} dbl_span_t;

/** NUMBER from decimal text (`-12.5e3`); rounds half away from zero where 20 base-100 digits do not hold it.
 * @return bytes (1..21); 0: not a number; -1: beyond the range (ORA-01426) */
int dbl_number_encode(uint8_t out[DBL_NUMBER_MAX], const char *text, size_t len);
/** Decimal text of NUMBER bytes, without an exponent. @return characters; 0: no NUMBER */
size_t dbl_number_decode(char out[DBL_NUMBER_TEXT], const uint8_t *bytes, size_t len);
/** NUMBER's text as Oracle writes it: no zeros that say nothing, `.5`, an exponent beyond 40 digits.
 * @return characters; 0: not a number */
size_t dbl_number_text(char out[DBL_NUMBER_TEXT], const char *text, size_t len, char decimal);

/** The seven bytes of a DATE. */
void dbl_date_encode(uint8_t out[7], const dbl_when_t *when);
bool dbl_date_decode(dbl_when_t *when, const uint8_t bytes[7]);
/** ISO text: `2024-02-29 13:30:05.5+02:30 BC`, the time and what follows it may be missing. */
bool dbl_when_parse(dbl_when_t *when, const char *text, size_t len);
/** ISO text for PostgreSQL. @return characters (below 64) */
size_t dbl_when_text(char out[64], const dbl_when_t *when);
/** Text by an Oracle format model (`YYYY-MM-DD HH24:MI:SS.FF3 TZH:TZM`). @return characters, 0: unknown element */
size_t dbl_when_format(char *out, size_t size, const dbl_when_t *when, const char *format,
                       unsigned fsprecision);

/** An interval as PostgreSQL writes it with IntervalStyle iso_8601 (`P1Y2M`, `P1DT-2H3M4.5S`). */
bool dbl_span_parse(dbl_span_t *span, const char *text, size_t len);
/** As Oracle writes it: `+02-06`, `+01 02:03:04.500000`. @return characters (below 64) */
size_t dbl_span_format(char out[64], const dbl_span_t *span, bool year_month, unsigned lfprecision,
                       unsigned fsprecision);

#endif
