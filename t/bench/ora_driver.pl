#!/usr/bin/perl
# ora_driver - rows a second of a 12-column result through the Oracle driver and the double of Oracle's client library,
# and what of that is the driver's own: instructions by callgrind, as time at the rate of the plain run.
#
#   t/bench/ora_driver.pl [rows] [array rows ...]
#
# The double (t/oci) answers from PostgreSQL, so rows a second say what driver, ODPI-C and double make together, not what
# Oracle would; the driver's own share carries over. Goal: below 1 microsecond a cell, ODPI-C's conversions included.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", $FindBin::Bin;

use File::Temp qw(tempdir);

my $rows   = shift || 200_000;
my @arrays = @ARGV ? @ARGV : (1, 10, 50, 200, 1000);
my $build  = $ENV{AURORA_BUILD} || "$FindBin::Bin/../../build";
my $program = "$build/t/bench/ora_driver";

sub skip { my ($why) = @_; print "skipped: $why\n"; exit 0 }

skip('no build/apr_dbd_oracle.so: make deps-oracle') unless -f "$build/apr_dbd_oracle.so" && -x $program;
eval { require Aurora::Oracle; 1 } or skip('there is no double of the client library (t/oci)');
if (my $why = Aurora::Oracle->missing) { skip($why) }

my $db = Aurora::Oracle->new;
my %env = (%ENV, LD_LIBRARY_PATH => $build);
$| = 1;
print "making $rows rows x 12 columns ...\n";
$db->psql(<<"SQL");
SET search_path = "AURORA", "SYS", public;
CREATE TABLE "WIDE" AS SELECT n::numeric(10) AS "ID", (n * 7919 % 1000)::numeric(6) AS "BRANCH",
    ('ACC' || lpad((n * 31 % 9999999)::text, 9, '0'))::varchar(12) AS "ACCOUNT",
    ((ARRAY['North','South','East, upper','West','Central'])[1 + n % 5])::varchar(20) AS "REGION",
    ((n * 104729) % 99999999 / 100.0)::numeric(12,2) AS "AMOUNT", ((n * 15485863) % 999999999 / 100.0)::numeric(12,2) AS "BALANCE",
    (n % 997 / 10.0)::numeric(12,2) AS "RATE", date '2015-01-01' + (n % 3650)::int AS "BOOKED",
    (timestamp '2020-01-01' + n * interval '1.5 second')::timestamp(3) AS "CHANGED", (n % 12)::numeric(2) AS "PERIOD",
    (CASE WHEN n % 10 <> 0 THEN 'Customer number ' || n % 50000 END)::varchar(40) AS "CUSTOMER",
    ('note ' || md5(n::text))::varchar(60) AS "NOTE"
FROM generate_series(1::bigint, $rows) AS n;
ANALYZE "WIDE";
GRANT SELECT ON "WIDE" TO PUBLIC;
SQL
my $sql = 'SELECT ID, BRANCH, ACCOUNT, REGION, AMOUNT, BALANCE, RATE, BOOKED, CHANGED, PERIOD, CUSTOMER, NOTE FROM WIDE';

# What the program prints, below another command if need be.
sub measure {
    my ($sql, $array, @under) = @_;
    local %ENV = %env;
    open(my $out, '-|', @under, $program, $db->params(libdir => 1), $sql, $array) or die "$program: $!";
    my $line = <$out>;
    close $out;
    die "ora_driver failed\n" if $? || !$line;
    my ($n, $cells, $bytes, $wall, $cpu) = split ' ', $line;
    return { rows => $n, cells => $cells, bytes => $bytes, wall => $wall, cpu => $cpu };
}

# Instructions by shared object, out of callgrind's file.
sub by_object {
    my ($path) = @_;
    open(my $in, '<', $path) or die "$path: $!";
    my (%name, %cost, $object, $call);
    while (<$in>) {
        if (/^ob=\((\d+)\)(?: (.*))?/) { $name{$1} = $2 if defined $2; $object = $1 }
        elsif (/^cob=\((\d+)\)(?: (.*))?/) { $name{$1} = $2 if defined $2 }
        elsif (/^calls=/) { $call = 1 }
        elsif (/^[+\-*\d]/) { my @f = split ' '; $cost{$object} += $f[1] if !$call && @f > 1; $call = 0 }
    }
    close $in;
    my %by;
    $by{ $name{$_} =~ s{.*/}{}r } += $cost{$_} for keys %cost;
    return %by;
}

printf "%12s %12s %12s\n", 'array rows', 'rows/s', 'CPU ns/cell';
my $best;
for my $array (@arrays) {
    my ($m) = sort { $a->{wall} <=> $b->{wall} } map { measure($sql, $array) } 1 .. 3;
    printf "%12d %12.0f %12.0f\n", $array, $m->{rows} / $m->{wall} * 1000, $m->{cpu} * 1e6 / $m->{cells};
    $best = $m if !$best || $m->{wall} < $best->{wall};
}

skip('no valgrind for the shares') if system('command -v valgrind >/dev/null');
my $dir = tempdir(CLEANUP => 1);
my %of;
my ($few, $many) = map { $_ < $rows ? $_ : $rows } (1_000, 11_000);
for my $n ($few, $many) {    # what is not in each row falls out of the difference
    measure("$sql WHERE ID <= $n", 200, qw(valgrind -q --tool=callgrind), "--callgrind-out-file=$dir/$n");
    my %by = by_object("$dir/$n");
    $of{$_}{$n} = $by{$_} for keys %by;
}
my $cells = ($many - $few) * 12;
my %each = map { $_ => (($of{$_}{$many} // 0) - ($of{$_}{$few} // 0)) / $cells } keys %of;
my $all = 0;
$all += $_ for values %each;
my $ns = $best->{cpu} * 1e6 / $best->{cells} / $all;    # of CPU for an instruction, kernel included
my $driver = 0;
printf "\n%-32s %18s %8s\n", 'instructions by object', 'for each cell', 'ns';
for my $object (sort { $each{$b} <=> $each{$a} } keys %each) {
    next if $each{$object} < 0.5;
    printf "%-32s %18.1f %8.0f\n", $object, $each{$object}, $each{$object} * $ns;
    $driver += $each{$object} * $ns if $object =~ /apr_dbd_oracle|libodpic/;
}
printf "\ndriver and ODPI-C: %.0f ns a cell (goal: below 1000)\n", $driver;
exit($driver < 1000 ? 0 : 1);
