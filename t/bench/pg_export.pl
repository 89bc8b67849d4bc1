#!/usr/bin/perl
# pg_export - an export of 1,000,000 rows x 12 columns from PostgreSQL, through httpd to curl, against
# `psql -c "\copy (...) to stdout csv"` of the same rows, in turns; then eight of each at once. Prints every pair,
# medians and their ratios.
#
#   t/bench/pg_export.pl [pairs (5) [pairs of eight (3) [rows (1000000)]]]

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use PgBench;

use constant { GOAL => 0.8, GOAL_EIGHT => 0.65, EIGHT => 8 };

my $pairs = shift || 5;
my $eight = shift || 3;
my $rows  = shift || 1_000_000;
$| = 1;

my $pg = PgBench::cluster();
PgBench::make_wide($pg, $rows);
my $server = PgBench::server($pg, children => 1, pool => EIGHT + 2);
my ($child) = $server->children;
my $copy = PgBench::copy($pg, "SELECT $PgBench::COLUMNS FROM wide");
my $curl = PgBench::curl($server, '{"dataset":"WIDE"}');

# Both once beforehand, and proof that both write the same rows.
my ($theirs, $ours) = map {
    my $command = join ' ', map { my $word = $_; $word =~ s/'/'\\''/g; "'$word'" } grep { $_ ne '-o' && $_ ne '/dev/null' } @$_;
    my @wc = split ' ', `$command | wc -lc`;
    die "$_->[0] failed\n" if $?;
    \@wc;
} $copy, $curl;
die "lines differ: $theirs->[0] of \\copy, $ours->[0] - 1 of the export\n" if $ours->[0] != $theirs->[0] + 1;
printf "%d rows; \\copy: %.1f MB, export: %.1f MB (a header, CR LF)\n", $theirs->[0], $theirs->[1] / 1e6, $ours->[1] / 1e6;

my $failed = 0;

sub judge {
    my ($what, $ratio, $ok, $goal) = @_;
    printf "%s: %.3f (goal: %s) %s\n", $what, $ratio, $goal, $ok ? 'OK' : 'NOT OK';
    $failed ||= !$ok;
}

my (@a, @b, @cpu);
for my $n (1 .. $pairs) {
    push @a, PgBench::timed($copy);
    my $before = PgBench::cpu($child);
    push @b, PgBench::timed($curl);
    push @cpu, PgBench::cpu($child) - $before;
    printf "pair %2d   \\copy %6.3f s   curl of the export %6.3f s   ratio %.3f\n", $n, $a[-1], $b[-1], $b[-1] / $a[-1];
}
my ($x, $y) = (PgBench::median(@a), PgBench::median(@b));
printf "median    \\copy %6.3f s   curl of the export %6.3f s   the child's CPU %.2f s\n", $x, $y, PgBench::median(@cpu);
my ($least_x, $least_y) = map { (sort { $a <=> $b } @$_)[0] } \@a, \@b;
printf "least     \\copy %6.3f s   curl of the export %6.3f s   ratio %.3f\n",
    $least_x, $least_y, $least_y / $least_x;
judge('wall time of the export to that of \copy', $y / $x, $y / $x <= GOAL, 'at most ' . GOAL);

my (@p, @q);
for my $n (1 .. $eight) {
    push @p, EIGHT * $rows / PgBench::timed(($copy) x EIGHT);
    push @q, EIGHT * $rows / PgBench::timed(($curl) x EIGHT);
    printf "eight at once %d   \\copy %5.0f krows/s   exports %5.0f krows/s   ratio %.3f\n", $n, $p[-1] / 1e3, $q[-1] / 1e3,
        $q[-1] / $p[-1];
}
($x, $y) = (PgBench::median(@p), PgBench::median(@q));
judge('rows a second of eight exports to those of eight COPYs', $y / $x, $y / $x >= GOAL_EIGHT, 'at least ' . GOAL_EIGHT);
$server->stop;
exit($failed ? 1 : 0);
