# The watch and the pool on the embedded database, which every machine has: statements that would run for ever, clients
# that leave, a pool that is full, a stop.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::Data;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $patience = Aurora::Server::patience();
my $folder   = Aurora::Data::folder();
my $db       = Aurora::Data::sqlite_create("$folder/stop.db", more => <<'SQL');
CREATE VIEW ENDLESS AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS N FROM n;
SQL

sub code { my ($r) = @_; return "$r->{status} " . ((Aurora::HTTP::json($r) || {})->{code} // '') }

# CPU seconds that a child uses in half a second of ours: an endless statement uses it all.
sub busy {
    my ($server) = @_;
    my ($child) = $server->children;
    my $used = sub { my @f = split ' ', Aurora::Server::slurp("/proc/$child/stat") =~ s/^.*\) //sr; return ($f[11] + $f[12]) / 100 };
    my $before = $used->();
    sleep 0.5;
    return $used->() - $before;
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, children => 1, conf => "AuroraPoolMax 1\nAuroraPoolReserve 0",
        location => 'AuroraQueryTimeout 1s');
    for my $kind (qw(preview export)) {
        my $from = time;
        is(code($server->http->$kind({ dataset => 'ENDLESS' })), '504 QUERY_TIMEOUT', "an endless $kind is stopped");
        my $took = time - $from;
        ok($took >= 0.9 && $took < 2 * $patience, sprintf '%s: in time (%.2f s)', $kind, $took);
    }
    is($server->http->preview({ dataset => 'REGIONS' })->{status}, 200, 'the connection is as good as before');
    $server->finish("$mpm: with a limit");

    $server = Aurora::Server->start(mpm => $mpm, db => $db, children => 1, conf => "AuroraPoolMax 1\nAuroraPoolReserve 0");
    $server->wait_until(sub { $server->http->preview({ dataset => 'REGIONS' })->{status} == 200 }, 5);
    my $s = Aurora::Async->send_only($server, 'preview', '{"dataset":"ENDLESS"}', id => 'leaver');
    ok($server->wait_until(sub { busy($server) > 0.1 }, 10), 'without a limit it runs on');
    if ($mpm ne 'prefork') {
        my $from = time;
        my $r = $server->http->preview({ dataset => 'REGIONS' });
        is(code($r), '503 DATABASE_POOL_EXHAUSTED', 'the next request finds no connection');
        cmp_ok(abs(time - $from - 2.2), '<', 0.5 * $patience, 'after its two seconds');
    }
    close $s;
    like($server->wait_for_log(error => qr/\[leaver\]/), qr/\[leaver\] CLIENT_GONE/, 'its client leaves, it is stopped');
    ok($server->wait_until(sub { $server->http->preview({ dataset => 'REGIONS' })->{status} == 200 }, 3), 'and the connection is back');
    cmp_ok(busy($server), '<', 0.1, 'nothing runs on');
    my $job = Aurora::Async->run(sub { $server->http->preview({ dataset => 'ENDLESS' }) });
    ok($server->wait_until(sub { busy($server) > 0.1 }, 10), 'one more');
    my $from = time;
    $server->finish("$mpm: a stop ends it");
    cmp_ok(time - $from, '<', 3 * $patience, sprintf '%s: within seconds (%.2f s)', $mpm, time - $from);
    isnt($job->wait->{status}, 200, "$mpm: without an answer that looks good");
}
done_testing();
