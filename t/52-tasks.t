# Tasks as their owners and operators see them: running, ended, stopped from any child; and the line each leaves in
# the access log.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha256_hex);
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::JSON;
use Aurora::Metrics;
use Aurora::Refusals;
use Aurora::Server;
use Aurora::Slow;

Aurora::Server::require_or_skip();
my $why = Aurora::Slow->missing;
plan skip_all => $why if $why;

my $slow = Aurora::Slow->new;
my $patience = Aurora::Server::patience();
my $slack = 0.4 + ($patience - 1);

# The audit format as it is shipped.
sub audit {
    my ($format) = Aurora::Server::slurp(Aurora::Server::repo() . '/conf.d/aurora.conf') =~ /^#(LogFormat .* aurora_audit)$/m;
    return $format;
}

sub start {
    my (%o) = @_;
    my $server = Aurora::Server->start(driver => 'pgsql', params => $slow->params, children => 3,
        location => "AuroraUser %{HTTP:X-User}\nAuroraRoles %{HTTP:X-Roles}\nAuroraOperators ops duty\nAuroraDigest On", %o);
    $server->wait_until(sub { $server->http->get('/aurora/ready')->{status} == 200 }, 10);
    return $server;
}

sub code { my ($r) = @_; return (Aurora::HTTP::json($r) || {})->{code} // '' }
sub who  { my ($user, $roles) = @_; return (headers => { 'X-User' => $user, defined $roles ? ('X-Roles' => $roles) : () }) }

sub task {
    my ($server, $id, @who) = @_;
    return $server->http->get("/aurora/api/v1/tasks/$id", who(@who));
}

sub tasks {
    my ($server, @who) = @_;
    my $r = $server->http->get('/aurora/api/v1/tasks', who(@who));
    return @{ (Aurora::HTTP::json($r) || {})->{tasks} || [{ id => "status $r->{status}" }] };
}

sub cancel {
    my ($server, $id, @who) = @_;
    return $server->http->request('DELETE', "/aurora/api/v1/tasks/$id", who(@who));
}

# The proof that a download is whole.
sub proof {
    my ($mpm, $server) = @_;
    my $sha = Digest::SHA->new(256);
    my $bytes = 0;
    my $r = $server->http(timeout => 120)->export({ dataset => 'long' }, who('ann'), sink => sub { $sha->add($_[0]); $bytes += length $_[0] });
    my $id = $r->{headers}{'x-aurora-task'};
    like($id, qr/^[0-9a-f]{32}$/, "$mpm: a task has an id");
    ok($r->{complete}, 'the export is whole');
    my $t = Aurora::HTTP::json(task($server, $id, 'ann'));
    my $digest = $sha->hexdigest;
    is("$t->{state} $t->{rows} $t->{bytes} $t->{sha256}", "complete 3000000 $bytes $digest", 'its record says the same at once: state, rows, bytes, digest');
    is("$t->{id} $t->{kind} $t->{user}", "$id csv ann", 'and whose it is');
    is($t->{dataset}, 'long', 'of what');
    ok(!defined $t->{code}, 'without a code');
    is($t->{truncated_cells}, 0, 'nothing was cut');
    like($t->{started}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'when it began');
    cmp_ok($t->{elapsed_ms}, '>', 0, 'and how long it took');
    is(task($server, $id, 'bob')->{status}, 404, 'it is nobody else\'s');
    is(code(task($server, $id, 'bob')), 'UNKNOWN_TASK', 'who are told as much as of any other');
    is(task($server, $id, 'eve', 'ops')->{status}, 200, 'but operators\'');
    is(task($server, $id, 'eve', ' sales , duty ')->{status}, 200, 'by any of their roles');
    is(task($server, $id, 'eve', 'opsx')->{status}, 404, 'by the whole word');
    return;
}

sub small {
    my ($mpm, $server) = @_;
    my @wrong;
    for my $n (1 .. 30) {
        my $r = $server->http->export({ dataset => 'regions' }, who('ann'));
        my $t = Aurora::HTTP::json(task($server, $r->{headers}{'x-aurora-task'}, 'ann'));
        push @wrong, Aurora::JSON::encode($t) if $t->{state} ne 'complete' || $t->{bytes} != length $r->{body} || $t->{sha256} ne sha256_hex($r->{body}) || $t->{rows} != 5;
    }
    is(scalar @wrong, 0, "$mpm: thirty small exports are complete as soon as their last byte is there") or diag($wrong[0]);
    my $r = $server->http->preview({ dataset => 'regions' }, who('ann'));
    my $t = Aurora::HTTP::json(task($server, $r->{headers}{'x-aurora-task'}, 'ann'));
    is("$t->{kind} $t->{state} $t->{rows} $t->{bytes}", 'preview complete 5 ' . length $r->{body}, 'previews have records too');
    ok(!defined $t->{sha256}, 'without a digest');
    $r = $server->http->preview({ dataset => 'nothing' }, who('ann'));
    is(task($server, $r->{headers}{'x-aurora-task'}, 'ann')->{status}, 404, 'what was never admitted has none');
    is(task($server, 'x' x 32, 'ann')->{status}, 404, 'nor has what never was');
    is(task($server, '..%2f' x 10, 'ann')->{status}, 404, 'whatever it looks like');
    $r = $server->http->post('/aurora/api/v1/tasks', {});
    is("$r->{status} $r->{headers}{allow}", '405 GET, HEAD, OPTIONS', 'tasks are not posted');
    $r = $server->http->post('/aurora/api/v1/tasks/' . 'a' x 32, {});
    is("$r->{status} $r->{headers}{allow}", '405 GET, HEAD, DELETE, OPTIONS', 'nor changed');
    return;
}

sub running {
    my ($mpm, $server) = @_;
    my %job = map { my $u = $_; $u => Aurora::Async->run(sub { $server->http->export({ dataset => 'halting' }, who($u)) }) } qw(ann bob);
    ok($slow->until_running('halting', 2), "$mpm: two exports run");
    is(join(' ', map { $_->{user} } tasks($server, 'ann')), 'ann', 'she sees hers');
    is(join(' ', sort map { $_->{user} } tasks($server, 'eve', 'ops')), 'ann bob', 'an operator everybody\'s');
    is(scalar(tasks($server, 'cat')), 0, 'who runs none sees none');
    my ($t) = $server->wait_until(sub { my ($x) = tasks($server, 'ann'); $x->{rows} > 0 ? $x : undef }, 5);
    ok($t && $t->{state} eq 'running' && $t->{rows} > 0 && $t->{bytes} > 0 && !defined $t->{sha256}, 'running, with rows and bytes so far') or diag(explain($t));
    $t = (tasks($server, 'ann'))[0];

    my $r = cancel($server, $t->{id}, 'bob');
    is("$r->{status} " . code($r), '403 FORBIDDEN', 'he may not stop hers');
    my @bad = Aurora::Refusals::problem_defects($r, status => 403, codes => ['FORBIDDEN']);
    ok(!@bad, 'as the contract has it') or diag(@bad);
    my $from = time;
    $r = cancel($server, $t->{id}, 'ann');
    is($r->{status}, 202, 'she may');
    is(Aurora::HTTP::json($r)->{id}, $t->{id}, 'and is told what is stopped');
    my $answer = $job{ann}->wait;
    my $took = time - $from;
    ok($answer->{status} == 200 && !$answer->{complete}, 'the download breaks off');
    cmp_ok($took, '<', 1 + $slack, sprintf 'within a second (%.2f s)', $took);
    $slow->until_running('halting', 1);
    cmp_ok(time - $from, '<', 1 + 2 * $slack, 'and is gone from the database');
    my $ended;
    $server->wait_until(sub { $ended = Aurora::HTTP::json(task($server, $t->{id}, 'ann')); $ended->{state} ne 'running' }, 3);
    is("$ended->{state} $ended->{code}", 'cancelled CLIENT_GONE', 'its record says so');
    is(cancel($server, $t->{id}, 'ann')->{status}, 200, 'stopping it again changes nothing');

    ($t) = tasks($server, 'eve', 'ops');
    is(cancel($server, $t->{id}, 'eve', 'ops')->{status}, 202, 'an operator stops his');
    $answer = $job{bob}->wait;
    ok(!$answer->{complete}, 'which breaks off too');
    my $m = Aurora::Metrics::get($server);
    is($m->{'aurora_cancelled_total{reason="requested"}'}, 2, 'both are counted');
    is($m->{aurora_cancel_seconds_count}, 2, 'with the time it took');
    cmp_ok($m->{aurora_cancel_seconds_sum}, '<', 2 * (1 + $slack), 'which was short');
    is($server->http->preview({ dataset => 'regions' }, who('ann'))->{status}, 200, 'and all goes on');
    return;
}

sub cancelled_early {
    my ($mpm, $server) = @_;
    my $job = Aurora::Async->run(sub { $server->http->preview({ dataset => 'sleepy' }, who('ann')) });
    ok($slow->until_running('sleepy', 1), "$mpm: a preview sleeps");
    my ($t) = tasks($server, 'ann');
    is(cancel($server, $t->{id}, 'ann')->{status}, 202, 'it is stopped');
    my $r = $job->wait;
    is(code($r), 'CLIENT_GONE', 'whoever waits for it is told');
    like($r->{body}, qr/cancelled/, 'why');
    is($slow->running('sleepy'), 0, 'it is gone from the database');
    return;
}

# One line of JSON for each task.
sub audit_log {
    my ($mpm) = @_;
    my $server = start(mpm => $mpm, conf => audit() . "\nCustomLog logs/audit.log aurora_audit \"expr=-n reqenv('AURORA_TASK')\"");
    my $r = $server->http->export({ dataset => 'regions' }, who("J\xc3\xb6rg \"O'H\\ara\""));
    $server->http->preview({ dataset => 'regions' }, who('ann'));
    $server->http->preview({ dataset => 'none' }, who('ann'));
    $server->http->get('/aurora/api/v1/datasets', who('ann'));
    my $text;
    $server->wait_until(sub { $text = Aurora::Server::slurp($server->root . '/logs/audit.log'); 3 == ($text =~ tr/\n//) }, 5);
    my @lines = map { eval { Aurora::JSON::decode($_) } || $_ } split /\n/, $text;
    is(scalar(grep { ref } @lines), 3, "$mpm: three tasks, three lines of JSON, whatever a user is called") or diag($text);
    # A line is written when the connection is done with its request, which may be after the next one's.
    my ($export)  = grep { ref && ($_->{kind} // '') eq 'csv' } @lines;
    my ($refused) = grep { ref && ($_->{code} // '') eq '404' } @lines;
    is($export->{user}, "J%C3%B6rg \"O'H\\ara\"", 'his name is in it');
    is("$export->{kind} $export->{dataset} $export->{code} $export->{rows}", 'csv regions 200 5', 'kind, dataset, code, rows') or diag($text);
    is($export->{sha256}, sha256_hex($r->{body}), 'the digest');
    is($export->{bytes}, length $r->{body}, 'bytes');
    is($export->{task}, $r->{headers}{'x-aurora-task'}, 'the task');
    is($export->{id}, $r->{headers}{'x-correlation-id'}, 'and the id of the request');
    is("$refused->{code} $refused->{rows}", '404 -', 'a refused one has its status');
    $server->finish("$mpm: the audit log");
    return;
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    my $server = start(mpm => $mpm, children => $mpm eq 'prefork' ? 8 : 3);
    small($mpm, $server);
    running($mpm, $server);
    cancelled_early($mpm, $server);
    proof($mpm, $server) if $mpm eq (Aurora::Server->mpms)[0];
    $server->finish("$mpm: tasks");
    audit_log($mpm);
}
done_testing();
