# PostgreSQL in trouble: tables that change under the catalogue, grants that go, disks that fill, timeouts of
# the role, sessions ended from outside. Each gives the contract's code, its SQLSTATE in the log beside the
# correlation id, nothing of the inside in the answer, and a connection that the next request can use: the
# child has only one.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Data;
use Aurora::HTTP;
use Aurora::Postgres;
use Aurora::Refusals;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $why = Aurora::Postgres->missing;
plan skip_all => $why if $why;

my $folder = Aurora::Data::folder();
my $pg     = Aurora::Postgres->new;
$pg->psql(<<'SQL');
CREATE TABLE regions (id integer, name text);
INSERT INTO regions SELECT i, 'region ' || i FROM generate_series(1, 5) i;
CREATE TABLE long_table AS SELECT i AS id, md5(i::text) AS code, repeat('text ', 20) AS note FROM generate_series(1, 400000) i;
CREATE VIEW slow_start AS SELECT 1 AS id FROM pg_sleep(30);
-- rows at once, more than a client's buffers hold, then one that takes its time
CREATE VIEW slow_middle AS SELECT id, code, note, CASE WHEN id = 100000 THEN pg_sleep(30)::text END AS late FROM long_table;
-- a division by zero behind 100,000 good rows
CREATE VIEW bad_middle AS SELECT id, code, note, 1 / (100000 - id) AS quotient FROM long_table;
ANALYZE;
SQL

my ($server, $http, $mpm, $n, $mounted);

# The one error line of a correlation id.
sub logged {
    my ($id, $state, $name) = @_;
    my $log = $server->wait_for_log(error => qr/\Q[$id]\E/);
    my @lines = grep { /\Q[$id]\E/ && /:error\]/ } split /\n/, $log;
    is(scalar @lines, 1, "$name: it is logged once, with the correlation id") or diag(grep { /\Q$id\E/ } split /^/, $log);
    return like($lines[0] // '', $state, "$name: and with the database's own code");
}

sub backend { return join ' ', map { $_->[0] } $pg->sessions }

# The next request is answered, by the same child, and over the same connection where that was kept.
sub healthy {
    my ($name, $kept) = @_;
    my $r = $http->preview({ dataset => 'regions' });
    my $answer = Aurora::HTTP::json($r) || {};
    is('' . ($answer->{row_count} // "$r->{status} $r->{body}"), '5', "$name: the next request is answered");
    return is(backend(), $kept, "$name: over the connection that was there") if defined $kept;
    return;
}

# A request that must fail before its first byte, asked for as preview and as CSV.
sub refused {
    my ($name, $request, %want) = @_;
    my $kept = $want{lost} ? undef : backend();
    for my $kind ($want{only} || qw(preview export)) {
        my $id = "fault-$mpm-" . ++$n;
        my $r = $http->$kind($request, headers => { 'X-Correlation-ID' => $id });
        my @bad = Aurora::Refusals::problem_defects($r, status => $want{status}, codes => [ $want{code} ], sent => [ $request->{dataset} ]);
        push @bad, 'Retry-After is ' . ($r->{headers}{'retry-after'} // 'missing') if $want{status} == 503 && ($r->{headers}{'retry-after'} // '') ne '5';
        push @bad, 'the answer is a download' if $r->{headers}{'content-disposition'};
        ok(!@bad, "$name: $kind is refused with $want{code}") or diag(join "\n", @bad, substr $r->{body}, 0, 400);
        logged($id, $want{state}, "$name, $kind");
    }
    return healthy($name, $kept);
}

sub answers {
    my ($name, $request, $want) = @_;
    my $r = $http->preview({ %$request, shape => 'arrays' });
    my $answer = Aurora::HTTP::json($r) || {};
    my $got = $answer->{data} ? join ';', map { join ',', map { $_ // 'NULL' } @$_ } @{ $answer->{data} } : "$r->{status} $r->{body}";
    return is($got, $want, $name);
}

# curl of an export; `harm` runs once bytes have come. The transfer must break.
sub breaks {
    my ($name, $dataset, $state, $harm) = @_;
    my $id   = "fault-$mpm-" . ++$n;
    my $file = "$folder/curl.out";
    unlink $file;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDERR, '>', "$folder/curl.err";
        open STDOUT, '>', "$folder/curl.status";
        exec 'curl', '-sS', '--limit-rate', '20M', '-o', $file, '-w', '%{http_code}', '-H', 'Content-Type: application/json', '-H', "X-Correlation-ID: $id",
            '-d', qq({"dataset":"$dataset"}), $server->url('/api/v1/query/export?format=csv') or POSIX::_exit(127);
    }
    my $until = time + 20 * Aurora::Server::patience();
    sleep 0.01 while (-s $file || 0) < 100_000 && time < $until;
    cmp_ok(-s $file || 0, '>=', 100_000, "$name: the export was under way");
    $harm->() if $harm;
    waitpid $pid, 0;
    is($? >> 8, 18, "$name: curl says the transfer is partial") or diag(Aurora::Server::slurp("$folder/curl.err"));
    is(Aurora::Server::slurp("$folder/curl.status"), '200', "$name: it had begun as a 200");
    unlike(substr(Aurora::Server::slurp($file), -2000), qr/problem|error|terminat|timeout|about:blank|<html/i, "$name: no error text in the body");
    logged($id, $state, $name);
    return healthy($name);
}

sub role_with {
    my ($setting, $code) = @_;
    $pg->psql("ALTER ROLE aurora SET $setting");
    $pg->terminate_backends;
    healthy("$mpm, $setting");
    $code->();
    $pg->psql('ALTER ROLE aurora RESET ALL');
    $pg->terminate_backends;
    return;
}

# --- the catalogue is older than the database --------------------------------------------------

sub changed_tables {
    $pg->psql(<<'SQL');
CREATE TABLE dropped AS SELECT 1 AS id, 'one'::text AS name;
CREATE TABLE altered AS SELECT 7 AS id, 42 AS n;
CREATE TABLE shrunk AS SELECT 1 AS id, 2 AS gone;
CREATE TABLE secret AS SELECT 1 AS id, 'x'::text AS name;
CREATE TABLE partly AS SELECT 1 AS id, 'x'::text AS name;
SQL
    $server->stop;
    start();
    my %equals = (filters => { logic => 'AND', conditions => [ { column => 'n', operator => 'eq', value => 42 } ] });
    # thrice, so that the statements are prepared when the tables change
    for my $time (1 .. 3) {
        answers("$mpm: dropped is there, $time", { dataset => 'dropped' }, '1,one');
        answers("$mpm: altered is there, $time", { dataset => 'altered' }, '7,42');
        answers("$mpm: and can be searched, $time", { dataset => 'altered', %equals }, '7,42');
        answers("$mpm: shrunk is there, $time", { dataset => 'shrunk' }, '1,2');
        answers("$mpm: secret is there, $time", { dataset => 'secret' }, '1,x');
        answers("$mpm: partly is there, $time", { dataset => 'partly' }, '1,x');
    }
    $pg->psql(<<'SQL');
DROP TABLE dropped;
ALTER TABLE altered ALTER n TYPE text;
ALTER TABLE shrunk DROP gone;
REVOKE SELECT ON secret FROM aurora;
REVOKE SELECT ON partly FROM aurora;
GRANT SELECT (id) ON partly TO aurora;
SQL
    refused("$mpm, a dropped table", { dataset => 'dropped' }, status => 502, code => 'DATABASE_ERROR', state => qr/\b42P01\b/);
    answers("$mpm, a changed column type: the statement prepared before shows what it holds now", { dataset => 'altered' }, '7,42');
    refused("$mpm, a changed column type, compared as what it was", { dataset => 'altered', %equals }, status => 502, code => 'DATABASE_ERROR', state => qr/\b42883\b/);
    refused("$mpm, a dropped column", { dataset => 'shrunk' }, status => 502, code => 'DATABASE_ERROR', state => qr/\b42703\b/);
    answers("$mpm, the other columns", { dataset => 'shrunk', columns => ['id'] }, '1');
    refused("$mpm, a revoked grant", { dataset => 'secret' }, status => 502, code => 'DATABASE_ERROR', state => qr/\b42501\b/);
    refused("$mpm, a grant revoked for a column", { dataset => 'partly' }, status => 502, code => 'DATABASE_ERROR', state => qr/\b42501\b/);
    answers("$mpm, the columns that are left", { dataset => 'partly', columns => ['id'] }, '1');
    $pg->psql("GRANT SELECT ON secret TO aurora;\nCREATE TABLE dropped AS SELECT 2 AS id, 'two'::text AS name;");
    answers("$mpm: granted again, it is read again", { dataset => 'secret' }, '1,x');
    answers("$mpm: made again, it is read again", { dataset => 'dropped' }, '2,two');
    $pg->psql('DROP TABLE dropped, altered, shrunk, secret, partly;');
    return;
}

# --- resources ---------------------------------------------------------------------------------

# The server has to sort every row of it, whatever the page.
my %SORTED = (dataset => 'long_table', columns => ['n'], aggregations => [ { column => 'code', function => 'distinct_count', output_name => 'n' } ]);

sub unmount {
    my $place = $mounted or return;
    undef $mounted;
    system('umount', '-l', $place);
    rmdir $place;
    return;
}

END { unmount() }

sub full_disk {
    role_with('work_mem = 64; ALTER ROLE aurora SET temp_file_limit = 1000', sub {
        refused("$mpm, more temporary files than the role may have", \%SORTED, status => 502, code => 'DATABASE_ERROR', state => qr/\b53400\b/);
    });
    my $place = $pg->home . '/tiny';
  SKIP: {
        skip 'a file system of one megabyte can be mounted by root only', 1 if $> != 0;
        mkdir $place;
        skip 'no tmpfs can be mounted here', 1 if system("mount -t tmpfs -o size=1m aurora-test '$place' 2>/dev/null") != 0;
        $mounted = $place;
        eval {
            chown $pg->{account}{uid}, $pg->{account}{gid}, $place;
            $pg->psql("CREATE TABLESPACE tiny LOCATION '$place'");
            $pg->psql('GRANT CREATE ON TABLESPACE tiny TO aurora');
            role_with('work_mem = 64; ALTER ROLE aurora SET temp_tablespaces = tiny', sub {
                refused("$mpm, a full disk on the server", \%SORTED, status => 502, code => 'DATABASE_ERROR', state => qr/\b53100\b/);
            });
            $pg->psql('REVOKE CREATE ON TABLESPACE tiny FROM aurora');
            $pg->psql('DROP TABLESPACE tiny');
            1;
        } or fail("$mpm: $@");
        unmount();
    }
    return;
}

sub statement_timeout {
    role_with("statement_timeout = '400ms'", sub {
        refused("$mpm, statement_timeout of the role", { dataset => 'slow_start' }, status => 504, code => 'QUERY_TIMEOUT', state => qr/\b57014\b/);
        breaks("$mpm, statement_timeout in mid-export", 'slow_middle', qr/\b57014\b/);
    });
    return;
}

# --- sessions that end -------------------------------------------------------------------------

sub ended_sessions {
    healthy("$mpm, before");
    my $before = backend();
    cmp_ok($pg->terminate_backends('idle'), '>=', 1, "$mpm: an idle connection is ended by a DBA");
    my $log = length $server->error_log;
    healthy("$mpm, an idle connection ended");
    isnt(backend(), $before, "$mpm: over a new connection");
    unlike(substr($server->error_log, $log), qr/:error\]/, "$mpm: and nobody notices, the log neither");
    # a server process that cannot get rid of its rows does not tell why it ends
    breaks("$mpm, a connection ended in mid-export", 'long_table', qr/\b57P01\b|libpq: server closed the connection/, sub { $pg->terminate_backends('active') });
    breaks("$mpm, an error in mid-export", 'bad_middle', qr/\b22012\b/);
    return;
}

# While the server is away: 503 at once; back, and all is well.
sub server_away {
    $pg->stop;
    my $id = "fault-$mpm-" . ++$n;
    my $begin = time;
    my $r = $http->preview({ dataset => 'regions' }, headers => { 'X-Correlation-ID' => $id });
    my @bad = Aurora::Refusals::problem_defects($r, status => 503, codes => ['DATABASE_UNAVAILABLE']);
    ok(!@bad, "$mpm, the database is down: 503") or diag(join "\n", @bad, $r->{body});
    is($r->{headers}{'retry-after'}, 5, "$mpm, the database is down: when to try again");
    cmp_ok(time - $begin, '<', 2 * Aurora::Server::patience(), "$mpm, the database is down: said at once");
    like($server->wait_for_log(error => qr/\Q[$id]\E/), qr/\Q[$id]\E DATABASE_UNAVAILABLE/, "$mpm, the database is down: logged");
    $pg->start;
    my $well = $server->wait_until(sub { $http->preview({ dataset => 'regions' })->{status} == 200 }, 15);
    ok($well, "$mpm, the database is back: and so are the answers");
    return;
}

# ------------------------------------------------------------------------------------------------

sub start {
    $server = Aurora::Server->start(mpm => $mpm, driver => 'pgsql', params => $pg->params, children => 1,
        conf => "AuroraPoolMin 0\nAuroraPoolMax 1\nAuroraPoolReserve 0");
    $http = $server->http;
    return $server->wait_until(sub { $http->preview({ dataset => 'regions' })->{status} == 200 });
}

for (Aurora::Server->mpms) {
    $mpm = $_;
    ok(start(), "$mpm: under way");
    changed_tables();
    my @children = $server->children;
    full_disk();
    statement_timeout();
    ended_sessions();
    server_away();
    is(join(' ', $server->children), join(' ', @children), "$mpm: the same child all the time");
    is(join(',', map { $_->[1] } $pg->sessions), 'idle', "$mpm: one session, outside of every transaction");
    $server->finish;
}
done_testing();
