/* What a socket tells of the other side. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aurora/socket.h"
#include "tap.h"

static void tcp_pair(int pair[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pair[1] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, len) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) != 0 ||
        connect(pair[1], (struct sockaddr *)&at, len) != 0 ||
        (pair[0] = accept(listener, NULL, NULL)) < 0) {
        printf("Bail out! no loopback\n");
        exit(1);
    }
    close(listener);
}

/* The loopback is quick, but not immediate. */
static int becomes_gone(int fd)
{
    int i;

    for (i = 0; i < 200 && !aur_socket_gone(fd); i++) {
        usleep(5000);
    }
    return aur_socket_gone(fd);
}

static void test_gone(void)
{
    struct linger now = {1, 0};
    int pair[2];

    tcp_pair(pair);
    ok(!aur_socket_gone(pair[0]), "one that is there");
    ok(send(pair[1], "GET", 3, 0) == 3 && !aur_socket_gone(pair[0]), "bytes to be read are no end");
    shutdown(pair[1], SHUT_WR);
    ok(becomes_gone(pair[0]), "one that has closed its half, behind bytes that wait to be read");
    close(pair[1]);
    close(pair[0]);
    tcp_pair(pair);
    setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(pair[1]);
    ok(becomes_gone(pair[0]), "one that has reset the connection");
    close(pair[0]);
    ok(aur_socket_gone(pair[0]), "a descriptor that is closed");
    ok(aur_socket_gone(-1), "no descriptor");
}

static void test_acked(void)
{
    apr_uint64_t before = 0, after = 0;
    char bytes[1000] = {0};
    int pair[2], i;

    tcp_pair(pair);
    ok(aur_socket_acked(pair[0], &before), "a TCP socket counts");
    ok(send(pair[0], bytes, sizeof(bytes), 0) == sizeof(bytes), "a thousand bytes are sent");
    for (i = 0; i < 200 && after < before + sizeof(bytes); i++) {
        aur_socket_acked(pair[0], &after);
        usleep(5000);
    }
    is_int((long long)(after - before), sizeof(bytes), "and taken by the other side's system");
    close(pair[0]);
    close(pair[1]);
    ok(!aur_socket_acked(pair[0], &after), "a closed one tells nothing");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
        ok(!aur_socket_acked(pair[0], &after), "nor does a Unix socket");
        aur_socket_shut(pair[0]);
        ok(send(pair[0], bytes, 1, MSG_NOSIGNAL) < 0, "no more can be sent after a shutdown");
        ok(aur_socket_gone(pair[1]), "which the other side sees");
        close(pair[0]);
        close(pair[1]);
    }
    aur_socket_shut(-1);
}

/* What the other side reads at the end: 0 is an ordinary one. */
static int last_read(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    return n < 0 ? errno : (int)n;
}

static void test_reset(void)
{
    int pair[2];

    tcp_pair(pair);
    aur_socket_shut(pair[0]);
    is_int(last_read(pair[1]), 0, "a shutdown is an ordinary end");
    close(pair[0]);
    close(pair[1]);
    tcp_pair(pair);
    aur_socket_reset(pair[0]);
    is_int(last_read(pair[1]), ECONNRESET, "a reset is none");
    ok(send(pair[0], "x", 1, MSG_NOSIGNAL) < 0, "no more can be sent after it");
    ok(aur_socket_gone(pair[0]), "and the other side counts as gone");
    close(pair[0]);
    close(pair[1]);
    tcp_pair(pair);
    aur_socket_resets(pair[0], 1);
    close(pair[0]);
    is_int(last_read(pair[1]), ECONNRESET, "a close that was to reset does");
    close(pair[1]);
    tcp_pair(pair);
    aur_socket_resets(pair[0], 1);
    aur_socket_resets(pair[0], 0);
    close(pair[0]);
    is_int(last_read(pair[1]), 0, "and one that is not to any more does not");
    close(pair[1]);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
        aur_socket_reset(pair[0]);
        ok(send(pair[0], "x", 1, MSG_NOSIGNAL) < 0, "a Unix socket is shut down at least");
        close(pair[0]);
        close(pair[1]);
    }
    aur_socket_reset(-1);
    aur_socket_resets(-1, 1);
}

int main(void)
{
    test_gone();
    test_acked();
    test_reset();
    return tap_done();
}
