/* pg_fetch - how should a large result be read from PostgreSQL?
 *
 *   pg_fetch MODE CONNINFO SQL
 *
 * Runs one statement with one bind ($1, the least id), writes its rows as CSV into a 64 KiB buffer that goes
 * to /dev/null by write(), so that formatting counts, and prints one line:
 *   rows bytes wall_ms client_cpu_ms client_peak_kib server_anon_kib server_cpu_ms client_switches
 * MODE: single          libpq's single-row mode, text
 *       single-binary   the same, binary, numbers and dates formatted here
 *       single-prepared single-row mode on a named prepared statement
 *       single-low:K    single-row mode, waking up for K KiB at a time (SO_RCVLOWAT)
 *       single-buf:K    single-row mode with a receive buffer of K KiB (the kernel's own grows to megabytes,
 *                       and what the server wrote has left the processor's cache when it is read)
 *       chunk:N         libpq 17's rows in chunks of N
 *       fetch:N         DECLARE CURSOR and FETCH N, one at a time
 *       fetch-binary:N  the same, binary
 *       fetch2:N        in pipeline mode with two FETCHes under way (fetch3, fetch4: three, four)
 *       whole           the whole result at once (what not to do)
 *       copy            COPY (...) TO STDOUT of the same rows, passed on: takes no binds, for scale
 */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 65536, INT8 = 20, INT4 = 23, NUMERIC = 1700, DATE = 1082, TIMESTAMP = 1114 };
enum { SAMPLE_ROWS = 1 << 15, DEPTH_MAX = 16 };

static char buffer[BUFFER], *at = buffer;
static unsigned long long rows, bytes;
static int out_fd;
static long server_anon;
static int server_pid;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "pg_fetch: %s: %s\n", what, why);
    exit(1);
}

static void flush(void)
{
    const char *from = buffer;
    while (from < at) {
        ssize_t n = write(out_fd, from, (size_t)(at - from));
        if (n < 0) {
            fail("write", strerror(errno));
        }
        from += n;
        bytes += (unsigned long long)n;
    }
    at = buffer;
}

static char *room(size_t n)
{
    if (n > BUFFER) {
        fail("cell", "too long for this bench");
    }
    if ((size_t)(buffer + BUFFER - at) < n) {
        flush();
    }
    return at;
}

static void put_plain(const char *s, size_t len)
{
    memcpy(room(len), s, len);
    at += len;
}

static void put_text(const char *s, size_t len)
{
    char *to = room(2 * len + 2), *start = to;
    int quote = len == 0;
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (c == '"') {
            *to++ = '"';
            quote = 1;
        }
        else if (c == ',' || c == '\n' || c == '\r') {
            quote = 1;
        }
        *to++ = c;
    }
    if (quote) {
        memmove(start + 1, start, (size_t)(to - start));
        *start = '"';
        to++;
        *to++ = '"';
    }
    at = to;
}

static void put_int(int64_t v)
{
    char digits[24], *d = digits + sizeof(digits);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        *--d = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0) {
        *--d = '-';
    }
    put_plain(d, (size_t)(digits + sizeof(digits) - d));
}

static uint64_t big(const char *s, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        v = v << 8 | (unsigned char)s[i];
    }
    return v;
}

static void put_group(char *to, unsigned v)
{
    to[0] = (char)('0' + v / 1000);
    to[1] = (char)('0' + v / 100 % 10);
    to[2] = (char)('0' + v / 10 % 10);
    to[3] = (char)('0' + v % 10);
}

static void put_numeric(const char *s)
{
    int ndigits = (int)big(s, 2), weight = (int16_t)big(s + 2, 2), scale = (int)big(s + 6, 2);
    unsigned sign = (unsigned)big(s + 4, 2);
    char *to = room((size_t)(4 * (ndigits + (weight > 0 ? weight : 0)) + scale + 16));
    char group[4];
    if (sign == 0x4000) {
        *to++ = '-';
    }
    if (weight < 0) {
        *to++ = '0';
    }
    for (int w = 0; w <= weight; w++) {
        put_group(group, w < ndigits ? (unsigned)big(s + 8 + 2 * w, 2) : 0);
        int skip = 0;
        while (w == 0 && skip < 3 && group[skip] == '0') {
            skip++;
        }
        memcpy(to, group + skip, (size_t)(4 - skip));
        to += 4 - skip;
    }
    if (scale > 0) {
        *to++ = '.';
        for (int w = weight + 1, left = scale; left > 0; w++, left -= 4) {
            put_group(group, w >= 0 && w < ndigits ? (unsigned)big(s + 8 + 2 * w, 2) : 0);
            int n = left < 4 ? left : 4;
            memcpy(to, group, (size_t)n);
            to += n;
        }
    }
    at = to;
}

static char *two(char *to, unsigned v)
{
    to[0] = (char)('0' + v / 10);
    to[1] = (char)('0' + v % 10);
    return to + 2;
}

/* days since 2000-01-01; good for the bench's years only */
static char *put_date(char *to, int64_t days)
{
    int64_t z = days + 730425; /* days since 0000-03-01 */
    int64_t era = z / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1,
             m = mp < 10 ? mp + 3 : mp - 9;
    unsigned y = yoe + (unsigned)era * 400 + (m <= 2);
    put_group(to, y);
    to[4] = '-';
    to = two(to + 5, m);
    *to++ = '-';
    return two(to, d);
}

static void put_timestamp(int64_t us)
{
    int64_t days = us / 86400000000LL, rest = us % 86400000000LL;
    if (rest < 0) {
        rest += 86400000000LL;
        days--;
    }
    char *to = put_date(room(32), days);
    unsigned seconds = (unsigned)(rest / 1000000), micro = (unsigned)(rest % 1000000);
    *to++ = ' ';
    to = two(to, seconds / 3600);
    *to++ = ':';
    to = two(to, seconds / 60 % 60);
    *to++ = ':';
    to = two(to, seconds % 60);
    if (micro) {
        char *dot = to;
        *to++ = '.';
        to = two(to, micro / 10000);
        to = two(to, micro / 100 % 100);
        to = two(to, micro % 100);
        while (to > dot && to[-1] == '0') {
            to--;
        }
    }
    at = to;
}

static void put_cell(const PGresult *r, int row, int col, int binary)
{
    const char *s = PQgetvalue(r, row, col);
    size_t len = (size_t)PQgetlength(r, row, col);
    Oid type = PQftype(r, col);
    if (len == 0 && PQgetisnull(r, row, col)) {
        return;
    }
    switch (type) {
    case INT4:
    case INT8:
    case NUMERIC:
    case DATE:
    case TIMESTAMP:
        if (!binary) {
            put_plain(s, len);
        }
        else if (type == INT4) {
            put_int((int32_t)big(s, 4));
        }
        else if (type == INT8) {
            put_int((int64_t)big(s, 8));
        }
        else if (type == NUMERIC) {
            put_numeric(s);
        }
        else if (type == DATE) {
            at = put_date(room(16), (int32_t)big(s, 4));
        }
        else {
            put_timestamp((int64_t)big(s, 8));
        }
        break;
    default:
        put_text(s, len);
    }
}

static void sample(void)
{
    char path[64], line[256];
    long kib;
    snprintf(path, sizeof(path), "/proc/%d/status", server_pid);
    FILE *f = fopen(path, "r");
    if (!f) {
        return;
    }
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "RssAnon: %ld", &kib) == 1 && kib > server_anon) {
            server_anon = kib;
        }
    }
    fclose(f);
}

/* CPU of the server process so far, in ms */
static double server_cpu(void)
{
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", server_pid);
    FILE *f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                   &system) != 2) {
            user = system = 0;
        }
        fclose(f);
    }
    return (double)(user + system) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static void put_rows(const PGresult *r, int binary)
{
    int n = PQntuples(r), columns = PQnfields(r);
    for (int row = 0; row < n; row++) {
        for (int col = 0; col < columns; col++) {
            if (col) {
                *room(1) = ',';
                at++;
            }
            put_cell(r, row, col, binary);
        }
        put_plain("\r\n", 2);
        if (++rows % SAMPLE_ROWS == 0) {
            sample();
        }
    }
}

static void check(PGconn *c, const PGresult *r, ExecStatusType want)
{
    ExecStatusType is = PQresultStatus(r);
    if (is != want) {
        fail(PQresStatus(is), r ? PQresultErrorMessage(r) : PQerrorMessage(c));
    }
}

static void run(PGconn *c, const char *sql)
{
    PGresult *r = PQexec(c, sql);
    check(c, r, PGRES_COMMAND_OK);
    PQclear(r);
}

static const char *const binds[] = {"0"};

/* Wait for a good piece of the result instead of for each segment, which saves most of the wake-ups; the
 * time limit is for the result's end, where no more comes. */
static void wait_for(PGconn *c, int limit_ms)
{
    struct pollfd poll_for = {.fd = PQsocket(c), .events = POLLIN};
    while (PQisBusy(c)) {
        poll(&poll_for, 1, limit_ms);
        if (!PQconsumeInput(c)) {
            fail("read", PQerrorMessage(c));
        }
    }
}

static int low_water;

static void single(PGconn *c, const char *sql, int binary, int prepared, int chunk)
{
    PGresult *r;
    int ok;
    if (low_water &&
        setsockopt(PQsocket(c), SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(low_water))) {
        fail("SO_RCVLOWAT", strerror(errno));
    }
    if (prepared) {
        r = PQprepare(c, "s", sql, 1, NULL);
        check(c, r, PGRES_COMMAND_OK);
        PQclear(r);
        ok = PQsendQueryPrepared(c, "s", 1, binds, NULL, NULL, binary);
    }
    else {
        ok = PQsendQueryParams(c, sql, 1, NULL, binds, NULL, NULL, binary);
    }
    if (!ok) {
        fail("send", PQerrorMessage(c));
    }
    if (chunk) {
#ifdef LIBPQ_HAS_CHUNK_MODE
        ok = PQsetChunkedRowsMode(c, chunk);
#else
        fail("chunk", "this libpq has no chunked rows mode");
#endif
    }
    else {
        ok = PQsetSingleRowMode(c);
    }
    while (low_water ? (wait_for(c, 1), 1) : 1) {
        if ((r = PQgetResult(c)) == NULL) {
            break;
        }
        ExecStatusType is = PQresultStatus(r);
        if (is == PGRES_FATAL_ERROR) {
            fail("query", PQresultErrorMessage(r));
        }
        put_rows(r, binary);
        PQclear(r);
    }
}

static void declare(PGconn *c, const char *sql)
{
    char *text = malloc(strlen(sql) + 64);
    run(c, "SET LOCAL cursor_tuple_fraction = 1.0");
    sprintf(text, "DECLARE x NO SCROLL CURSOR FOR %s", sql);
    PGresult *r = PQexecParams(c, text, 1, NULL, binds, NULL, NULL, 0);
    check(c, r, PGRES_COMMAND_OK);
    PQclear(r);
    free(text);
}

static void fetch(PGconn *c, const char *sql, int n, int binary)
{
    char text[64];
    int got;
    declare(c, sql);
    snprintf(text, sizeof(text), "FETCH %d FROM x", n);
    do {
        PGresult *r = PQexecParams(c, text, 0, NULL, NULL, NULL, NULL, binary);
        check(c, r, PGRES_TUPLES_OK);
        got = PQntuples(r);
        put_rows(r, binary);
        PQclear(r);
    } while (got == n);
}

static void fetch_send(PGconn *c)
{
    if (!PQsendQueryPrepared(c, "f", 0, NULL, NULL, NULL, 0) || !PQpipelineSync(c) ||
        PQflush(c) < 0) {
        fail("send", PQerrorMessage(c));
    }
}

static void fetch_ahead(PGconn *c, const char *sql, int n, int depth)
{
    char text[64];
    int under_way = 0, more = 1;
    declare(c, sql);
    snprintf(text, sizeof(text), "FETCH %d FROM x", n);
    PGresult *r = PQprepare(c, "f", text, 0, NULL);
    check(c, r, PGRES_COMMAND_OK);
    PQclear(r);
    if (!PQenterPipelineMode(c)) {
        fail("pipeline", PQerrorMessage(c));
    }
    for (; under_way < depth; under_way++) {
        fetch_send(c);
    }
    while (under_way) {
        r = PQgetResult(c);
        check(c, r, PGRES_TUPLES_OK);
        /* the next one is on its way before these rows are formatted */
        more = more && PQntuples(r) == n;
        if (more) {
            fetch_send(c);
            under_way++;
        }
        put_rows(r, 0);
        PQclear(r);
        PQclear(PQgetResult(c)); /* NULL: end of this FETCH */
        r = PQgetResult(c);
        check(c, r, PGRES_PIPELINE_SYNC);
        PQclear(r);
        under_way--;
    }
    PQexitPipelineMode(c);
}

static void whole(PGconn *c, const char *sql)
{
    PGresult *r = PQexecParams(c, sql, 1, NULL, binds, NULL, NULL, 0);
    check(c, r, PGRES_TUPLES_OK);
    put_rows(r, 0);
    PQclear(r);
}

static void copy(PGconn *c, const char *sql)
{
    char *text = malloc(strlen(sql) + 64), *row;
    const char *where = strstr(sql, " WHERE");
    sprintf(text, "COPY (%.*s) TO STDOUT (FORMAT csv)",
            (int)(where ? where - sql : (int)strlen(sql)), sql);
    PGresult *r = PQexec(c, text);
    check(c, r, PGRES_COPY_OUT);
    PQclear(r);
    int len;
    while ((len = PQgetCopyData(c, &row, 0)) > 0) {
        put_plain(row, (size_t)len);
        PQfreemem(row);
        if (++rows % SAMPLE_ROWS == 0) {
            sample();
        }
    }
    free(text);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fail("usage", "pg_fetch MODE CONNINFO SQL");
    }
    const char *mode = argv[1], *colon = strchr(mode, ':');
    int n = colon ? atoi(colon + 1) : 0;
    size_t stem = colon ? (size_t)(colon - mode) : strlen(mode);
#define MODE(name) (stem == sizeof(name) - 1 && !memcmp(mode, name, stem))
    struct rusage before, after;
    out_fd = open("/dev/null", O_WRONLY);
    PGconn *c = PQconnectdb(argv[2]);
    if (PQstatus(c) != CONNECTION_OK) {
        fail("connect", PQerrorMessage(c));
    }
    server_pid = PQbackendPID(c);
    run(c, "BEGIN READ ONLY");
    double start = now_ms(), server_before = server_cpu();
    getrusage(RUSAGE_SELF, &before);
    if (MODE("single")) {
        single(c, argv[3], 0, 0, 0);
    }
    else if (MODE("single-low")) {
        low_water = n * 1024;
        single(c, argv[3], 0, 0, 0);
        low_water = 1;
        setsockopt(PQsocket(c), SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(low_water));
    }
    else if (MODE("single-buf")) {
        int size = n * 1024;
        if (setsockopt(PQsocket(c), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size))) {
            fail("SO_RCVBUF", strerror(errno));
        }
        single(c, argv[3], 0, 0, 0);
    }
    else if (MODE("single-binary")) {
        single(c, argv[3], 1, 0, 0);
    }
    else if (MODE("single-prepared")) {
        single(c, argv[3], 0, 1, 0);
    }
    else if (MODE("chunk")) {
        single(c, argv[3], 0, 0, n);
    }
    else if (MODE("fetch")) {
        fetch(c, argv[3], n, 0);
    }
    else if (MODE("fetch-binary")) {
        fetch(c, argv[3], n, 1);
    }
    else if (MODE("fetch2")) {
        fetch_ahead(c, argv[3], n, 2);
    }
    else if (MODE("fetch3")) {
        fetch_ahead(c, argv[3], n, 3);
    }
    else if (MODE("fetch4")) {
        fetch_ahead(c, argv[3], n, 4);
    }
    else if (MODE("whole")) {
        whole(c, argv[3]);
    }
    else if (MODE("copy")) {
        copy(c, argv[3]);
    }
    else {
        fail("mode", mode);
    }
    flush();
    double wall = now_ms() - start;
    getrusage(RUSAGE_SELF, &after);
    sample();
    double server = server_cpu() - server_before;
    run(c, "ROLLBACK");
    PQfinish(c);
#define MS(t) ((double)(t).tv_sec * 1e3 + (double)(t).tv_usec / 1e3)
    double cpu =
        MS(after.ru_utime) + MS(after.ru_stime) - MS(before.ru_utime) - MS(before.ru_stime);
    printf("%llu %llu %.1f %.1f %ld %ld %.0f %ld\n", rows, bytes, wall, cpu, after.ru_maxrss,
           server_anon, server, after.ru_nvcsw + after.ru_nivcsw);
    return 0;
}
