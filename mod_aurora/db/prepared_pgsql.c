/* prepared_pgsql.c - statements that a connection has met before, by their text.
 *
 * The same report asked for again, with other values, differs in its binds only: from the second time
 * on it is a prepared statement of the connection, and the server need not read and analyse it again
 * (a sixth of a preview's cost, t/bench/pg_preview.pl). It is planned anew each time, for the values at hand
 * (plan_cache_mode). The table is small; who was not asked for the longest makes room. */
#include <apr_strings.h>
#include <string.h>

#include "pgsql_private.h"

#define TEXT_MAX 16384 /* longer statements are not kept */

static aur_pgsql_known_t *find(aur_pgsql_t *s, const char *text, apr_size_t len)
{
    int i;

    for (i = 0; i < AUR_PGSQL_KNOWN_MAX; i++) {
        aur_pgsql_known_t *known = &s->known[i];
        if (known->pool && known->len == len && !memcmp(known->text, text, len)) {
            return known;
        }
    }
    return NULL;
}

static aur_pgsql_known_t *oldest(aur_pgsql_t *s)
{
    aur_pgsql_known_t *found = &s->known[0];
    int i;

    for (i = 0; i < AUR_PGSQL_KNOWN_MAX; i++) {
        if (!s->known[i].pool) {
            return &s->known[i];
        }
        if (s->known[i].used < found->used) {
            found = &s->known[i];
        }
    }
    return found;
}

void aur_pgsql_forget(aur_pgsql_known_t *known)
{
    if (known && known->pool) {
        apr_pool_destroy(known->pool);
        memset(known, 0, sizeof(*known));
    }
}

/* @return 0: cannot be sent */
static int make_room(aur_pgsql_t *s, aur_pgsql_known_t *known, int *nbefore)
{
    char text[64];

    if (known->prepared) {
        apr_snprintf(text, sizeof(text), "DEALLOCATE %s", known->name);
        if (!PQsendQueryParams(s->conn, text, 0, NULL, NULL, NULL, NULL, 0)) {
            return 0;
        }
        ++*nbefore;
    }
    aur_pgsql_forget(known);
    return 1;
}

int aur_pgsql_known(aur_pgsql_known_t **out, aur_pgsql_t *s, const char *text, apr_size_t len,
                    int *nbefore)
{
    aur_pgsql_known_t *known = find(s, text, len);

    *out = NULL;
    if (s->no_prepare || len > TEXT_MAX) {
        return 1;
    }
    if (!known) {
        known = oldest(s);
        if (!make_room(s, known, nbefore)) {
            return 0;
        }
        if (apr_pool_create(&known->pool, s->session->pool) == APR_SUCCESS) {
            known->text = apr_pstrmemdup(known->pool, text, len);
            known->len = len;
            known->used = ++s->statements;
            apr_snprintf(known->name, sizeof(known->name), "aur_%u", s->statements);
        }
        return 1; /* what comes only once is not worth it */
    }
    known->used = ++s->statements;
    if (!known->prepared) {
        if (!PQsendPrepare(s->conn, known->name, known->text, 0, NULL)) {
            return 0;
        }
        ++*nbefore;
        known->prepared = 1;
    }
    *out = known;
    return 1;
}
