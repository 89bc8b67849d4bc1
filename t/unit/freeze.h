/* freeze.h - a database's server that stands still: its kernel takes connections and bytes, and nothing answers. After
 * pgsql.h or dbd.h. */
#ifndef AURORA_TEST_FREEZE_H
#define AURORA_TEST_FREEZE_H

#include <apr_thread_proc.h>
#include <signal.h>
#include <stdarg.h>

#include "aurora/sync.h"

#define THAW_AFTER 10 /* seconds: what waits for the server waits as long as this */

/* Processes of the server that are stopped, and the thread that lets them go on at last. */
typedef struct {
    pid_t pids[2];
    int n;
    int over; /* atomic */
    apr_thread_t *thread;
} freeze_t;

static void *APR_THREAD_FUNC thaw_late(apr_thread_t *thread, void *data)
{
    freeze_t *freeze = data;
    int i;

    for (i = 0; i < THAW_AFTER * 100 && !__atomic_load_n(&freeze->over, __ATOMIC_SEQ_CST); i++) {
        apr_sleep(apr_time_from_msec(10));
    }
    for (i = 0; i < freeze->n; i++) {
        kill(freeze->pids[i], SIGCONT);
    }
    return NULL;
}

static void freeze_begin(freeze_t *freeze, int n, ...)
{
    va_list ap;
    int i;

    memset(freeze, 0, sizeof(*freeze));
    va_start(ap, n);
    for (i = 0; i < n; i++) {
        freeze->pids[freeze->n++] = (pid_t)atol(va_arg(ap, const char *));
        if (kill(freeze->pids[i], SIGSTOP) != 0) {
            printf("Bail out! the server cannot be stopped\n");
            exit(1);
        }
    }
    va_end(ap);
    apr_thread_create(&freeze->thread, NULL, thaw_late, freeze, pool);
}

static void freeze_end(freeze_t *freeze)
{
    apr_status_t rv;

    __atomic_store_n(&freeze->over, 1, __ATOMIC_SEQ_CST);
    apr_thread_join(&rv, freeze->thread);
}

static int soon(apr_time_t start, const char *name)
{
    double seconds = (double)(aur_clock() - start) / APR_USEC_PER_SEC;

    return ok(seconds < (double)THAW_AFTER / 2, "%s (%.1f s)", name, seconds);
}

#endif
