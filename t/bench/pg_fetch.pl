#!/usr/bin/perl
# pg_fetch - measure how a large result is best read from PostgreSQL (the modes stand in pg_fetch.c), in one
# run and alternating, against psql's \copy of the same rows; then eight readers at once against eight COPYs.
#
#   t/bench/pg_fetch.pl [rounds] [rows] [mode ...]
#
# A private cluster holds the rows and is removed afterwards. Ratios carry over to other machines, times do not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp qw(tempdir);
use Time::HiRes qw(time);
use Aurora::Postgres;

my $rounds = shift || 5;
my $rows   = shift || 1_000_000;
my @modes  = @ARGV ? @ARGV : qw(single single-prepared single-binary fetch:100 fetch:500 fetch:1000 fetch:2000
    fetch:5000 fetch2:100 fetch2:500 fetch2:1000 fetch2:2000 fetch2:5000 fetch-binary:1000 whole copy);

die Aurora::Postgres->missing . "\n" if Aurora::Postgres->missing;
my $dir = tempdir(CLEANUP => 1);
my $program = "$dir/pg_fetch";
chomp(my $include = qx(pg_config --includedir));
system('cc', '-std=gnu11', '-O2', "-I$include", '-o', $program, "$FindBin::Bin/pg_fetch.c", '-lpq') == 0
    or die "pg_fetch.c does not compile (Debian: libpq-dev)\n";

my $pg = Aurora::Postgres->new(settings => { shared_buffers => '512MB', jit => 'off' });
print STDERR "making $rows rows\n";
$pg->psql(<<"SQL");
CREATE TABLE wide AS SELECT
    n::bigint AS id, (n * 7919 % 1000)::int AS branch, 'ACC' || lpad((n * 31 % 9999999)::text, 9, '0') AS account,
    (ARRAY['North','South','East, upper','West','Central "old"'])[1 + n % 5] AS region,
    ((n * 104729) % 99999999 / 100.0)::numeric(12,2) AS amount, ((n * 15485863) % 999999999 / 100.0)::numeric(12,2) AS balance,
    (n % 997 / 10.0)::numeric(12,2) AS rate, date '2015-01-01' + (n % 3650)::int AS booked,
    timestamp '2020-01-01' + n * interval '1.5 second' AS changed, n % 12 AS month,
    CASE WHEN n % 10 = 0 THEN NULL ELSE 'Customer number ' || n % 50000 END AS customer, 'note ' || md5(n::text) AS note
FROM generate_series(1::bigint, $rows) AS n;
ALTER TABLE wide ALTER month TYPE int;
VACUUM (ANALYZE, FREEZE) wide;
SELECT count(*) FROM wide;
SQL

my $columns = 'id, branch, account, region, amount, balance, rate, booked, changed, month, customer, note';
my $select  = "SELECT $columns FROM wide";
my @copy    = ($pg->bin('psql'), '-X', '-q', $pg->params, '-c', "\\copy ($select) to stdout csv");
my @one     = ($pg->params, "$select WHERE id > \$1");

# Start a command with its output going to `to`; the pid.
sub start {
    my ($to, @command) = @_;
    my $pid = fork();
    die "fork: $!" unless defined $pid;
    return $pid if $pid;
    open(STDOUT, '>', $to) or die "$to: $!";
    exec @command or die "$command[0]: $!";
}

sub once {
    my ($mode) = @_;
    my @before = times;
    my $from = time;
    my $out = $mode eq 'psql' ? '/dev/null' : "$dir/out";
    waitpid(start($out, $mode eq 'psql' ? @copy : ($program, $mode, @one)), 0);
    die "$mode failed\n" if $?;
    my $wall = time - $from;
    my @after = times;
    my $cpu = $after[2] + $after[3] - $before[2] - $before[3];
    return { wall => $wall, cpu => $cpu, rss => 0, server => 0, server_cpu => 0, switches => 0 } if $mode eq 'psql';
    open(my $in, '<', $out) or die $!;
    my ($n, $bytes, undef, undef, $rss, $server, $server_cpu, $switches) = split ' ', <$in>;
    die "$mode: $n rows\n" if $n != $rows;
    return { wall => $wall, cpu => $cpu, rss => $rss, server => $server, bytes => $bytes,
        server_cpu => $server_cpu / 1000, switches => $switches };
}

sub eight {
    my ($mode) = @_;
    my $from = time;
    my @pid = map { start($mode eq 'psql' ? '/dev/null' : "$dir/out$_", $mode eq 'psql' ? @copy : ($program, $mode, @one)) } 1 .. 8;
    for (@pid) {
        waitpid($_, 0);
        die "$mode failed\n" if $?;
    }
    return 8 * $rows / (time - $from) / 1000;
}

sub median { my @s = sort { $a <=> $b } @_; return @s ? $s[ $#s / 2 ] : 0 }
sub least  { my @s = sort { $a <=> $b } @_; return $s[0] }

my (%seen, %eight);
once('psql');    # everything cached
for my $round (1 .. $rounds) {
    for my $mode ('psql', @modes) {
        push @{ $seen{$mode} }, once($mode);
    }
}
my @of_eight = grep { $_ ne 'whole' } @modes;
for my $round (1 .. 3) {
    push @{ $eight{$_} }, eight($_) for 'psql', @of_eight;
}
my $base  = median(map { $_->{wall} } @{ $seen{psql} });
my $base1 = least(map { $_->{wall} } @{ $seen{psql} });
my $base8 = median(@{ $eight{psql} });
printf "%-18s %7s %7s %7s %7s %6s %6s %8s %8s %8s %9s %7s\n",
    qw(mode wall_s best_s to_copy best_to cpu_s srv_s switches client_M server_M 8_krows/s to_copy);
for my $mode ('psql', @modes) {
    my @s = @{ $seen{$mode} };
    my $wall = median(map { $_->{wall} } @s);
    my $best = least(map { $_->{wall} } @s);
    my $rate = $eight{$mode} ? median(@{ $eight{$mode} }) : 0;
    printf "%-18s %7.2f %7.2f %7.2f %7.2f %6.2f %6.2f %8d %8.1f %8.1f %9.0f %7.2f\n", $mode, $wall, $best, $wall / $base,
        $best / $base1, median(map { $_->{cpu} } @s), median(map { $_->{server_cpu} } @s),
        median(map { $_->{switches} } @s), median(map { $_->{rss} } @s) / 1024,
        median(map { $_->{server} } @s) / 1024, $rate, $rate / $base8;
}
printf "%d rows, %.0f MB of CSV, %d rounds\n", $rows, $seen{ $modes[0] }[0]{bytes} / 1e6, $rounds;
