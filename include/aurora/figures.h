/* figures.h - what is shown of the server at one moment: gauges, and the tasks that run. Those who know hand over
 * functions (mod_aurora.c registers them); those who show ask here, and know nobody. */
#ifndef AURORA_FIGURES_H
#define AURORA_FIGURES_H

#include <apr.h>
#include <apr_time.h>

#include "aurora/error.h"

/* What takes a place among the tasks; the words of the contract. */
#define AUR_WORKS(X)                                                                               \
    X(AUR_WORK_PREVIEW, "preview")                                                                 \
    X(AUR_WORK_CSV, "csv")                                                                         \
    X(AUR_WORK_XLSX, "xlsx")

typedef enum {
#define AUR_X(id, name) id,
    AUR_WORKS(AUR_X)
#undef AUR_X
        AUR_WORK_COUNT
} aur_work_e;

#define AUR_TASK_STATES(X)                                                                         \
    X(AUR_WORK_WAITING, "waiting")                                                                 \
    X(AUR_WORK_RUNNING, "running")                                                                 \
    X(AUR_WORK_COMPLETE, "complete")                                                               \
    X(AUR_WORK_FAILED, "failed")                                                                   \
    X(AUR_WORK_CANCELLED, "cancelled")

typedef enum {
#define AUR_X(id, name) id,
    AUR_TASK_STATES(AUR_X)
#undef AUR_X
} aur_work_state_e;

/* Bytes, the closing NUL included; longer names are cut at a character boundary. */
#define AUR_TASK_ID_MAX   (32 + 1)
#define AUR_TASK_NAME_MAX 192
#define AUR_TASK_SHA256   32

/* One task as it stood when it was looked at. */
typedef struct aur_task_view_t {
    char id[AUR_TASK_ID_MAX];
    char user[AUR_TASK_NAME_MAX], dataset[AUR_TASK_NAME_MAX];
    aur_work_e work;
    aur_work_state_e state;
    aur_code_e code;    /* AUR_E_NONE unless it failed or was cancelled */
    apr_time_t started; /* wall clock */
    apr_interval_time_t elapsed;
    apr_uint64_t rows, bytes, truncated_cells;
    int has_sha256;
    unsigned char sha256[AUR_TASK_SHA256];
} aur_task_view_t;

/* Gauges, of all children together. */
typedef struct aur_figures_t {
    apr_int64_t pool_busy, pool_waiting, pool_open;
    apr_int64_t pool_max;       /* connections of one process */
    apr_int64_t pool_max_total; /* of all */
    apr_int64_t running[AUR_WORK_COUNT];
    apr_int64_t export_queue; /* exports that run or wait for a connection */
    apr_time_t started;       /* wall clock; of the server, not of the generation */
    const char *version;
} aur_figures_t;

typedef void aur_task_view_fn(void *ctx, const aur_task_view_t *task);

typedef struct aur_figures_source_t {
    /** Add to what is there; must not wait. */
    void (*fill)(aur_figures_t *figures);
    /** Show each running task. May be NULL. */
    void (*tasks)(aur_task_view_fn *show, void *ctx);
} aur_figures_source_t;

/** Add a source; static. Before the first thread. Sources that are there already, and those beyond a small
 * fixed number, are left out. */
void aur_figures_register(const aur_figures_source_t *source);
/** Fill from every source. Any thread. */
void aur_figures_get(aur_figures_t *figures);
/** Show each running task. Any thread. */
void aur_figures_tasks(aur_task_view_fn *show, void *ctx);

/** The contract's words; static storage. */
const char *aur_figures_work_name(aur_work_e work);
const char *aur_figures_state_name(aur_work_state_e state);

#endif
