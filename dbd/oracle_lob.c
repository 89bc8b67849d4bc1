/* oracle_lob.c - large objects, read piece by piece from their locators. */
#include "oracle.h"

#include <string.h>

/* Characters of a whole UTF-8 text, and its UTF-16 units. */
static void count(const char *s, apr_size_t len, apr_uint64_t *chars, apr_uint64_t *units)
{
    const char *end = s + len;

    for (*chars = *units = 0; s < end; s++) {
        unsigned char c = (unsigned char)*s;
        *chars += (c & 0xc0) != 0x80;
        *units += ((c & 0xc0) != 0x80) + (c >= 0xf0);
    }
}

static apr_size_t last_character(const char *s, apr_size_t len)
{
    apr_size_t at = len;

    while (at && ((unsigned char)s[--at] & 0xc0) == 0x80) {
        ;
    }
    return at;
}

/* Oracle counts a CLOB's positions in UTF-16 units, so a piece may end within a character, whose half then arrives
 * as whatever the client makes of it. Unless the end is reached, the last character is left for the next piece, which
 * begins with it, whole. */
static apr_size_t keep_whole(ora_column_t *c, const char *buf, apr_size_t len, apr_uint64_t asked)
{
    apr_uint64_t chars, units;

    if (c->lob_at + asked >= c->lob_size) {
        c->lob_at = c->lob_size;
        return len;
    }
    count(buf, len, &chars, &units);
    /* A server that counts characters has given as many as were asked for, though they are more units. */
    if (chars == asked && units > asked) {
        c->lob_at += asked;
        return len;
    }
    len = last_character(buf, len);
    count(buf, len, &chars, &units);
    c->lob_at += units;
    return len;
}

static int begin(apr_dbd_oracle_stmt_t *st, ora_column_t *c)
{
    uint64_t size = 0;
    int what = ora_enter(st->h);

    if (what || (what = ora_leave(st->h, dpiLob_getSize(c->lob, &size))) != 0) {
        return what;
    }
    c->lob_at = 0;
    c->lob_size = size;
    c->lob_begun = 1;
    return 0;
}

/* A client that cannot give half a character gives nothing at all where the piece would end in one: then it is asked for
 * one unit less. */
static int piece_read(apr_dbd_oracle_stmt_t *st, ora_column_t *c, char *buf, apr_size_t room,
                      apr_uint64_t *asked, apr_uint64_t *got)
{
    int what, tries;

    for (tries = 0; tries < 2; tries++) {
        uint64_t bytes = room;
        *asked -= tries > 0;
        if ((what = ora_enter(st->h)) != 0 ||
            (what = ora_leave(st->h,
                              dpiLob_readBytes(c->lob, c->lob_at + 1, *asked, buf, &bytes))) != 0) {
            return what;
        }
        *got = bytes;
        if (bytes || c->kind != APR_DBD_ORACLE_CLOB || *asked < 2) {
            break;
        }
    }
    return 0;
}

int ora_lob_read(apr_dbd_oracle_stmt_t *st, int column, char *buf, apr_size_t *len)
{
    apr_size_t room = *len;
    apr_uint64_t asked, got = 0;
    ora_column_t *c;
    int what;

    *len = 0;
    if (!st->h) {
        return APR_DBD_ORACLE_LOST;
    }
    if (column < 0 || column >= st->ncolumns || room < 16) {
        return ora_error_set(st->h, APR_DBD_ORACLE_OTHER,
                             "no such column, or no room to read it into");
    }
    c = &st->columns[column];
    if (st->failed || !st->rows || st->values[column].kind != c->kind ||
        (c->kind != APR_DBD_ORACLE_CLOB && c->kind != APR_DBD_ORACLE_BLOB)) {
        return ora_error_set(st->h, APR_DBD_ORACLE_OTHER, "column %s has no large object here",
                             st->described[column].name);
    }
    if (!c->lob_begun && (what = begin(st, c)) != 0) {
        return what;
    }
    if (c->lob_at >= c->lob_size) {
        return 0;
    }
    asked = c->kind == APR_DBD_ORACLE_CLOB ? room / 4 : room;
    if (asked > c->lob_size - c->lob_at) {
        asked = c->lob_size - c->lob_at;
    }
    if ((what = piece_read(st, c, buf, room, &asked, &got)) != 0) {
        return what;
    }
    if (got == 0 || got > room) {
        return ora_error_set(st->h, APR_DBD_ORACLE_OTHER,
                             "column %s: a large object ended before its length",
                             st->described[column].name);
    }
    if (c->kind == APR_DBD_ORACLE_CLOB) {
        *len = keep_whole(c, buf, (apr_size_t)got, asked);
    }
    else {
        c->lob_at += got;
        *len = (apr_size_t)got;
    }
    return 0;
}
