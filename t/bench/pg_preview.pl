#!/usr/bin/perl
# pg_preview - previews a second (500 rows, objects) through pool, cursor and JSON writer against pgbench
# running the same SQL, alternating, at 1 and 20 connections. httpd is not part of it.
#
#   t/bench/pg_preview.pl PROGRAM [rounds] [seconds]
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp qw(tempdir);
use Aurora::Postgres;

my ($program, $rounds, $seconds) = (shift, shift || 3, shift || 4);
my $pg = Aurora::Postgres->new(settings => { shared_buffers => '128MB', jit => 'off' });
$pg->psql(<<'SQL');
CREATE TABLE sales AS SELECT n AS id, (n * 7919 % 1000)::int AS branch, 'Customer number ' || n AS customer,
    ((n * 104729) % 99999999 / 100.0)::numeric(12,2) AS amount, date '2015-01-01' + (n % 3650)::int AS booked,
    timestamp '2020-01-01' + n * interval '1.5 second' AS changed, n % 2 = 0 AS paid, md5(n::text) AS note
FROM generate_series(1::bigint, 200000) AS n;
CREATE INDEX ON sales (id);
VACUUM (ANALYZE) sales;
SQL
my $sql = 'SELECT id, branch, customer, amount, booked, changed, paid, note FROM sales WHERE id > 100 ORDER BY id LIMIT 500';
my $dir = tempdir(CLEANUP => 1);
open(my $out, '>', "$dir/sql") or die $!;
print {$out} "$sql;\n";
close $out;
my $bench = Aurora::Database->find_program('pgbench', '/usr/lib/postgresql/*/bin');

sub pgbench {
    my ($clients, $mode) = @_;
    my @conn = ('-h', '127.0.0.1', '-p', $pg->port, '-U', 'aurora');
    my $text = qx($bench -n -f $dir/sql -M $mode -c $clients -j 2 -T $seconds @conn aurora 2>&1);
    return $text =~ /tps = ([\d.]+)/ ? $1 : die $text;
}

sub median { my @s = sort { $a <=> $b } @_; return $s[ $#s / 2 ] }

for my $clients (1, 20) {
    my %seen;
    for (1 .. $rounds) {
        push @{ $seen{$_} }, pgbench($clients, $_) for qw(simple extended prepared);
        my @got = split ' ', qx($program '@{[$pg->params]}' $clients $seconds '$sql');
        push @{ $seen{aurora} }, $got[0];
        push @{ $seen{p50} }, $got[1];
        push @{ $seen{p99} }, $got[2];
        push @{ $seen{cpu} }, $got[3];
    }
    my %m = map { $_ => median(@{ $seen{$_} }) } keys %seen;
    printf "%3d connections: pgbench simple %.0f, extended %.0f, prepared %.0f a second; aurora %.0f (%.2f of simple), "
        . "p50 %.2f ms, p99 %.2f ms, %.0f us CPU each\n", $clients, @m{qw(simple extended prepared aurora)},
        $m{aurora} / $m{simple}, @m{qw(p50 p99 cpu)};
}
