#!/usr/bin/perl
# A query that would read too much is refused before it runs; query/estimate tells beforehand what would be.
# SQLite's plans carry no figure, so here a count decides that goes no further than the threshold.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Aurora::Data;
use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Refusals;
use Aurora::Server;

Aurora::Server::require_or_skip();

my $folder = Aurora::Data::folder();
my $db     = Aurora::Data::sqlite_create("$folder/gate.db");
my $rows   = Aurora::Data::sqlite_rows($db, 'SELECT count(*) FROM SALES')->[0][0];

sub at_most { my ($n) = @_; return { logic => 'AND', conditions => [ { column => 'ID', operator => 'lte', value => $n } ] } }

sub refused {
    my ($r, $name, %want) = @_;
    my @bad = Aurora::Refusals::problem_defects($r, status => 400, codes => ['QUERY_TOO_LARGE']);
    my $problem = eval { Aurora::HTTP::json($r) } || {};
    for (sort keys %want) {
        push @bad, "$_ is " . ($problem->{$_} // 'missing') . ", expected $want{$_}" if "" . ($problem->{$_} // '') ne $want{$_};
    }
    return ok(!@bad, $name) || diag(join "\n", @bad, $r->{body});
}

sub estimate {
    my ($http, $request) = @_;
    my $r = $http->post('/aurora/api/v1/query/estimate', $request);
    return $r->{status} == 200 ? Aurora::HTTP::json($r) : { error => $r->{body} };
}

sub verdicts {
    my ($answer) = @_;
    my $would = $answer->{would_run} || {};
    return join ' ', map { "$_=" . ($would->{$_}{allowed} ? 'yes' : $would->{$_}{code} // 'no') } qw(preview csv xlsx);
}

for my $mpm (Aurora::Server::mpms()) {
    my $server = Aurora::Server->start(mpm => $mpm, db => $db,
        location => "AuroraExplainThreshold 10\nAuroraXlsxMaxRows 8",
        extra => qq{<Location "/capped">\nSetHandler aurora\nRequire all granted\nAuroraExplainThreshold 10 csv=20\n</Location>\n}
            . qq{<Location "/off">\nSetHandler aurora\nRequire all granted\nAuroraExplainThreshold 0\n</Location>});
    my $http   = $server->http;
    my %sales  = (dataset => 'SALES', columns => ['ID'], sorting => [ { column => 'ID' } ]);

    my $ten = $http->preview({ %sales, filters => at_most(10), limit => 3 });
    is($ten->{status}, 200, "$mpm: a preview of as many rows as the threshold runs") or diag($ten->{body});
    is(Aurora::HTTP::json($ten)->{total_row_count}, 10, "$mpm: and knows their number");
    refused($http->preview({ %sales, filters => at_most(11), limit => 3 }), "$mpm: one row more is refused, however small the page",
        estimated_rows => 11, limit => 10);
    refused($http->preview(\%sales), "$mpm: so is the whole table", limit => 10);
    is($http->preview({ %sales, filters => at_most(11), group_by => ['ID'], columns => undef, limit => 1 })->{status}, 400,
        "$mpm: groups count, not what they are made of: eleven are too many");
    my $total = $http->preview({ dataset => 'SALES', aggregations => [ { column => '*', function => 'count', output_name => 'N' } ] });
    is($total->{status}, 200, "$mpm: a total over the whole table is one row") or diag($total->{body});

    is($http->export(\%sales)->{status}, 200, "$mpm: CSV has no threshold unless it is given");
    my $capped = Aurora::HTTP->new(port => $server->port, base => '/capped');
    is($capped->export({ %sales, filters => at_most(20) })->{status}, 200, "$mpm: csv=20 lets 20 rows through");
    my $r = $capped->export({ %sales, filters => at_most(21) });
    refused($r, "$mpm: and refuses 21 before the first byte", estimated_rows => 21, limit => 20);
    ok(!$r->{headers}{'content-disposition'}, "$mpm: the refusal is no download");
    my $off = Aurora::HTTP->new(port => $server->port, base => '/off');
    is($off->preview(\%sales)->{status}, 200, "$mpm: 0 turns the gate off");

    my $answer = estimate($http, { %sales, filters => at_most(7) });
    is("$answer->{estimated_rows}", 7, "$mpm: an estimate counts where plans carry no figure");
    is("@{$answer->{columns}} @{$answer->{types}} $answer->{dataset_name}", 'ID number SALES', "$mpm: it names columns and types");
    is(verdicts($answer), 'preview=yes csv=yes xlsx=yes', "$mpm: everything would run");
    is(verdicts(estimate($http, { %sales, filters => at_most(9) })), 'preview=yes csv=yes xlsx=XLSX_TOO_MANY_ROWS',
        "$mpm: nine rows are too many for this workbook");
    is(verdicts(estimate($http, \%sales)), 'preview=QUERY_TOO_LARGE csv=yes xlsx=QUERY_TOO_LARGE', "$mpm: all are too many for both");
    my $both = $capped->post('/capped/api/v1/query/estimate', \%sales);
    is(verdicts(Aurora::HTTP::json($both)), 'preview=QUERY_TOO_LARGE csv=QUERY_TOO_LARGE xlsx=QUERY_TOO_LARGE',
        "$mpm: with csv=20 CSV would be refused as well");
    is(verdicts(estimate($http, { %sales, filters => at_most(0) })), 'preview=yes csv=yes xlsx=yes', "$mpm: no rows at all are fine");

    my @bad = Aurora::Refusals::problem_defects($http->post('/aurora/api/v1/query/estimate', { dataset => 'NOWHERE' }),
        status => 404, codes => ['UNKNOWN_DATASET']);
    is("@bad", '', "$mpm: an estimate checks the request like any other");
    is($http->get('/aurora/api/v1/query/estimate')->{status}, 405, "$mpm: it has to be asked for by POST");
    $server->finish("$mpm: the server is well");
}
cmp_ok($rows, '>', 21, 'the table is larger than every threshold');

done_testing();
