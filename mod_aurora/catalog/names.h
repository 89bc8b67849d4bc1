/* names.h - an index of names that are looked up without regard to case.
 *
 * A name may be entered several times under ranks: 0 is asked first, a higher rank only where no
 * lower one knows the name. Within a rank an exact spelling wins over others that differ in case
 * only. Filled by one thread, then read by any number. */
#ifndef AURORA_NAMES_H
#define AURORA_NAMES_H

#include <apr_pools.h>

#define AUR_NAMES_NONE    (-1)
#define AUR_NAMES_SEVERAL (-2)

typedef struct aur_names_t aur_names_t;

aur_names_t *aur_names_create(apr_pool_t *p);

/** @param name  must live as long as the index
 * @param value  0 or more; what a look-up answers */
void aur_names_add(aur_names_t *names, const char *name, int rank, int value);

/** Which values a look-up may answer; the others are as if they had never been entered. */
typedef int aur_names_keep_fn(const void *ctx, int value);

/** @return the value, AUR_NAMES_NONE, or AUR_NAMES_SEVERAL when it could mean different ones */
int aur_names_find(const aur_names_t *names, const char *name, apr_size_t len, apr_pool_t *scratch);
/** @param keep  NULL: all of them */
int aur_names_find_among(const aur_names_t *names, const char *name, apr_size_t len,
                         aur_names_keep_fn *keep, const void *ctx, apr_pool_t *scratch);

#endif
