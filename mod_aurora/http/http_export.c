/* http_export.c - the query string of an export, read strictly: a value that is not understood is refused,
 * because the file would not be what was asked for. Other parameters are left alone. */
#include "http/http_export.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>

#include "aurora/text.h"

#define NULL_TOKEN_MAX 64
#define TITLE_MAX      120

/* --- parameters ----------------------------------------------------------------------------------- */

typedef enum {
    P_FORMAT,
    P_DELIMITER,
    P_DECIMAL,
    P_NULL,
    P_BOM,
    P_FORMULA_GUARD,
    P_HEADER,
    P_NAMES,
    P_PROFILE,
    P_ABOUT,
    P_COUNT
} param_e;

static const struct {
    const char *name;
    const char *choices[5]; /* empty: free text */
    const char *allowed;    /* the choices as a sentence has them */
} params[P_COUNT] = {
    [P_FORMAT] = {"format", {"csv", "xlsx", "excel"}, "csv or xlsx"},
    [P_DELIMITER] = {"delimiter",
                     {"comma", "semicolon", "tab", "pipe"},
                     "comma, semicolon, tab or pipe"},
    [P_DECIMAL] = {"decimal", {"point", "comma"}, "point or comma"},
    [P_NULL] = {"null", {NULL}, "at most 64 bytes of UTF-8"},
    [P_BOM] = {"bom", {"0", "1"}, "0 or 1"},
    [P_FORMULA_GUARD] = {"formula_guard", {"0", "1"}, "0 or 1"},
    [P_HEADER] = {"header", {"0", "1"}, "0 or 1"},
    [P_NAMES] = {"names", {"database", "display"}, "display or database"},
    [P_PROFILE] = {"profile", {"excel"}, "excel"},
    [P_ABOUT] = {"about", {"0", "1"}, "0 or 1"},
};

const char *const *aur_export_choices(const char *name)
{
    int i;
    for (i = 0; i < P_COUNT && strcmp(params[i].name, name); i++) {
    }
    return i < P_COUNT ? params[i].choices : NULL;
}

int aur_export_is_option(const char *name)
{
    int i;

    for (i = 0; i < P_COUNT && strcmp(params[i].name, name); i++) {
    }
    return i < P_COUNT && i != P_FORMAT;
}

typedef struct args_t {
    int choice[P_COUNT]; /* index; -1: not given */
    const char *text[P_COUNT];
} args_t;

static apr_status_t refuse(aur_request_t *x, int param, const char *value)
{
    char shown[64 + 1];
    apr_size_t len = aur_utf8_clip(value, strlen(value), sizeof(shown) - 1);
    memcpy(shown, value, len);
    shown[len] = '\0';
    return aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL, "Parameter %s: '%s' is not allowed; %s.",
                         params[param].name, shown, params[param].allowed);
}

static apr_status_t read_value(aur_request_t *x, args_t *args, int param, const char *value)
{
    const char *const *choice = params[param].choices;
    int i;
    if (args->text[param]) {
        return aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL, "Parameter %s is given twice.",
                             params[param].name);
    }
    args->text[param] = value;
    if (!choice[0]) {
        return strlen(value) <= NULL_TOKEN_MAX && aur_utf8_valid(value, strlen(value))
                   ? APR_SUCCESS
                   : refuse(x, param, value);
    }
    for (i = 0; choice[i]; i++) {
        if (!strcmp(choice[i], value)) {
            args->choice[param] = i;
            return APR_SUCCESS;
        }
    }
    return refuse(x, param, value);
}

static apr_status_t read_pair(aur_request_t *x, args_t *args, char *pair)
{
    char *value = strchr(pair, '=');
    char none[] = "";
    int i;
    if (value) {
        *value++ = '\0';
    }
    else {
        value = none;
    }
    if (ap_unescape_urlencoded(pair) != OK || ap_unescape_urlencoded(value) != OK) {
        return aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL,
                             "The query string holds a broken %% sequence.");
    }
    for (i = 0; i < P_COUNT; i++) {
        if (!strcmp(params[i].name, pair)) {
            return read_value(x, args, i, value);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t read_args(aur_request_t *x, args_t *args)
{
    char *state, *pair;
    apr_status_t rv = APR_SUCCESS;
    int i;

    memset(args, 0, sizeof(*args));
    for (i = 0; i < P_COUNT; i++) {
        args->choice[i] = -1;
    }
    if (!x->r->args) {
        return APR_SUCCESS;
    }
    pair = apr_strtok(apr_pstrdup(x->r->pool, x->r->args), "&", &state);
    while (pair && rv == APR_SUCCESS) {
        rv = read_pair(x, args, apr_pstrdup(x->r->pool, pair));
        pair = apr_strtok(NULL, "&", &state);
    }
    return rv;
}

/* --- options -------------------------------------------------------------------------------------- */

static int given_or(const args_t *args, int param, int otherwise)
{
    return args->choice[param] >= 0 ? args->choice[param] : otherwise;
}

apr_status_t aur_export_options(aur_request_t *x, aur_export_t *export)
{
    aur_csv_options_t *options = &export->csv;
    args_t args;
    int excel;
    apr_status_t rv = read_args(x, &args);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    export->xlsx = args.choice[P_FORMAT] > 0;
    export->about = given_or(&args, P_ABOUT, 0);
    excel = args.choice[P_PROFILE] >= 0;
    options->delimiter = ",;\t|"[given_or(&args, P_DELIMITER, 0)];
    options->decimal = ".,"[given_or(&args, P_DECIMAL, 0)];
    options->null_token = args.text[P_NULL] ? args.text[P_NULL] : "";
    options->bom = given_or(&args, P_BOM, excel || x->loc->csv_bom);
    options->formula_guard = given_or(&args, P_FORMULA_GUARD, excel || x->loc->csv_formula_guard);
    options->header = given_or(&args, P_HEADER, 1);
    options->display_names = given_or(&args, P_NAMES, 1);
    if (options->decimal == options->delimiter) {
        return aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL,
                             "Parameter decimal: comma needs another delimiter than comma; "
                             "semicolon, tab or pipe.");
    }
    return APR_SUCCESS;
}

/* --- headers -------------------------------------------------------------------------------------- */

const char *aur_export_type(const aur_export_t *options)
{
    if (options->xlsx) {
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    }
    return options->csv.header ? "text/csv; charset=utf-8; header=present"
                               : "text/csv; charset=utf-8; header=absent";
}

/* What some file system or header would not take becomes '_'. Multi-byte characters stay. */
static char *file_title(const char *title, apr_pool_t *p)
{
    apr_size_t len = title ? strlen(title) : 0;
    char *name, *c;
    if (!len || !aur_utf8_valid(title, len)) {
        return apr_pstrdup(p, "export");
    }
    name = apr_pstrmemdup(p, title, aur_utf8_clip(title, len, TITLE_MAX));
    for (c = name; *c; c++) {
        if (apr_iscntrl(*c) || strchr("/\\\"<>|:*?%", *c) || (c == name && *c == '.')) {
            *c = '_';
        }
    }
    return name;
}

/* One '_' for each character that ASCII does not have. */
static const char *ascii_name(const char *name, apr_pool_t *p)
{
    char *out = apr_palloc(p, strlen(name) + 1), *to = out;
    for (; *name; name++) {
        unsigned char byte = (unsigned char)*name;
        if (byte < 0x80) {
            *to++ = *name;
        }
        else if (byte >= 0xC0) {
            *to++ = '_';
        }
    }
    *to = '\0';
    return out;
}

/* RFC 8187: attr-char stands for itself, every other byte as %XX. */
static const char *extended_name(const char *name, apr_pool_t *p)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = apr_palloc(p, 3 * strlen(name) + 1), *to = out;
    for (; *name; name++) {
        unsigned char byte = (unsigned char)*name;
        if (byte < 0x80 && (apr_isalnum(byte) || strchr("!#$&+-.^_`|~", byte))) {
            *to++ = *name;
        }
        else {
            *to++ = '%';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
        }
    }
    *to = '\0';
    return out;
}

/* RFC 6266: the plain name for old clients, the other for all others, where they differ. */
static const char *disposition(const char *title, const char *suffix, apr_pool_t *p)
{
    apr_time_exp_t now;
    const char *name, *ascii;

    apr_time_exp_lt(&now, apr_time_now());
    name = apr_psprintf(p, "%s_%04d-%02d-%02d.%s", file_title(title, p), now.tm_year + 1900,
                        now.tm_mon + 1, now.tm_mday, suffix);
    ascii = ascii_name(name, p);
    return apr_psprintf(p, "attachment; filename=\"%s\"; filename*=UTF-8''%s", ascii,
                        extended_name(name, p));
}

void aur_export_headers(aur_request_t *x, const aur_export_t *options)
{
    apr_table_t *out = x->r->headers_out;
    apr_table_setn(out, "Content-Disposition",
                   disposition(x->title, options->xlsx ? "xlsx" : "csv", x->r->pool));
    apr_table_setn(out, "Accept-Ranges", "none");
    apr_table_setn(out, "X-Accel-Buffering", "no");
}
