#!/usr/bin/perl
# Does an export's length show in the child's resident memory? One child exports 1,000 rows, then 2,000,000 at full
# speed, then 2,000,000 to a client that reads 1 MB/s; resident memory is sampled all the while. OK when it is
# never more than 8 MiB above that after the small export, neither at the end nor on the way.
#
# The rows of the slow part are short, so that the whole of them takes about a minute. With
# AURORA_BENCH_SLOW=wide the slow client reads 1,000,000 wide rows instead, some two minutes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";

use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use Aurora::Bench;

use constant ALLOWED_KIB => 8192;

$| = 1;
my $server = Aurora::Bench::start(children => 1);
my ($child) = $server->children;
my $failed = 0;

# Run curl of an export, sampling the child. Returns peak, samples, seconds, bytes.
sub export {
    my ($body, @more) = @_;
    my $file = Aurora::Bench::folder() . "/curl.$$";
    my $from = time;
    my $pid  = fork // die $!;
    if (!$pid) {
        open STDOUT, '>', $file;
        exec 'curl', '-sS', '-f', '-o', '/dev/null', '-w', '%{size_download}', @more, Aurora::Bench::export_args($server, $body)
            or POSIX::_exit(127);
    }
    my ($peak, $samples) = (0, 0);
    while (waitpid($pid, WNOHANG) == 0) {
        my $rss = $server->rss($child) // die "the child is gone\n";
        $peak = $rss if $rss > $peak;
        $samples++;
        sleep 0.05;
    }
    die 'curl: exit ' . ($? >> 8) . "\n" if $?;
    my $bytes = Aurora::Server::slurp($file);
    unlink $file;
    return ($peak, $samples, time - $from, $bytes);
}

# Any table's first thousand rows.
sub thousand {
    my ($table) = @_;
    return qq({"dataset":"$table","filters":{"logic":"AND","conditions":[{"column":"ID","operator":"lte","value":1000}]}});
}

export(thousand($_)) for qw(WIDE NARROW);
my $base = $server->rss($child);
printf "after 1,000 rows: %d KiB resident (child %d, %s)\n", $base, $child, $server->mpm;

sub judge {
    my ($what, $body, @more) = @_;
    my ($peak, $samples, $seconds, $bytes) = export($body, @more);
    my $after = $server->rss($child);
    my $ok = $after - $base <= ALLOWED_KIB && $peak - $base <= ALLOWED_KIB;
    $failed ||= !$ok;
    printf "%s\n  %.1f MB in %.1f s; resident after it %d KiB (%+d), highest of %d samples %d KiB (%+d): %s\n", $what, $bytes / 1e6, $seconds,
        $after, $after - $base, $samples, $peak, $peak - $base, $ok ? 'OK' : 'NOT OK';
}

judge('2,000,000 rows at full speed', '{"dataset":"NARROW"}');
judge('1,000,000 rows of 12 columns at full speed', '{"dataset":"WIDE"}');
if (($ENV{AURORA_BENCH_SLOW} // '') eq 'wide') {
    judge('1,000,000 rows of 12 columns to a client that reads 1 MB/s', '{"dataset":"WIDE"}', '--limit-rate', '1M');
}
else {
    judge('2,000,000 rows to a client that reads 1 MB/s', '{"dataset":"NARROW"}', '--limit-rate', '1M');
}
$server->stop;
print $failed ? "NOT OK\n" : "OK: within 8 MiB\n";
exit($failed ? 1 : 0);
