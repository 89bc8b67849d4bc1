/* shared.h - for tests of what processes share: memory, and children that do something and are waited for; and the
 * same in threads, where a checker of races can see them. */
#ifndef AURORA_TEST_SHARED_H
#define AURORA_TEST_SHARED_H

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Zeroed; never freed. */
__attribute__((unused)) static void *shared_memory(size_t size)
{
    void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (m == MAP_FAILED) {
        exit(1);
    }
    return m;
}

/* The child's exit status is what run returns. */
__attribute__((unused)) static pid_t child_start(int (*run)(void *ctx, int n), void *ctx, int n)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(run(ctx, n));
    }
    return pid;
}

/* @return the exit status; 128 + the signal for one that was killed */
__attribute__((unused)) static int child_wait(pid_t pid)
{
    int status = 0;

    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* @return the sum of what they return */
__attribute__((unused)) static int children_run(int (*run)(void *ctx, int n), void *ctx, int count)
{
    pid_t pids[64];
    int i, sum = 0;

    for (i = 0; i < count && i < 64; i++) {
        pids[i] = child_start(run, ctx, i);
    }
    for (i = 0; i < count && i < 64; i++) {
        sum += child_wait(pids[i]);
    }
    return sum;
}

typedef struct {
    int (*run)(void *ctx, int n);
    void *ctx;
    int n, result;
} runner_t;

static void *runner_run(void *data)
{
    runner_t *runner = data;

    runner->result = runner->run(runner->ctx, runner->n);
    return NULL;
}

/* @return the sum of what they return */
__attribute__((unused)) static int threads_run(int (*run)(void *ctx, int n), void *ctx, int count)
{
    pthread_t threads[16];
    runner_t runners[16];
    int i, sum = 0;

    for (i = 0; i < count && i < 16; i++) {
        runners[i] = (runner_t){run, ctx, i, 0};
        if (pthread_create(&threads[i], NULL, runner_run, &runners[i])) {
            exit(1);
        }
    }
    for (i = 0; i < count && i < 16; i++) {
        pthread_join(threads[i], NULL);
        sum += runners[i].result;
    }
    return sum;
}

__attribute__((unused)) static void sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

#endif
