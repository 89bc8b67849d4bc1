#!/usr/bin/perl
# partitions - what the newest partition by default costs on 1,000,000 rows in 100 loads: a preview of it against the same preview with
# the load id given by partition_filters, in turns, on each database that is here.
#
#   t/bench/partitions.pl [requests (40) [rows (1000000)]]    AURORA_DB=sqlite,pgsql,mysql: of these only some
#
# The page is full, so each request asks for its total as well; both are under the plan gate. Cases, each with an index on its columns
# but for the last:
#   number   load ids are numbers
#   day      the newest day, then its greatest load id
#   type     of a load type, half of the loads having it
#   text     load ids are texts
#   no index the table is read to find the newest, and again to find its rows: nothing to be judged

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";

use Time::HiRes qw(time);

use Aurora::Bench;
use Aurora::Data;
use Aurora::HTTP;
use Aurora::MariaDB;
use Aurora::Postgres;
use Aurora::Server;

use constant { LOADS => 100, GOAL => 1.5 };

my $requests = shift || 40;
my $rows     = shift || 1_000_000;
my $newest   = LOADS;
$| = 1;

my %column = (number => 'NUM', day => 'NUM', type => 'NUM', text => 'TXT', 'no index' => 'PLAIN');
my @cases  = ('number', 'day', 'type', 'text', 'no index');

sub catalog {
    my %sets;
    for my $case (@cases) {
        my %part = (load_id_column => $column{$case}, $case eq 'day' ? (date_column => 'AS_OF') : (), $case eq 'type' ? (load_type_column => 'KIND') : ());
        (my $name = uc $case) =~ tr/ /_/;
        $sets{"LATEST_$name"} = { source => 'LOADS', partition => { %part, default => 'latest' } };
        $sets{"GIVEN_$name"}  = { source => 'LOADS', partition => \%part };
    }
    return \%sets;
}

# The n-th row belongs to load n % LOADS + 1; two neighbours share a day.
my $indexes = join ' ', 'CREATE INDEX L1 ON LOADS (NUM);', 'CREATE INDEX L2 ON LOADS (AS_OF, NUM);', 'CREATE INDEX L3 ON LOADS (TXT);';
my $columns = 'ID INTEGER, AMOUNT DECIMAL(12,2), NUM INTEGER NOT NULL, TXT VARCHAR(20) %s NOT NULL, PLAIN INTEGER NOT NULL, KIND VARCHAR(10) NOT NULL, AS_OF DATE NOT NULL';

my %make = (
    sqlite => sub {
        my $folder = Aurora::Data::folder();
        my $db = "$folder/loads.db";
        Aurora::Data::sqlite_script($db, "CREATE TABLE LOADS (" . sprintf($columns, '') . ");\nBEGIN;\nWITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $rows - 1)\n"
            . "INSERT INTO LOADS SELECT i, i / 4.0, l, printf('load-%04d', l), l, CASE l % 2 WHEN 0 THEN 'Daily' ELSE 'Monthly' END, date('2024-01-01', '+' || (l / 2) || ' days')\n"
            . "FROM (SELECT i, i % @{[LOADS]} + 1 AS l FROM n);\nCOMMIT;\n$indexes\nANALYZE;\n");
        chmod 0644, $db;
        return (keep => $folder, server => [ db => $db ]);
    },
    pgsql => sub {
        my $pg = Aurora::Postgres->new(settings => { shared_buffers => '512MB', jit => 'off' });
        $pg->psql('CREATE TABLE LOADS (' . sprintf($columns, '') . ");\nINSERT INTO LOADS SELECT i, i / 4.0, l, 'load-' || lpad(l::text, 4, '0'), l, CASE l % 2 WHEN 0 THEN 'Daily' ELSE 'Monthly' END,\n"
            . "date '2024-01-01' + l / 2 FROM (SELECT i, i % @{[LOADS]} + 1 AS l FROM generate_series(0, $rows - 1) i) s;\n$indexes\nVACUUM (ANALYZE) LOADS;");
        return (keep => $pg, server => [ driver => 'pgsql', params => $pg->params ]);
    },
    mysql => sub {
        my $my = Aurora::MariaDB->new;
        $my->sql('CREATE TABLE LOADS (' . sprintf($columns, 'COLLATE utf8mb4_nopad_bin') . ") CHARACTER SET utf8mb4;\nINSERT INTO LOADS SELECT i, i / 4.0, l, concat('load-', lpad(l, 4, '0')), l, if(l % 2 = 0, 'Daily', 'Monthly'),\n"
            . "date '2024-01-01' + interval (l div 2) day FROM (SELECT seq AS i, seq % @{[LOADS]} + 1 AS l FROM seq_0_to_@{[$rows - 1]}) s;\n$indexes\nANALYZE TABLE LOADS;");
        return (keep => $my, server => [ driver => 'mysql', params => $my->params ]);
    },
);
my %missing = (sqlite => sub { return undef }, pgsql => sub { return Aurora::Postgres->missing }, mysql => sub { return Aurora::MariaDB->missing });

sub request {
    my ($case, $how) = @_;
    (my $name = uc $case) =~ tr/ /_/;
    my $id = $column{$case} eq 'TXT' ? sprintf 'load-%04d', $newest : $newest;
    my %filters = $how eq 'GIVEN' ? (partition_filters => { "GIVEN_$name" => [$id] }) : ();
    return { dataset => "${how}_$name", columns => [qw(ID AMOUNT)], limit => 100, $case eq 'type' ? (partition_load_type => 'daily') : (), %filters };
}

# Milliseconds of one preview, and how many rows it says there are.
sub ask {
    my ($http, $request) = @_;
    my $from = time;
    my $r = $http->preview($request);
    my $ms = (time - $from) * 1e3;
    my $answer = $r->{status} == 200 && Aurora::HTTP::json($r);
    die "$r->{status} $r->{body}\n" unless ref $answer;
    return ($ms, "$answer->{total_row_count}");
}

my $failed = 0;
for my $name (split m{,}, $ENV{AURORA_DB} || q{sqlite,pgsql,mysql}) {
    if (my $why = $missing{$name}->()) {
        print "$name skipped: $why\n";
        next;
    }
    my %db = $make{$name}->();
    my $catalog = Aurora::Data::catalog_write((my $folder = Aurora::Data::folder()) . '/catalog.json', { datasets => catalog() });
    my $server = Aurora::Server->start(@{ $db{server} }, catalog => $catalog, log_level => 'warn');
    my $http = $server->http(keep => 1);
    for my $case (@cases) {
        my %ms;
        for my $n (0 .. $requests) {
            my %total;
            for my $how (qw(GIVEN LATEST)) {
                (my $ms, $total{$how}) = ask($http, request($case, $how));
                push @{ $ms{$how} }, $ms if $n;    # the first warms up
            }
            die "$name, $case: $total{LATEST} rows instead of $total{GIVEN}\n" if $total{LATEST} != $total{GIVEN};
            last if $case eq 'no index' && $n == 5;
        }
        my ($given, $latest) = map { Aurora::Bench::median(@{ $ms{$_} }) } qw(GIVEN LATEST);
        printf "%-6s %-8s the id given %7.2f ms, the newest %7.2f ms: ratio %.2f", $name, $case, $given, $latest, $latest / $given;
        if ($case ne 'no index') {
            my $ok = $latest / $given <= GOAL;
            printf ' (goal: at most %s) %s', GOAL, $ok ? 'OK' : 'NOT OK';
            $failed ||= !$ok;
        }
        print "\n";
    }
    $server->stop;
}
exit($failed ? 1 : 0);
