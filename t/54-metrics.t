# /metrics, /server-status, health and ready: every figure agrees with what the test did.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

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

# api.md, "Metrics": name and type.
my %contract = (
    db_pool_busy_count => 'untyped', db_pool_wait_count => 'untyped', db_pool_open_count => 'untyped',
    db_pool_max => 'gauge', db_pool_max_total => 'untyped', aurora_requests_total => 'counter',
    aurora_tasks_running => 'gauge', aurora_export_queue_depth => 'gauge', aurora_rows_total => 'counter',
    aurora_bytes_total => 'counter', aurora_rejected_total => 'counter', aurora_cancelled_total => 'counter',
    aurora_query_duration_seconds => 'histogram', aurora_first_byte_seconds => 'histogram',
    aurora_pool_wait_seconds => 'histogram', aurora_cancel_seconds => 'histogram',
    aurora_would_reject_total => 'counter', aurora_db_connect_errors_total => 'counter',
    aurora_build_info => 'gauge', aurora_start_time_seconds => 'gauge',
);

sub start {
    my (%o) = @_;
    my $server = Aurora::Server->start(driver => 'pgsql', params => $slow->params, children => 3, %o);
    $server->wait_until(sub { $server->http->get('/aurora/ready')->{status} == 200 }, 10);
    return $server;
}

sub get { my ($server, $accept) = @_; return $server->http->get('/aurora/metrics', headers => { Accept => $accept }) }

sub promtool {
    for my $path (Aurora::Server::build() . '/promtool', map { "$_/promtool" } split /:/, $ENV{PATH}) {
        return $path if -x $path && !-d _;
    }
    return undef;
}

sub forms {
    my ($server) = @_;
    my $r = get($server, undef);
    is($r->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', 'the text format');
    my %type = $r->{body} =~ /^# TYPE (\S+) (\S+)$/mg;
    is_deeply(\%type, \%contract, 'has every name of the contract, and no other');
    my %help = $r->{body} =~ /^# HELP (\S+) (.+)$/mg;
    is(join(' ', grep { !$help{$_} } sort keys %contract), '', 'each with a word about it');
    unlike($r->{body}, qr/regions|127\.0\.0\.1/i, 'without a dataset or an address');
    SKIP: {
        my $promtool = promtool() or skip 'no promtool here', 1;
        my $file = $server->root . '/metrics';
        open my $out, '>', $file or die $!;
        print {$out} $r->{body};
        close $out;
        my $said = `'$promtool' check metrics < '$file' 2>&1`;
        is("$? $said", '0 ', 'promtool has nothing to complain about');
    }
    my $open = get($server, 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1');
    is($open->{headers}{'content-type'}, 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'OpenMetrics for who asks as Prometheus does');
    like($open->{body}, qr/\n# EOF\n\z/, 'with its end');
    like($open->{body}, qr/^# TYPE aurora_requests counter$/m, 'and its names of families');
    my $json = get($server, 'application/json');
    is($json->{headers}{'content-type'}, 'application/json', 'JSON');
    my $tree = Aurora::HTTP::json($json);
    is(join(' ', sort keys %$tree), join(' ', sort keys %contract), 'the same names');
    my ($csv) = grep { $_->{labels}{kind} eq 'csv' } @{ $tree->{aurora_rows_total}{samples} };
    is($csv->{value}, Aurora::Metrics::get($server)->{'aurora_rows_total{kind="csv"}'}, 'the same values');
    is($server->http->head('/aurora/metrics')->{status}, 200, 'HEAD');
    is($server->http->post('/aurora/metrics', {})->{status}, 405, 'nothing else');
    return;
}

sub figures {
    my ($mpm, $server) = @_;
    my $http = $server->http;
    my %bytes;
    $bytes{preview} += length $http->preview({ dataset => 'regions' })->{body} for 1 .. 7;
    $bytes{csv} += length $http->export({ dataset => 'regions' })->{body} for 1 .. 4;
    $http->preview({ dataset => 'none' });
    $http->preview('{');
    $http->api("/api/v1/$_") for qw(datasets datasets/regions/columns nothing);
    my $r = $http->export({ dataset => 'halting' }, leave_after => 1000);
    my $m;
    $server->wait_until(sub {
        $m = Aurora::Metrics::get($server);
        ($m->{'aurora_requests_total{kind="csv",code="499"}'} // 0) == 1 && !$m->{'aurora_tasks_running{kind="csv"}'};
    }, 5);
    my %want = (
        'aurora_requests_total{kind="preview",code="200"}' => 7, 'aurora_requests_total{kind="preview",code="404"}' => 1,
        'aurora_requests_total{kind="preview",code="400"}' => 1, 'aurora_requests_total{kind="csv",code="200"}' => 4,
        'aurora_requests_total{kind="csv",code="499"}' => 1, 'aurora_requests_total{kind="datasets",code="200"}' => 1,
        'aurora_requests_total{kind="columns",code="200"}' => 1, 'aurora_requests_total{kind="other",code="404"}' => 1,
        'aurora_rows_total{kind="preview"}' => 35, 'aurora_bytes_total{kind="preview"}' => $bytes{preview},
        'aurora_first_byte_seconds_count{kind="preview"}' => 7, 'aurora_first_byte_seconds_count{kind="csv"}' => 5,
        'aurora_query_duration_seconds_count{kind="preview"}' => 7,
        'aurora_cancelled_total{reason="client_gone"}' => 1, 'aurora_cancelled_total{reason="timeout"}' => 0,
        'aurora_db_connect_errors_total' => 0, 'db_pool_busy_count' => 0, 'db_pool_wait_count' => 0,
        'db_pool_max' => $mpm eq 'prefork' ? 1 : 10, 'db_pool_max_total' => $mpm eq 'prefork' ? 3 : 30,
        'aurora_build_info{version="0.1.0"}' => 1,
    );
    is_deeply({ map { $_ => $m->{$_} } keys %want }, \%want, "$mpm: the figures are those of what was done");
    cmp_ok($m->{'aurora_bytes_total{kind="csv"}'}, '>', $bytes{csv}, 'of a broken export those rows count that were written');
    cmp_ok(abs($m->{aurora_start_time_seconds} - time), '<', 60, 'when the server started');
    $server->wait_until(sub { Aurora::Metrics::get($server)->{db_pool_open_count} == $slow->sessions }, 5);
    is(Aurora::Metrics::get($server)->{db_pool_open_count}, $slow->sessions, 'open connections are those that the database has');

    # The broken export is among them only where the watch saw its client leave before a write failed.
    my $stopped = Aurora::Metrics::get($server)->{aurora_cancel_seconds_count};
    my @busy = map { Aurora::Async->send_only($server, 'preview', '{"dataset":"sleepy"}') } 1 .. 2;
    ok($slow->until_running('sleepy', 2), 'two previews sleep');
    $m = Aurora::Metrics::get($server);
    is("$m->{db_pool_busy_count} " . $m->{'aurora_tasks_running{kind="preview"}'} . " $m->{aurora_export_queue_depth}", '2 2 0', 'and are seen');
    close $_ for @busy;
    is(Aurora::Metrics::wait_for($server, 'db_pool_busy_count', 0), 0, 'until they end');
    is(Aurora::Metrics::wait_for($server, 'aurora_cancel_seconds_count', $stopped + 2), $stopped + 2, 'the time to stop them is known');
    return;
}

sub status_page {
    my ($server) = @_;
    my @busy = Aurora::Async->send_only($server, 'preview', '{"dataset":"sleepy"}');
    ok($slow->until_running('sleepy', 1), 'a preview sleeps');
    my $html = $server->http->get('/server-status');
    like($html->{body}, qr{<h2>Aurora</h2>.*1 in use.*<td>preview</td><td>running</td><td>127\.0\.0\.1</td><td>sleepy</td>.*</body>}si, '/server-status has a section, with the task in it');
    my $auto = $server->http->get('/server-status?auto')->{body};
    my %value = $auto =~ /^(Aurora[\w-]+): (\d+)$/mg;
    is("$value{AuroraPoolBusy} $value{'AuroraTasks-preview'} $value{AuroraExportQueue}", '1 1 0', 'for machines too');
    unlike($auto, qr/sleepy|</, 'without names or markup');
    close $_ for @busy;
    return;
}

sub waiting {
    my $server = start(mpm => 'event', children => 1, conf => "AuroraPoolMax 1\nAuroraPoolTimeout 10s");
    my @busy = Aurora::Async->send_only($server, 'preview', '{"dataset":"nap"}');
    ok($slow->until_running('nap', 1), 'the only connection is busy');
    my $job = Aurora::Async->run(sub { $server->http->preview({ dataset => 'regions' }) });
    is(Aurora::Metrics::wait_for($server, 'db_pool_wait_count', 1), 1, 'another waits, and is seen');
    my $r = $server->http->get('/aurora/api/v1/tasks');
    is(join(' ', sort map { $_->{state} } @{ Aurora::HTTP::json($r)->{tasks} }), 'running waiting', 'as its task is');
    is($job->wait->{status}, 200, 'until it is served');
    is(Aurora::Metrics::get($server)->{db_pool_wait_count}, 0, 'then none waits');
    close $_ for @busy;
    $server->finish('waiting');
}

sub refused {
    my $server = start(mpm => 'event', children => 1, conf => "AuroraPoolMax 1\nAuroraPoolTimeout 500ms\nAuroraExplainThreshold 100000");
    my @busy = Aurora::Async->send_only($server, 'preview', '{"dataset":"nap"}');
    ok($slow->until_running('nap', 1), 'the only connection is busy again');
    is($server->http->preview({ dataset => 'regions' })->{status}, 503, 'another waits in vain');
    close $_ for @busy;
    $server->wait_until(sub { $server->http->preview({ dataset => 'regions' })->{status} == 200 }, 5);
    is($server->http->preview({ dataset => 'long' })->{status}, 400, 'a query is too large');
    my $m = Aurora::Metrics::get($server);
    is($m->{'aurora_rejected_total{reason="query_too_large"}'}, 1, 'counted by its reason');
    cmp_ok($m->{'aurora_rejected_total{reason="pool_exhausted"}'}, '>=', 1, 'the other too');
    $slow->pg->stop;
    $server->wait_until(sub { $server->http->get('/aurora/ready')->{status} == 503 }, 5);
    is($server->http->get('/aurora/health')->{status}, 200, 'without a database the server is well');
    my $r = $server->http->get('/aurora/ready');
    is("$r->{status} " . Aurora::HTTP::json($r)->{code}, '503 DATABASE_UNAVAILABLE', 'and not ready');
    $m = Aurora::Metrics::get($server);
    cmp_ok($m->{aurora_db_connect_errors_total}, '>', 0, 'failed connects are counted');
    cmp_ok($m->{'aurora_rejected_total{reason="database_unavailable"}'}, '>', 0, 'and those who were refused for them');
    $slow->pg->start;
    ok($server->wait_until(sub { $server->http->get('/aurora/ready')->{status} == 200 }, 10), 'ready again');
    $server->finish('refusals');
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    my $server = start(mpm => $mpm, modules => ['status'], extra => "ExtendedStatus On\n<Location /server-status>\nSetHandler server-status\nRequire all granted\n</Location>");
    figures($mpm, $server);
    forms($server);
    status_page($server);
    $server->finish("$mpm: metrics");
}
if (grep { $_ eq 'event' } Aurora::Server->mpms) {
    waiting();
    refused();
}
done_testing();
