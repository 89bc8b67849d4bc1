/* config.h - settings as the rest of the module reads them: plain structs, defaults already applied.
 * How they are spelt in httpd.conf and in the environment is config/'s business alone. */
#ifndef AURORA_CONFIG_H
#define AURORA_CONFIG_H

#include <httpd.h>
#include <http_config.h>
#include <ap_expr.h>
#include <apr_hash.h>

#include "aurora/catalog_reports.h"
#include "aurora/db.h"

/* Numbers of log lines: unique, never used again. 1xxx config, 2xxx http, 3xxx start, 4xxx govern. */
#define AURLOG(n) "AUR" #n ": "

/* n per unit; 0 per_us: not set */
typedef struct aur_rate_t {
    apr_int64_t count;
    apr_interval_time_t per_us; /* one second, minute or hour */
    apr_int64_t burst;          /* AuroraClientRate only; 0: none */
    int anonymous_only;         /* AuroraClientRate only */
} aur_rate_t;

/* What may differ from <Location> to <Location> (marked L in the directive table). */
typedef struct aur_location_t {
    apr_int64_t preview_max_rows;
    apr_int64_t xlsx_max_rows;
    apr_int64_t explain_threshold;     /* 0: off */
    apr_int64_t explain_threshold_csv; /* 0: unlimited */
    apr_interval_time_t query_timeout, task_timeout, stall_timeout;
    apr_int64_t min_drain; /* bytes a second; 0: off */
    aur_rate_t preview_rate, export_rate, client_rate;
    int governance_log; /* AuroraGovernance log */
    apr_int64_t user_tasks_max;
    apr_int64_t export_bandwidth;              /* KiB a second; 0: none */
    const ap_expr_info_t *user, *roles;        /* roles may be NULL */
    const apr_array_header_t *operators;       /* const char *; may be NULL */
    const apr_array_header_t *allowed_origins; /* const char *; may be NULL */
    int digest;
    apr_int64_t max_request_body; /* bytes */
    int csv_formula_guard, csv_bom;
} aur_location_t;

/* What belongs to a server or virtual host. */
typedef struct aur_server_t {
    aur_db_settings_t db; /* params: NULL when no database is configured */
    apr_int64_t db_sessions_max;
    const char *catalog_path; /* NULL when none */
    const aur_catalog_file_t *catalog_file;
    apr_hash_t *report_exprs; /* text of a report's expression -> ap_expr_info_t; only read */
    apr_interval_time_t catalog_refresh;
    apr_int64_t export_queue_max;
    apr_int64_t users_max;
} aur_server_t;

/** The settings of a server, complete. Valid once aur_config_check has succeeded, as long as pconf. Servers
 * with the same settings may share one. */
const aur_server_t *aur_config_server(const server_rec *s);
/** The settings where r was mapped to, complete: directive, else environment, else default. From r->pool. */
const aur_location_t *aur_config_location(request_rec *r);

/** Hook and module-record parts for mod_aurora.c. */
extern const command_rec aur_config_commands[];
void *aur_config_server_create(apr_pool_t *p, server_rec *s);
void *aur_config_server_merge(apr_pool_t *p, void *base, void *add);
void *aur_config_dir_create(apr_pool_t *p, char *dir);
void *aur_config_dir_merge(apr_pool_t *p, void *base, void *add);
/** pre_config: forget the environment of the last generation. */
int aur_config_pre(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);
/** check_config (so that `configtest` reports it): environment, catalogue file, database check.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after having logged what is wrong */
int aur_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
