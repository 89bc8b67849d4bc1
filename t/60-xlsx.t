# Workbooks: what four readers find in them is what the database holds, with the same types; the package is sound; limits
# are decided before the first byte.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Encode ();
use Test::More;
use Time::HiRes ();

use Aurora::Data;
use Aurora::JSON;
use Aurora::Readers;
use Aurora::Refusals;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

use constant {
    LONG_ROWS   => Aurora::Server::asan() ? 5_000 : 100_000,
    RANDOM      => Aurora::Server::asan() ? 4 : 12,
    TYPE        => 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

# A table of n columns, a few rows.
sub wide {
    my ($n) = @_;
    my @names = map {"C$_"} 1 .. $n - 1;
    my $columns = join ', ', 'ID INTEGER PRIMARY KEY', map {"$_ " . (qw(INTEGER TEXT DATE REAL))[ substr($_, 1) % 4 ]} @names;
    my $values = join ', ', 'i', map { my $k = substr $_, 1; ("i + $k", "'text ' || i || '/$k'", "date('2000-01-01', '+' || (i * $k) || ' days')", "(i + $k) / 8.0")[ $k % 4 ] } @names;
    return "CREATE TABLE WIDE_$n ($columns);\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)\nINSERT INTO WIDE_$n SELECT $values FROM n;\n";
}

my $long = LONG_ROWS;
my $more = wide(1) . wide(2) . wide(200) . <<"SQL";
CREATE TABLE "売上 / [2024]: 'Q1'?" (ID INTEGER PRIMARY KEY, V TEXT);
INSERT INTO "売上 / [2024]: 'Q1'?" VALUES (1, 'x');
CREATE TABLE LONG_TEXTS (ID INTEGER PRIMARY KEY, V TEXT, B BLOB);
INSERT INTO LONG_TEXTS VALUES (1, replace(hex(zeroblob(16384)), '00', 'ab'), zeroblob(24573)), (2, replace(hex(zeroblob(16384)), '0', '<'), zeroblob(24574)),
 (3, replace(hex(zeroblob(8192)), '0', '😀'), x'00'), (4, replace(hex(zeroblob(20000)), '0', char(1)), x'');
CREATE TABLE ROWS_LONG (ID INTEGER PRIMARY KEY, NAME TEXT, AT TIMESTAMP);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $long)
INSERT INTO ROWS_LONG SELECT i, CASE WHEN i % 7 THEN 'name ' || i END, datetime('1971-01-01', '+' || (i * 61) || ' seconds') FROM n;
CREATE VIEW SLOW_ROWS AS SELECT ID, (WITH RECURSIVE n(i) AS (SELECT REGIONS.ID UNION ALL SELECT i + 1 FROM n WHERE i < 700000) SELECT max(i) FROM n) AS V FROM REGIONS;
SQL

my $folder = Aurora::Data::folder();
my $db     = Aurora::Data::sqlite_create("$folder/xlsx.db", more => $more);
my $by_id  = [ { column => 'ID', direction => 'ASC' } ];
my @readers = Aurora::Readers::all();

sub export {
    my ($http, $request, $query, %o) = @_;
    return $http->export($request, query => '?format=xlsx' . ($query // ''), %o);
}

my $number = 0;

# The workbook as a file; undef after a failed test when there is none.
sub workbook {
    my ($http, $request, $query) = @_;
    my $r = export($http, $request, $query);
    return Aurora::Readers::keep("$folder/book-" . ++$number . '.xlsx', $r->{body}) if $r->{status} == 200 && $r->{complete};
    fail('a workbook arrives');
    diag("$r->{status} " . substr $r->{body}, 0, 400);
    return undef;
}

sub headers {
    my ($http) = @_;
    for my $format (qw(xlsx excel)) {
        my $r = $http->export({ dataset => 'REGIONS' }, query => "?format=$format");
        my $h = $r->{headers};
        is($r->{status}, 200, "format=$format");
        is($h->{'content-type'}, TYPE, 'Content-Type');
        like($h->{'cache-control'} // '', qr/\bno-store\b/, 'Cache-Control');
        is($h->{'accept-ranges'}, 'none', 'Accept-Ranges');
        is($h->{'x-accel-buffering'}, 'no', 'X-Accel-Buffering');
        like($h->{'content-disposition'} // '', qr/^attachment; filename="REGIONS_\d{4}-\d\d-\d\d\.xlsx"; filename\*=UTF-8''REGIONS_/, 'Content-Disposition');
        ok(!defined $h->{'content-length'} || $h->{'content-length'} == length $r->{body}, 'a length, where there is one, is true');
    }
    my $r = $http->export({ dataset => 'REGIONS' }, query => '?format=xlsx', headers => { Range => 'bytes=0-3' });
    is($r->{status}, 200, 'a range is not served');
    like($r->{body}, qr/^PK\x03\x04/, 'but the whole');
    for my $query (qw(?format=pdf ?format=XLSX ?format=xlsx&about=yes ?format=xlsx&format=csv)) {
        $r = $http->export({ dataset => 'REGIONS' }, query => $query);
        my @bad = Aurora::Refusals::problem_defects($r, status => 400, codes => ['BAD_REQUEST']);
        ok(!@bad, "$query is refused") or diag(join "\n", @bad);
    }
}

# --- values and types --------------------------------------------------------------------------

sub read_back {
    my ($http, $what, $request, $query, @some) = @_;
    my $file = workbook($http, $request, '&names=database') or return;
    Aurora::Readers::sound($file, "$what: the package is sound");
    for my $reader (@some ? grep { my $r = $_; grep { $_ eq $r } @some } @readers : @readers) {
        Aurora::Readers::agrees($reader, $file, $db, $query, "$what: as $reader reads it");
    }
}

sub tables {
    my ($http) = @_;
    for my $table (qw(TYPES TEXTS INTEGERS DOUBLES SALES EMPTY_TABLE WIDE_1 WIDE_2 WIDE_200 LONG_TEXTS ROWS_LONG)) {
        read_back($http, $table, { dataset => $table, sorting => $by_id }, "SELECT * FROM $table ORDER BY ID");
    }
    read_back($http, 'one row', { dataset => 'SALES', sorting => $by_id, filters => Aurora::JSON::decode('{"logic":"AND","conditions":[{"column":"ID","operator":"eq","value":7}]}') },
        'SELECT * FROM SALES WHERE ID = 7');
    read_back($http, 'columns in another order', { dataset => 'SALES', columns => [qw(PAID SOLD_ON ID)], sorting => $by_id }, 'SELECT PAID, SOLD_ON, ID FROM SALES ORDER BY ID');
}

sub random_tables {
    my ($http, $random, $seed) = @_;
    for my $n (1 .. RANDOM) {
        my $sql = "SELECT * FROM R$n ORDER BY ID";
        my %request = (dataset => "R$n", sorting => $by_id);
        my $file = workbook($http, \%request, '&names=database') or next;
        for my $reader (grep {/openpyxl|sheetjs/} @readers) {
            Aurora::Readers::agrees($reader, $file, $random, $sql, "random table $n (seed $seed) as xlsx and back, by $reader");
        }
        my $r = $http->export(\%request, query => '?format=csv&names=database');
        Aurora::Readers::csv_agrees(Aurora::Readers::keep("$folder/random.csv", $r->{body}), $random, $sql, "random table $n (seed $seed) as csv and back");
    }
}

# What was cut stands in the task's record: four texts and one run of bytes.
sub cut {
    my ($http) = @_;
    my $r = export($http, { dataset => 'LONG_TEXTS' });
    my $task = Aurora::HTTP::json($http->get("/aurora/api/v1/tasks/$r->{headers}{'x-aurora-task'}"));
    is($task->{truncated_cells}, 5, 'cells that were cut are counted');
    is("$task->{kind} $task->{state} $task->{bytes}", 'xlsx complete ' . length $r->{body}, 'in the record of a whole workbook');
    $r = export($http, { dataset => 'REGIONS' });
    is(Aurora::HTTP::json($http->get("/aurora/api/v1/tasks/$r->{headers}{'x-aurora-task'}"))->{truncated_cells}, 0, 'nothing cut, nothing counted');
}

# Each row takes a while: what there is leaves at once, and does not wait for a buffer to be full.
sub first_bytes {
    my ($http) = @_;
    for my $format (qw(xlsx csv)) {
        my ($first, $bytes) = (undef, 0);
        my $from = Time::HiRes::time();
        my $r = $http->export({ dataset => 'SLOW_ROWS' }, query => "?format=$format", sink => sub { $first //= Time::HiRes::time(); $bytes += length $_[0] });
        my $all = Time::HiRes::time() - $from;
        ok($r->{complete} && $bytes, "$format of slow rows: whole");
        cmp_ok(($first // $from + $all) - $from, '<', 0.6 * $all, sprintf 'its first bytes leave long before its last row is there (after %.2f of %.2f s)', ($first // 0) - $from, $all);
    }
}

# --- what the workbook says of itself ------------------------------------------------------------

sub described {
    my ($http) = @_;
    my $file = workbook($http, { dataset => 'BALANCES', columns => [qw(ACCOUNT AMOUNT)], partition_filters => { BALANCES => [202401] },
        filters => Aurora::JSON::decode('{"logic":"OR","conditions":[{"column":"AMOUNT","operator":"between","value":[10,200.5]},{"column":"BRANCH","operator":"starts_with","value":"A<i>","ignore_case":true}]}') }, '&about=1') or return;
    Aurora::Readers::sound($file, 'with the second sheet the package is sound');
    my $xml = Aurora::Readers::part($file, 'xl/worksheets/sheet2.xml');
    for (['Dataset', 'Balances, all branches (BALANCES)'], [ 'Filters', 'AMOUNT is between 10 and 200.5 or BRANCH starts with "a&lt;i&gt;" (in any letter case)' ],
        ['Partitions', 'BALANCES: 202401'], [ 'Exported by', '127.0.0.1' ], [ 'Rows', '\d+' ], [ 'Shortened texts', '0' ]) {
        my ($label, $value) = @$_;
        $value = quotemeta $value unless $label eq 'Rows';
        like($xml, qr{>\Q$label\E</t></is></c><c [^>]*><is><t>$value</t>}, "about: $label");
    }
    like($xml, qr{>Limits</t></is></c><c [^>]*><is><t>at most 100000 rows}, 'about: the limits');
    my $styles = Aurora::Readers::part($file, 'xl/styles.xml');
    like($styles, qr{formatCode="#,##0\.00 &quot;&lt;EUR&gt;&quot;"}, 'the column\'s format from the catalogue');
    my ($id) = $styles =~ /numFmtId="(\d+)" formatCode="#,##0\.00 /;
    my @xfs = (($styles =~ m{<cellXfs[^>]*>(.*)</cellXfs>}s)[0] // '') =~ /<xf ([^>]*)>/g;
    my ($style) = grep { $xfs[$_] =~ /numFmtId="$id"/ } 0 .. $#xfs;
    my $sheet = Aurora::Readers::part($file, 'xl/worksheets/sheet1.xml');
    like($sheet, qr{ s="$style"><v>}, 'is its cells\' style');
    like($sheet, qr{<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>}, 'the header is frozen');
    like($sheet, qr{<autoFilter ref="A1:B\d+"/>}, 'and has a filter');
    like(Aurora::Readers::part($file, 'xl/workbook.xml'), qr{<sheet name="Balances, all branches" .*<sheet name="About" }s, 'the sheets\' names');

    $file = workbook($http, { dataset => "売上 / [2024]: 'Q1'?" }) or return;
    like(Aurora::Readers::part($file, 'xl/workbook.xml'), qr{<sheet name="\Q@{[Encode::encode_utf8(q{売上 _ _2024__ 'Q1'_})]}\E"}, 'a sheet\'s name is made legal');
}

# --- limits --------------------------------------------------------------------------------------

sub refused {
    my ($r, $code, $name) = @_;
    my @bad = Aurora::Refusals::problem_defects($r, status => 400, codes => [$code]);
    ok(!@bad, $name) or diag(join "\n", @bad);
    return Aurora::HTTP::json($r) || {};
}

sub limits {
    my ($mpm) = @_;
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, conf => "AuroraXlsxMaxRows 119\nAuroraExplainThreshold 0");
    my $http = $server->http;
    my $said = refused(export($http, { dataset => 'SALES' }), 'XLSX_TOO_MANY_ROWS', 'one row too many is refused');
    is($said->{limit} // '', '119', 'with the limit');
    is($said->{estimated_rows} // '', '120', 'and how many there are');
    like($said->{detail} // '', qr/CSV/, 'and the way out');
    is($http->export({ dataset => 'SALES' }, query => '?format=csv')->{status}, 200, 'as CSV it goes');
    $said = refused(export($http, { dataset => 'ROWS_LONG' }), 'XLSX_TOO_MANY_ROWS', 'many rows too many, too');
    is($said->{estimated_rows} // '', '120', 'and they are not all counted');
    is(export($http, { dataset => 'SALES', filters => Aurora::JSON::decode('{"logic":"AND","conditions":[{"column":"ID","operator":"gt","value":1}]}') })->{status}, 200, 'exactly as many as allowed go');
    is(export($http, { dataset => 'SALES', limit => 5, offset => 3 })->{status}, 400, 'a preview\'s limit and offset change nothing');
    $server->stop;

    for (['AuroraExplainThreshold 100', 'QUERY_TOO_LARGE'], [ "AuroraExplainThreshold 1000\nAuroraXlsxMaxRows 119", 'XLSX_TOO_MANY_ROWS' ],
        ["AuroraExplainThreshold 119\nAuroraXlsxMaxRows 50", 'QUERY_TOO_LARGE'], [ "AuroraExplainThreshold 1000\nAuroraXlsxMaxRows 120", undef ]) {
        my ($conf, $code) = @$_;
        $server = Aurora::Server->start(mpm => $mpm, db => $db, conf => $conf);
        my $r = export($server->http, { dataset => 'SALES' });
        my $name = $conf =~ s/\n/, /r;
        defined $code ? refused($r, $code, "$name: $code") : is($r->{status}, 200, "$name: let through");
        $server->stop;
    }
}

# --- pace ------------------------------------------------------------------------------------------

sub throttled {
    my ($mpm) = @_;
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, conf => 'AuroraExportBandwidth 200');
    my $fast = Aurora::Server->start(mpm => $mpm, db => $db);
    for my $query (qw(?format=csv ?format=xlsx)) {
        my %request = (dataset => 'ROWS_LONG', sorting => $by_id, filters => { logic => 'AND', conditions => [ { column => 'ID', operator => 'lte', value => 5000 } ] });
        my $from = Time::HiRes::time();
        my $r = $server->http->export(\%request, query => $query);
        my $seconds = Time::HiRes::time() - $from;
        my $aim = length($r->{body}) / 200 / 1024;
        ok($r->{complete}, "$query, throttled: whole");
        ok($seconds > $aim * 0.8 && $seconds < $aim * 1.3 + 1.5 * Aurora::Server::patience(), sprintf '%s: %d bytes at 200 KiB/s take %.2f s (aim %.2f)', $query, length $r->{body}, $seconds, $aim);
        is($r->{body}, $fast->http->export(\%request, query => $query)->{body}, 'the same bytes') if $query =~ /csv/;
        is($server->http->preview({ dataset => 'REGIONS' })->{status}, 200, 'a preview is not held up');
    }
    my $from = Time::HiRes::time();
    my $http = $server->http;
    $http->export({ dataset => 'ROWS_LONG' }, leave_after => 30_000);
    my $log = $server->wait_for_log(error => qr/CLIENT_GONE/, 10);
    like($log, qr/CLIENT_GONE/, sprintf 'a client that leaves a slow export is noticed (%.1f s)', Time::HiRes::time() - $from);
    $fast->stop;
    $server->finish("$mpm: the throttled server survives");
}

# A task that is stopped before its first byte has an answer, however slow exports are.
sub stopped_early {
    my ($mpm) = @_;
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, conf => "AuroraExportBandwidth 1\nAuroraQueryTimeout 1s\nAuroraExplainThreshold 0");
    my @joins = map { { left_dataset => 'SALES', right_dataset => 'SALES', alias => "S$_", join_type => 'inner', on => [ { left_column => 'REGION', right_column => 'REGION' } ] } } 1 .. 6;
    my %request = (dataset => 'SALES', columns => ['SALES.ID'], joins => \@joins, sorting => [ { column => 'SALES.AMOUNT', direction => 'ASC' } ]);
    my $from = Time::HiRes::time();
    my $r = $server->http->export(\%request);
    my @bad = Aurora::Refusals::problem_defects($r, status => 504, codes => ['QUERY_TIMEOUT']);
    ok(!@bad, sprintf 'a timeout before the first byte is told (after %.1f s)', Time::HiRes::time() - $from) or diag(join "\n", @bad);
    $server->finish("$mpm: and the server is well");
}

# --- memory ----------------------------------------------------------------------------------------

sub memory {
    my ($mpm) = @_;
    SKIP: {
        skip 'resident memory says nothing under a sanitizer', 1 if Aurora::Server::asan();
        my $server = Aurora::Server->start(mpm => $mpm, db => $db, children => 1);
        my $http = $server->http;
        my $rows = sub { my ($n) = @_; return { dataset => 'ROWS_LONG', filters => { logic => 'AND', conditions => [ { column => 'ID', operator => 'lte', value => $n } ] } } };
        export($http, $rows->(1000)) for 1 .. 2;
        my $small = $server->rss_max;
        export($http, $rows->(LONG_ROWS), '', sink => sub { }) for 1 .. 2;
        my $large = $server->rss_max;
        ok(defined $small && $large - $small <= 8192, "$mpm: resident memory after 100,000 rows is within 8 MiB of that after 1,000 ($small and $large KiB)");
        $server->stop;
    }
}

my $catalog = Aurora::Data::catalog_write("$folder/catalog.json", { datasets => { BALANCES => { display_name => 'Balances, all branches',
    columns => { ACCOUNT => {}, AMOUNT => { format => '#,##0.00 "<EUR>"' }, BRANCH => {} },
    partition => { load_id_column => 'LOAD_ID', load_type_column => 'LOAD_TYPE' } } } });

my $seed = $ENV{AURORA_SEED} // int rand 1 << 30;
my $random = Aurora::Readers::random_tables("$folder/random.db", $seed, RANDOM);
my $first = 1;
for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, catalog => $catalog);
    headers($server->http);
    described($server->http);
    cut($server->http);
    first_bytes($server->http);
    tables($server->http) if $first;
    $server->finish;
    if ($first) {
        $server = Aurora::Server->start(mpm => $mpm, db => $random);
        random_tables($server->http, $random, $seed);
        $server->finish;
    }
    limits($mpm);
    throttled($mpm);
    stopped_early($mpm);
    memory($mpm);
    $first = 0;
}
if (my @missing = Aurora::Readers::missing()) {
    SKIP: { skip "not installed: @missing", scalar @missing }
}
done_testing();
