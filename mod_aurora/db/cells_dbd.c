/* cells_dbd.c - from the texts that apr_dbd gives to typed cells. */
#include <stdlib.h>
#include <string.h>

#include "aurora/datetime.h"
#include "aurora/number.h"
#include "dbd_private.h"

#define ROOM_MIN   64
#define NUMBER_MAX 400 /* bytes of a number, as base/ knows them */
#define UTC        "+00"
#define UTC_BYTES  3

char *aur_dbd_room(aur_dbd_room_t *room, apr_size_t n, apr_pool_t *p)
{
    apr_size_t size = room->size ? room->size : ROOM_MIN;
    char *grown;

    if (n > room->size) {
        while (size < n) {
            size *= 2;
        }
        grown = apr_palloc(p, size);
        if (room->size) {
            memcpy(grown, room->text, room->size);
        }
        room->text = grown;
        room->size = size;
    }
    return room->text;
}

static void text(aur_cell_t *cell, aur_cell_e kind, const char *s, apr_size_t len)
{
    cell->kind = kind;
    cell->v.s = s;
    cell->len = len;
}

/* -?digits[.digits] without a superfluous zero in front: what most numbers are already */
static int is_canonical(const char *s, apr_size_t len)
{
    apr_size_t i = len > 0 && s[0] == '-', first = i;

    for (; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
    }
    if (i == first || (s[first] == '0' && i > first + 1) || (first == 1 && s[1] == '0')) {
        return 0;
    }
    if (i < len && s[i] == '.') {
        first = ++i;
        for (; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
        }
        return i == len && i > first;
    }
    return i == len;
}

/* Some databases write .5 for 0.5. @return the number with its zero, from room */
static const char *with_zero(const char *s, apr_size_t *len, aur_dbd_room_t *room, apr_pool_t *p)
{
    apr_size_t sign = *len > 0 && (s[0] == '-' || s[0] == '+');
    char *out;

    if (*len <= sign || s[sign] != '.') {
        return s;
    }
    out = aur_dbd_room(room, *len + 2, p);
    memcpy(out, s, sign);
    out[sign] = '0';
    memcpy(out + sign + 1, s + sign, *len - sign);
    *len += 1;
    out[*len] = '\0';
    return out;
}

static void number(aur_cell_t *cell, const char *s, apr_size_t len, aur_dbd_room_t *room,
                   const aur_dbd_t *d, apr_pool_t *p)
{
    char canonical[NUMBER_MAX];
    const char *given = s;
    apr_size_t given_len = len, n;

    if (is_canonical(s, len)) {
        text(cell, AUR_V_DECIMAL, s, len);
        return;
    }
    s = with_zero(s, &len, room, p);
    if (!aur_number_valid(s, len)) {
        text(cell, AUR_V_TEXT, given, given_len);
        return;
    }
    if (memchr(s, 'e', len) || memchr(s, 'E', len)) {
        cell->kind = AUR_V_DOUBLE;
        cell->len = 0;
        cell->v.d = strtod_l(s, NULL, d->c_locale);
        return;
    }
    n = aur_number_canonical(canonical, sizeof(canonical), s, len);
    if (n == 0) {
        text(cell, AUR_V_TEXT, given, given_len);
        return;
    }
    memcpy(aur_dbd_room(room, n, p), canonical, n);
    text(cell, AUR_V_DECIMAL, room->text, n);
}

static int is_word(const char *s, apr_size_t len, const char *word)
{
    return len == strlen(word) && !strncasecmp(s, word, len);
}

static void boolean(aur_cell_t *cell, const char *s, apr_size_t len, aur_dbd_room_t *room,
                    const aur_dbd_t *d, apr_pool_t *p)
{
    int yes = is_word(s, len, "1") || is_word(s, len, "t") || is_word(s, len, "true");

    if (yes || is_word(s, len, "0") || is_word(s, len, "f") || is_word(s, len, "false")) {
        cell->kind = AUR_V_BOOL;
        cell->len = 0;
        cell->v.i = yes;
        return;
    }
    number(cell, s, len, room, d, p); /* MySQL's booleans hold any small number */
}

/* MySQL writes as many digits of a second as the column has room for; the others only those that count. */
static apr_size_t without_zeros(const char *s, apr_size_t len)
{
    if (memchr(s, '.', len)) {
        while (s[len - 1] == '0') {
            len--;
        }
        len -= s[len - 1] == '.';
    }
    return len;
}

/* A date that is none ('0000-00-00') stays the text it is. */
static void moment(aur_cell_t *cell, aur_type_e type, const char *s, apr_size_t len,
                   aur_dbd_room_t *room, const aur_dbd_t *d, apr_pool_t *p)
{
    aur_datetime_t parsed;

    if (!aur_datetime_parse(&parsed, s, len) || (parsed.has_time && len < 19)) {
        text(cell, AUR_V_TEXT, s, len);
    }
    else if (!parsed.has_time) {
        text(cell, AUR_V_DATE, s, len);
    }
    else if (parsed.has_zone) {
        text(cell, AUR_V_TIMESTAMP_TZ, s, len);
    }
    else if (type == AUR_T_TIMESTAMP_TZ && d->kind == AUR_DBD_MYSQL) {
        /* an instant, shown in the session's zone */
        char *out = aur_dbd_room(room, len + UTC_BYTES, p);
        len = without_zeros(s, len);
        memcpy(out, s, len);
        memcpy(out + len, UTC, UTC_BYTES);
        text(cell, AUR_V_TIMESTAMP_TZ, out, len + UTC_BYTES);
    }
    else {
        text(cell, AUR_V_TIMESTAMP, s, without_zeros(s, len));
    }
}

void aur_dbd_cell(aur_cell_t *cell, aur_type_e type, const char *s, apr_size_t len,
                  aur_dbd_room_t *room, const aur_dbd_t *d, apr_pool_t *p)
{
    switch (type) {
    case AUR_T_NUMBER:
        number(cell, s, len, room, d, p);
        break;
    case AUR_T_BOOLEAN:
        boolean(cell, s, len, room, d, p);
        break;
    case AUR_T_DATE:
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        moment(cell, type, s, len, room, d, p);
        break;
    case AUR_T_BINARY:
        text(cell, AUR_V_BINARY, s, len);
        break;
    case AUR_T_TEXT:
        text(cell, AUR_V_TEXT, s, len);
        break;
    }
}
