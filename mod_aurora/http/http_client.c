/* http_client.c - the client of a request, as the watch sees it: by its socket. A stream of HTTP/2 has none of
 * its own; the one of its connection stands in, and mod_http2 marks the stream itself when it is reset. What
 * such a client takes of the stream is what mod_http2 takes, which holds little of it: the connection's bytes may be
 * all of other streams. */
#include "http/http_private.h"

#include <http_core.h>
#include <http_protocol.h>
#include <apr_portable.h>

#include "aurora/socket.h"

static conn_rec *transport(conn_rec *c)
{
    return c->master ? c->master : c;
}

/* Looked up each time: a stop without grace closes sockets under their workers. */
static int descriptor(conn_rec *c)
{
    apr_socket_t *socket = ap_get_conn_socket(transport(c));
    apr_os_sock_t fd = -1;

    if (!socket || apr_os_sock_get(&fd, socket) != APR_SUCCESS) {
        return -1;
    }
    return fd;
}

static int gone(void *ctx)
{
    conn_rec *c = ((aur_client_t *)ctx)->c;

    return c->aborted || transport(c)->aborted || aur_socket_gone(descriptor(c));
}

static int acked(void *ctx, apr_uint64_t *bytes)
{
    aur_client_t *client = ctx;

    if (client->c->master) {
        *bytes = __atomic_load_n(&client->taken, __ATOMIC_RELAXED);
        return 1;
    }
    return aur_socket_acked(descriptor(client->c), bytes);
}

static void shut(void *ctx)
{
    aur_socket_shut(descriptor(((aur_client_t *)ctx)->c));
}

static void reset(void *ctx)
{
    aur_socket_reset(descriptor(((aur_client_t *)ctx)->c));
}

/* HTTP/1.0 has no chunks. */
int aur_client_counts_on_end(const request_rec *r)
{
    return r->proto_num < HTTP_VERSION(1, 1);
}

void aur_client_end_resets(request_rec *r, int on)
{
    aur_socket_resets(descriptor(r->connection), on);
}

void aur_client_of(aur_task_client_t *client, aur_request_t *x)
{
    x->client.c = x->r->connection;
    client->ctx = &x->client;
    client->gone = gone;
    client->acked = acked;
    client->shut = aur_client_counts_on_end(x->r) ? reset : shut;
    client->shared = x->r->connection->master != NULL;
}
