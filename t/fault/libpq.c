/* libpq.c - put in front of libpq by LD_PRELOAD: makes the nth of its calls fail, so that a test can walk through
 * every call of a request. Nothing of this is in the module.
 *
 * The file named by AURORA_FAULT is shared with the test; four numbers of 32 bits:
 *   0  the call to fail, counted from 1 (0: none)
 *   1  calls made since
 *   2  how: 0 the call itself refuses, 1 the connection is cut before it
 *   3  whether it has happened */
#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT, CALLS, HOW, DONE, FIELDS };

static uint32_t *control;

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("AURORA_FAULT");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map;

    if (fd < 0) {
        return;
    }
    map = mmap(NULL, FIELDS * sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    control = map == MAP_FAILED ? NULL : map;
    close(fd);
}

/* libpq comes with the module, so it is not in the scope that RTLD_NEXT searches. */
static void *real(const char *name)
{
    void *libpq = dlopen("libpq.so.5", RTLD_LAZY | RTLD_NOLOAD), *found = NULL;

    if (libpq) {
        found = dlsym(libpq, name);
        dlclose(libpq);
    }
    if (!found) {
        abort();
    }
    return found;
}

/* @return whether this very call has to refuse */
static int strike(PGconn *conn, int (*descriptor)(const PGconn *))
{
    uint32_t at = control ? __atomic_load_n(&control[AT], __ATOMIC_SEQ_CST) : 0;
    int fd;

    if (!at || __atomic_add_fetch(&control[CALLS], 1, __ATOMIC_SEQ_CST) != at) {
        return 0;
    }
    __atomic_store_n(&control[DONE], 1, __ATOMIC_SEQ_CST);
    if (!control[HOW]) {
        return 1;
    }
    fd = conn ? descriptor(conn) : -1;
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
    return fd < 0;
}

#define SOCKET ((int (*)(const PGconn *))real("PQsocket"))

/* result, name, parameters, arguments, connection, what a refusal gives */
#define CALLS_OF_LIBPQ(X)                                                                          \
    X(PGconn *, PQconnectdb, (const char *info), (info), NULL, NULL)                               \
    X(int, PQenterPipelineMode, (PGconn * conn), (conn), conn, 0)                                  \
    X(PGcancel *, PQgetCancel, (PGconn * conn), (conn), conn, NULL)                                \
    X(int, PQsendQueryParams,                                                                      \
      (PGconn * conn, const char *text, int n, const Oid *types, const char *const *values,        \
       const int *lengths, const int *formats, int format),                                        \
      (conn, text, n, types, values, lengths, formats, format), conn, 0)                           \
    X(int, PQsendPrepare,                                                                          \
      (PGconn * conn, const char *name, const char *text, int n, const Oid *types),                \
      (conn, name, text, n, types), conn, 0)                                                       \
    X(int, PQsendQueryPrepared,                                                                    \
      (PGconn * conn, const char *name, int n, const char *const *values, const int *lengths,      \
       const int *formats, int format),                                                            \
      (conn, name, n, values, lengths, formats, format), conn, 0)                                  \
    X(int, PQpipelineSync, (PGconn * conn), (conn), conn, 0)                                       \
    X(int, PQsendFlushRequest, (PGconn * conn), (conn), conn, 0)                                   \
    X(int, PQflush, (PGconn * conn), (conn), conn, -1)                                             \
    X(int, PQsetSingleRowMode, (PGconn * conn), (conn), conn, 0)                                   \
    X(int, PQconsumeInput, (PGconn * conn), (conn), conn, 0)                                       \
    X(PGresult *, PQgetResult, (PGconn * conn), (conn), conn, NULL)                                \
    X(int, PQcancel, (PGcancel * cancel, char *text, int size), (cancel, text, size), NULL, 0)

#define REPLACE(result, name, parameters, arguments, conn, refusal)                                \
    result name parameters;                                                                        \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*original) parameters;                                                       \
        if (!original) {                                                                           \
            original = (result(*) parameters)real(#name);                                          \
        }                                                                                          \
        if (control && __atomic_load_n(&control[AT], __ATOMIC_SEQ_CST) && strike(conn, SOCKET)) {  \
            return refusal;                                                                        \
        }                                                                                          \
        return original arguments;                                                                 \
    }
CALLS_OF_LIBPQ(REPLACE)
