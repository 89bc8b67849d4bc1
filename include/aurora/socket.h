/* socket.h - what a client's socket tells without reading from it or writing to it. Thread-safe. */
#ifndef AURORA_SOCKET_H
#define AURORA_SOCKET_H

#include <apr.h>

/** Has the other side hung up, or closed its sending half? Bytes that wait to be read do not hide it. A
 * descriptor that is not open counts as gone. */
int aur_socket_gone(int fd);
/** Bytes that the other side's system has acknowledged since the connection began.
 * @return 0: this kind of socket does not tell */
int aur_socket_acked(int fd, apr_uint64_t *bytes);
/** End both directions: whoever is blocked in a read or write of the socket gets away at once. The
 * descriptor stays open. */
void aur_socket_shut(int fd);
/** The same by a reset, which the other side cannot take for an ordinary end. */
void aur_socket_reset(int fd);
/** From now on whoever closes the socket resets the connection (or no longer), be it the system for a process
 * that was killed. */
void aur_socket_resets(int fd, int on);

#endif
