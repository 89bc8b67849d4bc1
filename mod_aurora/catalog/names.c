/* names.c - case-blind look-up (names.h). */
#include "names.h"

#include <apr_hash.h>
#include <string.h>

#include "aurora/text.h"

/* All names that fold to the same key hang on one list. */
typedef struct entry_t entry_t;
struct entry_t {
    entry_t *next;
    const char *name;
    apr_size_t len;
    int rank;
    int value;
};

struct aur_names_t {
    apr_pool_t *p;
    apr_hash_t *by_folded;
};

aur_names_t *aur_names_create(apr_pool_t *p)
{
    aur_names_t *names = apr_palloc(p, sizeof(*names));

    names->p = p;
    names->by_folded = apr_hash_make(p);
    return names;
}

void aur_names_add(aur_names_t *names, const char *name, int rank, int value)
{
    entry_t *e = apr_palloc(names->p, sizeof(*e));
    apr_size_t folded_len;
    const char *folded;

    e->name = name;
    e->len = strlen(name);
    e->rank = rank;
    e->value = value;
    folded = aur_casefold(name, e->len, &folded_len, names->p);
    e->next = apr_hash_get(names->by_folded, folded, (apr_ssize_t)folded_len);
    apr_hash_set(names->by_folded, folded, (apr_ssize_t)folded_len, e);
}

/* What is looked for, and what may be found. */
typedef struct search_t {
    const char *name;
    apr_size_t len;
    aur_names_keep_fn *keep;
    const void *ctx;
} search_t;

static int kept(const search_t *x, const entry_t *e)
{
    return !x->keep || x->keep(x->ctx, e->value);
}

/* The one value among the entries of a rank, exactly spelt ones only where asked. */
static int only_one(const search_t *x, const entry_t *e, int rank, int exact)
{
    int found = AUR_NAMES_NONE;

    for (; e; e = e->next) {
        if (e->rank != rank || (exact && (e->len != x->len || memcmp(e->name, x->name, x->len))) ||
            !kept(x, e)) {
            continue;
        }
        if (found != AUR_NAMES_NONE && found != e->value) {
            return AUR_NAMES_SEVERAL;
        }
        found = e->value;
    }
    return found;
}

int aur_names_find_among(const aur_names_t *names, const char *name, apr_size_t len,
                         aur_names_keep_fn *keep, const void *ctx, apr_pool_t *scratch)
{
    search_t x = {name, len, keep, ctx};
    apr_size_t folded_len;
    const char *folded = aur_casefold(name, len, &folded_len, scratch);
    const entry_t *list = apr_hash_get(names->by_folded, folded, (apr_ssize_t)folded_len), *e;
    int rank = -1, found;

    for (e = list; e; e = e->next) {
        if ((rank < 0 || e->rank < rank) && kept(&x, e)) {
            rank = e->rank;
        }
    }
    if (rank < 0) {
        return AUR_NAMES_NONE;
    }
    found = only_one(&x, list, rank, 1);
    return found != AUR_NAMES_NONE ? found : only_one(&x, list, rank, 0);
}

int aur_names_find(const aur_names_t *names, const char *name, apr_size_t len, apr_pool_t *scratch)
{
    return aur_names_find_among(names, name, len, NULL, NULL, scratch);
}
