# The wall clock is set back while something runs: nothing waits for it to come round again, and no time it took is lost.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp ();
use Test::More;
use Time::HiRes qw(time);

use Aurora::Async;
use Aurora::Data;
use Aurora::JSON;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $shim = Aurora::Server::build() . '/t/fault/clock.so';
BAIL_OUT("$shim does not exist: run make faults first") unless -f $shim;

use constant { BACK => 50, KIB => 32 };

my $folder = Aurora::Data::folder();
my $db = Aurora::Data::sqlite_create("$folder/clock.db", more => <<'SQL');
CREATE TABLE MANY (ID INTEGER PRIMARY KEY, V TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO MANY SELECT i, hex(zeroblob(40)) FROM n;
CREATE VIEW SLOW AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000) SELECT max(i) AS TOP FROM n;
SQL
my $file = File::Temp->new;
chmod 0666, "$file";
$ENV{AURORA_CLOCK} = "$file";
$ENV{AURORA_PRELOAD} = join ' ', grep { length } $ENV{AURORA_PRELOAD} // '', $shim;

sub set_back {
    my ($seconds) = @_;
    open my $out, '+<', "$file" or die $!;
    binmode $out;
    syswrite $out, pack 'q', $seconds * 1_000_000;
    close $out;
    return;
}

sub throttled {
    my ($server) = @_;
    my ($bytes, $from) = (0, time);
    set_back(0);
    my $r = $server->http(timeout => 2 * BACK)->export({ dataset => 'MANY' }, query => '?format=csv', sink => sub { $bytes += length $_[0]; set_back(BACK) });
    my ($took, $aim) = (time - $from, $bytes / 1024 / KIB);
    ok($r->{complete} && $bytes > 80_000, 'a throttled export is whole');
    cmp_ok($took, '<', $aim + BACK / 2, sprintf 'and takes no longer because the clock was set back in its middle (%.1f s, aim %.1f)', $took, $aim);
    return;
}

sub measured {
    my ($server) = @_;
    set_back(0);
    my $http = $server->http(timeout => 2 * BACK);
    my $job = Aurora::Async->run(sub { $http->preview({ dataset => 'SLOW' }) });
    ok($server->wait_until(sub { $http->api('/api/v1/tasks')->{body} =~ /"state":"running"/ }, 10), 'a preview runs');
    set_back(BACK);
    my $r = $job->wait;
    my $told = $r->{status} == 200 ? Aurora::JSON::decode($r->{body})->{execution_time_ms} : -1;
    cmp_ok($told, '>', 0, "its time is what it took: $told ms");
    return;
}

for my $mpm (Aurora::Server->mpms) {
    set_back(0);
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, conf => "AuroraExportBandwidth @{[KIB]}\nAuroraExplainThreshold 0");
    throttled($server);
    measured($server);
    $server->finish("$mpm: the server is well");
}
done_testing();
