# Nothing runs on for nobody: statements over their limit, clients that leave at every stage, readers that do not
# read. Each time the statement has to be gone from the database, and the connection back or closed.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::Refusals;
use Aurora::Server;
use Aurora::Slow;

Aurora::Server::require_or_skip();
my $why = Aurora::Slow->missing;
plan skip_all => $why if $why;

my $slow;    # of the database at hand
my $slack = 0.4 + (Aurora::Server::patience() - 1);    # of looking at the database, which takes a psql each time

sub start {
    my (%o) = @_;
    # rows come from Oracle in arrays; one of few rows does not take a second
    my %db = $slow->server;
    $db{params} .= ' fetch=4 prefetch=0' if $slow->kind eq 'oracle';
    my $server = Aurora::Server->start(%db, children => 1, %o);
    $server->wait_until(sub { $server->http->preview({ dataset => 'regions' })->{status} == 200 }, 10);
    return $server;
}

sub code { my ($r) = @_; return (Aurora::HTTP::json($r) || {})->{code} // '' }

sub healthy {
    my ($server, $name) = @_;
    return is($server->http->preview({ dataset => 'regions' })->{status}, 200, "$name: the next request is served");
}

sub over_the_limit {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, location => 'AuroraQueryTimeout 1s', conf => "AuroraPoolMax 2\nAuroraPoolReserve 0");
    for my $kind (qw(preview export)) {
        my $from = time;
        my $r = $server->http->$kind({ dataset => 'sleepy' });
        my $took = time - $from;
        is("$r->{status} " . code($r), '504 QUERY_TIMEOUT', "$kind over its limit");
        cmp_ok($took, '>=', 0.9, "$kind: not before it (" . sprintf('%.2f s', $took) . ')');
        cmp_ok($took, '<', 2 * Aurora::Server::patience(), "$kind: within a second of it");
        cmp_ok($slow->gone_after('sleepy', $from), '<', 2 + $slack, "$kind: and it is gone from the database");
    }
    like($server->wait_for_log(error => qr/QUERY_TIMEOUT/), $slow->kind eq 'oracle' ? qr/QUERY_TIMEOUT.*ORA-01013.*statement: SELECT/ : qr/QUERY_TIMEOUT.*57014.*statement: SELECT/, 'the log has the database\'s word and the statement');
    my $r = $server->http->export({ dataset => 'halting' });
    is($r->{status}, 200, 'a later wait over the limit: begun');
    ok(!$r->{complete}, 'a later wait over the limit: broken off');
    cmp_ok($slow->gone_after('halting'), '<', $slack, 'a later wait over the limit: gone');
    $r = $server->http->export({ dataset => 'drip' }, leave_after => 200_000);
    ok($r->{status} == 200 && $r->{bytes} >= 200_000, 'rows that keep coming are no single wait');
    healthy($server, 'after timeouts');
    $server->finish("$mpm: statements over their limit");
}

sub task_timeout {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, location => "AuroraTaskTimeout 1s");
    my $from = time;
    my $r = $server->http->export({ dataset => 'drip' });
    ok($r->{status} == 200 && !$r->{complete}, 'a task over its limit is broken off though rows come');
    cmp_ok(time - $from, '<', 2 * Aurora::Server::patience(), 'in time');
    cmp_ok($slow->gone_after('drip'), '<', $slack, 'and gone from the database');
    like($server->wait_for_log(error => qr/QUERY_TIMEOUT/), qr/as a whole/, 'the log says which limit it was');
    healthy($server, 'after a task timeout');
    $server->finish("$mpm: tasks over their limit");
}

# The client leaves. How: an orderly close, or a reset.
sub leaves {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, conf => "AuroraPoolMin 1\nAuroraPoolMax 1\nAuroraPoolTimeout 8s");
    my $n = 0;
    for my $kind (qw(preview export?format=csv)) {
        my $s = Aurora::Async->send_only($server, $kind, '{"dataset":"sleepy"}', id => 'leave-' . ++$n);
        ok($slow->until_running('sleepy', 1), "$kind: a sleeping query runs");
        close $s;
        my $took = $slow->gone_after('sleepy', time);
        cmp_ok($took, '<', 1 + $slack, sprintf "%s: its client leaves, it is gone after %.2f s", $kind, $took);
        like($server->wait_for_log(error => qr/leave-$n/), qr/\[leave-$n\] CLIENT_GONE/, "$kind: and logged as that");
        like($server->wait_for_log(access => qr/cid=leave-$n/), qr/cid=leave-$n .*code=499/, "$kind: as a 499");
        healthy($server, $kind);
    }

    # In the middle of a CSV that nobody reads.
    my $s = Aurora::Async->send_only($server, 'export?format=csv', '{"dataset":"long"}', rcvbuf => 65536, id => 'mid-csv');
    sysread $s, my $some, 4096;
    like($some, qr/^HTTP\/1.1 200/, 'mid CSV: it is under way');
    close $s;
    my $took = $slow->gone_after('long', time);
    cmp_ok($took, '<', 1 + $slack, sprintf 'mid CSV: the client leaves, it is gone after %.2f s', $took);
    healthy($server, 'mid CSV');

    # While the database thinks, in mid-export.
    $s = Aurora::Async->send_only($server, 'export?format=csv', '{"dataset":"halting"}', id => 'halt-csv');
    ok($slow->until_running('halting', 1), 'a pause in mid-export');
    sleep 0.3;
    close $s;
    $took = $slow->gone_after('halting', time);
    cmp_ok($took, '<', 1 + $slack, sprintf 'a pause in mid-export: the client leaves, it is gone after %.2f s', $took);
    healthy($server, 'a pause in mid-export');

    # While it waits for the pool; prefork has nobody else who could take the connection.
    if ($mpm ne 'prefork') {
        my $first = Aurora::Async->send_only($server, 'preview', '{"dataset":"nap"}');
        ok($slow->until_running('nap', 1), 'waiting for the pool: the only connection is busy');
        my $second = Aurora::Async->send_only($server, 'preview', '{"dataset":"sleepy"}', id => 'left-the-queue');
        sleep 0.5;
        my $from = time;
        close $second;
        like($server->wait_for_log(error => qr/left-the-queue/, 2), qr/\[left-the-queue\] CLIENT_GONE/, 'waiting for the pool: one that leaves is noticed');
        cmp_ok(time - $from, '<', 1 + $slack, 'waiting for the pool: within a second');
        sysread $first, my $answer, 4096;
        like($answer, qr/^HTTP\/1.1 200/, 'waiting for the pool: the one in front is not harmed');
        is($slow->running('sleepy'), 0, 'waiting for the pool: nothing of it ever reaches the database');
        healthy($server, 'waiting for the pool');
    }
    is($slow->sessions, 1, 'one connection, as configured');
    $server->finish("$mpm: clients that leave");
}

# A stream of HTTP/2 has no socket of its own.
sub http2 {
    my $server = start(mpm => 'event', modules => ['http2'], conf => "Protocols h2c http/1.1\nAuroraPoolMin 1\nAuroraPoolMax 2");
    my @curl = ('curl', '-s', '--http2-prior-knowledge', '-o', '/dev/null', '-H', 'Content-Type: application/json');
    for my $case (['preview', 'sleepy'], ['export?format=csv', 'halting'], ['export?format=csv', 'long']) {
        my ($route, $dataset) = @$case;
        my $pid = fork // die $!;
        if (!$pid) {
            open STDERR, '>', '/dev/null';
            exec @curl, ($dataset eq 'long' ? ('--limit-rate', '100K') : ()), '-d', qq({"dataset":"$dataset"}), $server->url("/api/v1/query/$route") or POSIX::_exit(127);
        }
        ok($slow->until_running($dataset, 1), "HTTP/2, $dataset: it runs");
        sleep 0.3;
        kill KILL => $pid;
        waitpid $pid, 0;
        my $took = $slow->gone_after($dataset, time);
        cmp_ok($took, '<', 1 + $slack, sprintf 'HTTP/2, %s: the client leaves, it is gone after %.2f s', $dataset, $took);
    }
    # One stream gives up, the connection stays: curl's own time limit resets the stream.
    my $from = time;
    system @curl, '--max-time', '1', '-d', '{"dataset":"sleepy"}', $server->url('/api/v1/query/preview');
    cmp_ok($slow->gone_after('sleepy', $from + 1), '<', 1 + $slack, 'HTTP/2: so it is with one that loses patience');
    healthy($server, 'HTTP/2');
    $server->finish('HTTP/2: clients that leave');
}

# --- a stream that nobody reads, on a connection that is busy ---

sub frame { my ($type, $flags, $stream, $payload) = @_; return substr(pack('N', length $payload), 1) . pack('C C N', $type, $flags, $stream) . $payload }

# HPACK without its tables.
sub fields { return join '', map { "\0" . pack('C/a* C/a*', @$_) } @_ }

# An export on stream 1, whose window is never opened again; then a ping every tenth of a second, each answered.
# @return whether the connection came to an end within so many seconds, and how many answers there were
sub stall_stream {
    my ($server, $seconds) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->port) or die $!;
    my $body = '{"dataset":"long"}';
    syswrite $s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, '') . frame(1, 4, 1, fields([ ':method', 'POST' ], [ ':scheme', 'http' ], [ ':authority', 'x' ],
        [ ':path', "$server->{base}/api/v1/query/export?format=csv" ], [ 'content-type', 'application/json' ], [ 'x-correlation-id', 'stalled-stream' ])) . frame(0, 1, 1, $body);
    my ($until, $pongs, $in) = (time + $seconds, 0, '');
    local $SIG{PIPE} = 'IGNORE';
    while (time < $until) {
        syswrite $s, frame(6, 0, 0, 'aurora!!') or return (1, $pongs);
        my $next = time + 0.1;
        while ((my $left = $next - time) > 0) {
            vec(my $ready = '', fileno $s, 1) = 1;
            select($ready, undef, undef, $left) or last;
            sysread $s, $in, 65536, length $in or return (1, $pongs);
            while (length $in >= 9 && length $in >= 9 + unpack 'N', "\0" . substr $in, 0, 3) {
                my $frame = substr $in, 0, 9 + unpack('N', "\0" . substr $in, 0, 3), '';
                my ($type, $flags) = unpack 'x3 C C', $frame;
                $pongs++ if $type == 6 && $flags & 1;
                syswrite $s, frame(4, 1, 0, '') if $type == 4 && !($flags & 1);
            }
        }
    }
    return (0, $pongs);
}

sub stalled_stream {
    my $server = start(mpm => 'event', modules => ['http2'], timeout => 120, conf => 'Protocols h2c http/1.1', location => "AuroraStallTimeout 2s\nAuroraMinDrain 0");
    my $from = time;
    my ($ended, $pongs) = stall_stream($server, 20);
    my $took = time - $from;
    ok($ended, sprintf 'HTTP/2: a stream that stalls loses its export, whatever else its connection does (%.1f s)', $took);
    cmp_ok($pongs, '>', 10, "which was busy: $pongs answers");
    cmp_ok($took, '>', 1.8, 'not before its time');
    like($server->wait_for_log(error => qr/\[stalled-stream\]/, 5), qr/\[stalled-stream\] CLIENT_GONE: The client took no byte for 2 seconds/, 'HTTP/2: and that is why');
    cmp_ok($slow->gone_after('long'), '<', 1 + $slack, 'HTTP/2: the database is free of it');
    healthy($server, 'HTTP/2, a stalled stream');
    $server->finish('HTTP/2: streams that stall');
    return;
}

# Readers that do not read.
sub readers {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, timeout => 120, location => "AuroraStallTimeout 2s\nAuroraMinDrain 0");
    my $s = Aurora::Async->send_only($server, 'export?format=csv', '{"dataset":"long"}', rcvbuf => 4096, id => 'stalled');
    my $from = time;
    my $log = $server->wait_for_log(error => qr/\[stalled\]/, 12);
    my $took = time - $from;
    like($log, qr/\[stalled\] CLIENT_GONE: The client took no byte for 2 seconds/, 'a reader that stalls loses its export');
    cmp_ok($took, '>', 1.8, sprintf 'not before its time (%.1f s)', $took);
    cmp_ok($took, '<', 5 * Aurora::Server::patience(), 'but soon after');
    cmp_ok($slow->gone_after('long'), '<', 1 + $slack, 'the database is free of it');
    my $bytes = 0;
    while (my $n = sysread $s, my $piece, 65536) { $bytes += $n }
    cmp_ok($bytes, '<', 100_000_000, 'what it gets in the end is not the whole');
    close $s;
    healthy($server, 'a stalled reader');
    $server->finish("$mpm: readers that stall");
}

sub trickle {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, timeout => 120, location => "AuroraStallTimeout 300s\nAuroraMinDrain 256");
    my $from = time;
    my $steady = Aurora::Async->run(sub { $server->http(timeout => 200)->export({ dataset => 'long' }, rcvbuf => 8192, rate => 400_000, leave_after => 14_000_000, sink => sub { }) });
    my $s = Aurora::Async->send_only($server, 'export?format=csv', '{"dataset":"long"}', rcvbuf => 4096, id => 'trickle');
    my ($ended, $bytes) = (0, 0);
    while (time - $from < 90) {    # ten bytes a second
        my $n = sysread $s, my $piece, 10;
        $bytes += $n || 0;
        $ended = 1, last if !$n || $server->error_log =~ /\[trickle\]/;
        sleep 1;
    }
    my $took = time - $from;
    ok($ended, sprintf 'a reader of ten bytes a second loses its export, after %.0f s', $took);
    like($server->error_log, qr/\[trickle\] CLIENT_GONE: The client took fewer than 256 bytes a second/, 'because of that');
    cmp_ok($took, '>', 25, 'after the time that the average is taken over');
    close $s;
    my $r = $steady->wait;
    is($r->{error}, 'left', 'a slow but steady one beside it is left alone') or diag(explain({ map { $_ => $r->{$_} } qw(status bytes took error) }));
    cmp_ok($r->{took}, '>', 30, 'for longer than that') or diag("$r->{bytes} bytes");
    $server->finish("$mpm: readers that trickle");
}

for my $kind (Aurora::Slow->kinds) {
    SKIP: {
        $why = Aurora::Slow->missing($kind);
        skip "$kind: $why", 1 if $why;
        $slow = Aurora::Slow->new(kind => $kind);
        for my $mpm (Aurora::Server->mpms) {
            note("$kind under $mpm");
            over_the_limit($mpm);
            task_timeout($mpm);
            leaves($mpm);
            readers($mpm);
        }
        if (Aurora::Server::has_module('http2') && grep { $_ eq 'event' } Aurora::Server->mpms) {
            http2();
            stalled_stream();
        }
        trickle((Aurora::Server->mpms)[0]) if $kind eq 'pgsql';    # a reader's pace, whatever the database
        undef $slow;
    }
}
done_testing();
