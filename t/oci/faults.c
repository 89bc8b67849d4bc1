/* faults.c - what the environment asks for: a version, a trace, and calls that go wrong. README.md has the list. */
#include "double.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FAULTS   16
#define HANG_TICK_MS 50

/* ENTRY[@N]=ACTION; ACTION is ORA:code, INFO:code, delay:ms, drop, deaf, hang. */
typedef struct fault_t {
    char entry[48];
    unsigned long nth; /* 0: every call */
    atomic_ulong calls;
    char action[16];
    long argument;
} fault_t;

static fault_t faults[MAX_FAULTS];
static unsigned fault_count;
static FILE *trace;
static int version = 19;
static bool latin1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fault_read(const char *text)
{
    fault_t *f = &faults[fault_count];
    char entry[48] = "", action[48] = "";
    if (sscanf(text, "%47[^=]=%47s", entry, action) != 2 || fault_count == MAX_FAULTS) {
        fprintf(stderr, "oci double: AURORA_OCI_FAULT: '%s' is not ENTRY[@N]=ACTION\n", text);
        abort();
    }
    char *nth = strchr(entry, '@'), *argument = strchr(action, ':');
    if (nth) {
        *nth = '\0';
        f->nth = strtoul(nth + 1, NULL, 10);
    }
    if (argument) {
        *argument = '\0';
        f->argument = strtol(argument + 1, NULL, 10);
    }
    static const char *const known[] = {"ORA", "INFO", "delay", "drop", "deaf", "hang"};
    bool good = false;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        good |= !strcmp(action, known[i]);
    }
    if (!good) {
        fprintf(stderr, "oci double: AURORA_OCI_FAULT: no action '%s'\n", action);
        abort();
    }
    snprintf(f->entry, sizeof(f->entry), "%s", entry);
    snprintf(f->action, sizeof(f->action), "%.15s", action);
    fault_count++;
}

static void environment_read(void)
{
    const char *v = getenv("AURORA_OCI_VERSION"), *t = getenv("AURORA_OCI_TRACE"),
               *f = getenv("AURORA_OCI_FAULT"), *c = getenv("AURORA_OCI_CHARSET");
    if (v && *v) {
        version = atoi(v);
    }
    latin1 = c && !strcmp(c, "WE8ISO8859P1");
    if (t && *t) {
        trace = fopen(t, "ae");
    }
    char *copy = f ? strdup(f) : NULL, *state = NULL;
    for (char *one = copy ? strtok_r(copy, ",; ", &state) : NULL; one;
         one = strtok_r(NULL, ",; ", &state)) {
        fault_read(one);
    }
    free(copy);
}

int dbl_version(void)
{
    pthread_once(&once, environment_read);
    return version;
}

bool dbl_latin1(void)
{
    pthread_once(&once, environment_read);
    return latin1;
}

void dbl_trace(const char *fmt, ...)
{
    pthread_once(&once, environment_read);
    if (!trace) {
        return;
    }
    va_list ap;
    char line[4096];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    fprintf(trace, "%ld.%03ld %d %s\n", (long)now.tv_sec, now.tv_nsec / 1000000, (int)getpid(),
            line);
    fflush(trace);
}

const char *dbl_signals(void)
{
    static const int servers[] = {SIGTERM, SIGHUP, SIGUSR1, SIGWINCH, SIGINT, SIGCHLD, SIGALRM};
    sigset_t mask;
    int blocked = 0, n = (int)(sizeof(servers) / sizeof(*servers));
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (int i = 0; i < n; i++) {
        blocked += sigismember(&mask, servers[i]) == 1;
    }
    return blocked == n ? "blocked" : "open";
}

static void sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* A call that no answer and no break reaches: the client gives it up after the call timeout and as long again for its
 * own break, and the session with it. Without a timeout it never returns. */
static int hang(dbl_err_t *err, dbl_server_t *srv)
{
    for (long waited = 0;; waited += HANG_TICK_MS) {
        unsigned limit = srv ? atomic_load(&srv->call_limit_ms) : 0;
        if (limit && waited >= 2L * limit) {
            break;
        }
        sleep_ms(HANG_TICK_MS);
    }
    pthread_mutex_lock(&srv->lock);
    srv->lost = 3114;
    pthread_mutex_unlock(&srv->lock);
    return dbl_fail(err, 3114, NULL);
}

static int fault_do(fault_t *f, const char *where, dbl_err_t *err, dbl_server_t *srv)
{
    dbl_trace("fault %s %s:%ld", where, f->action, f->argument);
    if (!strcmp(f->action, "delay")) {
        sleep_ms(f->argument);
        return OCI_SUCCESS;
    }
    if (!strcmp(f->action, "hang")) {
        return hang(err, srv);
    }
    if (!strcmp(f->action, "drop")) {
        if (srv && srv->conn) {
            shutdown(PQsocket(srv->conn), SHUT_RDWR);
        }
        return OCI_SUCCESS;
    }
    if (!strcmp(f->action, "deaf")) {
        if (srv) {
            atomic_store(&srv->deaf, true);
        }
        return OCI_SUCCESS;
    }
    if (!strcmp(f->action, "INFO")) {
        err->info = (int32_t)f->argument;
        return OCI_SUCCESS;
    }
    return dbl_fail(err, (int)f->argument, NULL);
}

int dbl_fault(const char *where, dbl_err_t *err, dbl_server_t *srv)
{
    pthread_once(&once, environment_read);
    for (unsigned i = 0; i < fault_count; i++) {
        fault_t *f = &faults[i];
        if (strcmp(f->entry, where)) {
            continue;
        }
        unsigned long call = atomic_fetch_add(&f->calls, 1) + 1;
        int rv = !f->nth || f->nth == call ? fault_do(f, where, err, srv) : OCI_SUCCESS;
        if (rv == OCI_ERROR) {
            return rv;
        }
    }
    return OCI_SUCCESS;
}
