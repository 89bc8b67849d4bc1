# The end of a child: a graceful one waits for what runs, a plain one cancels it in the database. Nothing of a
# child stays behind: no statement, no session, no process.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::Server;
use Aurora::Slow;

Aurora::Server::require_or_skip();
my $why = Aurora::Slow->missing;
plan skip_all => $why if $why;

my $shim = Aurora::Server::build() . '/t/fault/stop.so';
BAIL_OUT("$shim does not exist: run make faults first") unless -f $shim;

my $slow = Aurora::Slow->new;
$slow->pg->psql('CREATE VIEW brief AS SELECT 1 AS id FROM pg_sleep(0.3)');
my $patience = Aurora::Server::patience();
my $rows = 3_000_000;

sub start {
    my $server = Aurora::Server->start(driver => 'pgsql', params => $slow->params, timeout => 60, @_);
    $server->wait_until(sub { $server->http->preview({ dataset => 'regions' })->{status} == 200 }, 10);
    return $server;
}

# An export that takes some seconds, for its reader's sake.
sub export {
    my ($server) = @_;
    my ($lines, $last) = (0, '');
    return Aurora::Async->run(sub {
        my $r = $server->http(timeout => 120)->export({ dataset => 'long' }, rcvbuf => 262144, rate => 120_000_000,
            sink => sub { $lines += $_[0] =~ tr/\n//; $last = substr $last . $_[0], -200 });
        return { status => $r->{status}, complete => $r->{complete}, lines => $lines, last => $last };
    });
}

sub whole {
    my ($job, $name) = @_;
    my $r = $job->wait;
    ok($r->{status} == 200 && $r->{complete}, "$name: the export arrives whole");
    is($r->{lines}, $rows + 1, "$name: with all of its rows");
    like($r->{last} // '', qr/\r\n$rows,(?:long text ){10}\r\n\z/, "$name: to the last one");
    return;
}

sub none_left {
    my ($server, $name) = @_;
    ok($server->wait_until(sub { $slow->sessions == 0 }, 3), "$name: no session is left in the database");
    return;
}

sub graceful {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => 2);
    my $job = export($server);
    ok($slow->until_running('long', 1), 'an export is under way');
    my %old = map { $_ => 1 } $server->children;
    ok($server->graceful, 'a graceful restart');
    is($server->http->preview({ dataset => 'regions' })->{status}, 200, 'the new generation serves');
    whole($job, 'a graceful restart');
    ok($server->wait_until(sub { !grep { $old{$_} } $server->children }, 10), 'the old children end then');
    is($server->http->preview({ dataset => 'regions' })->{status}, 200, 'and the new ones serve on');

    $job = export($server);
    ok($slow->until_running('long', 1), 'another export is under way');
    kill WINCH => $server->pid;
    sleep 0.5;
    whole($job, 'a graceful stop');
    my $gone = $server->wait_until(sub { !kill(0, $server->pid) || waitpid($server->pid, POSIX::WNOHANG()) == $server->pid }, 15);
    ok($gone, 'the server ends then');
    none_left($server, 'a graceful stop');
    is(scalar($server->crashes), 0, "$mpm: without an accident") or diag($server->crashes);
}

sub plain {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => 3);
    my @jobs = map { my $n = $_; Aurora::Async->run(sub { $server->http->preview({ dataset => 'sleepy' }) }) } 1 .. 2;
    ok($slow->until_running('sleepy', 2), 'two sleeping queries');
    my $from = time;
    my $pid  = $server->pid;
    my @children = $server->children;
    kill TERM => $pid;
    my $took = $slow->gone_after('sleepy', $from);
    cmp_ok($took, '<', 1 + 0.4 * $patience, sprintf 'a plain stop: they are cancelled in the database after %.2f s', $took);
    my $ended = $server->wait_until(sub { $server->_gone }, 10);
    ok($ended, sprintf 'a plain stop: the server ends (%.2f s)', time - $from);
    cmp_ok(time - $from, '<', 5 * $patience, 'without being killed');
    none_left($server, 'a plain stop');
    is(scalar(grep { kill 0, $_ } @children), 0, 'a plain stop: no child is left');
    is(scalar(grep { $_->wait->{status} == 200 } @jobs), 0, 'a plain stop: nobody got an answer that looks good');
    unlike($server->error_log, qr/did not exit, sending a/, 'a plain stop: no child had to be killed') or diag($server->error_log);
    is(scalar($server->crashes), 0, "$mpm: without an accident") or diag($server->crashes);
}

sub plain_in_export {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => 1);
    my $s = Aurora::Async->send_only($server, 'export?format=csv', '{"dataset":"long"}', rcvbuf => 65536);
    sysread $s, my $some, 4096;
    my $from = time;
    kill TERM => $server->pid;
    my $took = $slow->gone_after('long', $from);
    cmp_ok($took, '<', 1 + 0.4 * $patience, sprintf 'a plain stop in mid-export: gone from the database after %.2f s', $took);
    ok($server->wait_until(sub { $server->_gone }, 10), 'the server ends');
    my $tail = '';
    while (sysread $s, my $piece, 65536) { $tail = substr $tail . $piece, -100 }
    unlike($tail, qr/\r\n0\r\n\r\n\z/, 'the export does not look whole');
    none_left($server, 'a plain stop in mid-export');
    is(scalar($server->crashes), 0, "$mpm: without an accident") or diag($server->crashes);
}

# A stop may come at any moment of a request: in the middle of a lock, of a connect, of a call of the database.
sub under_load {
    my ($mpm) = @_;
    my (@slow, @bad);
    for my $round (1 .. 5) {
        my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 8 : 2, log_level => 'warn');
        my @clients = map { Aurora::Async->run(sub { my $r; do { $r = $server->http->preview({ dataset => 'regions' }) } while $r->{status}; $r }) } 1 .. 8;
        sleep 0.3 + rand 0.3;
        my $from = time;
        kill TERM => $server->pid;
        $server->wait_until(sub { $server->_gone }, 15);
        push @slow, sprintf '%.1f s', time - $from if time - $from > 3 * $patience;
        push @bad, grep { /did not exit/ } split /\n/, $server->error_log;
        push @bad, $server->crashes;
        $_->kill for @clients;
        none_left($server, "under load, round $round");
    }
    is("@slow", '', "$mpm: stops under load take no time");
    ok(!@bad, "$mpm: and need no force") or diag(join "\n", @bad);
}

# The rare moments of a stop, held open by t/fault/stop.c.
sub start_held {
    my ($which, @options) = @_;
    local $ENV{AURORA_STOP}    = $which;
    local $ENV{AURORA_PRELOAD} = join ' ', grep { length } $ENV{AURORA_PRELOAD} // '', $shim;
    return Aurora::Server->start(driver => 'pgsql', params => $slow->params, timeout => 60, @options);
}

sub told { my ($server, $what) = @_; return scalar(() = $server->error_log =~ /^stop\.c: $what$/mg) }

# A thread that hangs in a connect is left behind by its child, and is not hurt by what libraries do at the exit.
sub hanging_connect {
    my ($mpm) = @_;
    my $server = start_held('connect', mpm => $mpm, children => 2, conf => 'AuroraPoolMin 1');
    ok($server->wait_until(sub { told($server, 'connecting') >= 2 }, 10), 'two children are in the middle of a connect');
    my $from = time;
    kill TERM => $server->pid;
    ok($server->wait_until(sub { $server->_gone }, 15), 'a plain stop: the server ends');
    cmp_ok(time - $from, '<', 2 * $patience, sprintf 'without waiting for them (%.2f s)', time - $from);
    is(join("\n", $server->crashes), '', "$mpm: a child that ends in the middle of a connect does not crash");
}

# The event MPM closes the sockets of its workers while those may be freeing them.
sub closing {
    my $server = start_held('close', mpm => 'event', children => 1);
    $server->wait_until(sub { $server->http->preview({ dataset => 'regions' })->{status} == 200 }, 10);
    my @jobs = map { Aurora::Async->run(sub { $server->http->preview({ dataset => 'brief' }) }) } 1 .. 4;
    ok($slow->until_running('brief', 4), 'four requests are in the database');
    kill TERM => $server->pid;
    ok($server->wait_until(sub { $server->_gone }, 15), 'a plain stop: the server ends');
    is(told($server, 'sockets'), 1, 'its child rested before it closed the sockets');
    is(scalar(grep { $_->wait->{status} == 200 } @jobs), 4, 'when the requests had been answered');
    is(join("\n", $server->crashes), '', 'event: connections that end while their sockets are being closed do no harm');
    none_left($server, 'a stop while connections end');
}

# One thread: a query, a catalogue, a watch, all in turn.
sub one_thread {
    my $server = start(mpm => 'prefork', children => 1, conf => "AuroraCatalogRefresh 1s\nAuroraPoolMin 2\nAuroraPoolMax 10");
    my ($child) = $server->children;
    for my $round (1 .. 5) {
        is($server->http->preview({ dataset => 'regions' })->{status}, 200, "one thread: preview $round");
        is($server->http->export({ dataset => 'regions' })->{status}, 200, "one thread: export $round");
        sleep 0.5;
    }
    cmp_ok($slow->sessions, '<=', 1, 'one thread has one session, whatever AuroraPoolMax says');
    is(join(' ', $server->children), $child, 'in one child');
    ok($server->graceful, 'a graceful restart');
    is($server->http->preview({ dataset => 'regions' })->{status}, 200, 'serves on');
    $server->finish('one thread');
    none_left($server, 'one thread');
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    graceful($mpm);
    plain($mpm);
    plain_in_export($mpm);
    under_load($mpm);
    hanging_connect($mpm);
}
closing() if grep { $_ eq 'event' } Aurora::Server->mpms;
one_thread() if grep { $_ eq 'prefork' } Aurora::Server->mpms;
done_testing();
