/* load - one POST over and over on N connections, from a single thread that costs as little as it can: the
 * answers' bodies are dropped in the kernel.
 *
 *   load PORT CONNECTIONS SECONDS PATH < BODY
 *
 * Prints answers a second, p50, p99 and the longest time in ms, bytes of one body, how many answers were not
 * 200, its own CPU in microseconds per answer, and how often it had to connect again: a busy event MPM closes
 * connections between two requests, and the request that met that is sent again, its clock running on. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 8192, BODY_MAX = 65536, CONNECTIONS_MAX = 1024, SAMPLES_MAX = 1 << 21 };

typedef struct {
    int fd;
    int in_body;
    size_t have; /* bytes of the head */
    size_t left; /* bytes of the body still to come */
    uint64_t sent_ns;
    char head[HEAD_MAX + 1];
} link_t;

static char request[BODY_MAX + 1024];
static size_t request_len, body_bytes;
static uint32_t samples[SAMPLES_MAX];
static size_t nsamples, nbad, nagain;
static int epoll, port;

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void send_request(link_t *link)
{
    link->have = 0;
    link->in_body = 0;
    if (send(link->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len &&
        errno != EPIPE && errno != ECONNRESET) {
        fail("send");
    }
}

static void connect_link(link_t *link)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    link->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event) != 0) {
        fail("connect");
    }
}

/* Closed before the first byte of an answer. */
static void connect_again(link_t *link)
{
    nagain++;
    close(link->fd);
    connect_link(link);
    send_request(link);
}

static void finish(link_t *link)
{
    uint64_t us = (now_ns() - link->sent_ns) / 1000;

    if (nsamples < SAMPLES_MAX) {
        samples[nsamples++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    }
    link->sent_ns = now_ns();
    send_request(link);
}

/* The head is there up to its empty line: what follows it? */
static size_t read_head(link_t *link, const char *end)
{
    const char *length = strcasestr(link->head, "\r\nContent-Length:");

    if (strncmp(link->head, "HTTP/1.1 200 ", 13)) {
        nbad++;
    }
    if (!length || length > end) {
        fprintf(stderr, "load: an answer without Content-Length:\n%.300s\n", link->head);
        exit(1);
    }
    return (size_t)strtoull(length + 17, NULL, 10);
}

static void take_head(link_t *link)
{
    ssize_t n = recv(link->fd, link->head + link->have, HEAD_MAX - link->have, 0);
    char *end;
    size_t extra;

    if (n <= 0) {
        if (link->have > 0 || (n < 0 && errno != ECONNRESET)) {
            fail(n ? "recv" : "the server closed a connection");
        }
        connect_again(link);
        return;
    }
    link->have += (size_t)n;
    link->head[link->have] = '\0';
    end = strstr(link->head, "\r\n\r\n");
    if (!end) {
        if (link->have == HEAD_MAX) {
            fail("an answer's head is too long");
        }
        return;
    }
    body_bytes = read_head(link, end);
    extra = link->have - (size_t)(end + 4 - link->head);
    link->left = body_bytes > extra ? body_bytes - extra : 0;
    link->in_body = 1;
}

static void take(link_t *link)
{
    ssize_t n;

    if (!link->in_body) {
        take_head(link);
    }
    while (link->in_body && link->left > 0) {
        n = recv(link->fd, NULL, link->left, MSG_TRUNC | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n <= 0) {
            fail(n ? "recv" : "the server closed a connection");
        }
        link->left -= (size_t)n;
    }
    if (link->in_body) {
        finish(link);
    }
}

static void read_body(const char *path)
{
    static char body[BODY_MAX];
    size_t len = fread(body, 1, sizeof(body), stdin);
    int n = snprintf(request, sizeof(request),
                     "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%.*s",
                     path, port, len, (int)len, body);

    if (len == 0 || n < 0 || (size_t)n >= sizeof(request)) {
        fail("no body, or one too long");
    }
    request_len = (size_t)n;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void print_result(double seconds, double cpu)
{
    if (nsamples == 0) {
        fprintf(stderr, "load: no answer came\n");
        exit(1);
    }
    qsort(samples, nsamples, sizeof(*samples), by_value);
    printf("%.1f %.3f %.3f %.3f %zu %zu %.1f %zu\n", (double)nsamples / seconds,
           samples[nsamples / 2] / 1e3, samples[nsamples - 1 - nsamples / 100] / 1e3,
           samples[nsamples - 1] / 1e3, body_bytes, nbad, cpu / (double)nsamples, nagain);
}

int main(int argc, char **argv)
{
    static link_t links[CONNECTIONS_MAX];
    struct epoll_event events[64];
    int i, n, connections;
    uint64_t start, until;
    double cpu;

    if (argc != 5 || (connections = atoi(argv[2])) < 1 || connections > CONNECTIONS_MAX) {
        fprintf(stderr, "load PORT CONNECTIONS SECONDS PATH < BODY\n");
        return 2;
    }
    epoll = epoll_create1(0);
    port = atoi(argv[1]);
    read_body(argv[4]);
    for (i = 0; i < connections; i++) {
        connect_link(&links[i]);
    }
    cpu = cpu_us();
    start = now_ns();
    until = start + (uint64_t)(atof(argv[3]) * 1e9);
    for (i = 0; i < connections; i++) {
        links[i].sent_ns = start;
        send_request(&links[i]);
    }
    while (now_ns() < until) {
        n = epoll_wait(epoll, events, 64, 100);
        for (i = 0; i < n; i++) {
            take(events[i].data.ptr);
        }
    }
    print_result((double)(now_ns() - start) / 1e9, cpu_us() - cpu);
    return 0;
}
