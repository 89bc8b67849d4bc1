# What is Oracle's own, through driver and double: names and their case, synonyms, an empty string that is NULL,
# DATE with a time of day, large objects, plans that leave no row behind, who is shown in V$SESSION, lost
# sessions. The double is PostgreSQL behind Oracle's call interface: the optimizer and Oracle's own SQL parser
# are not what is tested here.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use Encode ();
use Test::More;

use Aurora::Async;
use Aurora::Data;
use Aurora::HTTP;
use Aurora::Metrics;
use Aurora::Oracle;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $build = abs_path($ENV{AURORA_BUILD} || 'build');
my $why   = Aurora::Oracle->missing;
$why ||= 'no Oracle driver: make deps-oracle' unless -e "$build/apr_dbd_oracle.so";
plan skip_all => $why if $why;

my $ora = Aurora::Oracle->new;
# Names as a database may hold them, each a column of one table.
my @names = ('A:1', ':B', "IT'S", '100%', 'A--B', '/*C', 'ROWNUM', 'SELECT', 'LEVEL', 'x' x 63, "\x{e4}\x{20ac}", 'A;B', '$N$1', 'q[x]', '?');
{
    my $n = 0;
    $ora->psql(Encode::encode_utf8('CREATE TABLE "AURORA"."NAMES" (' . join(', ', map {"\"$_\" varchar(10)"} @names) . '); INSERT INTO "AURORA"."NAMES" VALUES (' . join(', ', map { ++$n } @names) . ')'));
}
$ora->psql(<<'SQL');
SET search_path = "AURORA", "SYS", public;
CREATE TABLE "SALES" ("ID" numeric(10) PRIMARY KEY, "REGION" varchar(40), "AMOUNT" numeric, "SOLD" oracle_date, "NOTE" clob);
INSERT INTO "SALES" VALUES (1, 'North', 10.50, '2024-01-01 00:00:00', 'short'), (2, 'north', -0.00734, '2024-01-01 13:30:05', NULL),
    (3, NULL, 12345678901234567890123456789012345678, '2024-02-29 00:00:00', repeat(chr(228) || '"', 100000));
CREATE TABLE "Mixed Case" ("Key" numeric, "OTHER" varchar(10));
INSERT INTO "Mixed Case" VALUES (7, 'seven');
CREATE TABLE "LINES" ("N" numeric);
INSERT INTO "LINES" SELECT n FROM generate_series(1, 1000) n;
CREATE VIEW "NAP" AS SELECT 1::numeric AS "N" FROM pg_sleep(3);
CREATE VIEW "LONG_NAP" AS SELECT 1::numeric AS "N" FROM pg_sleep(30);
CREATE VIEW "HOW" AS SELECT current_setting('transaction_read_only')::varchar(10) AS "READ_ONLY";
INSERT INTO "SYS"."SYNONYMS$" VALUES ('AURORA', 'DEALS', 'AURORA', 'SALES', NULL), ('AURORA', 'FAR', 'AURORA', 'SALES', 'ELSEWHERE');
CREATE TABLE "TOWNS" ("ID" numeric(10) PRIMARY KEY, "NV" "SYS".nvarchar2(40), "NC" "SYS".nchar2(10), "V" varchar(40), "LOCAL" "SYS".timestampltz);
INSERT INTO "TOWNS" VALUES (1, E'\u0141\u00f3d\u017a', E'\u0141\u00f3d\u017a', E'M\u00f6lln', '2024-06-01 10:00:00+00'), (2, E'K\u00f6ln', E'K\u00f6ln', E'\u00bf\u00f3d\u00bf', '2024-06-01 12:00:00+00');
CREATE TYPE "TIMESTAMPS" AS (at timestamp);
CREATE TYPE "INTERVAL_LIST" AS (n numeric);
CREATE TABLE "OBJECTS" ("ID" numeric(10), "AT" "TIMESTAMPS", "LIST" "INTERVAL_LIST", "SPAN" interval);
INSERT INTO "OBJECTS" VALUES (1, NULL, NULL, '1 day');
CREATE TABLE "FLAGS" ("ID" numeric(10) PRIMARY KEY, "FLAG" char(1), "NFLAG" "SYS".nchar2(3), "V" varchar(3));
INSERT INTO "FLAGS" VALUES (1, 'Y', 'Y', 'Y'), (2, ' ', ' ', ' '), (3, NULL, NULL, NULL);
ANALYZE;
SQL

sub rule { my ($column, $operator, @value) = @_; return { logic => 'AND', conditions => [ { column => $column, operator => $operator, @value ? (value => $value[0]) : () } ] } }

my $http;

# The IDs that a rule on SALES finds.
sub finds {
    my ($want, $name, @rule) = @_;
    my $r = $http->preview({ dataset => 'SALES', columns => ['ID'], filters => rule(@rule), sorting => [ { column => 'ID', direction => 'ASC' } ], shape => 'arrays' });
    my $answer = Aurora::HTTP::json($r) || {};
    is(join(' ', map { "$_->[0]" } @{ $answer->{data} || [ ["$r->{status} $r->{body}"] ] }), $want, $name);
}

# What a DBA sees of a statement, what its transaction may do, and what a plan leaves behind: one session for all of it.
sub sessions {
    my ($mpm) = @_;
    my $folder  = Aurora::Data::folder();
    my $catalog = Aurora::Data::catalog_write("$folder/catalog.json", { reports => { plans => { sql => 'SELECT COUNT(*) AS N FROM PLAN_TABLE' } } });
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'oracle', params => $ora->params(libdir => 1), children => 1, catalog => $catalog,
        location => "AuroraUser %{HTTP:X-User}\nAuroraExplainThreshold 900 csv=0", conf => "AuroraPoolMin 1\nAuroraPoolMax 1\nAuroraPoolReserve 0\nAuroraSchemas AURORA");
    my $shown = sub { return join ',', map { $_->[0] // '' } $ora->rows(q{SELECT "CLIENT_IDENTIFIER" || '|' || "MODULE" || '|' || "ACTION" FROM "SYS"."V$SESSION" WHERE "MODULE" = 'aurora'}) };
    $server->wait_until(sub { $server->http->preview({ dataset => 'SALES' })->{status} == 200 });
    my $slow = Aurora::Async->run(sub { $server->http->export({ dataset => 'NAP' }, headers => { 'X-User' => 'ann', 'X-Correlation-ID' => 'who-is-it' }) });
    ok($server->wait_until(sub { $shown->() eq 'ann|aurora|who-is-it' }, 5), "$mpm: V\$SESSION shows who runs a statement, and the request's correlation id") or diag($shown->());
    $slow->wait;
    ok($server->wait_until(sub { $shown->() eq '' }, 5), 'while nobody uses the session it shows nobody') or diag($shown->());
    is(code($server->http->preview({ dataset => 'LINES' }, headers => { 'X-User' => 'ben' })), '400 QUERY_TOO_LARGE', 'nor after a plan alone');
    ok($server->wait_until(sub { $shown->() eq '' }, 5), 'has it shown him') or diag($shown->());
    $slow = Aurora::Async->run(sub { $server->http->export({ dataset => 'LONG_NAP' }, headers => { 'X-User' => 'eve' }) });
    $server->wait_until(sub { $shown->() =~ /^eve/ }, 5);
    $server->http->request('DELETE', "/aurora/api/v1/tasks/$_->{id}", headers => { 'X-User' => 'eve' }) for @{ (Aurora::HTTP::json($server->http->api('/api/v1/tasks', headers => { 'X-User' => 'eve' })) || {})->{tasks} || [] };
    $slow->wait;
    ok($server->wait_until(sub { $shown->() eq '' }, 5), 'nor one whose statement was cancelled') or diag($shown->());
    my $row = sub { my ($r) = @_; my $answer = Aurora::HTTP::json($r) || {}; return join ' ', map { "$_" } @{ ($answer->{data} || [])->[0] || [ $r->{body} ] } };
    is($row->($server->http->preview({ dataset => 'HOW', shape => 'arrays' })), 'on', 'a transaction is read-only');
    is($row->($server->http->get('/aurora/api/v1/reports/plans?shape=arrays')), '0', 'plans leave no row behind');
    $server->finish("$mpm: sessions");
}

# A server of one session, where calls of the client library go wrong.
sub faulty {
    my ($mpm, $fault, %o) = @_;
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'oracle', params => $ora->params(libdir => 1) . ($o{params} || ''), children => 1, env => { AURORA_OCI_FAULT => $fault, %{ $o{env} || {} } },
        location => $o{location} || '', ($o{catalog} ? (catalog => $o{catalog}) : ()), conf => "AuroraPoolMin 1\nAuroraPoolMax " . ($o{max} || 1) . "\nAuroraPoolReserve 0\nAuroraSchemas AURORA\n" . ($o{conf} // ''));
    $server->wait_until(sub { $server->http->api('/api/v1/datasets')->{status} == 200 });
    return $server;
}

sub code { my ($r) = @_; return "$r->{status} " . ((Aurora::HTTP::json($r) || {})->{code} // '') }

# No break reaches the database: the library's own limit of a call ends it, some seconds later.
sub unheard {
    my ($mpm) = @_;
    my $folder = Aurora::Data::folder();
    my $trace  = "$folder/trace";
    open my $made, '>', $trace or die "$trace: $!";
    chmod 0666, $trace;    # written by httpd's children
    my $server = faulty($mpm, 'OCIBreak=deaf', location => 'AuroraQueryTimeout 1s', env => { AURORA_OCI_TRACE => $trace });
    my $traced = sub { open my $in, '<', $trace or return ''; local $/; return scalar <$in> };
    for my $kind (qw(preview export)) {
        my $from = time;
        is(code($server->http->$kind({ dataset => 'LONG_NAP' })), '504 QUERY_TIMEOUT', "$mpm: $kind: a call that hears no break ends, as a timeout");
        cmp_ok(time - $from, '<', 10 * Aurora::Server::patience(), "$kind: without waiting for its rows");
        ok($server->wait_until(sub { $traced->() =~ /OCIBreak\n.*call timeout 5000\n(?!.*OCIBreak)/s }, 5), "$kind: nor does logging off wait long") or diag($traced->());
    }
    like($server->wait_for_log(error => qr/ORA-03136/), qr/QUERY_TIMEOUT.*ORA-03136/, 'the log says what ended it');
    is(code($server->http->preview({ dataset => 'LINES', limit => 1 })), '200 ', 'the next request has a session');
    $server->finish("$mpm: breaks that nobody hears");
}

# A break that blocks in the client library is in the way of its own statement alone. Statements are prepared slowly, so
# that the first break finds no call to break, and what blocks is the one that cuts the connection; a client without call
# timeouts has nothing else that would end the others.
sub blocked_break {
    my ($mpm) = @_;
    my $server = faulty($mpm, 'OCIStmtPrepare2=delay:700,OCIBreak@1=delay:12000', env => { AURORA_OCI_VERSION => 12 }, max => 2, location => "AuroraQueryTimeout 1s\nAuroraExplainThreshold 0 csv=0");
    my $first = Aurora::Async->run(sub { $server->http(timeout => 60)->preview({ dataset => 'LONG_NAP' }) });
    ok($server->wait_until(sub { $ora->value(q{SELECT count(*) FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE state = 'active' AND relation = '"AURORA"."LONG_NAP"'::regclass}) }, 10), "$mpm: a statement whose break will block");
    my $from = time;
    is(code($server->http(timeout => 60)->preview({ dataset => 'LONG_NAP' })), '504 QUERY_TIMEOUT', 'another ends at its limit');
    cmp_ok(time - $from, '<', 8, 'without waiting for that break');
    is(code($first->wait), '504 QUERY_TIMEOUT', 'and the first in the end');
    $server->finish("$mpm: a break that blocks");
}

# Nor does its own worker wait for it: the client's call timeout has ended the call, and the connection is given up.
sub stuck_break {
    my ($mpm) = @_;
    my $server = faulty($mpm, 'OCIBreak@1=delay:15000', max => 2, location => "AuroraQueryTimeout 1s\nAuroraExplainThreshold 0 csv=0");
    my $from = time;
    is(code($server->http(timeout => 60)->preview({ dataset => 'LONG_NAP' })), '504 QUERY_TIMEOUT', "$mpm: a statement whose break is stuck");
    cmp_ok(time - $from, '<', 11, 'the call timeout ends it, and its worker');
    is($server->http->preview({ dataset => 'SALES' })->{status}, 200, 'another connection serves on');
    is(Aurora::Metrics::wait_for($server, 'db_pool_busy_count', 0), 0, 'no connection counts as used');
    $server->finish("$mpm: a break that is stuck");
}

# What runs before a user's statement has limits as well: the driver's own calls, the question how many sessions there are,
# the discovery. As many first calls hang as the pool has connects under way at most; each is given up.
sub bounded {
    my ($mpm) = @_;
    my $folder = Aurora::Data::folder();
    my $trace  = "$folder/trace";
    open my $made, '>', $trace or die "$trace: $!";
    chmod 0666, $trace;
    my $server = faulty($mpm, '', params => ' connect_timeout=7', env => { AURORA_OCI_TRACE => $trace }, conf => 'AuroraPoolTimeout 3s');
    open my $in, '<', $trace or die "$trace: $!";
    my ($limit, %limits) = (0);
    while (my $line = <$in>) {
        $limit = $1 if $line =~ / call timeout (\d+)/;
        $limits{$1} //= $limit if $line =~ /OCIStmtExecute .*?(NLS_DATE|NLS_COMP|v\$parameter|all_tab_columns)/;
        $limits{ping} //= $limit if $line =~ / sql \n/;
    }
    my $discovery = delete $limits{all_tab_columns} // 0;
    is(join(' ', map {"$_=$limits{$_}"} sort keys %limits), 'NLS_COMP=3000 NLS_DATE=7000 ping=7000 v$parameter=5000', "$mpm: what nobody watches has limits");
    ok($discovery > 270_000 && $discovery <= 302_000, "$mpm: the discovery has what is left of its five minutes: $discovery ms");
    $server->finish("$mpm: limits of what nobody watches");

    # each attempt to connect may hang, until there is no thread left for another
    $server = faulty($mpm, join(',', ('OCIStmtExecute@1=hang') x 6), params => ' connect_timeout=1', conf => 'AuroraPoolTimeout 500ms');
    ok($server->wait_until(sub { code($server->http->preview({ dataset => 'LINES', limit => 1 })) eq '200 ' }, 30), 'connects that hang are given up: there is a session in the end') or diag($server->error_log);
    $server->finish("$mpm: connects that hang");
}

# What a plan has left behind when its rollback fails is not for the next one who has the session.
sub plan_stays {
    my ($mpm) = @_;
    # the first is of the sessions' number, the second of the datasets
    my $server = faulty($mpm, 'OCITransRollback@3=ORA:1013', location => "AuroraExplainThreshold 900 csv=0");
    is(code($server->http->preview({ dataset => 'SALES' })), '504 QUERY_TIMEOUT', "$mpm: a plan whose rollback is broken");
    is(code($server->http->export({ dataset => 'SALES', columns => ['ID'] })), '200 ', 'the next request has a transaction of its own');
    like($ora->psql(q{SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'}), qr/^\s*0\s*$/m, 'none is left open');
    $server->finish("$mpm: plans that stay");
}

# Libraries before 18 have no call timeout; keys of parameters are in any case.
sub old_client {
    my ($mpm) = @_;
    my $server = faulty($mpm, '', env => { AURORA_OCI_VERSION => 12 }, params => ' Connect_Timeout=3');
    is(code($server->http->preview({ dataset => 'LINES', limit => 1 })), '200 ', "$mpm: a client library without call timeouts") or diag($server->error_log);
    $server->finish("$mpm: an old client library");
}

# What the database says of a statement, as its caller is told. The first fetch is of the sessions' number, the second of the
# datasets.
sub refusals {
    my ($mpm) = @_;
    for my $case ([ 1460 => '400 BAD_VALUE', qr/cannot hold/ ], [ 1461 => '400 BAD_VALUE', qr/cannot hold/ ], [ 4068 => '502 DATABASE_ERROR', qr/try again/ ], [ 4063 => '502 DATABASE_ERROR', qr/view has errors/ ],
        [ 1722 => '502 DATABASE_ERROR', qr/no number/ ], [ 1426 => '502 DATABASE_ERROR', qr/larger/ ], [ 1841 => '502 DATABASE_ERROR', qr/refused/ ]) {
        my ($ora, $want, $says) = @$case;
        my $server = faulty($mpm, "OCIStmtFetch2\@3=ORA:$ora", location => 'AuroraExplainThreshold 0 csv=0');
        my $r = $server->http->preview({ dataset => 'SALES' });
        is(code($r), $want, "$mpm: ORA-$ora");
        like($r->{body}, $says, 'in words');
        $server->finish("$mpm: ORA-$ora");
    }
}

# Columns, and values, that look like something else in SQL.
sub names {
    my ($mpm) = @_;
    my $server = faulty($mpm, '', location => 'AuroraExplainThreshold 900');
    my $json = $server->http->preview({ dataset => 'NAMES', columns => \@names, shape => 'arrays', filters => { logic => 'AND', conditions => [ map { +{ column => $_, operator => 'neq', value => "';--:1" } } @names ] } });
    my $answer = Aurora::HTTP::json($json) || {};
    is(join(' ', @{ ($answer->{data} || [[]])->[0] || [] }), join(' ', 1 .. @names), "$mpm: names that look like something else") or diag($json->{body}, $server->error_log);
    $server->finish("$mpm: names");
}

# A database whose own character set is not Unicode: NVARCHAR2 and NCHAR are asked in their own, the others as before.
sub national {
    my ($mpm) = @_;
    my $folder  = Aurora::Data::folder();
    my $catalog = Aurora::Data::catalog_write("$folder/catalog.json", { datasets => { OURS => { source => 'AURORA.TOWNS',
        row_filter => { logic => 'AND', conditions => [ { column => 'NV', operator => 'in', value => [ "\x{141}\x{f3}d\x{17a}", "K\x{f6}ln" ] } ] } } } });
    my $server = faulty($mpm, '', env => { AURORA_OCI_CHARSET => 'WE8ISO8859P1' }, catalog => $catalog, location => 'AuroraExplainThreshold 900');
    my $ids = sub { my ($dataset, $filters, %more) = @_;
        my $r = $server->http->preview({ dataset => $dataset, columns => ['ID'], filters => $filters, sorting => [ { column => 'ID', direction => 'ASC' } ], shape => 'arrays', %more });
        my $answer = Aurora::HTTP::json($r) || {};
        return join ' ', map {"$_->[0]"} @{ $answer->{data} || [ ["$r->{status} $r->{body}"] ] } };
    my $lodz = "\x{141}\x{f3}d\x{17a}";
    for my $column (qw(NV NC)) {
        is($ids->('OURS', rule($column, @$_)), '1', "$mpm: $column $_->[0]") for [ eq => $lodz ], [ neq => "K\x{f6}ln" ], [ gt => 'Z' ], [ between => [ "\x{141}", "\x{142}" ] ], [ in => [ $lodz, 'x' ] ],
            [ not_in => [ "K\x{f6}ln" ] ], [ contains => "d\x{17a}" ], [ not_contains => "\x{f6}" ], [ starts_with => "\x{141}" ], [ ends_with => "\x{17a}" ];
        is($ids->('OURS', { logic => 'AND', conditions => [ { column => $column, operator => 'starts_with', value => "\x{142}\x{d3}", ignore_case => Aurora::JSON::true() } ] }), '1', 'in any case');
    }
    is($ids->('OURS', rule('BIGGEST', 'eq', $lodz), columns => [ 'ID', 'BIGGEST' ], group_by => ['ID'], aggregations => [ { column => 'NV', function => 'max', output_name => 'BIGGEST' } ]), '1', 'the largest of a group');
    is($ids->('OURS', rule('V', 'eq', "M\x{f6}lln")), '1', 'VARCHAR2 has what Latin-1 has');
    is($ids->('OURS', rule('V', 'eq', $lodz)), '2', 'and compares in the form that its index has');
    $server->finish("$mpm: a database that is not UTF-8");
}

# Blanks at the end of a CHAR count for nothing; one that has nothing else has a value all the same.
sub blanks {
    my ($mpm) = @_;
    my $server = faulty($mpm, '', location => 'AuroraExplainThreshold 900');
    my $ids = sub {
        my $r = $server->http->preview({ dataset => 'FLAGS', columns => ['ID'], filters => rule(@_), sorting => [ { column => 'ID', direction => 'ASC' } ], shape => 'arrays' });
        my $answer = Aurora::HTTP::json($r) || {};
        return join ' ', map {"$_->[0]"} @{ $answer->{data} || [ ["$r->{status} $r->{body}"] ] } };
    for my $column (qw(FLAG NFLAG V)) {
        my @empty = $column eq 'V' ? ('3', '1 2') : ('2 3', '1');
        for my $case ([ '1', eq => 'Y' ], [ '2', eq => ' ' ], [ '2', neq => 'Y' ], [ '1', neq => ' ' ], [ '2', not_in => ['Y'] ], [ '1 2', in => [ ' ', 'Y' ] ], [ '2', not_contains => 'Y' ], [ '1 2', not_contains => 'Z' ],
            [ '2', lt => 'Y' ], [ '1 2', between => [ ' ', 'Y' ] ], [ '3', 'is_null' ], [ '1 2', 'is_not_null' ], [ $empty[0], 'is_empty' ], [ $empty[1], 'is_not_empty' ], [ '1 2', neq => '' ], [ '1 2', contains => '' ]) {
            my ($want, $operator, @value) = @$case;
            is($ids->($column, $operator, @value), $want, "$mpm: $column $operator " . join '', map { ref $_ ? "[@$_]" : "'$_'" } @value);
        }
    }
    my $least = Aurora::HTTP::json($server->http->preview({ dataset => 'FLAGS', aggregations => [ { column => 'FLAG', function => 'min', output_name => 'LEAST' } ], shape => 'arrays' })) || {};
    is($least->{data}[0][0], ' ', 'a blank is the least');
    $server->finish("$mpm: blanks");
}

# Each way in which a session is lost between two rows; a call that is broken, and one that takes too long.
sub losses {
    my ($mpm) = @_;
    my @lost = (28, 1012, 1033, 1034, 1089, 3113, 3114, 3135, 12153, 12170, 12514, 12541, 12571, 25408);
    # A call that fails is not counted for the faults behind the one that it met: each is the third.
    my $server = faulty($mpm, join(',', map { "OCIStmtFetch2\@3=ORA:$_" } @lost, 1013, 3136), location => 'AuroraExplainThreshold 0 csv=0');
    for my $code (@lost, 1013, 3136) {
        my $r = $server->http->preview({ dataset => 'SALES' });
        is(code($r), $code == 1013 || $code == 3136 ? '504 QUERY_TIMEOUT' : '503 DATABASE_UNAVAILABLE', "$mpm: ORA-$code while rows come");
        like($server->wait_for_log(error => qr/ORA-0*$code\b/), qr/ORA-0*$code\b/, 'is in the log');
    }
    is(code($server->http->preview({ dataset => 'SALES' })), '200 ', 'and the next one is served');
    $server->finish("$mpm: lost sessions");
}

# Plans of fixed tables have no figure. There is none where nothing can be written, for views of tables that the user may
# not read by themselves, and without a PLAN_TABLE.
sub no_figure {
    my ($mpm) = @_;
    my $server = faulty($mpm, '', location => 'AuroraExplainThreshold 900');
    for my $case ([ 'a plan without a figure' => q{UPDATE pg_temp."PLAN_TABLE" SET "CARDINALITY" = NULL} ],
        [ 'a database that is read-only' => q{RAISE EXCEPTION USING ERRCODE = '25006'} ], [ 'a view of what is not granted' => q{RAISE EXCEPTION USING ERRCODE = 'O1039'} ],
        [ 'no place for plans' => q{RAISE EXCEPTION USING ERRCODE = '42P01'} ], [ 'no right to write into it' => q{RAISE EXCEPTION USING ERRCODE = '42501'} ]) {
        my ($name, $then) = @$case;
        $ora->psql(<<"SQL");
ALTER FUNCTION "SYS".oci_explain(text, json) RENAME TO oci_explain_whole;
CREATE FUNCTION "SYS".oci_explain(statement text, doc json) RETURNS integer LANGUAGE plpgsql VOLATILE AS \$\$
DECLARE n integer;
BEGIN
    n := "SYS".oci_explain_whole(statement, doc);
    $then;
    RETURN n;
END \$\$;
SQL
        is(code($server->http->preview({ dataset => 'SALES' })), '200 ', "$mpm: $name: rows are counted") or diag($server->error_log);
        like($server->http->preview({ dataset => 'LINES' })->{body}, qr/QUERY_TOO_LARGE/, 'and what is too large is refused');
        $ora->psql('DROP FUNCTION "SYS".oci_explain(text, json); ALTER FUNCTION "SYS".oci_explain_whole(text, json) RENAME TO oci_explain;');
    }
    $server->finish("$mpm: plans without figures");
}

for my $mpm (Aurora::Server->mpms) {
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'oracle', params => $ora->params . " libdir=$build/oci",
        env => { LD_LIBRARY_PATH => $build }, conf => "AuroraSchemas AURORA\nAuroraExplainThreshold 900");
    $http = $server->http;
    my $answer = Aurora::HTTP::json($http->api('/api/v1/datasets')) || {};
    is(join(' ', map { $_->{name} } @{ $answer->{datasets} || [] }), 'DEALS FLAGS HOW LINES LONG_NAP Mixed Case NAMES NAP OBJECTS SALES TOWNS', "$mpm: tables and the schema's synonyms, but for what lies behind a database link") or diag($server->error_log);
    my $r = $http->preview({ dataset => 'sales', sorting => [ { column => 'id', direction => 'ASC' } ], columns => [qw(ID REGION AMOUNT SOLD)], shape => 'arrays' });
    $answer = Aurora::HTTP::json($r) || {};
    is(join(' ', @{ $answer->{types} || [] }), 'number text number date', 'types') or diag($r->{body});
    is(join('|', map { join ',', map { defined $_ ? "$_" : 'NULL' } @$_ } @{ $answer->{data} || [] }),
        '1,North,10.5,2024-01-01|2,north,-0.00734,2024-01-01T13:30:05|3,NULL,12345678901234567890123456789012345678,2024-02-29', 'every digit; a time of day where there is one');
    finds('1',   'letter case counts',             'REGION', 'eq', 'North');
    finds('1 2', 'in lists',                       'REGION', 'in', [ 'North', 'north' ]);
    finds('1 2', 'everything differs from an empty text', 'REGION', 'neq', '');
    finds('',    'nothing is equal to one',        'REGION', 'eq', '');
    finds('2',   'an empty text in a list excludes nothing', 'REGION', 'not_in', [ '', 'North' ]);
    finds('3',   'is_empty is NULL',               'REGION', 'is_empty');
    finds('1 2', 'contains',                       'REGION', 'contains', 'orth');
    finds('1',   'a day is its midnight',          'SOLD', 'eq', '2024-01-01');
    finds('2',   'a time of day can be asked for', 'SOLD', 'eq', '2024-01-01T13:30:05');
    finds('2 3', 'and compared with',              'SOLD', 'gt', '2024-01-01T13:30:04.5');
    finds('2',   'a negative fraction',            'AMOUNT', 'lt', 0);
    finds('1 2 3', 'less than what no NUMBER is as large as', 'AMOUNT', 'lt', '1e308');
    finds('',      'none is greater',              'AMOUNT', 'gt', '1e308');
    finds('1 3',   'greater than what none is as small as', 'AMOUNT', 'gt', '1e-300');
    finds('2',     'on the other side of zero',    'AMOUNT', 'lt', '-1e-300');
    finds('3',     'thirty-eight digits are one value',          'AMOUNT', 'eq', '12345678901234567890123456789012345678');
    finds('',      'with more behind them they are another',     'AMOUNT', 'eq', '12345678901234567890123456789012345678.0000000001');
    finds('1 2 3', 'which is the greater one',                   'AMOUNT', 'lt', '12345678901234567890123456789012345678.0000000001');
    finds('1',     'zeros behind a number are nothing',          'AMOUNT', 'eq', '10.5' . '0' x 300);
    finds('1 2 3', 'nor are they digits of a large one',         'AMOUNT', 'lt', '1' . '0' x 100);
    finds('1 2 3', "before $_", 'SOLD', 'lt', $_) for '9999-12-31', '9999-12-31T23:59:59';
    is(code($http->preview({ dataset => 'SALES', filters => rule('SOLD', 'gt', $_) })), '400 BAD_VALUE', "$_ is no date that Oracle has") for '10000-01-01', '-4712-12-31';
    finds('1 2 3', 'the first that it has', 'SOLD', 'gt', '-4711-01-01');
    $answer = Aurora::HTTP::json($http->preview({ dataset => 'TOWNS', columns => ['ID'], filters => rule('LOCAL', 'eq', '2024-06-01T14:00:00+02:00'), shape => 'arrays' })) || {};
    is(join(' ', map {"$_->[0]"} @{ $answer->{data} || [] }), '2', 'a moment in a local time zone');
    $answer = Aurora::HTTP::json($http->api('/api/v1/datasets/objects/columns')) || {};
    is(join(' ', map {"$_->{name}:$_->{data_type}"} @{ $answer->{columns} || [] }), 'ID:NUMBER(10) SPAN:INTERVAL DAY(9) TO SECOND(6)', 'objects are left out, however their types are called');
    $answer = Aurora::HTTP::json($http->preview({ dataset => 'mixed case', columns => ['key'], shape => 'arrays' })) || {};
    is("$answer->{data}[0][0]", '7', 'names that are not in capitals');
    $r = $http->preview({ dataset => 'deals', columns => [qw(ID deals.AMOUNT)], filters => rule('REGION', 'eq', 'North'), shape => 'arrays' });
    $answer = Aurora::HTTP::json($r) || {};
    is(join(',', map {"$_"} @{ ($answer->{data} || [ [] ])->[0] }), '1,10.5', 'a synonym is a dataset like its table') or diag($r->{body});
    $r = $http->export({ dataset => 'DEALS', columns => ['ID'], sorting => [ { column => 'ID', direction => 'ASC' } ] });
    is($r->{body}, "ID\r\n1\r\n2\r\n3\r\n", 'in an export as well');
    $r = $http->preview({ dataset => 'DEALS', columns => [ 'DEALS.ID', 'SALES.REGION' ], joins => [ { left_dataset => 'DEALS', right_dataset => 'SALES', join_type => 'inner', on => [ { left_column => 'ID', right_column => 'ID' } ] } ],
        sorting => [ { column => 'DEALS.ID', direction => 'DESC' } ], limit => 1, shape => 'arrays' });
    like($r->{body}, qr/"data":\[\[3,null\]\]/, 'and beside its table in a join');
    $answer = Aurora::HTTP::json($http->preview({ dataset => 'SALES', columns => ['ID'], limit => 1, offset => 1, sorting => [ { column => 'ID', direction => 'DESC' } ] })) || {};
    is("$answer->{data}[0]{ID} of $answer->{total_row_count}", '2 of 3', 'a page of few');

    $r = $http->export({ dataset => 'SALES', columns => ['NOTE'], filters => rule('ID', 'eq', 3) });
    is(length $r->{body}, length("NOTE\r\n") + 100000 * 4 + 2 + 2, 'a large object is whole, its quotes doubled');
    $r = $http->preview({ dataset => 'LINES' });
    like($r->{body}, qr/QUERY_TOO_LARGE/, 'the plan tells what would be too large');
    like($ora->psql(q{SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'}), qr/^\s*0\s*$/m, 'no transaction is left open');

    cmp_ok($ora->terminate_backends, '>=', 1, 'sessions are cut');
    $r = $http->preview({ dataset => 'SALES', columns => ['ID'] });
    is($r->{status}, 200, 'a lost session is replaced unseen') or diag($r->{body});
    unlike($server->error_log, qr/:(?:error|crit|alert|emerg)\]/, 'and no error is logged');
    $server->finish;
    sessions($mpm);
    unheard($mpm);
    if ($mpm eq 'event') {    # children of prefork have one statement each
        blocked_break($mpm);
        stuck_break($mpm);
    }
    bounded($mpm);
    plan_stays($mpm);
    old_client($mpm);
    refusals($mpm);
    names($mpm);
    national($mpm);
    blanks($mpm);
    losses($mpm);
    no_figure($mpm);
}

# Who may not see a table does not see it by another name.
for my $source (qw(SALES DEALS)) {
    my $folder = Aurora::Data::folder();
    my $catalog = Aurora::Data::catalog_write("$folder/rights.json", { datasets => { HIDDEN => { source => "AURORA.$source", roles => ['hr'] } } });
    my $server = Aurora::Server->start(driver => 'oracle', params => $ora->params(libdir => 1), conf => 'AuroraSchemas AURORA', catalog => $catalog, location => 'AuroraRoles %{HTTP:X-Roles}');
    my $sees = sub { my $answer = Aurora::HTTP::json($server->http->api('/api/v1/datasets', headers => { 'X-Roles' => $_[0] })) || {}; return join ' ', map { $_->{name} } @{ $answer->{datasets} || [] } };
    my $others = 'FLAGS HOW LINES LONG_NAP Mixed Case NAMES NAP OBJECTS TOWNS';
    is($sees->('none'), $others, "$source hidden: neither table nor synonym is there") or diag($server->error_log);
    is($sees->('hr'), join(' ', sort 'HIDDEN', split / (?!Case)/, $others), 'who has the role sees the dataset');
    is($server->http->preview({ dataset => $_ })->{status}, 404, "$source hidden: $_ cannot be read") for qw(SALES DEALS AURORA.SALES AURORA.DEALS HIDDEN);
    $server->finish;
}

# Clients before 18 know no call timeout, which is no reason to do without them.
my $server = Aurora::Server->start(driver => 'oracle', params => $ora->params . " libdir=$build/oci",
    env => { LD_LIBRARY_PATH => $build, AURORA_OCI_VERSION => 12 }, conf => 'AuroraSchemas AURORA');
is($server->http->preview({ dataset => 'SALES', columns => ['ID'] })->{status}, 200, 'a client of version 12 serves, too') or diag($server->error_log);
$server->finish;
done_testing();
