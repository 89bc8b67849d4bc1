/* ora_driver - read a result through the Oracle driver's native interface, as Aurora's cursor does.
 *
 *   ora_driver PARAMS SQL [array rows]
 *
 * Every value of every row is looked at. Prints: rows cells bytes wall_ms cpu_ms. */
#include <apr_dbd.h>
#include <apr_general.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../../include/apr_dbd_oracle.h"

static double cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "ora_driver: %s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned long long rows = 0, cells = 0, bytes = 0;
    const apr_dbd_oracle_value_t *v;
    const apr_dbd_oracle_calls_t *calls;
    const apr_dbd_driver_t *driver;
    const char *error = "";
    apr_dbd_oracle_stmt_t *st;
    const apr_dbd_oracle_t *native;
    apr_time_t begun;
    apr_pool_t *pool;
    apr_dbd_t *h;
    double cpu;
    int i, n, rv;

    if (argc < 3) {
        return fail("usage", "ora_driver PARAMS SQL [array rows]");
    }
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    apr_dbd_init(pool);
    if (apr_dbd_get_driver(pool, "oracle", &driver) != APR_SUCCESS) {
        return fail("driver", "not found by apr-util (LD_LIBRARY_PATH)");
    }
    if (apr_dbd_open_ex(driver, pool, argv[1], &h, &error) != APR_SUCCESS) {
        return fail("open", error);
    }
    native = apr_dbd_native_handle(driver, h);
    calls = native->calls;
    begun = apr_time_now();
    cpu = cpu_ms();
    if (calls->open(&st, h, argv[2], strlen(argv[2]), NULL, 0, argc > 3 ? atoi(argv[3]) : 0,
                    pool) != 0) {
        return fail(argv[2], calls->error(h)->message);
    }
    (void)calls->columns(st, &n);
    while ((rv = calls->next(&v, st)) == 0) {
        rows++;
        for (i = 0; i < n; i++) {
            cells++;
            bytes += v[i].len;
        }
    }
    if (rv > 0) {
        return fail("fetch", calls->error(h)->message);
    }
    printf("%llu %llu %llu %.1f %.1f\n", rows, cells, bytes, (double)(apr_time_now() - begun) / 1e3,
           cpu_ms() - cpu);
    calls->close(st);
    apr_dbd_close(driver, h);
    return 0;
}
