# What is PostgreSQL's own: names in any case and schema, every kind of relation, the planner's figures (as
# row counts and as the gate before a query), and what a session looks like from the database's side.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(encode_utf8);
use POSIX ();
use Test::More;

use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Postgres;
use Aurora::Refusals;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();
my $why = Aurora::Postgres->missing;
plan skip_all => $why if $why;

my $pg  = Aurora::Postgres->new;
my $fdw = $pg->value(q{SELECT 1 FROM pg_available_extensions WHERE name = 'file_fdw'});
$pg->psql(encode_utf8(<<'SQL'));
CREATE SCHEMA sales;
CREATE SCHEMA "Archive 2020";
CREATE SCHEMA hidden;
GRANT USAGE ON SCHEMA sales, "Archive 2020", hidden TO aurora;

CREATE TABLE sales.orders (id integer, customer text, amount numeric(10,2), "Order" text, "user" text);
INSERT INTO sales.orders SELECT i, 'customer ' || i % 100, i / 4.0, 'o' || i, 'u' || i FROM generate_series(1, 20000) i;
CREATE TABLE "Archive 2020"."Orders" ("Id" integer, "select" text, "Größe" numeric, "a.b" text);
INSERT INTO "Archive 2020"."Orders" VALUES (1, 'one', 1.5, 'dotted'), (2, 'two', NULL, NULL);
CREATE TABLE "Archive 2020"."table" ("from" integer);
INSERT INTO "Archive 2020"."table" VALUES (5);
CREATE TABLE hidden.orders (id integer, canary text);
INSERT INTO hidden.orders VALUES (1, 'canary-51c2');

CREATE MATERIALIZED VIEW sales.totals AS SELECT customer, sum(amount) AS total FROM sales.orders GROUP BY customer;
CREATE VIEW sales.large AS SELECT * FROM sales.orders WHERE amount > 4000;
CREATE TABLE sales.by_year (day date NOT NULL, n integer) PARTITION BY RANGE (day);
CREATE TABLE sales.by_year_2023 PARTITION OF sales.by_year FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE sales.by_year_2024 PARTITION OF sales.by_year FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO sales.by_year SELECT date '2023-07-01' + i, i FROM generate_series(0, 364) i;
CREATE TABLE sales.parent (id integer);
CREATE TABLE sales.child (extra text) INHERITS (sales.parent);
INSERT INTO sales.parent VALUES (1);
INSERT INTO sales.child VALUES (2, 'x');
CREATE TABLE sales.never_analyzed (id integer);
CREATE TABLE sales.private (id integer);
REVOKE SELECT ON sales.private FROM aurora;
CREATE TABLE sales.generated (id integer GENERATED ALWAYS AS IDENTITY, net numeric, gross numeric GENERATED ALWAYS AS (net * 1.5) STORED, gone integer);
INSERT INTO sales.generated (net) VALUES (2), (4);
ALTER TABLE sales.generated DROP COLUMN gone;
CREATE TABLE sales.mixed (id integer, t text, q integer);
INSERT INTO sales.mixed VALUES (1, 'Apple', 1), (2, 'apple', 2), (3, '', 2), (4, NULL, NULL);
CREATE TABLE sales.cased (v text COLLATE "C", n integer);
INSERT INTO sales.cased VALUES ('b', 1), ('B', 2), ('a', 3), (NULL, 4), ('', 5);

CREATE VIEW sales.session AS SELECT current_setting('transaction_read_only') AS read_only, current_setting('default_transaction_read_only') AS default_read_only,
 current_setting('transaction_isolation') AS isolation, current_setting('TimeZone') AS zone, current_setting('client_encoding') AS encoding,
 current_setting('DateStyle') AS dates, current_setting('application_name') AS name, pg_backend_pid() AS pid;
CREATE VIEW sales.slow AS SELECT 1 AS id FROM pg_sleep(30);
CREATE SEQUENCE sales.counter;
GRANT ALL ON SEQUENCE sales.counter TO aurora;
CREATE VIEW sales.writes AS SELECT nextval('sales.counter') AS n;
ANALYZE sales.orders, sales.totals, sales.by_year, "Archive 2020"."Orders";
SQL
$pg->psql(q{CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE sales.outside (line text) SERVER files OPTIONS (program 'printf "a\nb\n"', format 'text');}) if $fdw;
$pg->psql(q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'}, dbname => 'postgres');
$pg->psql(encode_utf8(q{SET client_encoding = 'UTF8'; CREATE TABLE "größen" (id integer, "Maß" text); INSERT INTO "größen" VALUES (1, 'Zürich'), (2, 'Genève'); GRANT SELECT ON "größen" TO aurora;}),
    dbname => 'latin');

my ($http, $mpm);

sub rows_of {
    my ($request, %o) = @_;
    my $r = $http->preview({ %$request, shape => 'arrays' }, %o);
    my $answer = Aurora::HTTP::json($r);
    return "$r->{status} $r->{body}" unless $answer && $answer->{data};
    return join ';', map { join ',', map { $_ // 'NULL' } @$_ } @{ $answer->{data} };
}

sub rule { my ($column, $operator, @value) = @_; return { column => $column, operator => $operator, @value ? (value => $value[0]) : () } }
sub where { return (filters => { logic => 'AND', conditions => [@_] }) }
sub by { return (sorting => [ map { { column => $_, direction => 'ASC' } } @_ ]) }

sub refused {
    my ($r, $name, $status, $code, %want) = @_;
    my @bad = Aurora::Refusals::problem_defects($r, status => $status, codes => [$code], sent => delete $want{sent});
    my $problem = Aurora::HTTP::json($r) || {};
    for (sort keys %want) {
        push @bad, "$_ is " . ($problem->{$_} // 'missing') . ", expected $want{$_}" if '' . ($problem->{$_} // '') ne $want{$_};
    }
    return ok(!@bad, $name) || diag(join "\n", @bad, $r->{body});
}

# --- names -------------------------------------------------------------------------------------

sub names {
    my %big = (dataset => 'Archive 2020.Orders', columns => [ 'Id', 'select', 'Größe', 'a.b' ], by('Id'));
    is(rows_of(\%big), '1,one,1.5,dotted;2,two,NULL,NULL', "$mpm: SCHEMA.TABLE with a space, capitals, a word of SQL, a dot, an umlaut");
    is(rows_of({ %big, dataset => 'ARCHIVE 2020.orders', columns => [ 'ID', 'SELECT', 'grÖße' ], by('iD') }), '1,one,1.5;2,two,NULL',
        "$mpm: in another case they are the same");
    is(rows_of({ dataset => 'SALES.ORDERS', columns => [ 'ORDER', 'User', 'SALES.ORDERS.ID', 'Orders.Amount' ], where(rule('sales.orders.id', 'lte', 2)), by('ID') }), 'o1,u1,1,0.25;o2,u2,2,0.50',
        "$mpm: SCHEMA.TABLE.COL, and columns called order and user");
    is(rows_of({ dataset => 'table', columns => ['from'] }), '5', "$mpm: a table called table with a column called from");
    is(rows_of({ dataset => 'totals', columns => ['total'], where(rule('customer', 'eq', 'customer 1')) }), $pg->value(q{SELECT total FROM sales.totals WHERE customer = 'customer 1'}),
        "$mpm: a table of one schema only needs no schema");
    is(rows_of({ dataset => 'sales.orders', columns => [ 'sales.orders.id', 'A.Größe' ], joins => [ { left_dataset => 'sales.orders', right_dataset => 'Archive 2020.Orders', join_type => 'inner', alias => 'A',
        on => [ { left_column => 'id', right_column => 'Id' } ] } ], by('sales.orders.id') }), '1,1.5;2,NULL', "$mpm: a join across schemas");
    refused($http->preview({ dataset => 'hidden.orders' }), "$mpm: a schema that AuroraSchemas leaves out is not there", 404, 'UNKNOWN_DATASET');
    refused($http->preview({ dataset => 'private' }), "$mpm: nor is a table without a grant", 404, 'UNKNOWN_DATASET');
    refused($http->preview({ dataset => 'sales.by_year_2023' }), "$mpm: nor a partition by itself", 404, 'UNKNOWN_DATASET');
    refused($http->preview({ dataset => $_ }), "$mpm: nor $_", 404, 'UNKNOWN_DATASET', sent => [$_]) for qw(pg_class pg_catalog.pg_class information_schema.tables pg_toast.pg_toast_1 counter);
    return;
}

# --- relations and estimates ---------------------------------------------------------------------

sub relations {
    is(rows_of({ dataset => 'sales.by_year', columns => ['c'], aggregations => [ { column => 'n', function => 'count', output_name => 'c' } ] }), '365', "$mpm: a partitioned table is one");
    is(rows_of({ dataset => 'by_year', columns => [ 'day', 'n' ], where(rule('day', 'between', [ '2023-12-31', '2024-01-01' ])), by('day') }), '2023-12-31,183;2024-01-01,184', "$mpm: with the rows of all its partitions");
    is(rows_of({ dataset => 'parent', by('id') }), '1;2', "$mpm: a table that others inherit from has theirs");
    is(rows_of({ dataset => 'child', by('id') }), '2,x', "$mpm: and they have their own");
    is(rows_of({ dataset => 'generated', by('id') }), '1,2,3.0;2,4,6.0', "$mpm: identities and generated columns are columns, dropped ones are not");
    is(rows_of({ dataset => 'large', columns => ['id'], by('id'), limit => 1 }), '16001', "$mpm: a view");
  SKIP: {
        skip 'file_fdw is not installed here (Debian: postgresql-contrib)', 1 unless $fdw;
        $pg->psql('GRANT pg_execute_server_program TO aurora');
        is(rows_of({ dataset => 'outside', by('line') }), 'a;b', "$mpm: a foreign table");
        $pg->psql('REVOKE pg_execute_server_program FROM aurora');
    }
    my %set = map { $_->{name} => $_ } @{ Aurora::HTTP::json($http->api('/api/v1/datasets'))->{datasets} };
    my $shows = sub {
        my ($table, $schema) = @_;
        my ($set) = grep { defined } @set{ $table, "$schema.$table" };
        return $set ? join ' ', $set->{type}, $set->{row_count} // 'null', $set->{column_count} : 'missing: ' . join ' ', sort keys %set;
    };
    is($shows->('by_year', 'sales'), 'TABLE 365 2', "$mpm: the estimate of a partitioned table is its partitions'");
    is($shows->('totals', 'sales'), 'VIEW 100 2', "$mpm: a materialised view has an estimate");
    is($shows->('large', 'sales'), 'VIEW null 5', "$mpm: a view has none");
    is($shows->('never_analyzed', 'sales'), 'TABLE null 1', "$mpm: nor has a table that was never analysed");
    is($shows->('orders', 'sales'), 'TABLE 20000 5', "$mpm: the estimate of a table is the database's own");
    ok(!grep({ /hidden|private|by_year_/ } keys %set), "$mpm: nothing is listed that cannot be asked for");
    my $r = Aurora::HTTP::json($http->api('/api/v1/datasets/sales.orders/columns'));
    is(join(' ', map { "$_->{name}:$_->{data_type}:$_->{base_type}" } @{ $r->{columns} }),
        'id:integer:numeric customer:text:text amount:numeric(10,2):numeric Order:text:text user:text:text', "$mpm: columns with the database's own types");
    return;
}

# --- the contract's rule where PostgreSQL has another -----------------------------------------------

sub by_nature {
    my %mixed = (dataset => 'mixed', columns => ['id'], by('id'));
    is(rows_of({ %mixed, where(rule('t', 'contains', 'apple')) }), '2', "$mpm: letter case counts in contains");
    is(rows_of({ %mixed, where({ %{ rule('t', 'contains', 'APPLE') }, ignore_case => Aurora::JSON::true() }) }), '1;2', "$mpm: unless the rule says otherwise");
    is(rows_of({ %mixed, where(rule('t', 'is_empty')) }), '3;4', "$mpm: is_empty is NULL or zero length, although PostgreSQL tells them apart");
    is(rows_of({ %mixed, where(rule('t', 'is_null')) }), '4', "$mpm: is_null is NULL only");
    is(rows_of({ dataset => 'mixed', columns => ['a'], aggregations => [ { column => 'q', function => 'avg', output_name => 'a' } ] }) =~ s/(\.\d{6})\d*/$1/r, '1.666666',
        "$mpm: an average of integers is no integer");
    my %cased = (dataset => 'cased', columns => ['n']);
    is(rows_of({ %cased, sorting => [ { column => 'v', direction => 'ASC' } ] }), '5;2;3;1;4', "$mpm: NULL comes last in ASC, texts by the database's collation");
    is(rows_of({ %cased, sorting => [ { column => 'v', direction => 'DESC' } ] }), '4;1;3;2;5', "$mpm: NULL comes first in DESC");
    return;
}

# --- the gate --------------------------------------------------------------------------------------

sub gate {
    my ($server) = @_;
    my $gated = Aurora::HTTP->new(port => $server->port, base => '/gated');
    my %orders = (dataset => 'sales.orders', columns => ['id']);
    refused($gated->preview({ %orders, limit => 1 }), "$mpm: a plan of 20000 rows is refused, however small the page", 400, 'QUERY_TOO_LARGE', estimated_rows => 20000, limit => 1000);
    my $some = $gated->preview({ %orders, where(rule('id', 'lte', 500)) });
    is($some->{status}, 200, "$mpm: a plan of some 500 runs") or diag($some->{body});
    my $total = $gated->preview({ %orders, columns => ['n'], aggregations => [ { column => '*', function => 'count', output_name => 'n' } ] });
    is($total->{status}, 200, "$mpm: a total is one row") or diag($total->{body});
    refused($gated->export(\%orders), "$mpm: csv=15000 is for CSV", 400, 'QUERY_TOO_LARGE', estimated_rows => 20000, limit => 15000);
    is($gated->export({ %orders, where(rule('id', 'lte', 10000)) })->{status}, 200, "$mpm: 10000 rows are let through");
    is($http->preview({ %orders, limit => 1 })->{status}, 200, "$mpm: elsewhere the default holds");
    my $estimate = Aurora::HTTP::json($gated->post('/gated/api/v1/query/estimate', \%orders)) || {};
    is('' . ($estimate->{estimated_rows} // 'missing'), '20000', "$mpm: query/estimate gives the planner's figure");
    is(join(' ', map { $estimate->{would_run}{$_}{allowed} ? 'yes' : $estimate->{would_run}{$_}{code} // 'no' } qw(preview csv xlsx)), 'QUERY_TOO_LARGE QUERY_TOO_LARGE QUERY_TOO_LARGE', "$mpm: and what would be refused");
    $estimate = Aurora::HTTP::json($gated->post('/gated/api/v1/query/estimate', { dataset => 'slow' })) || {};
    ok(defined $estimate->{estimated_rows} && $estimate->{would_run}{preview}{allowed}, "$mpm: an estimate runs nothing: a query of 30 seconds is estimated at once");
    return;
}

# --- sessions ----------------------------------------------------------------------------------------

sub sessions {
    my ($server) = @_;
    my %facts = (dataset => 'session', columns => [qw(read_only default_read_only isolation zone encoding dates name)]);
    is(rows_of(\%facts, headers => { 'X-Correlation-ID' => "facts-$mpm", 'X-User' => 'ann' }), qq{on,on,repeatable read,UTC,UTF8,ISO, YMD,aurora:ann:facts-$mpm}, "$mpm: read-only, one snapshot, UTC, UTF-8, ISO dates, the user's name");
    is(rows_of({ %facts, columns => ['name'] }, headers => { 'X-Correlation-ID' => 'second', 'X-User' => 'bob' }), 'aurora:bob:second', "$mpm: the next user's name is the next user's");
    refused($http->preview({ dataset => 'writes' }), "$mpm: not even a view can write", 502, 'DATABASE_ERROR');
    is($pg->value('SELECT last_value || \' \' || is_called FROM sales.counter'), '1 false', "$mpm: and nothing was written");

    my $pid = fork // die $!;
    if (!$pid) {
        Aurora::HTTP->new(port => $server->port, timeout => 60)->preview({ dataset => 'slow' }, headers => { 'X-Correlation-ID' => "slow-$mpm", 'X-User' => 'carla' });
        POSIX::_exit(0);
    }
    my $name = $server->wait_until(sub { ($pg->rows(q{SELECT application_name, state FROM pg_stat_activity WHERE query LIKE '%slow%' AND state = 'active' AND usename = 'aurora'}))[0] });
    is($name && $name->[0], "aurora:carla:slow-$mpm", "$mpm: pg_stat_activity shows who is running what");
    $pg->value(q{SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%slow%' AND usename = 'aurora'});
    waitpid $pid, 0;
    $http->preview(\%facts);
    my $busy = $server->wait_until(sub { !grep { $_->[1] ne 'idle' } $pg->sessions });
    ok($busy, "$mpm: between requests no transaction is open") or diag(join ' ', map { $_->[1] } $pg->sessions);
    my @held = $pg->rows(q{SELECT locktype FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE usename = 'aurora' AND backend_xmin IS NOT NULL});
    is(scalar @held, 0, "$mpm: and no snapshot or lock is held");
    return;
}

sub latin {
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'pgsql', params => $pg->params(dbname => 'latin'));
    $http = $server->http;
    my %sizes = (dataset => 'größen', columns => [ 'id', 'Maß' ], by('id'));
    is(rows_of(\%sizes), '1,Zürich;2,Genève', "$mpm: a LATIN1 database is read as UTF-8, names too");
    is(rows_of({ %sizes, where(rule('Maß', 'eq', 'Genève')) }), '2,Genève', "$mpm: and searched in UTF-8");
    my $r = $http->export(\%sizes);
    is($r->{body}, encode_utf8(qq{id,Maß\r\n1,Zürich\r\n2,Genève\r\n}), "$mpm: and exported in UTF-8");
    $r = $http->preview({ %sizes, where(rule('Maß', 'eq', '東京')) });
    $r->{status} == 200 ? is($r->{body} =~ /"row_count":0/ ? 0 : 1, 0, "$mpm: a text that LATIN1 has no letters for is found nowhere")
        : refused($r, "$mpm: a text that LATIN1 has no letters for is the request's fault", 400, 'BAD_VALUE');
    $server->finish;
    return;
}

for (Aurora::Server->mpms) {
    $mpm = $_;
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'pgsql', params => $pg->params, children => 2,
        conf => qq{AuroraSchemas Sales "archive 2020"}, location => 'AuroraUser "%{HTTP:X-User}"',
        extra => qq{<Location "/gated">\nSetHandler aurora\nRequire all granted\nAuroraExplainThreshold 1000 csv=15000\n</Location>\n});
    $http = $server->http;
    names();
    relations();
    by_nature();
    gate($server);
    sessions($server);
    $server->finish;
    latin();
}
done_testing();
