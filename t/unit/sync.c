/* Threads that nobody waits for one by one: who joins the last has joined all of them. */
#include <apr_general.h>
#include <pthread.h>
#include <unistd.h>

#include "aurora/sync.h"
#include "tap.h"

#define THREADS 40

static aur_lock_t lock;
static aur_cond_t change;
static aur_relay_t relay;
static int running;
static int over; /* atomic: threads whose last act is done */
static pthread_key_t key;

/* What a library does when a thread ends that has used it. */
static void clean_up(void *unused)
{
    usleep(2000);
    __atomic_add_fetch(&over, 1, __ATOMIC_RELAXED);
}

static void *run(void *ctx)
{
    aur_relay_t before;

    pthread_setspecific(key, ctx);
    usleep((useconds_t)((unsigned long)pthread_self() / 4096 % 5 * 1000));
    aur_lock(&lock);
    running--;
    aur_cond_wake_all(&change);
    before = aur_relay_pass(&relay);
    aur_unlock(&lock);
    aur_relay_join(before);
    return NULL;
}

static void test_relay(void)
{
    aur_relay_t all;
    pthread_t thread;
    int i, started = 0;

    aur_relay_join(relay);
    ok(1, "nobody to join: no wait");
    for (i = 0; i < THREADS; i++) {
        aur_lock(&lock); /* it is counted before it can be through */
        if (aur_thread_start(&thread, run, &relay) == APR_SUCCESS) {
            started++;
            running++;
        }
        aur_unlock(&lock);
    }
    is_int(started, THREADS, "threads start");
    aur_lock(&lock);
    while (running && aur_cond_wait(&change, &lock, 0)) {
    }
    all = relay;
    aur_unlock(&lock);
    aur_relay_join(all);
    is_int(__atomic_load_n(&over, __ATOMIC_RELAXED), THREADS,
           "the last one is joined: all have come to their very end");
}

static void test_left_behind(void)
{
    ok(!aur_left_behind(), "nothing is left behind");
    aur_leave_behind();
    ok(aur_left_behind(), "something is");
}

int main(void)
{
    apr_initialize();
    if (aur_lock_init(&lock) != APR_SUCCESS || aur_cond_init(&change) != APR_SUCCESS ||
        pthread_key_create(&key, clean_up) != 0) {
        return 1;
    }
    test_relay();
    test_left_behind();
    aur_cond_end(&change);
    aur_lock_end(&lock);
    pthread_key_delete(key);
    apr_terminate();
    return tap_done();
}
