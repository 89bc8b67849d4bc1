#!/usr/bin/perl
# pg_requests - previews a second (500 rows, objects) through httpd at 1, 20 and 200 connections, against pgbench
# running the same SQL with as many clients, in turns.
#
#   t/bench/pg_requests.pl [rounds (3) [seconds (4) [connections (1,20,200)]]]
#
# Each case's statements are those the server itself saw, values included. Three cases:
#   page   the page tells the total, and no plan is asked for (AuroraExplainThreshold 0): one statement
#   gate   the same with the plan gate, as shipped: EXPLAIN and the page
#   count  a page that is full, so that the total is counted: EXPLAIN, page and count over 10,000 rows
# pgbench runs each case's statements, and the page alone. Goals are for 20 connections.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp qw(tempdir);
use JSON::PP ();

use PgBench;

use constant { GOAL => 0.6, GOAL_P99_MS => 50, JUDGED => 20 };

my $rounds      = shift || 3;
my $seconds     = shift || 4;
my @connections = split /,/, shift || '1,20,200';
$| = 1;

my $load = Aurora::Server::build() . '/t/bench/load';
die "$load is missing: make bench builds it\n" unless -x $load;
my $pgbench = Aurora::Database->find_program('pgbench', '/usr/lib/postgresql/*/bin') or die "there is no pgbench\n";
my $dir = tempdir(CLEANUP => 1);

my $pg = PgBench::cluster(shared_buffers => '128MB');
$pg->psql(<<'SQL');
CREATE TABLE sales AS SELECT n AS id, (n * 7919 % 1000)::int AS branch, 'Customer number ' || n AS customer,
    ((n * 104729) % 99999999 / 100.0)::numeric(12,2) AS amount, date '2015-01-01' + (n % 3650)::int AS booked,
    timestamp '2020-01-01' + n * interval '1.5 second' AS changed, n % 2 = 0 AS paid, md5(n::text) AS note
FROM generate_series(1::bigint, 200000) AS n;
CREATE INDEX ON sales (id);
VACUUM (ANALYZE) sales;
SQL

sub request {
    my ($first, $last) = @_;
    return JSON::PP->new->canonical->encode({ dataset => 'SALES', limit => 500 + ($last - $first < 500),
        filters => { logic => 'AND', conditions => [ { column => 'ID', operator => 'between', value => [ $first, $last ] } ] },
        sorting => [ { column => 'ID', direction => 'ASC' } ] });
}

my @cases = (
    { name => 'page',  body => request(101, 600),    threshold => 0,       statements => 1 },
    { name => 'gate',  body => request(101, 600),    threshold => 1000000, statements => 2 },
    { name => 'count', body => request(101, 10_100), threshold => 1000000, statements => 3 },
);
my $threads = 128;

sub server {
    my ($case) = @_;
    return PgBench::server($pg, children => 2, threads => $threads, pool => 10,
        conf => "AuroraPreviewMaxRows 501\nAuroraExplainThreshold $case->{threshold}");
}

# What the server is asked for one such preview, with its values put in.
sub statements {
    my ($case) = @_;
    $pg->psql("ALTER SYSTEM SET log_statement = 'all'");
    $pg->psql('SELECT pg_reload_conf()');
    my $server = server($case);
    my $answer = $server->http->post('/aurora/api/v1/query/preview', $case->{body});
    die "the preview failed: $answer->{body}\n" if $answer->{status} != 200;
    my $got = JSON::PP::decode_json($answer->{body});
    die "$got->{row_count} rows\n" if $got->{row_count} != 500;
    $server->stop;
    $pg->psql('ALTER SYSTEM RESET log_statement');
    $pg->psql('SELECT pg_reload_conf()');
    my @seen;
    open my $log, '<', $pg->log_path or die $!;
    while (<$log>) {
        if (/LOG:  execute [^:]+: (.*)/) {
            push @seen, $1;
        }
        elsif (/DETAIL:  parameters: (.*)/ && @seen) {
            my %value = map { /^(\$\d+) = (.*)/s } split /, (?=\$\d+ = )/, $1;
            $seen[-1] =~ s/(\$\d+)/$value{$1} \/\/ $1/ge;
        }
    }
    @seen = grep { /\bsales\b/i && !/pg_catalog|pg_class/ } @seen;
    @seen = @seen[ -$case->{statements} .. -1 ] if @seen > $case->{statements};
    die "$case->{name}: " . @seen . " statements instead of $case->{statements}\n" if @seen != $case->{statements};
    return @seen;
}

sub pgbench {
    my ($clients, $file) = @_;
    my @connect = ('-h', '127.0.0.1', '-p', $pg->port, '-U', 'aurora');
    my $text = qx($pgbench -n -f $file -M simple -c $clients -j 2 -T $seconds @connect aurora 2>&1);
    return $text =~ /tps = ([\d.]+)/ ? $1 : die $text;
}

sub write_file {
    my ($name, @text) = @_;
    open my $out, '>', "$dir/$name" or die $!;
    print {$out} @text;
    close $out or die $!;
    return "$dir/$name";
}

sub ours {
    my ($server, $clients, $case) = @_;
    my $body = write_file('body', $case->{body});
    my @got = split ' ', qx($load @{[$server->port]} $clients $seconds @{[$server->base]}/api/v1/query/preview < $body);
    die "load failed\n" if $? || @got != 8;
    die "$got[5] answers were not 200\n" if $got[5];
    return @got;
}

my $failed = 0;
for my $case (@cases) {
    my @sql  = statements($case);
    my $all  = write_file("$case->{name}.sql", map {"$_;\n"} @sql);
    my $page = write_file('page.sql', map {"$_;\n"} grep { !/^EXPLAIN|count\(/i } @sql);
    print "== $case->{name}\n", map {"   $_\n"} @sql;
    my $server = server($case);
    ours($server, 20, $case);
    for my $clients (@connections) {
        my %seen;
        for (1 .. $rounds) {
            push @{ $seen{same} }, pgbench($clients, $all);
            push @{ $seen{page} }, @sql > 1 ? pgbench($clients, $page) : $seen{same}[-1];
            my $before = PgBench::cpu($server->children);
            my @got    = ours($server, $clients, $case);
            push @{ $seen{cpu} }, (PgBench::cpu($server->children) - $before) / ($got[0] * $seconds) * 1e6;
            push @{ $seen{$_} }, shift @got for qw(aurora p50 p99 longest bytes bad load again);
        }
        my %m  = map { $_ => PgBench::median(@{ $seen{$_} }) } keys %seen;
        my @ratios = map { $m{aurora} / $m{$_} } qw(same page);
        printf "%-5s %3d connections: pgbench %5.0f/s, the page alone %5.0f/s; aurora %5.0f/s: ratio %.2f, to the page alone "
            . "%.2f; p50 %.1f ms, p99 %.1f ms, longest %.0f ms; %.0f kB; us CPU each: httpd %.0f, load %.0f",
            $case->{name}, $clients, @m{qw(same page aurora)}, @ratios, @m{qw(p50 p99 longest)}, $m{bytes} / 1e3, @m{qw(cpu load)};
        if ($clients == JUDGED) {
            my $ok = $ratios[0] >= GOAL && $m{p99} < GOAL_P99_MS;
            printf " (goal: at least %s, p99 under %d ms) %s", GOAL, GOAL_P99_MS, $ok ? 'OK' : 'NOT OK';
            $failed ||= !$ok;
        }
        print "\n";
    }
    $server->stop;
}
exit($failed ? 1 : 0);
