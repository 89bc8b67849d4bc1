# Graceful restarts under load: what runs ends as it should and is remembered, limits count on, counters never go
# backwards.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA;
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::Metrics;
use Aurora::Server;
use Aurora::Slow;

Aurora::Server::require_or_skip();
my $why = Aurora::Slow->missing;
plan skip_all => $why if $why;

my $slow = Aurora::Slow->new;

sub start {
    my (%o) = @_;
    my $server = Aurora::Server->start(driver => 'pgsql', params => $slow->params, governed => 1, timeout => 60,
        location => "AuroraUser %{HTTP:X-User}\nAuroraDigest On\nAuroraUserTasksMax 1\nAuroraClientRate 1000000/second\n"
            . "AuroraPreviewRate 1000000/second\nAuroraExportRate 2/hour", %o);
    $server->wait_until(sub { $server->http->get('/aurora/ready')->{status} == 200 }, 10);
    return $server;
}

sub as   { my ($user) = @_; return (headers => { 'X-User' => $user }) }
sub code { my ($r) = @_; return (Aurora::HTTP::json($r) || {})->{code} // '' }

# What a client that is not stopped by anything gets.
sub export {
    my ($server, $user, %o) = @_;
    my $sha = Digest::SHA->new(256);
    my $bytes = 0;
    my $r = $server->http(timeout => 120)->export({ dataset => 'long' }, as($user), %o, sink => sub { $sha->add($_[0]); $bytes += length $_[0] });
    return { status => $r->{status}, complete => $r->{complete}, id => $r->{headers}{'x-aurora-task'}, bytes => $bytes, sha256 => $sha->hexdigest };
}

sub restart {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 6 : 2);
    my $plain = export($server, 'bob');
    ok($plain->{complete}, "$mpm: an export in quiet");
    my $job = Aurora::Async->run(sub { export($server, 'ann', rcvbuf => 262144, rate => 60_000_000) });
    ok($slow->until_running('long', 1), 'another is under way');
    my $before = Aurora::Metrics::get($server);
    is(code($server->http->preview({ dataset => 'regions' }, as('ann'))), 'TOO_MANY_TASKS', 'she may not run another task');
    my (@refused, @samples);
    for my $round (1 .. 3) {
        ok($server->graceful, "graceful restart $round");
        push @refused, code($server->http->preview({ dataset => 'regions' }, as('ann')));
        push @samples, Aurora::Metrics::get($server);
    }
    is($samples[-1]{'aurora_tasks_running{kind="csv"}'}, 1, 'the export of an old child is counted');
    is("@refused", join(' ', ('TOO_MANY_TASKS') x 3), 'by her limit too, all the time');
    my $r = $job->wait;
    ok($r->{complete}, 'it arrives whole');
    is("$r->{bytes} $r->{sha256}", "$plain->{bytes} $plain->{sha256}", 'to the last byte');
    my $t = Aurora::HTTP::json($server->http->get("/aurora/api/v1/tasks/$r->{id}", as('ann')));
    is("$t->{state} $t->{rows} $t->{bytes} $t->{sha256}", "complete 3000000 $r->{bytes} $r->{sha256}", 'its record, written by a child of three generations before, is right');
    push @samples, Aurora::Metrics::get($server);
    my @back;
    for my $after (@samples) {
        push @back, Aurora::Metrics::backwards($before, $after);
        $before = $after;
    }
    is("@back", '', 'no counter ever goes backwards');
    is($samples[-1]{aurora_start_time_seconds}, $samples[0]{aurora_start_time_seconds}, 'and the server has not started anew');
    is($server->http->preview({ dataset => 'regions' }, as('ann'))->{status}, 200, 'she may again');
    is($server->http->export({ dataset => 'regions' }, as('ann'))->{status}, 200, 'one more export within the hour');
    is(code($server->http->export({ dataset => 'regions' }, as('ann'))), 'RATE_LIMITED', 'and no third: rates outlive a restart too');
    $server->rewrite(conf => 'AuroraUsersMax 20000');
    ok($server->graceful, 'a restart with another AuroraUsersMax');
    is(code($server->http->export({ dataset => 'regions' }, as('ann'))), 'RATE_LIMITED', 'forgets nothing');
    like($server->error_log, qr/AuroraUsersMax stays 4096/, 'and says what of it holds');
    $server->finish("$mpm: graceful restarts");
}

sub load {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 6 : 2);
    my @jobs = map {
        my $n = $_;
        Aurora::Async->run(sub {
            my ($until, %n) = (time + 6);
            while (time < $until) {
                my $r = $server->http->preview({ dataset => 'regions' }, as("user$n"));
                $n{ $r->{status} }++;
            }
            return { n => \%n };
        });
    } 1 .. 3;
    my ($before, @back) = (Aurora::Metrics::get($server));
    for (1 .. 4) {
        $server->graceful;
        my $after = Aurora::Metrics::get($server);
        push @back, Aurora::Metrics::backwards($before, $after);
        $before = $after;
        sleep 0.3;
    }
    my %n;
    for my $job (@jobs) {
        my $got = $job->wait->{n} || {};
        $n{$_} += $got->{$_} for keys %$got;
    }
    is("@back", '', "$mpm: under load no counter goes backwards");
    is(join(' ', grep { $_ != 200 } keys %n), '', 'and nobody is refused or broken off') or diag(explain(\%n));
    my $name = 'aurora_requests_total{kind="preview",code="200"}';
    is(Aurora::Metrics::wait_for($server, $name, $n{200}), $n{200}, 'every request is counted, by whichever child');
    is(Aurora::Metrics::get($server)->{'aurora_tasks_running{kind="preview"}'}, 0, 'and none is left');
    $server->finish("$mpm: restarts under load");
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    restart($mpm);
    load($mpm);
}
done_testing();
