# Who is let in: rates per client and per user, a user's tasks, the export queue; exact over all children, for
# whoever the caller is; and children that die.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Select;
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::Metrics;
use Aurora::Refusals;
use Aurora::Server;
use Aurora::Slow;

Aurora::Server::require_or_skip();
my $why = Aurora::Slow->missing;
plan skip_all => $why if $why;

my $slow = Aurora::Slow->new;
my $patience = Aurora::Server::patience();

# Users by a header, as a proxy in front would send them.
my $users = "AuroraUser %{HTTP:X-User}\nAuroraRoles %{HTTP:X-Roles}\nAuroraOperators ops";
my $free_client = 'AuroraClientRate 1000000/second';
my $free_user   = "AuroraPreviewRate 1000000/second\nAuroraExportRate 1000000/second";

sub start {
    my (%o) = @_;
    my $server = Aurora::Server->start(driver => 'pgsql', params => $slow->params, governed => 1, children => 3, %o);
    $server->wait_until(sub { $server->http->get('/aurora/ready')->{status} == 200 }, 10);
    return $server;
}

sub code { my ($r) = @_; return (Aurora::HTTP::json($r) || {})->{code} // '' }
sub as   { my ($user) = @_; return (headers => { 'X-User' => $user }) }
sub ask  { my ($server, $user, %o) = @_; return $server->http->preview({ dataset => 'regions' }, as($user), %o) }

# A request of a user that is only sent.
sub send_as {
    my ($server, $user, $route, $dataset) = @_;
    my $body = qq{{"dataset":"$dataset"}};
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->port, Proto => 'tcp') or die "connect: $!";
    setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), pack('i', 4096);
    syswrite $s, "POST /aurora/api/v1/query/$route HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nX-User: $user\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body";
    return $s;
}

# Status of those that have answered, by socket; waits until so many have.
sub answers {
    my ($want, @sockets) = @_;
    my $select = IO::Select->new(@sockets);
    my (%status, %text);
    my $until = time + 10 * $patience;
    while (keys %status < $want && time < $until) {
        for my $s ($select->can_read(0.1)) {
            $text{$s} //= '';
            if (!sysread $s, $text{$s}, 4096, length $text{$s}) {
                $select->remove($s);
            }
            elsif ($text{$s} =~ m{^HTTP/1.1 (\d+)}) {
                $status{$s} = $1;
                $select->remove($s);
                shutdown $s, 2 if $1 ne '200';    # a child of prefork would wait for that
            }
        }
    }
    return \%status;
}

sub none_running {
    my ($server) = @_;
    return $server->wait_until(sub {
        my $m = Aurora::Metrics::get($server);
        !grep { $m->{qq(aurora_tasks_running{kind="$_"})} } qw(preview csv);
    }, 10);
}

# --- tasks of a user ----------------------------------------------------------------------------------

sub simultaneous {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 12 : 3, location => "$users\n$free_client\n$free_user");
    my ($most, $wrong, @odd) = (0, 0);
    for my $round (1 .. 20) {
        my @sockets = map { send_as($server, 'ann', 'preview', 'sleepy') } 1 .. 50;
        my $status = answers(48, @sockets);
        my @refused = grep { $_ eq '429' } values %$status;
        my $m = Aurora::Metrics::get($server);
        my $running = $m->{'aurora_tasks_running{kind="preview"}'};
        my $in_db = $slow->running('sleepy');
        $most = $running if $running > $most;
        $most = $in_db if $in_db > $most;
        $wrong++, push @odd, "round $round: @{[scalar @refused]} refused, $running running, $in_db in the database"
            if @refused != 48 || keys %$status != 48 || $running != 2 || $in_db > 2;
        close $_ for @sockets;
        $wrong++ unless none_running($server);
    }
    is($most, 2, "$mpm: fifty simultaneous starts give two tasks");
    is($wrong, 0, "$mpm: and 48 refusals, twenty times over") or diag(join "\n", @odd);

    my @mine = map { send_as($server, 'ann', 'preview', 'sleepy') } 1 .. 2;
    ok($slow->until_running('sleepy', 2), 'two of hers run');
    my $r = ask($server, 'ann');
    is("$r->{status} " . code($r), '429 TOO_MANY_TASKS', 'a third is refused');
    my @bad = Aurora::Refusals::problem_defects($r, status => 429, codes => ['TOO_MANY_TASKS']);
    ok(!@bad, 'as the contract has it') or diag(@bad);
    is(ask($server, 'bob')->{status}, 200, 'his are not');
    is($server->http->preview({ dataset => 'regions' })->{status}, 200, 'nor those of an address without a name');
    is($server->http->preview({ dataset => 'regions' }, as('127.0.0.1'))->{status}, 200, 'nor those of one who is called like it');
    close $_ for @mine;
    ok(none_running($server), 'they end');
    is(ask($server, 'ann')->{status}, 200, 'and she may again');
    my $again = grep { ask($server, 'ann')->{status} != 200 } 1 .. 100;
    is($again, 0, 'one task after the other is never one too many');
    $server->finish("$mpm: tasks of a user");
}

# --- rates ----------------------------------------------------------------------------------------------

# So many at once from several processes; returns the answers.
sub many {
    my ($n, $ask) = @_;
    my @jobs = map { my $j = $_; Aurora::Async->run(sub { return { answers => [map { my $r = $ask->(); { status => $r->{status}, headers => $r->{headers}, body => $r->{body} } } 1 .. $n / 4] } }) } 1 .. 4;
    return map { @{ $_->wait->{answers} || [] } } @jobs;
}

sub rates {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, location => "$users\n$free_client\nAuroraUserTasksMax 100");
    my $from = time;
    my @all = many(80, sub { ask($server, 'ann') });
    my $took = time - $from;
    my @refused = grep { $_->{status} == 429 } @all;
    my $allowed = grep { $_->{status} == 200 } @all;
    cmp_ok($allowed, '>=', 60, "$mpm: sixty previews of a minute are let in");
    cmp_ok($allowed, '<=', 60 + int($took) + 1, "$mpm: and no more than the time that passed (" . sprintf('%.1f s', $took) . ') allows');
    is($allowed + @refused, 80, 'the others are refused');
    is(scalar(grep { code($_) ne 'RATE_LIMITED' || $_->{headers}{'retry-after'} ne '1' } @refused), 0, 'with a wait of a second');
    my $last = $refused[-1];
    is($last->{headers}{'ratelimit-policy'}, '"preview";q=60;w=60', 'the policy is told');
    is($last->{headers}{ratelimit}, '"preview";r=0;t=1', 'and that nothing is left');
    sleep 1.05;
    is(ask($server, 'ann')->{status}, 200, 'one is let in after that second');
    my $bob = ask($server, 'bob');
    is($bob->{headers}{ratelimit}, '"preview";r=59;t=1', 'another user has all of his');

    $from = time;
    my @exports = many(12, sub { $server->http->export({ dataset => 'regions' }, as('ann')) });
    $took = time - $from;
    @refused = grep { $_->{status} == 429 } @exports;
    is(scalar(grep { $_->{status} == 200 } @exports), 5, 'five exports, not six') if $took < 11;
    my ($wait) = map { $_->{headers}{'retry-after'} } @refused;
    cmp_ok($wait, '<=', 12, "the wait is exact: $wait s");
    cmp_ok($wait, '>=', 12 - $took - 1, 'not shorter than it is');
    is($refused[0]{headers}{'ratelimit-policy'}, '"export";q=5;w=60', 'the policy of exports');
    my $m = Aurora::Metrics::get($server);
    is($m->{'aurora_rejected_total{reason="export_rate"}'}, scalar @refused, 'refusals are counted by reason');
    is($m->{'aurora_rejected_total{reason="client_rate"}'}, 0, 'by that reason only');
    if ($mpm eq 'event') {
        my $r = $server->http->export({ dataset => 'regions' }, as('ann'));
        my $until = time + $r->{headers}{'retry-after'};
        sleep $until - time > 0 ? $until - time : 0;
        is($server->http->export({ dataset => 'regions' }, as('ann'))->{status}, 200, 'who comes back when told is let in');
    }
    $server->finish("$mpm: rates of users");
}

sub client_rate {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, modules => ['remoteip'], conf => 'RemoteIPHeader X-Forwarded-For', no_location => 1, extra => <<"CONF");
<Location "/aurora">
    SetHandler aurora
    <RequireAny>
        Require expr req('X-User') != ''
    </RequireAny>
    $users
    AuroraClientRate 1/minute burst=5
</Location>
CONF
    my $get = sub { my ($path, %headers) = @_; return $server->http->get("/aurora$path", headers => \%headers) };
    my @statuses = map { $get->('/api/v1/datasets', 'X-Forwarded-For' => '192.0.2.1')->{status} } 1 .. 7;
    is("@statuses", '403 403 403 403 403 429 429', 'requests that are not even let in by httpd count');
    my $r = $get->('/api/v1/datasets', 'X-Forwarded-For' => '192.0.2.1', 'X-User' => 'ann');
    is("$r->{status} " . code($r), '429 RATE_LIMITED', 'for the address, whoever it is');
    my @bad = Aurora::Refusals::problem_defects($r, status => 429, codes => ['RATE_LIMITED']);
    ok(!@bad, 'as the contract has it') or diag(@bad);
    cmp_ok($r->{headers}{'retry-after'}, '>=', 55, 'with the wait that it is');
    is($get->('/api/v1/datasets', 'X-Forwarded-For' => '192.0.2.2', 'X-User' => 'ann')->{status}, 200, 'another address, seen through a proxy, has its own');
    is($get->('/api/v1/nothing', 'X-Forwarded-For' => '192.0.2.3', 'X-User' => 'ann')->{status}, 404, 'unknown paths count');
    $get->('/api/v1/nothing', 'X-Forwarded-For' => '192.0.2.3', 'X-User' => 'ann') for 1 .. 4;
    is($get->('/api/v1/tasks', 'X-Forwarded-For' => '192.0.2.3', 'X-User' => 'ann')->{status}, 429, 'with all others');
    my @free = map { $get->($_, 'X-Forwarded-For' => '192.0.2.1', 'X-User' => 'm')->{status} } ('/health', '/metrics') x 4;
    is("@free", join(' ', (200) x 8), 'health and metrics are free');
    is($get->('/ready', 'X-Forwarded-For' => '192.0.2.1', 'X-User' => 'm')->{status}, 429, 'ready is not');
    my $keep = $server->http(keep => 1);
    $r = $keep->post('/aurora/api/v1/query/preview', { dataset => 'regions' }, headers => { 'X-Forwarded-For' => '192.0.2.1' });
    is($r->{status}, 429, 'a body that is not read');
    is($keep->get('/aurora/health', headers => { 'X-User' => 'm' })->{status}, 200, 'does no harm to the next request of the connection');
    is(Aurora::Metrics::parse($get->('/metrics', 'X-User' => 'm')->{body})->{'aurora_requests_total{kind="datasets",code="403"}'}, 5, 'answers of httpd are counted too');
    $server->finish("$mpm: rates of clients");
}

sub anonymous {
    my $server = start(location => "$users\nAuroraClientRate 1/minute burst=3 anonymous\n$free_user");
    my @named = map { ask($server, 'ann')->{status} } 1 .. 6;
    is("@named", '200 200 200 200 200 200', 'anonymous: users behind one address do not share its rate');
    my @statuses = map { $server->http->get('/aurora/api/v1/datasets')->{status} } 1 .. 5;
    is("@statuses", '200 200 429 429 429', 'those without a name do, the first of all having been the test\'s own');
    $server->finish('anonymous clients');
}

sub crowd {
    my $server = start(mpm => 'event', modules => ['remoteip'], conf => "RemoteIPHeader X-Forwarded-For\nAuroraUsersMax 16", location => "$users\nAuroraExportRate 2/hour\nAuroraClientRate 2/minute");
    my $export = sub { return $server->http->export({ dataset => 'regions' }, headers => { 'X-User' => 'ann', 'X-Forwarded-For' => "203.0.113.$_[0]" })->{status} };
    is(join(' ', map { $export->($_) } 1 .. 3), '200 200 429', 'a table of sixteen: she has reached her limit');
    my @jobs = map {
        my $j = $_;
        Aurora::Async->run(sub {
            my $http = $server->http(keep => 1);
            my %n;
            $n{ $http->get('/aurora/api/v1/nothing', headers => { 'X-Forwarded-For' => sprintf '5.%d.%d.%d', $j, $_ / 250, $_ % 250 })->{status} }++ for 1 .. 2500;
            return { n => \%n };
        });
    } 1 .. 4;
    my %n;
    for my $job (@jobs) {
        my $got = $job->wait->{n};
        $n{$_} += $got->{$_} for keys %$got;
    }
    is(join(' ', map { "$_:$n{$_}" } sort keys %n), '404:10000', 'ten thousand addresses: none is refused for lack of room');
    is(join(' ', map { $export->($_) } 4 .. 9), join(' ', (429) x 6), 'and she is still at her limit');
    $server->finish('a table that is too small');
}

# --- the export queue, and only telling ------------------------------------------------------------------

sub queue {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 12 : 3, conf => "AuroraExportQueueMax 4\nAuroraPoolMax 2\nAuroraPoolTimeout 20s", location => "$users\n$free_client\n$free_user");
    my @sockets = map { send_as($server, "user$_", 'export?format=csv', 'sleepy') } 1 .. 9;
    my $status = answers(5, @sockets);
    is(scalar(grep { $_ eq '503' } values %$status), 5, "$mpm: a queue of four: of nine exports five are refused");
    my $r = $server->http->export({ dataset => 'regions' }, as('zoe'));
    is("$r->{status} " . code($r) . " $r->{headers}{'retry-after'}", '503 EXPORT_QUEUE_FULL 5', 'those that run and those that wait count together');
    my $m = Aurora::Metrics::get($server);
    is($m->{aurora_export_queue_depth}, 4, 'as the gauge shows');
    close $_ for @sockets;
    ok(none_running($server), 'all end with their clients');
    is($server->http->export({ dataset => 'regions' }, as('zoe'))->{status}, 200, 'and there is room');
    $server->finish("$mpm: the export queue");
}

sub only_log {
    my $server = start(location => "$users\nAuroraGovernance log\nAuroraPreviewRate 2/hour\nAuroraUserTasksMax 1\nAuroraClientRate 1/hour");
    my @busy = map { send_as($server, 'ann', 'preview', 'nap') } 1 .. 2;
    ok($slow->until_running('nap', 2), 'only telling: a second task of hers runs');
    is(ask($server, 'ann')->{status}, 200, 'a third too');
    close $_ for @busy;
    my $m = Aurora::Metrics::get($server);
    is($m->{'aurora_would_reject_total{reason="user_tasks"}'}, 2, 'both would have been refused');
    is($m->{'aurora_would_reject_total{reason="preview_rate"}'}, 1, 'one for its rate');
    cmp_ok($m->{'aurora_would_reject_total{reason="client_rate"}'}, '>=', 2, 'all for their address');
    is(scalar(grep { /^aurora_rejected_total/ && $m->{$_} } keys %$m), 0, 'and none was');
    $server->finish('only telling');
}

# --- children that die -------------------------------------------------------------------------------------

# The child that has the server's side of a connection.
sub owner {
    my ($server, $socket) = @_;
    my $want = sprintf '0100007F:%04X 0100007F:%04X', $server->port, $socket->sockport;
    my ($inode) = map { my @f = split; "$f[1] $f[2]" eq $want ? $f[9] : () } split /\n/, Aurora::Server::slurp('/proc/net/tcp');
    return undef unless $inode;
    for my $pid ($server->children) {
        return $pid if grep { (readlink // '') eq "socket:[$inode]" } glob "/proc/$pid/fd/*";
    }
    return undef;
}

sub killed {
    my ($mpm, $stop) = @_;
    my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 6 : 3, location => "$users\n$free_client\n$free_user");
    my $name = $stop ? "$mpm: stopped, then killed" : "$mpm: killed";
    my @sockets = map { send_as($server, 'ann', 'export?format=csv', 'long') } 1 .. 2;
    answers(2, @sockets);
    is($server->http->export({ dataset => 'regions' }, as('ann'))->{status}, 429, "$name: two exports of hers run");
    my %pids = map { (owner($server, $_) // 0) => 1 } @sockets;
    ok(!$pids{0}, 'in children that are known') or diag(explain(\%pids));
    if ($stop) {
        kill STOP => keys %pids;
        sleep 0.2;
    }
    my $from = time;
    kill KILL => keys %pids;
    my @new;
    $server->wait_until(sub {
        @new = map { send_as($server, 'ann', 'export?format=csv', 'long') } 1 .. 2;
        return 1 if 2 == grep { $_ eq '200' } values %{ answers(2, @new) };
        close $_ for @new;
        0;
    }, 5);
    cmp_ok(time - $from, '<', 2 * $patience, sprintf '%s: two new ones start after %.2f s', $name, time - $from);
    my $m = Aurora::Metrics::get($server);
    is($m->{'aurora_tasks_running{kind="csv"}'}, 2, "$name: the gauges are right");
    is($m->{aurora_export_queue_depth}, 2, 'that of the queue too');
    close $_ for @sockets, @new;
    ok(none_running($server), "$name: all ends");
    is(Aurora::Metrics::wait_for($server, 'db_pool_busy_count', 0), 0, "$name: no connection counts as used");
    is(ask($server, 'bob')->{status}, 200, "$name: the server serves on");
    is(scalar(grep { !/exit signal Killed/ } $server->crashes), 0, "$name: and only who was killed has ended");
    $server->stop;
}

# Children are stopped and killed at any moment of their work, also while they hold the lock.
sub killed_at_work {
    my $server = start(mpm => 'event', location => "$users\n$free_client\n$free_user");
    my @jobs = map { my $n = $_; Aurora::Async->run(sub { my $until = time + 6; while (time < $until) { ask($server, "user$n") } return { ok => 1 } }) } 1 .. 6;
    for (1 .. 12) {
        my @children = $server->children;
        next unless @children;
        my $pid = $children[ rand @children ];
        kill STOP => $pid;
        sleep 0.1;
        kill KILL => $pid;
        sleep 0.3;
    }
    $_->wait for @jobs;
    ok($server->wait_until(sub { ask($server, 'ann')->{status} == 200 }, 10), 'a dozen children were stopped and killed at work: the server serves on');
    ok(none_running($server), 'and counts none of their tasks');
    is(scalar(grep { !/exit signal Killed/ } $server->crashes), 0, 'only they have ended');
    $server->stop;
}

my %here = map { $_ => 1 } Aurora::Server->mpms;
for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    simultaneous($mpm);
    rates($mpm);
    queue($mpm);
    killed($mpm, 0);
    killed($mpm, 1);
}
client_rate((Aurora::Server->mpms)[0]);
anonymous();
crowd() if $here{event};
only_log();
killed_at_work() if $here{event};
done_testing();
