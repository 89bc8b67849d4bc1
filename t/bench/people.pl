#!/usr/bin/perl
# people - 200 people at their screens for a minute: each thinks for 5 to 15 seconds, asks for a preview, and now and then
# takes an export. PostgreSQL, two processes with ten connections each. No answer but those of the contract;
# p50 and p99 of the previews are the figures.
#
#   t/bench/people.pl [clients] [seconds]
#
# Ends with status 1 when any answer is not of the contract.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";

use POSIX ();
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::Bench;
use Aurora::HTTP;
use Aurora::Postgres;
use Aurora::Server;

my ($clients, $seconds) = (shift || 200, shift || 60);
use constant { THINK_MIN => 5, THINK_MAX => 15, EXPORT_ONE_IN => 12, ROWS => 200_000, EXPORT_ROWS => 50_000 };

my $why = Aurora::Server::unavailable() || Aurora::Postgres->missing;
if ($why) {
    print "people: cannot run: $why\n";
    exit 0;
}
my $pg = Aurora::Postgres->new(settings => { shared_buffers => '128MB', jit => 'off' });
$pg->psql(<<"SQL");
CREATE TABLE sales AS SELECT n AS id, (n * 7919 % 1000)::int AS branch, 'Customer number ' || n AS customer,
    ((n * 104729) % 99999999 / 100.0)::numeric(12,2) AS amount, date '2015-01-01' + (n % 3650)::int AS booked,
    md5(n::text) AS note FROM generate_series(1::bigint, @{[ROWS]}) AS n;
CREATE INDEX ON sales (id);
CREATE INDEX ON sales (branch);
VACUUM (ANALYZE) sales;
SQL
my $server = Aurora::Server->start(mpm => 'event', driver => 'pgsql', params => $pg->params, children => 2, threads => 128,
    log_level => 'warn', conf => "AuroraPoolMin 2\nAuroraPoolMax 10");
$server->wait_until(sub { $server->http->preview({ dataset => 'sales', limit => 1 })->{status} == 200 }, 20);

sub rule { my ($column, $operator, $value) = @_; return { logic => 'AND', conditions => [ { column => $column, operator => $operator, value => $value } ] } }

sub preview {
    my ($http) = @_;
    my $limit = (50, 100, 500)[ int rand 3 ];
    return $http->preview({ dataset => 'sales', limit => $limit, filters => rule('branch', 'eq', int rand 1000),
        sorting => [ { column => 'amount', direction => 'DESC' } ] });
}

sub export {
    my ($http) = @_;
    my $from = 1 + int rand ROWS - EXPORT_ROWS;
    return $http->export({ dataset => 'sales', filters => rule('id', 'between', [ $from, $from + EXPORT_ROWS - 1 ]) }, sink => sub { });
}

# What an answer is: the status and code of the contract, or what is wrong with it.
sub verdict {
    my ($r) = @_;
    return "no answer ($r->{error})" if !$r->{status};
    return $r->{complete} ? '200' : 'broken' if $r->{status} == 200;
    my $code = (Aurora::HTTP::json($r) || {})->{code} // 'without a code';
    return "$r->{status} $code";
}

sub person {
    my ($n, $begin) = @_;
    srand $n;
    my $http = $server->http(timeout => 60);
    my (%said, @previews, @exports);
    my $until = $begin + $seconds;
    sleep rand THINK_MAX;
    while (time < $until) {
        my $from = time;
        my $kind = int(rand EXPORT_ONE_IN) ? 'preview' : 'export';
        my $r = $kind eq 'preview' ? preview($http) : export($http);
        my $verdict = verdict($r);
        $said{"$kind $verdict"}++;
        push @{ $kind eq 'preview' ? \@previews : \@exports }, (time - $from) * 1000 if $verdict eq '200';
        sleep THINK_MIN + rand THINK_MAX - THINK_MIN;
    }
    return { said => \%said, previews => \@previews, exports => \@exports };
}

sub at { my ($share, @sorted) = @_; return $sorted[ POSIX::ceil($share * @sorted) - 1 ] // 0 }

my $begin = time;
my @people = map { my $n = $_; Aurora::Async->run(sub { person($n, $begin) }) } 1 .. $clients;
my $sessions = 0;
while (time < $begin + $seconds - 2) {
    my $now = () = $pg->sessions;
    $sessions = $now if $now > $sessions;
    sleep 2;
}
my (%said, @previews, @exports);
for my $person (map { $_->wait } @people) {
    $said{$_} += $person->{said}{$_} for keys %{ $person->{said} || { "nothing ($person->{error})" => 0 } };
    $said{"a client died ($person->{error})"}++ if !$person->{said};
    push @previews, @{ $person->{previews} || [] };
    push @exports,  @{ $person->{exports}  || [] };
}
@previews = sort { $a <=> $b } @previews;
@exports  = sort { $a <=> $b } @exports;
printf "%d clients, %d s, thinking %d-%d s, pool 2 x 10, at most %d sessions in the database\n", $clients, $seconds, THINK_MIN, THINK_MAX, $sessions;
printf "previews: %d, p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n", scalar @previews, at(0.5, @previews), at(0.99, @previews), $previews[-1] // 0;
printf "exports of %d rows: %d, p50 %.1f ms, p99 %.1f ms\n", EXPORT_ROWS, scalar @exports, at(0.5, @exports), at(0.99, @exports);
printf "%8d  %s\n", $said{$_}, $_ for sort keys %said;
my @bad = grep { !/^(?:preview|export) (?:200|503 DATABASE_POOL_EXHAUSTED|429 \w+)$/ } keys %said;
push @bad, $server->crashes;
push @bad, 'more sessions than 2 x 10' if $sessions > 20;
print "NOT OF THE CONTRACT: $_\n" for @bad;
$server->stop;
exit(@bad || !@previews ? 1 : 0);
