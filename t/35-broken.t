# What breaks in mid-export must look broken: database pages that rot or go away while rows are on their
# way, clients that leave. The server survives all of it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Data;
use Aurora::JSON;
use Aurora::Refusals;
use Aurora::Server;

Aurora::Server::require_or_skip();

# Far more than socket buffers hold, so that the server is in mid-table while the client waits.
use constant ROWS => 450_000;
use constant PAGE => 4096;

my $folder = Aurora::Data::folder();
my $master = Aurora::Data::sqlite_create("$folder/master.db", more => Aurora::Data::long_table('LONG_TABLE', ROWS));
my $size   = -s $master;

sub fresh {
    my ($name) = @_;
    my $path = "$folder/$name.db";
    open my $in,  '<', $master or die $!;
    open my $out, '>', $path   or die $!;
    my $piece;
    print {$out} $piece while read $in, $piece, 1 << 20;
    close $out or die $!;
    chmod 0644, $path;
    return $path;
}

# Every fourth page of the last half becomes what no page is.
sub corrupt {
    my ($path) = @_;
    open my $file, '+<', $path or die $!;
    binmode $file;
    for (my $page = int($size / PAGE / 2); $page < $size / PAGE; $page += 4) {
        sysseek $file, $page * PAGE, 0;
        syswrite $file, "\xff" x PAGE;
    }
    close $file;
}

# The bytes as they were, as when a volume comes back.
sub restore {
    my ($path) = @_;
    open my $in,  '<',  $master or die $!;
    open my $out, '+<', $path   or die $!;
    my $piece;
    while (read $in, $piece, 1 << 20) {
        syswrite $out, $piece;
    }
}

sub cut { my ($path) = @_; truncate $path, int($size / PAGE / 2) * PAGE or die $! }

# curl of the export at a slow pace; `harm` runs once bytes have come. Returns exit code and what came.
sub curl_while {
    my ($server, $id, $harm, @more) = @_;
    my $file = "$folder/curl.out";
    unlink $file;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDERR, '>', "$folder/curl.err";
        open STDOUT, '>', "$folder/curl.status";
        exec 'curl', '-sS', '--limit-rate', '15M', '-o', $file, '-w', '%{http_code}', '-H', 'Content-Type: application/json', '-H', "X-Correlation-ID: $id",
            '-d', '{"dataset":"LONG_TABLE"}', @more, $server->url('/api/v1/query/export?format=csv') or POSIX::_exit(127);
    }
    my $until = time + 20 * Aurora::Server::patience();
    sleep 0.02 while (-s $file || 0) < 100_000 && time < $until;
    my $came = -s $file || 0;
    $harm->();
    waitpid $pid, 0;
    return { exit => $? >> 8, status => Aurora::Server::slurp("$folder/curl.status"), before => $came, bytes => -s $file || 0,
        err => Aurora::Server::slurp("$folder/curl.err") };
}

sub healthy {
    my ($server, $name) = @_;
    my $r = $server->http->preview({ dataset => 'REGIONS' });
    my $answer = Aurora::HTTP::json($r) || {};
    return is('' . ($answer->{row_count} // "$r->{status} $r->{body}"), '5', $name);
}

sub breaks {
    my ($server, $db, $what, $harm, $id, @more) = @_;
    my @children = $server->children;
    my $got = curl_while($server, $id, $harm, @more);
    cmp_ok($got->{before}, '>=', 100_000, "$what: the export was under way");
    is($got->{status}, '200', "$what: it had begun as a 200");
    is($got->{exit}, 18, "$what: curl says the transfer is partial") or diag($got->{err});
    cmp_ok($got->{bytes}, '>', 100_000, "$what: what was good had been sent");
    my $log = $server->wait_for_log(error => qr/^.*\Q$id\E.*$/m);
    my ($line) = grep { /\Q$id\E/ && /:error\]|:crit\]/ } split /\n/, $log;
    ok(defined $line, "$what: an error line has the correlation id") or diag($log);
    like($line // '', qr/\b(?:11|10|522|266)\b/, "$what: and the database's own code");
    is(scalar(grep { /\Q$id\E/ && /:error\]/ } split /\n/, $log), 1, "$what: it is logged once");
    my %now = map { $_ => 1 } $server->children;
    ok(!grep({ !$now{$_} } @children), "$what: no child died");
}

sub raw_break {
    my ($server, $db, $harm, $what) = @_;
    my $n = 0;
    my $tail = '';
    my $http = $server->http(keep => 1);
    my $r = $http->export({ dataset => 'LONG_TABLE' }, rcvbuf => 65536, sink => sub {
        my ($bytes) = @_;
        my $before = $n;
        $n += length $bytes;
        $tail = substr $tail . $bytes, -400;
        $harm->() if $before < 100_000 && $n >= 100_000;
    });
    is($r->{status}, 200, "$what: begun");
    ok($r->{chunked} && !$r->{complete}, "$what: no final chunk");
    ok(!$r->{kept} && $r->{closed}, "$what: the connection is closed");
    unlike($tail, qr/problem|error|malformed|about:blank|<html/i, "$what: no error text in the body");
}

sub before_first_byte {
    my ($mpm) = @_;
    my $db = fresh("early-$mpm");
    corrupt($db);
    my $server = Aurora::Server->start(mpm => $mpm, db => $db);
    my $http = $server->http;
    # Sorting by what has no index reads every row before the first can leave.
    my %request = (dataset => 'LONG_TABLE', columns => ['ID'], sorting => [ { column => 'AMOUNT', direction => 'ASC' } ]);
    for my $what (qw(preview export)) {
        my $id = "early-$what-$mpm";
        my $r = $http->$what(\%request, headers => { 'X-Correlation-ID' => $id });
        my @bad = Aurora::Refusals::problem_defects($r, status => 502, codes => ['DATABASE_ERROR']);
        ok(!@bad, "$what of a broken table, before the first byte: a 502 that says nothing of the inside") or diag(join "\n", @bad, substr $r->{body}, 0, 400);
        my $log = $server->wait_for_log(error => qr/\Q$id\E/);
        my ($line) = grep { /\Q$id\E/ && /:error\]/ } split /\n/, $log;
        like($line // '', qr/\b11\b/, "$what: the log has id and code") or diag($log);
        like($line // '', qr/SELECT/, "$what: and the statement");
    }
    healthy($server, 'a sound table beside it is served');
    $server->finish("$mpm: a broken database does not bring the server down");
}

# Clients that leave: the only connection has to come back each time.
sub leavers {
    my ($mpm) = @_;
    my $db = fresh("leave-$mpm");
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, children => 1, conf => "AuroraPoolMin 1\nAuroraPoolMax 1");
    my $http = $server->http;
    healthy($server, 'with one connection in the pool');
    my ($child) = $server->children;
    for my $round (1 .. 4) {
        my $r = $http->export({ dataset => 'LONG_TABLE' }, leave_after => 50_000 * $round, rcvbuf => 65536);
        is($r->{status}, 200, "round $round: an export begins");
        my $from = time;
        my $ok = $server->wait_until(sub { $http->preview({ dataset => 'REGIONS' })->{status} == 200 }, 5);
        ok($ok, sprintf 'round %d: the client leaves, the connection is back (after %.2f s)', $round, time - $from);
    }
    my $body = '{"dataset":"LONG_TABLE"}';
    for my $round (1 .. 4) {
        $http->raw_and_leave("POST /aurora/api/v1/query/export?format=csv HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
            . length($body) . "\r\n\r\n$body", reset => $round % 2);
        ok($server->wait_until(sub { $http->preview({ dataset => 'REGIONS' })->{status} == 200 }, 5), "round $round: one that does not wait for an answer");
    }
    my $all = $http->export({ dataset => 'LONG_TABLE' }, sink => sub { });
    ok($all->{complete}, 'an export to the end still works');
    is(join(' ', $server->children), $child, 'in the same child');
    unlike($server->error_log, qr/POOL_EXHAUSTED.*\n.*POOL_EXHAUSTED.*\n.*POOL_EXHAUSTED.*\n.*POOL_EXHAUSTED.*\n.*POOL_EXHAUSTED/, 'and the pool was hardly ever empty');
    $server->finish;
}

# HTTP/1.0 has no chunks: such a client takes an ordinary end of the connection for the end of the file, and so does a
# proxy that speaks it to the server (nginx unless told otherwise). Whatever ends an export early ends it with a reset.
sub without_chunks {
    my ($mpm) = @_;
    my %ends = (
        cancelled     => sub { my ($server) = @_; my ($task) = @{ Aurora::HTTP::json($server->http->api('/api/v1/tasks'))->{tasks} }; $server->http->request('DELETE', "/aurora/api/v1/tasks/$task->{id}") },
        'out of time' => sub { },
        stalled       => sub { },
        killed        => sub { my ($server) = @_; kill KILL => $server->children },
        stopped       => sub { my ($server) = @_; kill TERM => $server->pid },
    );
    my %conf = ('out of time' => "AuroraExportBandwidth 400\nAuroraTaskTimeout 1s", stalled => 'AuroraStallTimeout 1s');
    for my $end (sort keys %ends) {
        my $server = Aurora::Server->start(mpm => $mpm, db => $master, conf => $conf{$end} // 'AuroraExportBandwidth 400');
        my $got = curl_while($server, "plain-$end" =~ tr/ /-/r, sub { $ends{$end}->($server) }, '--http1.0', $end eq 'stalled' ? ('--limit-rate', '100K') : ('--limit-rate', 0));
        ok($got->{before} >= 100_000 && $got->{status} eq '200', "$mpm, HTTP/1.0, $end: the export was under way");
        is($got->{exit}, 56, "$mpm, HTTP/1.0, $end: curl has no whole file of it ($got->{bytes} bytes)") or diag($got->{err});
        $server->finish("$mpm, HTTP/1.0, $end: the server is well") if $end !~ /killed|stopped/;
        $server->stop;
    }
    my $server = Aurora::Server->start(mpm => $mpm, db => $master);
    my $got = curl_while($server, 'plain-whole', sub { }, '--http1.0', '--limit-rate', 0);
    is($got->{exit}, 0, "$mpm, HTTP/1.0: an export that is whole ends as such");
    is($got->{bytes}, length $server->http->export({ dataset => 'LONG_TABLE' })->{body}, 'with all of its bytes');
    $server->finish;
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    for (['corrupted', \&corrupt], ['cut short', \&cut]) {
        my ($what, $harm) = @$_;
        my $name = "$what-$mpm" =~ s/ /-/r;
        my $db = fresh($name);
        my $server = Aurora::Server->start(mpm => $mpm, db => $db);
        breaks($server, $db, "file $what", sub { $harm->($db) }, "id-$name");
        # SQLite refuses a file that is shorter than it says altogether; one with bad pages only there.
        healthy($server, "file $what: a sound table is served afterwards") if $what eq 'corrupted';
        restore($db);
        ok($server->wait_until(sub { $server->http->preview({ dataset => 'REGIONS' })->{status} == 200 }, 15), "file $what: with the file whole again, all is well");
        ok($server->http->export({ dataset => 'LONG_TABLE' }, sink => sub { })->{complete}, "file $what: and the export arrives whole");
        $server->finish("$mpm: the server survives a file $what");

        $db = fresh("$name-raw");
        $server = Aurora::Server->start(mpm => $mpm, db => $db);
        raw_break($server, $db, sub { $harm->($db) }, "file $what, as bytes");
        $server->finish("$mpm: the server survives that, too");
        unlink $db, "$folder/$name.db";
    }
    SKIP: {
        skip 'mod_deflate is not installed', 4 unless Aurora::Server::has_module('deflate') && Aurora::Server::has_module('filter');
        my $db = fresh("deflate-$mpm");
        my $server = Aurora::Server->start(mpm => $mpm, db => $db, modules => [qw(filter deflate)], location => 'SetOutputFilter DEFLATE');
        my $got = curl_while($server, "id-deflate-$mpm", sub { corrupt($db) }, '--compressed', '--limit-rate', '3M');
        is($got->{status}, '200', 'through mod_deflate: begun');
        ok($got->{exit} == 18 || $got->{exit} == 56 || $got->{exit} == 23 || $got->{exit} == 61, "through mod_deflate: curl says it broke (exit $got->{exit})") or diag($got->{err});
        my $raw = $server->http->export({ dataset => 'LONG_TABLE' }, headers => { 'Accept-Encoding' => 'gzip' }, sink => sub { });
        ok($raw->{status} == 200 && !$raw->{complete} || $raw->{status} == 502, 'through mod_deflate: no final chunk');
        healthy($server, 'through mod_deflate: the server is well');
        $server->finish("$mpm: and survives");
    }
    without_chunks($mpm);
    before_first_byte($mpm);
    leavers($mpm);
}
done_testing();
