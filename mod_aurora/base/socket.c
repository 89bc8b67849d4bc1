/* socket.c - see socket.h. The kernel's own header is used: the C library's tcp_info ends before the
 * counters of bytes. */
#include "aurora/socket.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

int aur_socket_gone(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};

    if (fd < 0) {
        return 1;
    }
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

int aur_socket_acked(int fd, apr_uint64_t *bytes)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    memset(&info, 0, sizeof(info));
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        len < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked)) {
        return 0;
    }
    *bytes = info.tcpi_bytes_acked;
    return 1;
}

void aur_socket_shut(int fd)
{
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
}

/* A shutdown would say that all has been sent. To connect to nothing is how Linux takes a connection down
 * while its descriptor stays open. */
void aur_socket_reset(int fd)
{
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};

    if (fd >= 0 && connect(fd, &nothing, sizeof(nothing)) != 0) {
        aur_socket_shut(fd);
    }
}

void aur_socket_resets(int fd, int on)
{
    struct linger at_once = {on, 0};

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
}
