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
use Test::More;

use Aurora::Async;
use Aurora::Data;
use Aurora::HTTP;
use Aurora::Oracle;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $build = abs_path($ENV{AURORA_BUILD} || 'build');
my $why   = Aurora::Oracle->missing;
$why ||= 'no Oracle driver: make deps-oracle' unless -e "$build/apr_dbd_oracle.so";
plan skip_all => $why if $why;

my $ora = Aurora::Oracle->new;
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
CREATE VIEW "HOW" AS SELECT current_setting('transaction_read_only')::varchar(10) AS "READ_ONLY";
INSERT INTO "SYS"."SYNONYMS$" VALUES ('AURORA', 'DEALS', 'AURORA', 'SALES', NULL);
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
        location => 'AuroraUser %{HTTP:X-User}', conf => "AuroraPoolMin 1\nAuroraPoolMax 1\nAuroraPoolReserve 0\nAuroraSchemas AURORA");
    my $shown = sub { return join ',', map { $_->[0] // '' } $ora->rows(q{SELECT "CLIENT_IDENTIFIER" || '|' || "MODULE" || '|' || "ACTION" FROM "SYS"."V$SESSION" WHERE "MODULE" = 'aurora'}) };
    $server->wait_until(sub { $server->http->preview({ dataset => 'LINES' })->{status} == 200 });
    my $slow = Aurora::Async->run(sub { $server->http->export({ dataset => 'NAP' }, headers => { 'X-User' => 'ann', 'X-Correlation-ID' => 'who-is-it' }) });
    ok($server->wait_until(sub { $shown->() eq 'ann|aurora|who-is-it' }, 5), "$mpm: V\$SESSION shows who runs a statement, and the request's correlation id") or diag($shown->());
    $slow->wait;
    my $row = sub { my ($r) = @_; my $answer = Aurora::HTTP::json($r) || {}; return join ' ', map { "$_" } @{ ($answer->{data} || [])->[0] || [ $r->{body} ] } };
    is($row->($server->http->preview({ dataset => 'HOW', shape => 'arrays' })), 'on', 'a transaction is read-only');
    is($row->($server->http->get('/aurora/api/v1/reports/plans?shape=arrays')), '0', 'plans leave no row behind');
    $server->finish("$mpm: sessions");
}

for my $mpm (Aurora::Server->mpms) {
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'oracle', params => $ora->params . " libdir=$build/oci",
        env => { LD_LIBRARY_PATH => $build }, conf => "AuroraSchemas AURORA\nAuroraExplainThreshold 900");
    $http = $server->http;
    my $answer = Aurora::HTTP::json($http->api('/api/v1/datasets')) || {};
    is(join(' ', map { $_->{name} } @{ $answer->{datasets} || [] }), 'DEALS HOW LINES Mixed Case NAP SALES', "$mpm: tables and the schema's synonyms") or diag($server->error_log);
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
}

# Clients before 18 know no call timeout, which is no reason to do without them.
my $server = Aurora::Server->start(driver => 'oracle', params => $ora->params . " libdir=$build/oci",
    env => { LD_LIBRARY_PATH => $build, AURORA_OCI_VERSION => 12 }, conf => 'AuroraSchemas AURORA');
is($server->http->preview({ dataset => 'SALES', columns => ['ID'] })->{status}, 200, 'a client of version 12 serves, too') or diag($server->error_log);
$server->finish;
done_testing();
