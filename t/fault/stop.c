/* stop.c - put in front of libpq, APR and the C library by LD_PRELOAD: holds open, for as long as a test needs, moments
 * of a stop that last some microseconds otherwise. Nothing of this is in the module. AURORA_STOP says which:
 *
 *   connect  no connect returns; each is at work on memory that is taken away when the process exits, as OpenSSL's is.
 *   close    between saying that it stops and closing the sockets of its workers, a child of the event MPM rests; so
 *            does a worker between telling its client that there is nothing more and asking whether that one has gone,
 *            and a thread that has destroyed a connection's pool before it does anything else. */
#include <apr_allocator.h>
#include <apr_pools.h>
#include <dlfcn.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAGE      4096
#define MAIN_REST 1000 /* ms */
#define POOL_REST 1200
#define TALK_REST 200
#define EXIT_REST 200

static int in_connect, in_close;
static volatile unsigned char *memory;
static volatile int stopping;

/* Signals cut no rest short. */
static void rest(long ms)
{
    struct timespec now, end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (end.tv_nsec / 1000000 + ms) / 1000;
    end.tv_nsec = (end.tv_nsec / 1000000 + ms) % 1000 * 1000000;
    do {
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

static void say(const char *what)
{
    if (write(STDERR_FILENO, what, strlen(what)) < 0) {
        abort();
    }
}

static int is_main(void)
{
    return getpid() == gettid();
}

static void take_away(void)
{
    if (memory) {
        munmap((void *)memory, PAGE);
        rest(EXIT_REST);
    }
}

__attribute__((constructor)) static void choose(void)
{
    const char *which = getenv("AURORA_STOP");

    in_connect = which && !strcmp(which, "connect");
    in_close = which && !strcmp(which, "close");
    if (in_connect) {
        void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memory = map == MAP_FAILED ? NULL : map;
        if (!memory || atexit(take_away) != 0) {
            abort();
        }
    }
}

PGconn *PQconnectdb(const char *params)
{
    void *libpq = dlopen("libpq.so.5", RTLD_LAZY | RTLD_NOLOAD);
    PGconn *(*real)(const char *) = (PGconn * (*)(const char *)) dlsym(libpq, "PQconnectdb");

    if (in_connect) {
        say("stop.c: connecting\n");
        for (;;) {
            memory[0]++;
            rest(1);
        }
    }
    return real(params);
}

/* The last thing before the sockets that can be seen from outside: the listener is woken. */
int pthread_kill(pthread_t thread, int signal)
{
    int (*real)(pthread_t, int) = (int (*)(pthread_t, int))dlsym(RTLD_NEXT, "pthread_kill");
    int rv = real(thread, signal);

    if (in_close && is_main() && !stopping) {
        stopping = 1;
        rest(MAIN_REST);
        say("stop.c: sockets\n");
    }
    return rv;
}

int shutdown(int fd, int how)
{
    int (*real)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "shutdown");
    int rv = real(fd, how);

    if (in_close && !is_main()) {
        rest(TALK_REST);
    }
    return rv;
}

void apr_pool_destroy(apr_pool_t *p)
{
    static __thread int rested;
    void (*real)(apr_pool_t *) = (void (*)(apr_pool_t *))dlsym(RTLD_NEXT, "apr_pool_destroy");
    int owner = in_close && stopping && apr_allocator_owner_get(apr_pool_allocator_get(p)) == p;

    real(p);
    if (owner && !is_main() && !rested) {
        rested = 1;
        rest(POOL_REST);
    }
}
