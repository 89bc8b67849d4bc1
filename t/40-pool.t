# The pool: full, reserved, capped across processes; and a database that is down, hangs in a connect, restarts or
# cuts connections.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Select;
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
my $patience = Aurora::Server::patience();

sub start { return Aurora::Server->start($slow->server, children => 1, @_) }
sub code  { my ($r) = @_; return (Aurora::HTTP::json($r) || {})->{code} // '' }
sub said  { my ($r) = @_; return "$r->{status} " . code($r) }
sub ask   { my ($server, %o) = @_; return $server->http->preview({ dataset => 'regions' }, %o) }

sub ready {
    my ($server) = @_;
    return $server->wait_until(sub { ask($server)->{status} == 200 }, 10);
}

# --- places -----------------------------------------------------------------------------------------

sub full {
    my $server = start(mpm => 'event', conf => "AuroraPoolMax 3\nAuroraPoolReserve 0");
    ready($server);
    my @busy = map { Aurora::Async->send_only($server, 'preview', '{"dataset":"sleepy"}') } 1 .. 3;
    ok($slow->until_running('sleepy', 3), 'three sleeping queries on three connections');
    my $fourth = Aurora::Async->run(sub { ask($server) })->wait;
    is(said($fourth), '503 DATABASE_POOL_EXHAUSTED', 'the fourth request is refused');
    is($fourth->{headers}{'retry-after'}, 5, 'with a time to come back');
    cmp_ok($fourth->{took}, '>=', 1.9, sprintf 'after waiting for a connection (%.2f s)', $fourth->{took});
    cmp_ok($fourth->{took}, '<=', 2.5 * $patience, 'for as long as configured and no longer');
    my @bad = Aurora::Refusals::problem_defects($fourth, status => 503, codes => ['DATABASE_POOL_EXHAUSTED']);
    ok(!@bad, 'as the contract has it') or diag(@bad);
    close $_ for @busy;
    ok($server->wait_until(sub { ask($server)->{status} == 200 }, 2), 'places are free again as soon as the clients have left');
    $server->finish('a full pool');
}

sub reserved {
    my $server = start(mpm => 'event', conf => "AuroraPoolMax 3\nAuroraPoolReserve 1");
    ready($server);
    my @busy = map { Aurora::Async->send_only($server, 'export?format=csv', '{"dataset":"sleepy"}') } 1 .. 2;
    ok($slow->until_running('sleepy', 2), 'two sleeping exports');
    my $third = Aurora::Async->run(sub { $server->http->export({ dataset => 'regions' }) });
    my @previews = map { Aurora::Async->run(sub { ask($server) })->wait } 1 .. 3;
    is(join(' ', map { $_->{status} } @previews), '200 200 200', 'previews find the reserved connection');
    cmp_ok((sort { $b <=> $a } map { $_->{took} } @previews)[0], '<', 1 * $patience, 'at once');
    $third = $third->wait;
    is(said($third), '503 DATABASE_POOL_EXHAUSTED', 'a third export does not');
    cmp_ok($third->{took}, '>=', 1.9, sprintf 'after waiting (%.2f s)', $third->{took});
    cmp_ok($third->{took}, '<=', 2.5 * $patience, 'no longer than configured');
    close $_ for @busy;
    ok($server->wait_until(sub { $server->http->export({ dataset => 'regions' })->{status} == 200 }, 2), 'exports have their places back');
    $server->finish('reserved places');
}

sub minimum_and_idle {
    my $server = start(mpm => 'event', conf => "AuroraPoolMin 2\nAuroraPoolMax 5\nAuroraPoolIdle 1s");
    ok($server->wait_until(sub { $slow->sessions == 2 }, 5), 'the minimum is opened without a request');
    ready($server);
    my @jobs = map { my $n = $_; Aurora::Async->run(sub { $server->http->preview({ dataset => 'nap' }) }) } 1 .. 5;
    ok($slow->until_running('nap', 5), 'five at once have five connections');
    is(join(' ', map { $_->wait->{status} } @jobs), '200 200 200 200 200', 'and are served');
    ok($server->wait_until(sub { $slow->sessions == 2 }, 6), 'idle ones above the minimum are closed');
    is($slow->pg->terminate_backends, 2, 'the minimum is cut');
    is(ask($server)->{status}, 200, 'nobody notices');
    ok($server->wait_until(sub { $slow->sessions >= 2 }, 5), 'the minimum is there again');
    $server->finish('the minimum, and what is above it');
}

sub capped {
    my $server = start(mpm => 'event', children => 3, threads => 8, conf => "AuroraPoolMin 0\nAuroraPoolMax 5\nAuroraDBSessionsMax 4\nAuroraPoolTimeout 8s");
    ready($server);
    like($server->error_log, qr/3 processes x 5 = 15 at most; AuroraDBSessionsMax 4/, 'the sizes are told at the start');
    like($server->error_log, qr/\[aurora:warn\].*more than AuroraDBSessionsMax 4/, 'with a warning where they do not fit');
    my $most = 0;
    for my $round (1 .. 2) {
        my @jobs = map { Aurora::Async->run(sub { my $r; $r = $server->http->preview({ dataset => 'regions' }) for 1 .. 10; $r }) } 1 .. 12;
        for (1 .. 20) {
            my $n = $slow->sessions;
            $most = $n if $n > $most;
        }
        my @bad = grep { $_->{status} != 200 } map { $_->wait } @jobs;
        is(scalar @bad, 0, "round $round: twelve clients on three processes are all served") or diag(map { said($_) . "\n" } @bad);
        if ($round == 1) {
            kill KILL => ($server->children)[0];
            sleep 0.5;
            ready($server);
        }
    }
    cmp_ok($most, '<=', 4, 'with never more sessions than allowed');
    cmp_ok($most, '>=', 2, 'by processes that share them');
    is(scalar(grep { !/exit signal Killed/ } $server->crashes), 0, 'a cap on sessions: only the child that was killed has ended');
    $server->stop;
}

sub sizes {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => 4, conf => 'AuroraPoolMax 7');
    my $n = $mpm eq 'prefork' ? '4 processes x 1 = 4' : '4 processes x 7 = 28';
    ready($server);
    like($server->error_log, qr/\Q$n\E at most; AuroraDBSessionsMax 0 \(no cap\)/, "$mpm: processes x connections are told");
    unlike($server->error_log, qr/\[aurora:warn\]/, "$mpm: without a warning where they fit");
    my $allows = $slow->kind eq 'oracle' ? 100 : 97;
    like($server->wait_for_log(error => qr/allows \d+ sessions/), qr/allows $allows sessions/, "$mpm: and what the database allows");
    my $told = () = $server->error_log =~ /allows \d+ sessions/g;
    is($told, 1, "$mpm: once, not by each child");
    ok($server->graceful, "$mpm: a graceful restart");
    $server->finish("$mpm: sizes");
    $server = start(mpm => $mpm, children => 2, conf => 'AuroraPoolMax 60');
    ready($server);
    if ($mpm eq 'event') {
        like($server->wait_for_log(error => qr/may open \d+/), qr/\[aurora:warn\].*may open 120 sessions where the database allows $allows/, 'a warning where it is too much');
    }
    $server->finish("$mpm: sizes that do not fit");
}

# --- a database that is not there --------------------------------------------------------------------

# Accepts and never says a word, on the database's own port.
sub mute {
    my ($port) = @_;
    my $listen;
    for (1 .. 50) {
        $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 128, ReuseAddr => 1) and last;
        sleep 0.1;
    }
    die "port $port: $!" unless $listen;
    my $pid = fork // die $!;
    if (!$pid) {
        my @kept;
        push @kept, scalar $listen->accept while 1;
    }
    close $listen;
    return $pid;
}

sub unmute { my ($pid) = @_; kill KILL => $pid; waitpid $pid, 0; return }

sub twenty {
    my ($server, $name) = @_;
    my @answers = map { $_->wait } map { Aurora::Async->run(sub { ask($server) }) } 1 .. 20;
    my ($longest) = sort { $b <=> $a } map { $_->{took} } @answers;
    my %said;
    $said{ said($_) }++ for @answers;
    cmp_ok($longest, '<', 2.5 * $patience, sprintf '%s: twenty requests, the longest took %.2f s', $name, $longest);
    is(scalar(grep { !/^503 DATABASE_(?:UNAVAILABLE|POOL_EXHAUSTED)$/ } keys %said), 0, "$name: each is told why") or diag(explain(\%said));
    is(scalar(grep { ($_->{headers}{'retry-after'} // '') ne '5' } @answers), 0, "$name: and when to come back");
    return @answers;
}

sub back {
    my ($server, $name) = @_;
    my $from = time;
    my $r;
    do { $r = ask($server) } until $r->{status} == 200 || time - $from > 20;
    cmp_ok(time - $from, '<', 5 * $patience, sprintf '%s: the database is back and found after %.2f s', $name, time - $from);
    return;
}

sub hanging {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 20 : 2, threads => 16, conf => 'AuroraPoolMax 5');
    ready($server);
    $slow->pg->stop;
    my $mute = mute($slow->pg->port);
    twenty($server, 'a database that hangs');
    my @again = twenty($server, 'and goes on hanging');
    my @first = sort { $a <=> $b } map { $_->{took} } @again;
    cmp_ok($first[ @first / 2 ], '<', 1 * $patience, sprintf 'most are refused at once then (%.2f s)', $first[ @first / 2 ]) if $mpm eq 'event';
    is($server->http->get('/aurora/health')->{status}, 200, 'the server is well');
    my $r = $server->http->get('/aurora/ready');
    is(said($r), '503 DATABASE_UNAVAILABLE', 'but not ready, and says why');
    unmute($mute);
    $slow->pg->start;
    back($server, 'after hanging');
    $server->finish("$mpm: a database that accepts and never answers");
}

sub down_at_start {
    my ($mpm) = @_;
    $slow->pg->stop;
    my $server = start(mpm => $mpm);
    is($server->http->get('/aurora/health')->{status}, 200, 'a server whose database is down starts');
    my $r = $server->http->get('/aurora/ready');
    is(said($r), '503 DATABASE_UNAVAILABLE', 'is not ready');
    like($r->{body}, qr/cannot be reached/, 'and says why');
    my $from = time;
    is(said(ask($server)), '503 DATABASE_UNAVAILABLE', 'requests are refused') for 1 .. 5;
    cmp_ok(time - $from, '<', 2.5 * $patience, 'quickly');
    $slow->pg->start;
    back($server, 'down at the start');
    is($server->http->get('/aurora/ready')->{status}, 200, 'it is ready');
    $slow->pg->restart;
    back($server, 'a restart of the database');
    $server->finish("$mpm: a database that is down");
}

# --- connections that are cut ------------------------------------------------------------------------

sub cut {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, conf => "AuroraPoolMin 1\nAuroraPoolMax 3");
    ready($server);
    for my $round (1 .. 3) {
        cmp_ok($slow->pg->terminate_backends('idle'), '>=', 1, "round $round: idle connections are cut");
        for my $kind (qw(preview export)) {
            is($server->http->$kind({ dataset => 'regions' })->{status}, 200, "round $round: a $kind does not notice");
        }
    }
    my $r = Aurora::Async->run(sub { $server->http->export({ dataset => 'halting' }) });
    ok($slow->until_running('halting', 1), 'an export is under way');
    sleep 0.3;
    $slow->pg->terminate_backends('active');
    $r = $r->wait;
    ok($r->{status} == 200 && !$r->{complete}, 'cut in mid-export: a broken transfer');
    is(ask($server)->{status}, 200, 'and a healthy pool') for 1 .. 3;
    unlike($server->error_log, qr/DATABASE_UNAVAILABLE.*\n.*DATABASE_UNAVAILABLE/, 'one failure, logged once');
    $server->finish("$mpm: connections that are cut");
}

my %here = map { $_ => 1 } Aurora::Server->mpms;
for my $kind (Aurora::Slow->kinds) {
    SKIP: {
        $why = Aurora::Slow->missing($kind);
        skip "$kind: $why", 1 if $why;
        $slow = Aurora::Slow->new(kind => $kind);
        if ($here{event}) {
            full();
            reserved();
            minimum_and_idle();
            capped();
        }
        for my $mpm (Aurora::Server->mpms) {
            note("$kind under $mpm");
            sizes($mpm);
            cut($mpm);
            hanging($mpm);
            down_at_start($mpm);
        }
        undef $slow;
    }
}
done_testing();
