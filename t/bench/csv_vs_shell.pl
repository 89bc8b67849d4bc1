#!/usr/bin/perl
# The same 1,000,000 rows x 12 columns as CSV into /dev/null, in turns: `sqlite3 -csv` and `curl` of
# the export. Prints every pair, medians and their ratio. Arguments: pairs (5), highest ratio that is OK (0.5).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";

use POSIX ();
use Time::HiRes qw(time);

use Aurora::Bench;

my $pairs = shift // 5;
my $goal  = shift // 0.5;
die "usage: $0 [pairs, at least 5 [ratio]]\n" unless $pairs =~ /^\d+$/ && $pairs >= 5;
my $select = 'SELECT * FROM WIDE';

sub timed {
    my (@command) = @_;
    my $from = time;
    my $pid  = fork // die $!;
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    die "@command[0, 1]: exit " . ($? >> 8) . "\n" if $?;
    return time - $from;
}

my $server = Aurora::Bench::start(children => 1);
my $db     = Aurora::Bench::database();
my ($child) = $server->children;
my @shell = ('sqlite3', '-batch', '-readonly', '-init', '/dev/null', '-csv', $db, $select);
my @curl  = ('curl', '-sS', '-f', '-o', '/dev/null', Aurora::Bench::export_args($server, '{"dataset":"WIDE"}'));

# Both once beforehand: the file into the page cache, and proof that both write the same number of lines.
my $lines = `sqlite3 -batch -readonly -init /dev/null -csv '$db' '$select' | wc -lc`;
my $ours  = Aurora::Bench::lines_of($server, '{"dataset":"WIDE"}');
my ($shell_lines, $shell_bytes) = split ' ', $lines;
my ($our_lines, $our_bytes) = split ' ', $ours;
die "lines differ: $shell_lines of sqlite3, $our_lines - 1 of the export\n" if $our_lines != $shell_lines + 1;
printf "%s rows; sqlite3 -csv: %.1f MB, export: %.1f MB with its header\n", $shell_lines, $shell_bytes / 1e6, $our_bytes / 1e6;

my (@a, @b);
my @before = Aurora::Bench::cpu($child);
for my $n (1 .. $pairs) {
    push @a, timed(@shell);
    push @b, timed(@curl);
    printf "pair %2d   sqlite3 -csv %6.3f s   curl of the export %6.3f s   ratio %.3f\n", $n, $a[-1], $b[-1], $b[-1] / $a[-1];
}
my @after = Aurora::Bench::cpu($child);
my ($x, $y) = (Aurora::Bench::median(@a), Aurora::Bench::median(@b));
my $ratio = $y / $x;
printf "median    sqlite3 -csv %6.3f s   curl of the export %6.3f s   ratio %.3f (goal: at most %s) %s\n", $x, $y, $ratio, $goal,
    $ratio <= $goal ? 'OK' : 'NOT OK';
printf "the child's CPU for one export: %.3f s user, %.3f s system\n", map { ($after[$_] - $before[$_]) / $pairs } 0, 1;
$server->stop;
exit($ratio <= $goal ? 0 : 1);
