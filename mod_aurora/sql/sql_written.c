/* sql_written.c - see sql_written.h.
 *
 * The text runs as it is written, but for its parameters. A page of it and its count are made around
 * it; the line end before the closing parenthesis ends a comment that the text may end with. */
#include "sql_written.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <string.h>

#include "aurora/json_in.h"
#include "sql_scan.h"

typedef struct writing_t {
    aur_sql_buf_t *q;
    const aur_written_t *written;
    aur_error_t *err;
    apr_pool_t *p;
} writing_t;

static apr_status_t refuse(const writing_t *w, const char *what, const aur_sql_piece_t *piece)
{
    return aur_error_set(w->err, AUR_E_BAD_REQUEST, NULL, "%s: %s.", what,
                         aur_name_shown(apr_pstrmemdup(w->p, piece->text, piece->len), w->p));
}

/* --- parameters ---------------------------------------------------------------------------------- */

static const aur_written_value_t *find(const writing_t *w, const aur_sql_piece_t *piece)
{
    int i;

    for (i = 0; i < w->written->nvalues; i++) {
        const aur_written_value_t *value = &w->written->values[i];
        if (strlen(value->name) == piece->len && !memcmp(value->name, piece->text, piece->len)) {
            return value;
        }
    }
    return NULL;
}

static void put_placeholder(const writing_t *w, const aur_cell_t *cell, aur_type_e type)
{
    int parens = w->q->dialect->lexis & AUR_LEX_PARENS;

    if (parens) {
        aur_sql_text(w->q, "(");
    }
    aur_sql_bind(w->q, cell, type);
    if (parens) {
        aur_sql_text(w->q, ")");
    }
}

static apr_status_t put_param(const writing_t *w, const aur_sql_piece_t *piece)
{
    static const aur_cell_t none = {.kind = AUR_V_NULL};
    const aur_written_value_t *value = find(w, piece);
    int i;

    if (!value) {
        return refuse(w, "This report has no such parameter", piece);
    }
    if (value->nvalues == 0) {
        put_placeholder(w, &none, value->type);
    }
    for (i = 0; i < value->nvalues; i++) {
        if (i > 0) {
            aur_sql_text(w->q, ", ");
        }
        put_placeholder(w, &value->values[i], value->type);
    }
    return APR_SUCCESS;
}

/* --- the text ------------------------------------------------------------------------------------ */

static void put_text(const writing_t *w, const aur_sql_piece_t *piece)
{
    const char *text = piece->text, *end = text + piece->len, *percent;

    while ((w->q->dialect->lexis & AUR_LEX_FORMAT) &&
           (percent = memchr(text, '%', (size_t)(end - text))) != NULL) {
        aur_sql_text_n(w->q, text, (apr_size_t)(percent + 1 - text));
        aur_sql_text(w->q, "%");
        text = percent + 1;
    }
    aur_sql_text_n(w->q, text, (apr_size_t)(end - text));
}

/* The end of an array's slice, which PostgreSQL alone has. */
static apr_status_t put_glued(const writing_t *w, const aur_sql_piece_t *piece,
                              aur_sql_scan_t *scan)
{
    if (find(w, piece)) {
        return refuse(w, "A parameter needs a blank before its colon", piece);
    }
    if (!(scan->lexis & AUR_LEX_DOLLARS)) {
        return refuse(w, "This report has no such parameter", piece);
    }
    /* read again behind its colon: it may begin a literal, or have letters that no parameter has */
    scan->at = (apr_size_t)(piece->text - scan->text);
    aur_sql_text(w->q, ":");
    return APR_SUCCESS;
}

static apr_status_t put_piece(const writing_t *w, const aur_sql_piece_t *piece,
                              aur_sql_scan_t *scan)
{
    switch (piece->kind) {
    case AUR_PIECE_PARAM:
        return put_param(w, piece);
    case AUR_PIECE_GLUED:
        return put_glued(w, piece, scan);
    case AUR_PIECE_FOREIGN:
        return refuse(w, "Parameters are written as :name, not as the database does", piece);
    case AUR_PIECE_OPEN:
        return refuse(w, "This has no end", piece);
    default:
        break;
    }
    put_text(w, piece);
    return APR_SUCCESS;
}

/* Nothing but blanks and further semicolons may follow one. */
static apr_status_t end_check(const writing_t *w, aur_sql_scan_t *scan)
{
    aur_sql_piece_t piece;

    do {
        aur_sql_scan(&piece, scan);
    } while (piece.kind == AUR_PIECE_BLANK || piece.kind == AUR_PIECE_SEMICOLON);
    return piece.kind == AUR_PIECE_END
               ? APR_SUCCESS
               : refuse(w, "A report is one statement; this stands behind its end", &piece);
}

/* The list ends with NULL. */
static int is_one_of(const char *const *words, const aur_sql_piece_t *word)
{
    for (; *words; words++) {
        if (strlen(*words) == word->len && !apr_cstr_casecmpn(*words, word->text, word->len)) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t put_body(const writing_t *w)
{
    static const char *const reading[] = {"SELECT", "WITH", "VALUES", NULL};
    aur_sql_scan_t scan = {w->written->text, strlen(w->written->text), 0, w->q->dialect->lexis};
    aur_sql_piece_t piece;
    apr_status_t rv = APR_SUCCESS;
    int begun = 0;

    do {
        aur_sql_scan(&piece, &scan);
        if (!begun && piece.kind != AUR_PIECE_BLANK && (piece.len != 1 || *piece.text != '(')) {
            begun = 1;
            if (piece.kind != AUR_PIECE_WORD || !is_one_of(reading, &piece)) {
                return refuse(w, "A report begins with SELECT or WITH, not so", &piece);
            }
        }
        if (piece.kind == AUR_PIECE_SEMICOLON) {
            return end_check(w, &scan);
        }
        rv = put_piece(w, &piece, &scan);
    } while (rv == APR_SUCCESS && piece.kind != AUR_PIECE_END);
    return rv;
}

/* --- the statement ------------------------------------------------------------------------------- */

static void put_page_before(const writing_t *w, int noutputs, apr_int64_t limit)
{
    if (w->q->dialect->page_before) {
        w->q->dialect->page_before(w->q, noutputs, limit, 0);
    }
}

static apr_status_t put_count(const writing_t *w, apr_int64_t bound)
{
    apr_status_t rv;

    aur_sql_text(w->q, "SELECT count(*) FROM (");
    put_page_before(w, 1, bound);
    aur_sql_text(w->q, "SELECT 1 AS c0 FROM (");
    rv = put_body(w);
    aur_sql_text(w->q, "\n) r");
    w->q->dialect->page(w->q, bound, 0);
    aur_sql_text(w->q, ") q");
    return rv;
}

/* Does the text itself say how many rows it gives? Looked for outside parentheses; t.offset is a column. */
static int is_limited(const writing_t *w)
{
    static const char *const words[] = {"LIMIT", "FETCH", "OFFSET", "FOR", NULL};
    aur_sql_scan_t scan = {w->written->text, strlen(w->written->text), 0, w->q->dialect->lexis};
    aur_sql_piece_t piece;
    int depth = 0, dotted = 0;

    for (aur_sql_scan(&piece, &scan); piece.kind != AUR_PIECE_END; aur_sql_scan(&piece, &scan)) {
        depth += piece.len == 1 && *piece.text == '(';
        depth -= piece.len == 1 && *piece.text == ')';
        if (depth == 0 && !dotted && piece.kind == AUR_PIECE_WORD && is_one_of(words, &piece)) {
            return 1;
        }
        dotted = piece.len == 1 && *piece.text == '.';
    }
    return 0;
}

static apr_status_t put_page(const writing_t *w, const aur_plan_t *plan)
{
    int behind = (w->q->dialect->lexis & AUR_LEX_UNORDERED) && !is_limited(w);
    apr_status_t rv;

    if (w->q->dialect->page_before && plan->offset > 0) {
        return aur_error_set(w->err, AUR_E_BAD_REQUEST, NULL,
                             "The database is too old for an offset in this report; ask for more "
                             "rows, or for the file.");
    }
    put_page_before(w, 0, plan->limit);
    if (!behind) {
        aur_sql_text(w->q, "SELECT * FROM (");
    }
    rv = put_body(w);
    aur_sql_text(w->q, "\n");
    if (!behind) {
        aur_sql_text(w->q, ") q");
    }
    w->q->dialect->page(w->q, plan->limit, plan->offset);
    return rv;
}

apr_status_t aur_sql_written(aur_sql_t **sql, const aur_dialect_t *dialect, const aur_plan_t *plan,
                             aur_sql_e kind, aur_error_t *err, apr_pool_t *p)
{
    writing_t w = {aur_sql_buf_create(dialect, p), plan->written, err, p};
    apr_status_t rv = APR_EGENERAL;

    switch (kind) {
    case AUR_SQL_PAGE:
        rv = put_page(&w, plan);
        break;
    case AUR_SQL_ALL:
        rv = put_body(&w);
        break;
    case AUR_SQL_COUNT:
        rv = put_count(&w, -1);
        break;
    case AUR_SQL_COUNT_BOUNDED:
        rv = put_count(&w, plan->limit);
        break;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *sql = aur_sql_buf_finish(w.q);
    (*sql)->rows_max = kind == AUR_SQL_PAGE ? plan->limit : 0;
    return APR_SUCCESS;
}
