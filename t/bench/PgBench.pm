package PgBench;

# What the benchmarks against PostgreSQL share: a private cluster with their tables, an httpd in front of it, and
# commands that run side by side. Nothing of it stays.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";

use Carp qw(croak);
use POSIX ();
use Time::HiRes qw(time);

use Aurora::Postgres;
use Aurora::Server;

our $COLUMNS = 'id, branch, account, region, amount, balance, rate, booked, changed, month, customer, note';

# A running cluster. Ends the program with status 0 where there is no PostgreSQL: nothing was missed but a measurement.
sub cluster {
    my (%settings) = @_;
    if (my $why = Aurora::Postgres->missing) {
        print "skipped: $why\n";
        exit 0;
    }
    return Aurora::Postgres->new(
        settings => { shared_buffers => '512MB', jit => 'off', max_connections => 300, %settings });
}

# Rows x 12 columns, 128 bytes of CSV each: integers, amounts, short and longer texts (some with commas and quotes),
# a date, a timestamp, NULLs. Read once, so that everything is in memory.
sub make_wide {
    my ($pg, $rows) = @_;
    $| = 1;
    print "making $rows rows x 12 columns ...\n";
    $pg->psql(<<"SQL");
CREATE TABLE wide AS SELECT
    n::bigint AS id, (n * 7919 % 1000)::int AS branch, 'ACC' || lpad((n * 31 % 9999999)::text, 9, '0') AS account,
    (ARRAY['North','South','East, upper','West','Central "old"'])[1 + n % 5] AS region,
    ((n * 104729) % 99999999 / 100.0)::numeric(12,2) AS amount, ((n * 15485863) % 999999999 / 100.0)::numeric(12,2) AS balance,
    (n % 997 / 10.0)::numeric(12,2) AS rate, date '2015-01-01' + (n % 3650)::int AS booked,
    timestamp '2020-01-01' + n * interval '1.5 second' AS changed, (n % 12)::int AS month,
    CASE WHEN n % 10 = 0 THEN NULL ELSE 'Customer number ' || n % 50000 END AS customer, 'note ' || md5(n::text) AS note
FROM generate_series(1::bigint, $rows) AS n;
VACUUM (ANALYZE, FREEZE) wide;
SELECT count(*) FROM wide;
SQL
}

# An httpd in front of the cluster. threads: of each of its children (2); pool: connections of each.
sub server {
    my ($pg, %o) = @_;
    die Aurora::Server::unavailable() . "\n" if Aurora::Server::unavailable();
    # As every distribution has it: no look for .htaccess files.
    my $conf = "<Directory \"/\">\nAllowOverride None\n</Directory>\nAuroraPoolMax $o{pool}\n" . ($o{conf} // '');
    return Aurora::Server->start(driver => 'pgsql', params => $pg->params, children => $o{children} // 2,
        threads => $o{threads} // 16, log_level => 'warn', conf => $conf);
}

# Start a command with its output going to `to`; returns the pid.
sub spawn {
    my ($to, @command) = @_;
    my $pid = fork // croak "fork: $!";
    return $pid if $pid;
    open STDOUT, '>', $to or POSIX::_exit(126);
    exec { $command[0] } @command or POSIX::_exit(127);
}

# Seconds until all of the commands have ended, started at once. Dies when one fails.
sub timed {
    my (@commands) = @_;
    my $from = time;
    my @pid  = map { spawn('/dev/null', @$_) } @commands;
    for my $i (0 .. $#pid) {
        waitpid $pid[$i], 0;
        die "$commands[$i][0]: exit " . ($? >> 8) . "\n" if $?;
    }
    return time - $from;
}

# psql that copies the query's rows to its output as CSV.
sub copy {
    my ($pg, $select) = @_;
    return [ $pg->bin('psql'), '-X', '-q', $pg->params, '-c', "\\copy ($select) to stdout csv" ];
}

# curl of an export, its bytes dropped.
sub curl {
    my ($server, $body, @more) = @_;
    return [ 'curl', '-sS', '-f', '-o', '/dev/null', @more, '-H', 'Content-Type: application/json', '-d', $body,
        $server->url('/api/v1/query/export?format=csv') ];
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted % 2 ? $sorted[ $#sorted / 2 ] : ($sorted[ @sorted / 2 - 1 ] + $sorted[ @sorted / 2 ]) / 2;
}

# CPU seconds, user and system together, of processes.
sub cpu {
    my (@pids) = @_;
    my $ticks = 0;
    for my $pid (@pids) {
        my @f = split ' ', Aurora::Server::slurp("/proc/$pid/stat") =~ s/^.*\) //sr;
        $ticks += ($f[11] // 0) + ($f[12] // 0);
    }
    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

1;
