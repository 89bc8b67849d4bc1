#!/usr/bin/perl
# The first of the two commands, as a newcomer uses it: `make run` on a port of its own, then curl; Ctrl-C ends
# it and leaves nothing running. The answers are held against the database itself.

use strict;
use warnings;
use lib 't/lib';

use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Test::More;

use Aurora::Data;
use Aurora::MakeRun qw(free_port make_run wait_for curl);
use Aurora::Server;

Aurora::Server::require_or_skip();
plan skip_all => 'make run starts an httpd without the runtimes that a sanitized module needs' if Aurora::Server::asan();

my $top    = Aurora::Server::repo();
my $folder = File::Temp->newdir('aurora-XXXXXXXX', TMPDIR => 1);
my $db     = "$top/build/demo/aurora.db";

# The sqlite3 shell reads the CSV into a database of its own and holds it against the source. It knows no NULL
# in CSV, so NULL and empty text count as alike here.
sub differences {
    my ($csv) = @_;
    my $copy = "$folder/copy.db";
    unlink $copy;
    system('sqlite3', '-batch', '-init', '/dev/null', $copy, ".import --csv $csv T") == 0 or return 'the shell cannot read it';
    my $have = Aurora::Data::sqlite_rows($copy, 'SELECT count(*) FROM T')->[0][0];
    my $want = Aurora::Data::sqlite_rows($db, 'SELECT count(*) FROM DEB_DEPENDS')->[0][0];
    return "$have rows instead of $want" if $have != $want;
    my @names  = map { $_->[0] } @{ Aurora::Data::sqlite_rows($db, q{SELECT name FROM pragma_table_info('DEB_DEPENDS')}) };
    my $differ = join ' OR ', map { qq{t."$_" <> ifnull(CAST(s."$_" AS TEXT), '')} } @names;
    my $wrong  = Aurora::Data::sqlite_rows($copy,
        "ATTACH '$db' AS demo; SELECT count(*) FROM T t JOIN demo.DEB_DEPENDS s ON s.rowid = t.rowid WHERE $differ")->[0][0];
    return $wrong ? "$wrong rows differ" : '';
}

for my $mpm (Aurora::Server::mpms()) {
    my $port = free_port();
    my $url  = "http://127.0.0.1:$port/aurora";
    unlink "$folder/out.csv";
    my $pid  = make_run("$folder/run.log", "PORT=$port", "MPM=$mpm");
    my $up   = wait_for(120, sub { Aurora::Server::slurp("$folder/run.log") =~ /^Try/m || waitpid($pid, POSIX::WNOHANG()) == $pid });
    ok($up && Aurora::Server::slurp("$folder/run.log") =~ /serves at \Q$url\E/, "$mpm: make run says where it serves")
        or diag(Aurora::Server::slurp("$folder/run.log"));
    my $hints = () = Aurora::Server::slurp("$folder/run.log") =~ /^  curl /mg;
    is($hints, 4, "$mpm: and prints four curl lines");

    my ($datasets) = curl("$url/api/v1/datasets");
    my %rows = map { $_->{name} => $_->{row_count} } @{ (eval { JSON::PP::decode_json($datasets) } || {})->{datasets} || [] };
    is($rows{SALES}, 200_000, "$mpm: the datasets are there, with the database's row counts");
    ok($rows{DEB_DEPENDS}, "$mpm: so are the packages' dependencies");

    my $request = JSON::PP::encode_json({
        dataset => 'SALES', columns => [qw(REGION ORDERS)], group_by => ['REGION'],
        joins => [ { left_dataset => 'SALES', right_dataset => 'REGIONS', join_type => 'inner',
            on => [ { left_column => 'REGION_ID', right_column => 'REGION_ID' } ] } ],
        filters => { logic => 'AND', conditions => [
            { column => 'SOLD_ON', operator => 'between', value => [ '2024-01-01', '2024-12-31' ] },
            { logic => 'OR', conditions => [ { column => 'CHANNEL', operator => 'eq', value => 'web' },
                { column => 'QUANTITY', operator => 'gte', value => 10 } ] } ] },
        aggregations => [ { column => '*', function => 'count', output_name => 'ORDERS' } ],
        sorting => [ { column => 'REGION', direction => 'ASC' } ] });
    my ($preview) = curl('-H', 'Content-Type: application/json', '-d', $request, "$url/api/v1/query/preview");
    my $got = eval { JSON::PP->new->utf8->decode($preview) } || {};
    my $want = Aurora::Data::sqlite_rows($db, q{SELECT r.REGION, count(*) FROM SALES s JOIN REGIONS r USING (REGION_ID)
        WHERE s.SOLD_ON BETWEEN '2024-01-01' AND '2024-12-31' AND (s.CHANNEL = 'web' OR s.QUANTITY >= 10)
        GROUP BY r.REGION ORDER BY r.REGION});
    ok(@$want > 1, 'the question has an answer');
    is_deeply([ map { [ $_->{REGION}, "$_->{ORDERS}" ] } @{ $got->{data} || [] } ], [ map { [ @$_ ] } @$want ],
        "$mpm: a preview with a join, a nested filter and a grouping is right") or diag($preview);

    my ($report) = curl("$url/api/v1/reports/top_customers.csv?n=3&header=0");
    is(scalar(() = $report =~ /\r\n/g), 3, "$mpm: a report of the demo is a link") or diag($report);

    my (undef, $status) = curl('-H', 'Content-Type: application/json', '-d', '{"dataset":"DEB_DEPENDS"}',
        '-o', "$folder/out.csv", "$url/api/v1/query/export?format=csv&names=database");
    is($status, 0, "$mpm: the largest table comes as CSV");
    is(differences("$folder/out.csv"), '', "$mpm: as another program reads it, row for row what the database has");

    kill INT => -$pid;
    ok(wait_for(20, sub { waitpid($pid, POSIX::WNOHANG()) != 0 }), "$mpm: Ctrl-C ends it");
    ok(wait_for(20, sub { !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) }),
        "$mpm: and nothing serves any more");
    kill KILL => -$pid;
}

done_testing();
