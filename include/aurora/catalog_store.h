/* catalog_store.h - the current catalogue of one database in one child: loaded when the child
 * starts, refreshed when it is older than AuroraCatalogRefresh and somebody asks, without stopping requests.
 * A thread of its own (signals blocked, joined when the child ends) does the loading; what was
 * loaded last is served meanwhile, and stays when a refresh fails. Every call is thread-safe. */
#ifndef AURORA_CATALOG_STORE_H
#define AURORA_CATALOG_STORE_H

#include "aurora/db.h"

typedef struct aur_catalog_store_t aur_catalog_store_t;

/** @param file  the catalogue file or NULL; must outlive the store
 * @param refresh  0: never by itself
 * @param patience  the longest that one load may take, after which it has failed; 0: as long as it likes
 * @return APR_SUCCESS, or why no thread could be started */
apr_status_t aur_catalog_store_create(aur_catalog_store_t **store, aur_db_t *db,
                                      const aur_catalog_file_t *file, apr_interval_time_t refresh,
                                      apr_interval_time_t patience, aur_log_fn *log, void *log_ctx,
                                      apr_pool_t *pchild);

/** The current snapshot, kept alive until p is cleared. Waits, at most wait_us, only while there has never
 * been one.
 * @return APR_SUCCESS; APR_EGENERAL with err: DB_UNAVAILABLE when none could be loaded in time */
apr_status_t aur_catalog_store_get(const aur_catalog_t **catalog, aur_catalog_store_t *store,
                                   apr_interval_time_t wait_us, aur_error_t *err, apr_pool_t *p);

#endif
