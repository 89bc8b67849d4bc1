#!/usr/bin/perl
# Workbooks of 100,000 rows x 12 columns, end to end from SQLite over HTTP, against a C program on libxlsxwriter in
# constant-memory mode and a Python program on XlsxWriter; then resident memory from 1,000 to 1,000,000 rows, and the
# largest workbook there is. OK when the first is at least 8, the second 30 times as slow, the file at most 1.3 times as large
# as the first's, memory within 8 MiB.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";

use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use Aurora::Bench;

use constant { ROWS => 100_000, RUNS => 5, C_TIMES => 8, PYTHON_TIMES => 30, SIZE => 1.3, ALLOWED_KIB => 8192 };

$| = 1;
my $folder = Aurora::Bench::folder();
my $db     = Aurora::Bench::database();
my $server = Aurora::Bench::start(children => 1, conf => "AuroraXlsxMaxRows 1048575\nAuroraExplainThreshold 0");
my ($child) = $server->children;
my $failed = 0;

sub body { my ($rows) = @_; return qq({"dataset":"WIDE","sorting":[{"column":"ID","direction":"ASC"}],"filters":{"logic":"AND","conditions":[{"column":"ID","operator":"lte","value":$rows}]}}) }

sub args {
    my ($body, $to, @more) = @_;
    return ('curl', '-sS', '-f', '-o', $to, '-w', '%{size_download} %{time_starttransfer}', @more, map { s/format=csv/format=xlsx/r } Aurora::Bench::export_args($server, $body));
}

# Wall seconds, CPU seconds (of the child and its server's child, or of the program) and what it said.
sub timed {
    my ($in_server, @command) = @_;
    my @cpu  = $in_server ? Aurora::Bench::cpu($child) : (times)[ 2, 3 ];
    my $from = time;
    open my $said, '-|', @command or die "$command[0]: $!";
    my $text = join '', <$said>;
    close $said or die "@command: $? $text";
    my $wall = time - $from;
    my @now  = $in_server ? Aurora::Bench::cpu($child) : (times)[ 2, 3 ];
    return ($wall, $now[0] + $now[1] - $cpu[0] - $cpu[1], $text);
}

sub contest {
    my ($name, $runs, $file, $in_server, @command) = @_;
    my (@wall, @cpu);
    for (1 .. $runs) {
        unlink $file;
        my ($wall, $cpu) = timed($in_server, @command);
        push @wall, $wall;
        push @cpu,  $cpu;
    }
    my %r = (wall => Aurora::Bench::median(@wall), cpu => Aurora::Bench::median(@cpu), size => -s $file);
    printf "  %-44s %6.3f s wall  %6.3f s CPU  %6.2f MB\n", $name, @r{qw(wall cpu)}, $r{size} / 1e6;
    return \%r;
}

print "100,000 rows x 12 columns, median:\n";
timed(1, args(body(ROWS), '/dev/null'));
my $ours   = contest('Aurora, over HTTP',                       RUNS, "$folder/ours.xlsx",   1, args(body(ROWS), "$folder/ours.xlsx"));
my $c      = contest('a C program, libxlsxwriter, constant memory', RUNS, "$folder/c.xlsx",      0, Aurora::Server::build() . '/t/bench/xlsx_libxlsxwriter', $db, ROWS, "$folder/c.xlsx");
my $python = contest('a Python program, XlsxWriter',            1,    "$folder/python.xlsx", 0, '/usr/bin/python3', "$FindBin::Bin/xlsx_xlsxwriter.py", $db, ROWS, "$folder/python.xlsx");

sub goal {
    my ($what, $got, $ok) = @_;
    printf "  %s: %.2f %s\n", $what, $got, $ok ? 'OK' : 'NOT OK';
    $failed ||= !$ok;
}
for (['wall', 'wall'], [ 'cpu', 'CPU' ]) {
    my ($key, $name) = @$_;
    goal("times as fast as the C program ($name)", $c->{$key} / $ours->{$key}, $c->{$key} / $ours->{$key} >= C_TIMES) if $ours->{$key} > 0;
    goal("times as fast as the Python program ($name)", $python->{$key} / $ours->{$key}, $python->{$key} / $ours->{$key} >= PYTHON_TIMES) if $ours->{$key} > 0;
}
goal('times as large as the C program\'s file', $ours->{size} / $c->{size}, $ours->{size} / $c->{size} <= SIZE);

# --- memory ------------------------------------------------------------------------------------------

sub sampled {
    my ($rows, @more) = @_;
    my $from = time;
    my $pid  = fork // die $!;
    if (!$pid) {
        open STDOUT, '>', "$folder/curl.out";
        my @command = args(body($rows), '/dev/null', @more);
        exec @command or POSIX::_exit(127);
    }
    my $peak = 0;
    while (waitpid($pid, WNOHANG) == 0) {
        my $rss = $server->rss($child) // die "the child is gone\n";
        $peak = $rss if $rss > $peak;
        sleep 0.02;
    }
    die 'curl: exit ' . ($? >> 8) . "\n" if $?;
    my ($size, $first) = split ' ', Aurora::Server::slurp("$folder/curl.out");
    return ($peak, time - $from, $size, $first);
}

sampled(1000) for 1 .. 3;
my $base = $server->rss($child);
printf "resident after 1,000 rows: %d KiB\n", $base;
for my $rows (100_000, 1_000_000) {
    my ($peak, $seconds, $size, $first) = sampled($rows);
    my $ok = $peak - $base <= ALLOWED_KIB;
    printf "  %d rows: %.2f s, %.1f MB, first byte after %.0f ms, highest resident %+d KiB: %s\n", $rows, $seconds, $size / 1e6, $first * 1000, $peak - $base, $ok ? 'OK' : 'NOT OK';
    $failed ||= !$ok;
}

# --- the largest -------------------------------------------------------------------------------------

{
    my ($wall, $cpu, $said) = timed(1, map { s/"dataset":"WIDE".*/"dataset":"NARROW","columns":["ID","AMOUNT","DAY"],"filters":{"logic":"AND","conditions":[{"column":"ID","operator":"lte","value":1048575}]}}/r } args(body(1), "$folder/largest.xlsx"));
    my $sound = system("unzip -tqq '$folder/largest.xlsx'") == 0;
    my ($range) = `unzip -p '$folder/largest.xlsx' xl/workbook.xml` =~ /\$C\$(\d+)</;
    my $ok = $sound && ($range // 0) == 1048576;
    printf "1,048,575 rows x 3 columns: %.2f s, %.1f MB, rows to %s: %s\n", $wall, (-s "$folder/largest.xlsx") / 1e6, $range // 'nowhere', $ok ? 'OK' : 'NOT OK';
    $failed ||= !$ok;
}
unlink map {"$folder/$_"} qw(ours.xlsx c.xlsx python.xlsx largest.xlsx curl.out);
$server->stop;
print $failed ? "NOT OK\n" : "OK\n";
exit($failed ? 1 : 0);
