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

/* The one value among the entries of a rank, exactly spelt ones only where asked. */
static int only_one(const entry_t *e, int rank, const char *exact, apr_size_t len)
{
    int found = AUR_NAMES_NONE;

    for (; e; e = e->next) {
        if (e->rank != rank || (exact && (e->len != len || memcmp(e->name, exact, len)))) {
            continue;
        }
        if (found != AUR_NAMES_NONE && found != e->value) {
            return AUR_NAMES_SEVERAL;
        }
        found = e->value;
    }
    return found;
}

int aur_names_find(const aur_names_t *names, const char *name, apr_size_t len, apr_pool_t *scratch)
{
    apr_size_t folded_len;
    const char *folded = aur_casefold(name, len, &folded_len, scratch);
    const entry_t *list = apr_hash_get(names->by_folded, folded, (apr_ssize_t)folded_len), *e;
    int rank, found;

    if (!list) {
        return AUR_NAMES_NONE;
    }
    rank = list->rank;
    for (e = list; e; e = e->next) {
        rank = e->rank < rank ? e->rank : rank;
    }
    found = only_one(list, rank, name, len);
    return found != AUR_NAMES_NONE ? found : only_one(list, rank, NULL, 0);
}
