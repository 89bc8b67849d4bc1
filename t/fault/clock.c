/* clock.c - put in front of APR by LD_PRELOAD: a wall clock that a test can set. Nothing of this is in the module.
 *
 * The file named by AURORA_CLOCK is shared with the test: 64 bits, the microseconds by which the clock is set back. */
#include <apr_time.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static apr_int64_t *set_back;

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("AURORA_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map;

    if (fd < 0) {
        return;
    }
    map = mmap(NULL, sizeof(*set_back), PROT_READ, MAP_SHARED, fd, 0);
    set_back = map == MAP_FAILED ? NULL : map;
    close(fd);
}

apr_time_t apr_time_now(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_usec -
           (set_back ? __atomic_load_n(set_back, __ATOMIC_SEQ_CST) : 0);
}
