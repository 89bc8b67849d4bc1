#!/usr/bin/perl
# pg_flat - is a long export from PostgreSQL held anywhere? One child exports 1,000 rows, then 2,000,000 at full speed,
# then 2,000,000 to a client that reads slowly and leaves. All the while these are sampled: the child's resident memory,
# the private memory of the database's process, and the temporary files of the cluster. OK when neither process grows
# by more than 8 MiB and no temporary file appears.
#
#   t/bench/pg_flat.pl [rows (2000000) [seconds of the slow reader (20)]]

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use PgBench;

use constant ALLOWED_KIB => 8192;

my $rows = shift || 2_000_000;
my $slow = shift || 20;
$| = 1;

my $pg = PgBench::cluster();
PgBench::make_wide($pg, $rows);
my $server = PgBench::server($pg, children => 1, pool => 1, conf => 'AuroraPoolMin 0');
my ($child) = $server->children;
my $failed = 0;

# Private memory of the processes that serve role aurora, in KiB. Shared buffers are everybody's and do not count.
sub backends_kib {
    my $kib = 0;
    for my $session ($pg->sessions) {
        $kib += Aurora::Server::slurp("/proc/$session->[0]/status") =~ /^RssAnon:\s+(\d+) kB/m ? $1 : 0;
    }
    return $kib;
}

sub temp_files { my @files = glob $pg->data . '/base/pgsql_tmp/*'; return scalar @files }

sub temp_files_ever {
    sleep 1.2;    # statistics arrive when a session is idle
    return $pg->value(q{SELECT temp_files FROM pg_stat_database WHERE datname = 'aurora'});
}

# Run curl of an export, sampling. Returns peaks (child, database, files), samples, seconds, curl's exit status.
sub export {
    my ($body, @more) = @_;
    my $from = time;
    my $pid  = PgBench::spawn('/dev/null', @{ PgBench::curl($server, $body, @more) });
    my ($child_kib, $database_kib, $files, $samples) = (0, 0, 0, 0);
    while (waitpid($pid, WNOHANG) == 0) {
        my $kib = $server->rss($child) // die "the child is gone\n";
        $child_kib = $kib if $kib > $child_kib;
        $kib = backends_kib();
        $database_kib = $kib if $kib > $database_kib;
        my $now = temp_files();
        $files = $now if $now > $files;
        $samples++;
        sleep 0.1;
    }
    return ($child_kib, $database_kib, $files, $samples, time - $from, $? >> 8);
}

my $thousand = '{"dataset":"WIDE","filters":{"logic":"AND","conditions":[{"column":"ID","operator":"lte","value":1000}]}}';
export($thousand) for 1 .. 2;
my ($base, $base_database) = ($server->rss($child), backends_kib());
my $ever = temp_files_ever();
printf "after 1,000 rows: child %d KiB resident, the database's process %d KiB of its own\n", $base, $base_database;

sub judge {
    my ($what, $expected, @more) = @_;
    my ($child_kib, $database_kib, $files, $samples, $seconds, $exit) = export('{"dataset":"WIDE"}', @more);
    die "curl: exit $exit\n" if $exit != $expected;
    my $after = $server->rss($child);
    my $made  = temp_files_ever() - $ever;
    my $ok    = $child_kib - $base <= ALLOWED_KIB && $after - $base <= ALLOWED_KIB
        && $database_kib - $base_database <= ALLOWED_KIB && $files == 0 && $made == 0;
    $failed ||= !$ok;
    printf "%s, %.1f s, %d samples\n  child: highest %d KiB (%+d), after it %d KiB (%+d)\n"
        . "  the database's process: highest %d KiB (%+d); temporary files seen %d, made %d: %s\n",
        $what, $seconds, $samples, $child_kib, $child_kib - $base, $after, $after - $base, $database_kib,
        $database_kib - $base_database, $files, $made, $ok ? 'OK' : 'NOT OK';
}

judge("$rows rows at full speed", 0);
judge("$rows rows to a client that reads 4 MB/s and leaves", 28, '--limit-rate', '4M', '--max-time', $slow);
$server->stop;
print $failed ? "NOT OK\n" : "OK: within 8 MiB, nothing on disk\n";
exit($failed ? 1 : 0);
