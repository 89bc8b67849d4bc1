/* sql_scan.c - see sql_scan.h. */
#include "sql_scan.h"

#include <apr_lib.h>
#include <string.h>

#define NO_END ((apr_size_t)-1)

/* Bytes of characters beyond ASCII are letters to every database. */
static int starts_word(char c)
{
    return (c & 0x80) || apr_isalpha(c) || c == '_';
}

/* '\0' behind the end */
static char at(const aur_sql_scan_t *s, apr_size_t i)
{
    static const char end = '\0';

    return *(i < s->len ? &s->text[i] : &end);
}

/* Does the byte at i belong to the word that another one began? */
static int in_word(const aur_sql_scan_t *s, apr_size_t i)
{
    char c = at(s, i);

    return starts_word(c) || apr_isdigit(c) || c == '$' ||
           (c == '#' && (s->lexis & AUR_LEX_HASH_NAMES));
}

static apr_size_t blank_end(const aur_sql_scan_t *s, apr_size_t i)
{
    while (i < s->len && apr_isspace(s->text[i])) {
        i++;
    }
    return i;
}

static apr_size_t line_end(const aur_sql_scan_t *s, apr_size_t i)
{
    const char *end = memchr(s->text + i, '\n', s->len - i);

    return end ? (apr_size_t)(end - s->text) + 1 : s->len;
}

/* i stands behind the opening. */
static apr_size_t comment_end(const aur_sql_scan_t *s, apr_size_t i)
{
    int depth = 1;

    for (; i + 1 < s->len; i++) {
        if (s->text[i] == '*' && s->text[i + 1] == '/') {
            i++;
            if (--depth == 0) {
                return i + 1;
            }
        }
        else if ((s->lexis & AUR_LEX_NESTED) && s->text[i] == '/' && s->text[i + 1] == '*') {
            i++;
            depth++;
        }
    }
    return NO_END;
}

/* What ends with a quote; a doubled one stands for itself. i stands behind the first. */
static apr_size_t quoted_end(const aur_sql_scan_t *s, apr_size_t i, char quote, int backslash)
{
    for (; i < s->len; i++) {
        if ((backslash && s->text[i] == '\\') || (s->text[i] == quote && at(s, i + 1) == quote)) {
            i++;
        }
        else if (s->text[i] == quote) {
            return i + 1;
        }
    }
    return NO_END;
}

/* i stands behind q'. */
static apr_size_t q_end(const aur_sql_scan_t *s, apr_size_t i)
{
    static const char open[] = "[{(<", closed[] = "]})>";
    char first = at(s, i), last;
    const char *pair = first ? strchr(open, first) : NULL;

    last = first;
    if (pair) {
        last = closed[pair - open];
    }
    for (i++; i + 1 < s->len; i++) {
        if (s->text[i] == last && s->text[i + 1] == '\'') {
            return i + 2;
        }
    }
    return NO_END;
}

/* $tag$; 0: it is none. */
static apr_size_t tag_len(const aur_sql_scan_t *s, apr_size_t i)
{
    apr_size_t n = 1;

    if (apr_isdigit(at(s, i + 1))) {
        return 0;
    }
    while (at(s, i + n) != '$' && in_word(s, i + n)) {
        n++;
    }
    return at(s, i + n) == '$' ? n + 1 : 0;
}

static apr_size_t dollars_end(const aur_sql_scan_t *s, apr_size_t i, apr_size_t tag)
{
    apr_size_t from = i;

    for (i += tag; i + tag <= s->len; i++) {
        if (!memcmp(s->text + i, s->text + from, tag)) {
            return i + tag;
        }
    }
    return NO_END;
}

/* A word, or the literal that begins with one. */
static apr_size_t word_end(aur_piece_e *kind, const aur_sql_scan_t *s, apr_size_t i)
{
    apr_size_t from = i, n;
    char last;

    while (i < s->len && (in_word(s, i) || (s->text[i] == '.' && apr_isdigit(s->text[from])))) {
        i++;
    }
    n = i - from;
    last = (char)apr_tolower(s->text[i - 1]);
    if (at(s, i) != '\'' || n > 2) {
        return i;
    }
    if (n == 1 && last == 'e' && (s->lexis & AUR_LEX_E_STRINGS)) {
        *kind = AUR_PIECE_OTHER;
        return quoted_end(s, i + 1, '\'', 1);
    }
    if (last == 'q' && (s->lexis & AUR_LEX_Q_QUOTES) &&
        (n == 1 || apr_tolower(s->text[from]) == 'n')) {
        *kind = AUR_PIECE_OTHER;
        return q_end(s, i + 1);
    }
    return i;
}

/* SQLite's other placeholders: behind their sign stands a name, which may begin with "::". */
static int is_named(const aur_sql_scan_t *s, apr_size_t i)
{
    return (s->lexis & AUR_LEX_NAMES) &&
           (in_word(s, i + 1) || (at(s, i + 1) == ':' && at(s, i + 2) == ':'));
}

/* What begins with a colon: a parameter, or one of the things that have colons in them. */
static apr_size_t colon_end(aur_piece_e *kind, const aur_sql_scan_t *s, apr_size_t i)
{
    apr_size_t before = i > 0 ? i - 1 : s->len;
    char next = at(s, i + 1);

    if (next == ':' || next == '=') {
        return i + 2;
    }
    if (!starts_word(next)) { /* :1, :$ */
        int foreign = in_word(s, i + 1) && !(s->lexis & AUR_LEX_DOLLARS);
        *kind = foreign ? AUR_PIECE_FOREIGN : AUR_PIECE_OTHER;
        return i + 1 + foreign;
    }
    *kind = in_word(s, before) || at(s, before) == ']' ? AUR_PIECE_GLUED : AUR_PIECE_PARAM;
    for (i += 2; i < s->len && (starts_word(s->text[i]) || apr_isdigit(s->text[i])); i++) {
    }
    return i;
}

static apr_size_t dollar_end(aur_piece_e *kind, const aur_sql_scan_t *s, apr_size_t i)
{
    apr_size_t tag = s->lexis & AUR_LEX_DOLLARS ? tag_len(s, i) : 0;

    if (tag > 0) {
        return dollars_end(s, i, tag);
    }
    if (((s->lexis & AUR_LEX_DOLLARS) && apr_isdigit(at(s, i + 1))) || is_named(s, i)) {
        *kind = AUR_PIECE_FOREIGN;
    }
    return i + 1;
}

/* Does a comment to the end of the line begin here? */
static int is_line_comment(const aur_sql_scan_t *s, apr_size_t i)
{
    if (s->text[i] == '#') {
        return (s->lexis & AUR_LEX_MYSQL) != 0;
    }
    if (s->text[i] != '-' || at(s, i + 1) != '-') {
        return 0;
    }
    return !(s->lexis & AUR_LEX_MYSQL) || i + 2 >= s->len || apr_isspace(s->text[i + 2]) ||
           apr_iscntrl(s->text[i + 2]);
}

static apr_size_t mark_end(aur_piece_e *kind, const aur_sql_scan_t *s, apr_size_t i)
{
    int lexis = s->lexis;

    switch (s->text[i]) {
    case '\'':
        return quoted_end(s, i + 1, '\'', lexis & AUR_LEX_MYSQL);
    case '"':
        return quoted_end(s, i + 1, '"', lexis & AUR_LEX_MYSQL);
    case '`':
        return lexis & (AUR_LEX_MYSQL | AUR_LEX_NAMES) ? quoted_end(s, i + 1, '`', 0) : i + 1;
    case '[':
        return lexis & AUR_LEX_NAMES ? quoted_end(s, i + 1, ']', 0) : i + 1;
    case ':':
        return colon_end(kind, s, i);
    case '$':
        return dollar_end(kind, s, i);
    case ';':
        *kind = AUR_PIECE_SEMICOLON;
        return i + 1;
    case '?':
        *kind = lexis & AUR_LEX_QUESTION ? AUR_PIECE_FOREIGN : AUR_PIECE_OTHER;
        return i + 1;
    case '@':
    case '#':
        *kind = is_named(s, i) ? AUR_PIECE_FOREIGN : AUR_PIECE_OTHER;
        return i + 1;
    default:
        return i + 1;
    }
}

void aur_sql_scan(aur_sql_piece_t *piece, aur_sql_scan_t *s)
{
    apr_size_t from = s->at, end;

    piece->kind = AUR_PIECE_OTHER;
    piece->text = s->text + from;
    piece->len = 0;
    if (from >= s->len) {
        piece->kind = AUR_PIECE_END;
        return;
    }
    if (apr_isspace(s->text[from])) {
        piece->kind = AUR_PIECE_BLANK;
        end = blank_end(s, from);
    }
    else if (is_line_comment(s, from)) {
        piece->kind = AUR_PIECE_BLANK;
        end = line_end(s, from);
    }
    else if (s->text[from] == '/' && at(s, from + 1) == '*') {
        piece->kind = AUR_PIECE_BLANK;
        end = comment_end(s, from + 2);
    }
    else if (starts_word(s->text[from]) || apr_isdigit(s->text[from])) {
        piece->kind = AUR_PIECE_WORD;
        end = word_end(&piece->kind, s, from);
    }
    else {
        end = mark_end(&piece->kind, s, from);
    }
    if (end == NO_END || end > s->len) {
        piece->kind = AUR_PIECE_OPEN;
        end = s->len;
    }
    piece->len = end - from;
    s->at = end;
    if (piece->kind == AUR_PIECE_PARAM || piece->kind == AUR_PIECE_GLUED) {
        piece->text++; /* the colon */
        piece->len--;
    }
}
