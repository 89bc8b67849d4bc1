package Aurora::Bench;

# What the benchmarks share: their data, made once and kept in build/bench, and a few figures.

use strict;
use warnings;

use Carp qw(croak);
use POSIX ();
use Time::HiRes qw(time);

use Aurora::Data;
use Aurora::Server;

use constant { WIDE_ROWS => 1_000_000, NARROW_ROWS => 2_000_000 };

# Raised when the tables below change, so that nobody measures last year's rows.
use constant VERSION => 1;

sub folder {
    my $dir = Aurora::Server::build() . '/bench';
    mkdir $dir, 0755;
    -d $dir or croak "$dir: $!";
    return $dir;
}

# 1,000,000 rows x 12 columns, some 129 MB of CSV: integers, amounts with two decimals, short and longer
# texts (one of seven with a comma), dates, a timestamp, NULLs.
my $WIDE = <<"SQL";
CREATE TABLE WIDE (ID INTEGER PRIMARY KEY, ACCOUNT BIGINT, BRANCH INTEGER, AMOUNT DECIMAL(12,2), PRICE REAL,
 QUANTITY INTEGER, REGION VARCHAR(20), CUSTOMER VARCHAR(40), NOTE VARCHAR(60), BOOKED DATE, DUE DATE, CREATED_AT TIMESTAMP);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @{[WIDE_ROWS]})
INSERT INTO WIDE SELECT i, 4000000000 + i * 7919 % 999999937, i % 4099, (i * 7919 % 100000007) / 100.0, (i * 104729 % 1000003) / 100.0,
 i % 997, substr('North South East  West  Centre', 1 + 6 * (i % 5), 6), 'Customer ' || (i * 31 % 100003) || '/' || (i % 4099),
 CASE WHEN i % 11 = 0 THEN NULL WHEN i % 7 = 0 THEN 'delivered, paid ' || i ELSE 'transfer ' || (i % 5003) END,
 date('1995-01-01', '+' || (i % 11000) || ' days'), date('1996-01-01', '+' || (i % 10007) || ' days'),
 datetime('2001-01-01', '+' || (i * 61) || ' seconds')
FROM n;
SQL

# 2,000,000 short rows, some 58 MB of CSV: a reader at 1 MB/s is through in about a minute.
my $NARROW = <<"SQL";
CREATE TABLE NARROW (ID INTEGER PRIMARY KEY, AMOUNT DECIMAL(12,2), DAY DATE);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @{[NARROW_ROWS]})
INSERT INTO NARROW SELECT i, (i * 7919 % 100000007) / 100.0, date('1950-01-01', '+' || (i % 40000) || ' days') FROM n;
SQL

# Path of the database; made when it is not there.
sub database {
    my $path = folder() . '/bench-' . VERSION . '.db';
    return $path if -s $path;
    print "making $path, once ...\n";
    my $from = time;
    my $new  = "$path.$$";
    unlink $new;
    Aurora::Data::sqlite_script($new, "PRAGMA journal_mode = OFF;\nPRAGMA synchronous = OFF;\nBEGIN;\n$WIDE$NARROW\nCOMMIT;\n");
    chmod 0644, $new;
    rename $new, $path or croak "$path: $!";
    printf "made in %.1f s, %.0f MB\n", time - $from, (-s $path) / 1e6;
    return $path;
}

# Children of another account must be able to walk down to the database.
sub start {
    my (%o) = @_;
    my $db = database();
    if ($> == 0) {
        my ($user) = Aurora::Server::child_user();
        my $may = system('su', '-s', '/bin/sh', $user, '-c', "test -r '$db'") == 0;
        croak "$db cannot be read by $user, whom httpd's children run as" unless $may;
    }
    return Aurora::Server->start(db => $db, %o);
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted % 2 ? $sorted[ $#sorted / 2 ] : ($sorted[ @sorted / 2 - 1 ] + $sorted[ @sorted / 2 ]) / 2;
}

# CPU seconds, user and system, a process has used.
sub cpu {
    my ($pid) = @_;
    my @f = split ' ', Aurora::Server::slurp("/proc/$pid/stat") =~ s/^.*\) //sr;
    my $tick = POSIX::sysconf(POSIX::_SC_CLK_TCK());
    return ($f[11] / $tick, $f[12] / $tick);
}

sub export_args {
    my ($server, $body) = @_;
    return ('-H', 'Content-Type: application/json', '-d', $body, $server->url('/api/v1/query/export?format=csv'));
}

# Lines and bytes of an export, as `wc -lc` counts them.
sub lines_of {
    my ($server, $body) = @_;
    my @args = map { s/'/'\\''/gr } export_args($server, $body);
    my $answer = `curl -sS -f @{[map { "'$_'" } @args]} | wc -lc`;
    croak 'the export failed' if $?;
    return $answer;
}

1;
