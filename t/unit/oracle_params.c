/* The Oracle driver's parameter string, and the connect string in it. */
#include "../../dbd/oracle.h"
#include "tap.h"

#include <apr_general.h>
#include <stdlib.h>
#include <unistd.h>

static apr_pool_t *pool;

static void test_good(void)
{
    static const struct {
        const char *text, *user, *pass, *server;
    } cases[] = {
        {"user=scott pass=tiger server=//db/svc", "scott", "tiger", "//db/svc"},
        {"server=//db/svc,pass=tiger,user=scott", "scott", "tiger", "//db/svc"},
        {" ;| server=db ;user=scott|pass=t ", "scott", "t", "db"},
        {"SERVER=db User=a PASS=b", "a", "b", "db"},
        {"server=db", NULL, NULL, "db"},
        {"user=/ server=db", "/", NULL, "db"},
        {"user='a b' pass=\"x y;|,'z\" server='(DESCRIPTION = (ADDRESS=1))'", "a b", "x y;|,'z",
         "(DESCRIPTION = (ADDRESS=1))"},
        {"pass='it''s' server=db", NULL, "it's", "db"},
        {"pass='a\\'b\\\\c' server=db", NULL, "a'b\\c", "db"},
        {"pass=\"q\"\"q\" server=db", NULL, "q\"q", "db"},
        {"pass='' server=db", NULL, "", "db"},
        {"pass= server=db", NULL, "", "db"},
        {"pass=a\\b=c'd server=db", NULL, "a\\b=c'd", "db"},
        {"pass='\xc3\xa9' server=db", NULL, "\xc3\xa9", "db"},
        {"server=db:1521/svc?connect_timeout=3&retry_count=2", NULL, NULL,
         "db:1521/svc?connect_timeout=3&retry_count=2"},
    };
    ora_params_t p;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *problem = ora_params_parse(&p, cases[i].text, pool);
        ok(!problem, "%s is read", cases[i].text);
        is_str(p.user, cases[i].user, "  its user");
        is_str(p.pass, cases[i].pass, "  its password");
        is_str(p.server, cases[i].server, "  its server");
    }
    (void)ora_params_parse(
        &p, "server=db,connect_timeout=7,fetch=123,prefetch=0,libdir=/opt/ic,edition=e1", pool);
    is_int(p.connect_timeout_s, 7, "connect_timeout= is read");
    is_int(p.fetch_rows, 123, "fetch= is read");
    is_int(p.prefetch_rows, 0, "prefetch= is read");
    is_str(p.libdir, "/opt/ic", "libdir= is read");
    is_str(p.edition, "e1", "edition= is read");
    (void)ora_params_parse(&p, "server=db", pool);
    ok(p.fetch_rows >= 100, "a round trip brings 100 rows or more if nothing else is said");
    ok(p.connect_timeout_s > 0, "connecting has a limit if nothing else is said");
}

static void test_bad(void)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "server="},
        {NULL, "server="},
        {"user=a pass=b", "server="},
        {"server=", "server="},
        {"server=db usr=a", "usr="},
        {"server=db password=a", "password="},
        {"server=db pa=a", "pa="},
        {"server=db passs=a", "passs="},
        {"server=db server=db2", "server= is given twice"},
        {"server=db user", "key=value"},
        {"server=db =x", "key=value"},
        {"server=db pass=SECRET word", "key=value"},
        {"server=db pass=a;SECRET=x", "key=value"},
        {"server=db pass='a' srv=x", "srv="},
        {"server=db pass=a user=b srv=x", "srv="},
        {"server=db pass='SECRET", "pass="},
        {"server=db pass='SECRET'x", "pass="},
        {"server=db pass='SECRET\\'", "pass="},
        {"server=db fetch=0", "fetch="},
        {"server=db fetch=10001", "fetch="},
        {"server=db fetch=-1", "fetch="},
        {"server=db fetch=1x", "fetch="},
        {"server=db fetch=", "fetch="},
        {"server=db fetch=99999999999999999999999", "fetch="},
        {"server=db connect_timeout=3601", "connect_timeout="},
        {"server=db pass=SECRET pass_file=/x", "pass_file="},
    };
    ora_params_t p;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *problem = ora_params_parse(&p, cases[i].text, pool);
        ok(problem && strstr(problem, cases[i].says), "'%s' is refused: %s",
           cases[i].text ? cases[i].text : "(null)", problem ? problem : "(it is not)");
        ok(!problem || !strstr(problem, "SECRET"), "  and no password is told");
    }
}

static void test_pass_file(void)
{
    static const struct {
        const char *text;
        size_t len;
        const char *pass, *says;
    } cases[] = {
        {"s3 cret;'\r\nmore\n", 16, "s3 cret;'", NULL},
        {"p\xc3\xa4ss", 5, "p\xc3\xa4ss", NULL},
        {"", 0, NULL, "it is empty"},
        {"\nsecond\n", 8, NULL, "line is empty"},
        {"SECRET\0more\n", 12, NULL, "no text"},
        {"\xff\xfeS\0E\0C\0\n\0", 10, NULL, "no text"},
    };
    char path[] = "/tmp/oracle_params-XXXXXX", longest[1026];
    int fd = mkstemp(path);
    const char *problem;
    ora_params_t p;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(!ftruncate(fd, 0) && pwrite(fd, cases[i].text, cases[i].len, 0) == (ssize_t)cases[i].len,
           "a file of %d bytes", (int)cases[i].len);
        problem = ora_params_parse(&p, apr_psprintf(pool, "server=db pass_file=%s", path), pool);
        ok(!problem, "  is named by pass_file=");
        problem = ora_params_pass_file(&p, pool);
        if (!cases[i].says) {
            ok(!problem, "  is read");
            is_str(p.pass, cases[i].pass, "  its first line is the password");
        }
        else {
            ok(problem && strstr(problem, path) && strstr(problem, cases[i].says),
               "  is refused: %s", problem ? problem : "(it is not)");
            ok(problem && !strstr(problem, "SECRET"), "  and no password is told");
        }
    }
    memset(longest, 'x', sizeof(longest));
    for (i = 1024; i <= 1026; i++) {
        ok(pwrite(fd, longest, i, 0) == (ssize_t)i && !ftruncate(fd, (off_t)i), "a line of %d",
           (int)i);
        problem = ora_params_pass_file(&p, pool);
        ok(!problem == (i == 1024), "  is %s", i == 1024 ? "a password" : "too long for one");
    }
    close(fd);
    unlink(path);
    problem = ora_params_pass_file(&p, pool);
    ok(problem && strstr(problem, path), "a file that is not there is named: %s",
       problem ? problem : "");
    p.pass_file = "/tmp";
    problem = ora_params_pass_file(&p, pool);
    ok(problem && strstr(problem, "/tmp"), "so is a folder: %s", problem ? problem : "");
}

static void test_timeout(void)
{
    static const struct {
        const char *server, *want;
        int plus;
    } cases[] = {
        {"//db:1521/svc", "//db:1521/svc?connect_timeout=5", 1},
        {"//db:1521/svc", "//db:1521/svc", 0},
        {"db/svc", "db/svc?connect_timeout=5", 1},
        {"tcps://db/svc?wallet_location=/w", "tcps://db/svc?wallet_location=/w&connect_timeout=5",
         1},
        {"//db/svc?connect_timeout=9", "//db/svc?connect_timeout=9", 1},
        {"//db/svc?CONNECT_TIMEOUT=9", "//db/svc?CONNECT_TIMEOUT=9", 1},
        {"//db/svc?transport_connect_timeout=9",
         "//db/svc?transport_connect_timeout=9&connect_timeout=5", 1},
        {"sales", "sales", 1},
        {"sales.example.com", "sales.example.com", 1},
        {"(DESCRIPTION=(ADDRESS=(HOST=a)))", "(DESCRIPTION=(CONNECT_TIMEOUT=5)(ADDRESS=(HOST=a)))",
         0},
        {"(description = (ADDRESS=(HOST=a)))",
         "(description =(CONNECT_TIMEOUT=5) (ADDRESS=(HOST=a)))", 0},
        {"(DESCRIPTION=(TRANSPORT_CONNECT_TIMEOUT=3)(ADDRESS=(HOST=a)))",
         "(DESCRIPTION=(CONNECT_TIMEOUT=5)(TRANSPORT_CONNECT_TIMEOUT=3)(ADDRESS=(HOST=a)))", 1},
        {"(DESCRIPTION=(CONNECT_TIMEOUT=3)(ADDRESS=(HOST=a)))",
         "(DESCRIPTION=(CONNECT_TIMEOUT=3)(ADDRESS=(HOST=a)))", 1},
        {"(DESCRIPTION_LIST=(DESCRIPTION=(ADDRESS=1))(DESCRIPTION=(ADDRESS=2)))",
         "(DESCRIPTION_LIST=(DESCRIPTION=(CONNECT_TIMEOUT=5)(ADDRESS=1))"
         "(DESCRIPTION=(CONNECT_TIMEOUT=5)(ADDRESS=2)))",
         1},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_str(ora_server_with_timeout(cases[i].server, 5, cases[i].plus, pool), cases[i].want,
               cases[i].server);
    }
    is_str(ora_server_with_timeout("//db/svc", 0, 1, pool), "//db/svc", "0 seconds: as it is");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_good();
    test_bad();
    test_pass_file();
    test_timeout();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
