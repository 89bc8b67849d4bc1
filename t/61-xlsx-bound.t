# The row limit of workbooks on databases with sessions: exact, and decided on the very rows that are written. Rows that
# others add while they are being counted belong to the next export.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Aurora::Async;
use Aurora::Databases;
use Aurora::HTTP;
use Aurora::Oracle;
use Aurora::Postgres;
use Aurora::Refusals;
use Aurora::Server;

Aurora::Server::require_or_skip();

use constant LIMIT => 50;

# Reading the view takes a second, whether its rows are counted or written.
my $tables = sprintf <<'SQL', LIMIT;
CREATE TABLE "BOUND" ("ID" numeric(10), "KIND" varchar(10));
INSERT INTO "BOUND" SELECT i, 'k' || i %% 7 FROM generate_series(1, %d) i;
CREATE VIEW "SLOW_BOUND" AS SELECT "ID" FROM "BOUND" WHERE CASE WHEN "ID" = 1 THEN pg_sleep(1) IS NOT NULL ELSE true END;
SQL

my %make = (
    pgsql  => sub { my $db = Aurora::Postgres->new; return ($db, '', driver => 'pgsql', params => $db->params) },
    oracle => sub { my $db = Aurora::Oracle->new; return ($db, 'SET search_path = "AURORA";', driver => 'oracle', params => $db->params(libdir => 1)) },
);

# "200 50": the status and the rows of the task's record, or the code of the refusal and its limit.
sub said {
    my ($server, $r) = @_;
    if ($r->{status} != 200) {
        my @bad = Aurora::Refusals::problem_defects($r, status => 400, codes => ['XLSX_TOO_MANY_ROWS']);
        return @bad ? "@bad" : 'refused ' . Aurora::HTTP::json($r)->{limit};
    }
    my $task = Aurora::HTTP::json($server->http->get("/aurora/api/v1/tasks/$r->{headers}{'x-aurora-task'}")) || {};
    return $r->{complete} ? "$task->{state} $task->{rows}" : 'broken';
}

sub bound {
    my ($name) = @_;
    my ($db, $schema, @server) = $make{$name}->();
    $db->psql("$schema\n$tables");
    my $server = Aurora::Server->start(@server, conf => 'AuroraXlsxMaxRows ' . LIMIT . "\nAuroraExplainThreshold 0");
    my $export = sub { my (%request) = @_; return $server->http->export(\%request, query => '?format=xlsx') };
    my %groups = (columns => [qw(KIND ID N)], group_by => [qw(KIND ID)], aggregations => [ { column => '*', function => 'count', output_name => 'N' } ]);
    is(said($server, $export->(dataset => 'BOUND')), 'complete ' . LIMIT, "$name: as many rows as allowed go");
    is(said($server, $export->(dataset => 'BOUND', %groups)), 'complete ' . LIMIT, "$name: as many groups, too");

    my $under_way = Aurora::Async->run(sub { $export->(dataset => 'SLOW_BOUND') });
    my $sleeps = q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'};
    ok($server->wait_until(sub { $db->value($sleeps) }, 20), "$name: rows are being counted");
    $db->psql(qq{$schema INSERT INTO "BOUND" VALUES (@{[LIMIT + 1]}, 'k')});
    is(said($server, $under_way->wait), 'complete ' . LIMIT, "$name: a row that came meanwhile is in neither the count nor the workbook");

    is(said($server, $export->(dataset => 'BOUND')), 'refused ' . LIMIT, "$name: one row more is refused");
    is(said($server, $export->(dataset => 'BOUND', %groups)), 'refused ' . LIMIT, "$name: one group more, too");
    $server->finish("$name: the server survives");
}

for my $name (qw(pgsql oracle)) {
    my $why = Aurora::Databases->missing($name);
    SKIP: {
        skip "$name: $why", 1 if $why;
        bound($name);
    }
}
done_testing();
