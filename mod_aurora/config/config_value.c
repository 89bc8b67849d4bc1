/* config_value.c - one value of a setting: from words to data, or a message that says what is allowed. */
#include "config/config_private.h"

#include <http_log.h>
#include <apr_lib.h>
#include <apr_strings.h>

APLOG_USE_MODULE(aurora);

#define DIGITS_MAX 18 /* more cannot be in any range, and fewer never overflow 64 bits */

/* --- numbers ---------------------------------------------------------------------------------- */

/* The leading digits of s. @return what follows them, or NULL when there are none or too many */
static const char *digits(apr_int64_t *out, const char *s)
{
    apr_int64_t n = 0;
    int count = 0;
    for (; apr_isdigit(*s); s++) {
        if (++count > DIGITS_MAX) {
            return NULL;
        }
        n = n * 10 + (*s - '0');
    }
    *out = n;
    return count ? s : NULL;
}

static int in_range(const aur_setting_t *set, apr_int64_t n)
{
    return n >= set->min && n <= set->max;
}

static int read_count(apr_int64_t *out, const aur_setting_t *set, const char *s)
{
    s = digits(out, s);
    return s && !*s && in_range(set, *out);
}

static int read_size(apr_int64_t *out, const aur_setting_t *set, const char *s)
{
    int shift = 0;
    s = digits(out, s);
    if (!s) {
        return 0;
    }
    if (*s) {
        shift = apr_toupper(*s) == 'K' ? 10 : apr_toupper(*s) == 'M' ? 20 : -1;
        if (shift < 0 || s[1] || *out > (set->max >> shift)) {
            return 0;
        }
    }
    *out <<= shift;
    return in_range(set, *out);
}

/* httpd's own reading of times takes signs, lets some suffixes trail off and can overflow: the text is
 * checked before it gets there. */
static int read_time(apr_int64_t *out, const aur_setting_t *set, const char *s)
{
    static const char *const units[] = {"", "ms", "s", "mi", "min", "h"};
    apr_int64_t n;
    apr_interval_time_t t;
    const char *unit = digits(&n, s);
    size_t i;

    if (!unit || n > APR_INT64_MAX / AUR_HOUR) {
        return 0;
    }
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!strcasecmp(unit, units[i])) {
            if (ap_timeout_parameter_parse(s, &t, "s") != APR_SUCCESS) {
                return 0;
            }
            *out = t;
            return in_range(set, *out);
        }
    }
    return 0;
}

static int read_rate(aur_rate_t *out, const aur_setting_t *set, const char *s)
{
    s = digits(&out->count, s);
    if (!s || !in_range(set, out->count) || *s++ != '/') {
        return 0;
    }
    out->per_us = !strcasecmp(s, "second")   ? AUR_SEC
                  : !strcasecmp(s, "minute") ? AUR_MIN
                  : !strcasecmp(s, "hour")   ? AUR_HOUR
                                             : 0;
    return out->per_us != 0;
}

/* n/unit [burst=n] [anonymous] */
static int read_client_rate(aur_rate_t *out, const aur_setting_t *set, int nwords,
                            const char *const *words)
{
    int i;
    if (!read_rate(out, set, words[0])) {
        return 0;
    }
    for (i = 1; i < nwords; i++) {
        if (!strcasecmp(words[i], "anonymous") && !out->anonymous_only) {
            out->anonymous_only = 1;
        }
        else if (strncasecmp(words[i], "burst=", 6) || out->burst ||
                 !read_count(&out->burst, set, words[i] + 6)) {
            return 0;
        }
    }
    return 1;
}

/* n [csv=n] */
static int read_threshold(aur_value_t *v, const aur_setting_t *set, int nwords,
                          const char *const *words)
{
    return read_count(&v->number, set, words[0]) &&
           (nwords < 2 || (nwords == 2 && !strncasecmp(words[1], "csv=", 4) &&
                           read_count(&v->csv, set, words[1] + 4)));
}

/* --- words ------------------------------------------------------------------------------------ */

static int read_choice(apr_int64_t *out, const char *s, const char *off, const char *on)
{
    *out = !strcasecmp(s, on);
    return *out || !strcasecmp(s, off);
}

static int name_valid(const char *s)
{
    if (!*s || strlen(s) > 64) {
        return 0;
    }
    for (; *s; s++) {
        if (!apr_isalnum(*s) && *s != '_') {
            return 0;
        }
    }
    return 1;
}

/* scheme://host[:port] and nothing more: browsers send it so, and it is compared byte by byte. */
static int origin_valid(const char *s)
{
    const char *host = strstr(s, "://");
    if (!strcmp(s, "*")) {
        return 1;
    }
    if (!host || host == s || !host[3] || host[3] == ':') {
        return 0;
    }
    for (; s < host; s++) {
        if (!apr_isalnum(*s) && !strchr("+-.", *s)) {
            return 0;
        }
    }
    for (s = host + 3; *s; s++) {
        if (!apr_isalnum(*s) && !strchr("-._:[]", *s)) {
            return 0;
        }
    }
    return 1;
}

/* A string expression. @return what is wrong with it, or NULL */
static const char *read_expr(const ap_expr_info_t **out, const aur_setting_t *set, const char *s,
                             apr_pool_t *p, apr_pool_t *ptemp)
{
    ap_expr_info_t *info = apr_pcalloc(p, sizeof(*info));
    info->filename = set->directive; /* shown where evaluating it fails */
    info->flags = AP_EXPR_FLAG_STRING_RESULT;
    info->module_index = APLOG_MODULE_INDEX;
    *out = info;
    return ap_expr_parse(p, ptemp, info, s, NULL);
}

/* --- messages --------------------------------------------------------------------------------- */

static const char *size_text(apr_int64_t n, apr_pool_t *p)
{
    if (n && n % 1048576 == 0) {
        return apr_psprintf(p, "%" APR_INT64_T_FMT "M", n / 1048576);
    }
    if (n && n % 1024 == 0) {
        return apr_psprintf(p, "%" APR_INT64_T_FMT "K", n / 1024);
    }
    return apr_psprintf(p, "%" APR_INT64_T_FMT, n);
}

static const char *time_text(apr_int64_t us, apr_pool_t *p)
{
    static const struct {
        apr_int64_t us;
        const char *unit;
    } units[] = {{AUR_HOUR, "h"}, {AUR_MIN, "min"}, {AUR_SEC, "s"}, {AUR_MSEC, "ms"}};
    size_t i;
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (us && us % units[i].us == 0) {
            return apr_psprintf(p, "%" APR_INT64_T_FMT "%s", us / units[i].us, units[i].unit);
        }
    }
    return "0";
}

static const char *allowed(const aur_setting_t *set, apr_pool_t *p)
{
    switch (set->kind) {
    case AUR_K_NAME:
        return "a name of letters, digits and _";
    case AUR_K_SECRET:
    case AUR_K_PATH:
        return "a text that is not empty";
    case AUR_K_COUNT:
        return apr_psprintf(p, "a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                            set->min, set->max);
    case AUR_K_SIZE:
        return apr_psprintf(p, "a size from %s to %s, in bytes or with K or M",
                            size_text(set->min, p), size_text(set->max, p));
    case AUR_K_TIME:
        return apr_psprintf(p, "a time from %s to %s, in seconds or with ms, s, min or h",
                            time_text(set->min, p), time_text(set->max, p));
    case AUR_K_FLAG:
        return "On or Off";
    case AUR_K_GOVERNANCE:
        return "enforce or log";
    case AUR_K_EXPR:
        return "a string expression";
    case AUR_K_RATE:
        return apr_psprintf(p,
                            "a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                            " with /second, /minute or /hour",
                            set->min, set->max);
    case AUR_K_CLIENT_RATE:
        return apr_psprintf(p,
                            "a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                            " with /second, /minute or /hour, then burst=n (same range) and "
                            "anonymous where wanted",
                            set->min, set->max);
    case AUR_K_THRESHOLD:
        return apr_psprintf(p,
                            "a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                            ", then csv=n (same range) where wanted",
                            set->min, set->max);
    case AUR_K_SCHEMAS:
    case AUR_K_LIST:
        return "names that are not empty";
    case AUR_K_ORIGINS:
        return "origins such as https://reports.example.org, without a path, or *";
    }
    return "";
}

static const char *message(const aur_setting_t *set, const char *name, const char *value,
                           const char *why, apr_pool_t *p)
{
    const char *what = allowed(set, p);
    if (set->kind == AUR_K_SECRET) { /* whatever it is, it is not shown */
        return apr_psprintf(p, "%s: the value is not allowed; %s", name, what);
    }
    return why ? apr_psprintf(p, "%s: '%s' is not allowed; %s (%s)", name, value, what, why)
               : apr_psprintf(p, "%s: '%s' is not allowed; %s", name, value, what);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int read_words(aur_value_t *v, const aur_setting_t *set, int nwords,
                      const char *const *words, const char **why, apr_pool_t *p, apr_pool_t *ptemp)
{
    const char *first = words[0];
    if (nwords > 1 && set->kind != AUR_K_CLIENT_RATE && set->kind != AUR_K_THRESHOLD) {
        return 0;
    }
    switch (set->kind) {
    case AUR_K_NAME:
        v->text = apr_pstrdup(p, first);
        return name_valid(first);
    case AUR_K_SECRET:
    case AUR_K_PATH:
        v->text = apr_pstrdup(p, first);
        return *first != '\0';
    case AUR_K_COUNT:
        return read_count(&v->number, set, first);
    case AUR_K_SIZE:
        return read_size(&v->number, set, first);
    case AUR_K_TIME:
        return read_time(&v->number, set, first);
    case AUR_K_FLAG:
        return read_choice(&v->number, first, "Off", "On");
    case AUR_K_GOVERNANCE:
        return read_choice(&v->number, first, "enforce", "log");
    case AUR_K_EXPR:
        *why = read_expr(&v->expr, set, apr_pstrdup(p, first), p, ptemp);
        return *why == NULL;
    case AUR_K_RATE:
        return read_rate(&v->rate, set, first);
    case AUR_K_CLIENT_RATE:
        return read_client_rate(&v->rate, set, nwords, words);
    case AUR_K_THRESHOLD:
        return read_threshold(v, set, nwords, words);
    case AUR_K_SCHEMAS:
    case AUR_K_LIST:
    case AUR_K_ORIGINS:
        break; /* aur_setting_add */
    }
    return 0;
}

const char *aur_setting_read(aur_value_t **value, const aur_setting_t *set, const char *name,
                             int nwords, const char *const *words, apr_pool_t *p, apr_pool_t *ptemp)
{
    aur_value_t *v = apr_pcalloc(p, sizeof(*v));
    const char *why = NULL, *all = words[0];
    int i;

    *value = v;
    if (read_words(v, set, nwords, words, &why, p, ptemp)) {
        return NULL;
    }
    for (i = 1; i < nwords; i++) {
        all = apr_pstrcat(ptemp, all, " ", words[i], NULL);
    }
    return message(set, name, all, why, p);
}

const char *aur_setting_add(aur_value_t *value, const aur_setting_t *set, const char *name,
                            const char *word, apr_pool_t *p)
{
    if (set->kind == AUR_K_ORIGINS ? !origin_valid(word) : !*word) {
        return message(set, name, word, NULL, p);
    }
    if (!value->list) {
        value->list = apr_array_make(p, 4, sizeof(const char *));
    }
    APR_ARRAY_PUSH(value->list, const char *) = apr_pstrdup(p, word);
    return NULL;
}

static char *trim(char *s)
{
    char *end = s + strlen(s);
    while (end > s && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    while (apr_isspace(*s)) {
        s++;
    }
    return s;
}

/* Commas, with or without spaces around them. Empty entries are passed over: such lists are put
 * together by scripts. */
static const char *read_list(aur_value_t **value, const aur_setting_t *set, const char *name,
                             const char *line, apr_pool_t *p, apr_pool_t *ptemp)
{
    char *state, *word, *text = apr_pstrdup(ptemp, line);
    const char *wrong;

    *value = apr_pcalloc(p, sizeof(**value));
    for (word = apr_strtok(text, ",", &state); word; word = apr_strtok(NULL, ",", &state)) {
        word = trim(word);
        if (*word && (wrong = aur_setting_add(*value, set, name, word, p))) {
            return wrong;
        }
    }
    return (*value)->list ? NULL : message(set, name, line, NULL, p);
}

const char *aur_setting_read_line(aur_value_t **value, const aur_setting_t *set, const char *name,
                                  const char *line, apr_pool_t *p, apr_pool_t *ptemp)
{
    char *state, *word, *text;
    const char *words[4];
    int n = 0;

    if (set->kind == AUR_K_SCHEMAS || set->kind == AUR_K_LIST || set->kind == AUR_K_ORIGINS) {
        return read_list(value, set, name, line, p, ptemp);
    }
    if (set->kind != AUR_K_CLIENT_RATE && set->kind != AUR_K_THRESHOLD) {
        return aur_setting_read(value, set, name, 1, &line, p, ptemp);
    }
    text = apr_pstrdup(ptemp, line);
    for (word = apr_strtok(text, " \t", &state); word; word = apr_strtok(NULL, " \t", &state)) {
        if (n == 4) {
            return message(set, name, line, NULL, p);
        }
        words[n++] = word;
    }
    return n ? aur_setting_read(value, set, name, n, words, p, ptemp)
             : message(set, name, line, NULL, p);
}
