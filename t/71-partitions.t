# Partitions: what a dataset has of them, and what a request sees of it by default, on every database. The rows that are
# expected stand here as written, so that nothing but the contract says which partition is the newest.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Aurora::CSV;
use Aurora::Data;
use Aurora::Databases;
use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Readers;
use Aurora::Server;

Aurora::Server::require_or_skip();

use constant { IDS => 2500, IDS_SHOWN => 1000 };

# The last of LOADS has no load id, 102 two spellings of its type, 99 and 103 the same day. CYCLES counts its loads anew every day.
my $ids = IDS;
my $tables = <<"SQL";
CREATE TABLE LOADS (ACCOUNT VARCHAR(10), AMOUNT INTEGER, LOAD_ID INTEGER, LOAD_TYPE VARCHAR(10), AS_OF DATE);
INSERT INTO LOADS VALUES ('a', 1, 101, 'Daily', '2024-01-30'), ('b', 2, 101, 'Daily', '2024-01-30'), ('a', 3, 102, 'Daily', '2024-01-31'),
 ('b', 4, 102, 'DAILY', '2024-01-31'), ('c', 5, 103, 'Monthly', '2024-01-31'), ('e', 7, 99, 'Monthly', '2024-01-31'), ('b', 8, 104, 'Special', '2023-12-31'),
 ('d', 6, NULL, 'Daily', '2024-02-29');
CREATE TABLE CYCLES (V INTEGER, SLOT INTEGER, DAY DATE);
INSERT INTO CYCLES VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-01'), (3, 3, '2024-01-01'), (4, 1, '2024-01-02'), (5, 2, '2024-01-02'), (6, 2, '2024-01-02'),
 (7, 9, NULL);
CREATE TABLE TEXT_LOADS (V INTEGER, LOAD VARCHAR(20));
INSERT INTO TEXT_LOADS VALUES (1, '2024-01-30_9'), (2, '2024-01-31_1'), (3, '2024-01-31_2'), (4, '2024-01-31_2'), (5, NULL), (6, '');
CREATE TABLE ACCOUNTS (ACCOUNT VARCHAR(10) PRIMARY KEY, OWNER VARCHAR(20));
INSERT INTO ACCOUNTS VALUES ('a', 'Ann'), ('c', 'Cy'), ('x', 'Xi');
CREATE TABLE NO_LOADS (V INTEGER, LOAD_ID INTEGER, DAY DATE);
CREATE TABLE MANY_LOADS (V INTEGER, LOAD_ID INTEGER PRIMARY KEY);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $ids) INSERT INTO MANY_LOADS SELECT i, i FROM n;
CREATE VIEW ENDLESS AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS LOAD_ID FROM n;
SQL

my %part = (load_id_column => 'LOAD_ID', load_type_column => 'LOAD_TYPE', supported_types => [ 'Daily', 'Monthly', 'Weekly' ]);
my %latest = (default => 'latest');
my %sets = (
    EVERY  => { source => 'LOADS', partition => { %part, date_column => 'AS_OF' } },
    BY_ID  => { source => 'LOADS', partition => { %part, %latest } },
    BOTH   => { source => 'LOADS', partition => { %part, date_column => 'AS_OF', %latest } },
    BY_DAY => { source => 'LOADS', partition => { date_column => 'AS_OF', %latest } },
    HIDDEN => { source => 'LOADS', columns => { ACCOUNT => {}, AMOUNT => {} }, partition => { %part, %latest }, display_name => 'Loads' },
    CYCLES => { partition => { load_id_column => 'SLOT', date_column => 'DAY', %latest } },
    TEXT_LOADS => { partition => { load_id_column => 'LOAD', %latest } },
    NO_LOADS   => { partition => { load_id_column => 'LOAD_ID', date_column => 'DAY', %latest } },
    MANY_LOADS => { partition => { load_id_column => 'LOAD_ID', %latest } },
    ACCOUNTS   => {},
);
my $folder  = Aurora::Data::folder();
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json", { datasets => \%sets });

my ($db, $http);    # at hand

# --- requests ----------------------------------------------------------------------------------------

sub rule { my ($column, $operator, @value) = @_; return { column => $column, operator => $operator, @value ? (value => $value[0]) : () } }
sub where { return (filters => { logic => 'AND', conditions => [@_] }) }
sub by { return (sorting => [ map { { column => $_, direction => 'ASC' } } @_ ]) }

sub join_on {
    my ($left, $right, $type, $l, $r, %o) = @_;
    return { left_dataset => $left, right_dataset => $right, join_type => $type, on => [ { left_column => $l, right_column => $r } ], %o };
}

# "1,a;2,b" of a preview; NULL is ~. What it says of its rows must agree with them.
sub rows {
    my ($request, $name) = @_;
    my $r = $http->preview({ %$request, shape => 'arrays' });
    my $answer = $r->{status} == 200 && Aurora::HTTP::json($r);
    return "$r->{status} " . substr($r->{body}, 0, 300) unless ref $answer;
    is("$answer->{total_row_count}", scalar @{ $answer->{data} }, "$name: as many are counted") unless $request->{limit};
    return join ';', map { join ',', map { defined ? "$_" : '~' } @$_ } @{ $answer->{data} };
}

# The same from a preview, from its count alone and from a CSV.
sub sees {
    my ($request, $want, $name) = @_;
    is(rows($request, $name), $want, $name);
    my $n = () = $want =~ /[^;]+/g;
    my $short = Aurora::HTTP::json($http->preview({ %$request, limit => 1 })) || {};
    is($short->{total_row_count} // 'none', $n, "$name: counted alike by a page of one");
    my $csv = $http->export($request, query => '?format=csv&header=0&null=~');
    is(join(';', map { join ',', @$_ } eval { Aurora::CSV::parse($csv->{body}) }), $want, "$name: as CSV");
    return;
}

sub refused {
    my ($request, $code, $pointer, $name) = @_;
    my $problem = Aurora::HTTP::json($http->preview($request)) || {};
    is(join(' ', map { $_ // '-' } @$problem{qw(code pointer)}), "$code $pointer", $name);
    return;
}

# --- what is seen by default ---------------------------------------------------------------------------

sub newest {
    my @amount = (columns => ['AMOUNT'], by('AMOUNT'));
    sees({ dataset => 'EVERY',  @amount }, '1;2;3;4;5;6;7;8', 'without a default every partition');
    sees({ dataset => 'BY_ID',  @amount }, '8', 'the greatest load id');
    sees({ dataset => 'BOTH',   @amount }, '5', 'the newest day that has a load id, then the greatest of it');
    sees({ dataset => 'BY_DAY', @amount }, '6', 'the newest day');
    sees({ dataset => 'HIDDEN', @amount }, '8', 'by a column that no request can name');
    sees({ dataset => 'CYCLES', columns => ['V'], by('V') }, '5;6', 'load ids that begin anew every day');
    sees({ dataset => 'TEXT_LOADS', columns => ['V'], by('V') }, '3;4', 'load ids that are texts');
    sees({ dataset => 'NO_LOADS', columns => ['V'] }, '', 'an empty table has none');
    sees({ dataset => 'MANY_LOADS', columns => ['V'] }, IDS, 'the last of many');
    sees({ dataset => 'BY_ID', columns => ['n'], aggregations => [ { column => '*', function => 'count', output_name => 'n' } ] }, '1', 'totals are its own');
    sees({ dataset => 'BY_ID', @amount, where(rule('AMOUNT', 'gt', 8)) }, '', 'filters choose among its rows, not for it');
    sees({ dataset => 'BY_ID', @amount, partition_filters => {}, partition_load_type => undef, joins => undef }, '8', 'empty partition filters choose nothing');
    return;
}

sub of_a_type {
    my @amount = (columns => ['AMOUNT'], by('AMOUNT'));
    sees({ dataset => 'EVERY', @amount, partition_load_type => 'dAILy' }, '1;2;3;4;6', 'a load type in any letter case');
    sees({ dataset => 'BY_ID', @amount, partition_load_type => 'daily' }, '3;4', 'the newest of a load type');
    sees({ dataset => 'BY_ID', @amount, partition_load_type => 'MONTHLY' }, '5', 'of another');
    sees({ dataset => 'BOTH',  @amount, partition_load_type => 'Daily' }, '3;4', 'a day without a load id is not the newest of its type');
    sees({ dataset => 'BY_ID', @amount, partition_load_type => 'Weekly' }, '', 'a type without rows');
    refused({ dataset => 'BY_ID', partition_load_type => 'Special' }, 'BAD_VALUE', '/partition_load_type', 'a type that is not supported');
    refused({ dataset => 'ACCOUNTS', partition_load_type => 'Daily' }, 'BAD_REQUEST', '/partition_load_type', 'a dataset without types');
    return;
}

sub chosen {
    my @amount = (columns => ['AMOUNT'], by('AMOUNT'));
    sees({ dataset => 'BY_ID', @amount, partition_filters => { by_id => [ 101, '103' ] } }, '1;2;5', 'partition_filters lift it');
    sees({ dataset => 'HIDDEN', @amount, partition_filters => { HIDDEN => ['102'] } }, '3;4', 'by a hidden column as well');
    sees({ dataset => 'BY_ID', @amount, partition_filters => { BY_ID => [102] }, partition_load_type => 'monthly' }, '', 'with a load type that does not go with it');
    sees({ dataset => 'BY_ID', @amount, where(rule('LOAD_ID', 'lte', 101)) }, '1;2;7', 'a filter on the load id lifts it');
    sees({ dataset => 'BY_ID', @amount, where(rule('by_id.load_id', 'is_null')) }, '6', 'whatever it asks for');
    sees({ dataset => 'BOTH', @amount, where(rule('AS_OF', 'between', '2024-01-30,2024-01-30')) }, '1;2', 'a filter on the day does');
    sees({ dataset => 'BOTH', @amount, where(rule('LOAD_ID', 'eq', 101)) }, '1;2', 'and one on the load id, where both tell partitions apart');
    sees({ dataset => 'BY_ID', @amount, where(rule('AS_OF', 'lt', '2024-01-31')) }, '8', 'not so where the day tells no partitions apart');
    sees({ dataset => 'BOTH', columns => ['m'], aggregations => [ { column => 'LOAD_ID', function => 'max', output_name => 'm' } ], where(rule('m', 'gt', 1)) },
        '103', 'nor does one on a total');
    refused({ dataset => 'HIDDEN', where(rule('LOAD_ID', 'eq', 101)) }, 'UNKNOWN_COLUMN', '/filters/conditions/0/column', 'a hidden column cannot be filtered by');
    refused({ dataset => 'BY_DAY', partition_filters => { BY_DAY => ['2024-01-31'] } }, 'BAD_REQUEST', '/partition_filters/BY_DAY', 'partition_filters are load ids');
    return;
}

# --- joins ---------------------------------------------------------------------------------------------

# Both sides in turn: what an outer join keeps are the rows of the newest partition, and the others are nobody's partner.
sub joined {
    my %want = (
        'newest on the right' => { inner => 'c,5', left => 'a,~;c,5;x,~', right => 'c,5', outer => 'a,~;c,5;x,~' },
        'newest on the left'  => { inner => 'c,5', left => 'c,5', right => 'a,~;c,5;x,~', outer => 'a,~;c,5;x,~' },
    );
    for my $side (sort keys %want) {
        for my $type (qw(inner left right outer)) {
            my $right = $side =~ /right/;
            my @request = (columns => [qw(ACCOUNTS.ACCOUNT BOTH.AMOUNT)], by('ACCOUNTS.ACCOUNT'));
            my $join = $right ? join_on('ACCOUNTS', 'BOTH', $type, 'ACCOUNT', 'ACCOUNT') : join_on('BOTH', 'ACCOUNTS', $type, 'ACCOUNT', 'ACCOUNT');
            sees({ dataset => $right ? 'ACCOUNTS' : 'BOTH', joins => [$join], @request }, $want{$side}{$type}, "$type join, $side");
        }
    }
    sees({ dataset => 'ACCOUNTS', columns => [qw(ACCOUNTS.ACCOUNT EVERY.AMOUNT)], by(qw(ACCOUNTS.ACCOUNT EVERY.AMOUNT)),
        joins => [ join_on('ACCOUNTS', 'EVERY', $_, 'ACCOUNT', 'ACCOUNT') ], partition_filters => { EVERY => [ 101, 103 ] }, partition_load_type => 'DAILY' },
        $_ eq 'left' || $_ eq 'outer' ? ($_ eq 'outer' ? 'a,1;c,~;x,~;~,2' : 'a,1;c,~;x,~') : $_ eq 'right' ? 'a,1;~,2' : 'a,1', "$_ join, filters and load type act before it")
        for qw(inner left right outer);
    sees({ dataset => 'BY_ID', columns => [qw(BY_ID.AMOUNT O.AMOUNT)], joins => [ join_on('BY_ID', 'BY_ID', 'inner', 'ACCOUNT', 'ACCOUNT', alias => 'O') ],
        where(rule('O.LOAD_ID', 'lt', 104)), by('O.AMOUNT') }, '8,2;8,4', 'a filter lifts it for the use that it names');
    sees({ dataset => 'BY_ID', columns => [qw(BY_ID.AMOUNT O.AMOUNT)], joins => [ join_on('BY_ID', 'BY_ID', 'inner', 'ACCOUNT', 'ACCOUNT', alias => 'O') ],
        partition_filters => { O => [102] }, by('O.AMOUNT') }, '3,3;4,4', 'partition_filters for every use of the dataset');
    sees({ dataset => 'EVERY', columns => [qw(EVERY.AMOUNT BOTH.AMOUNT)], joins => [ join_on('EVERY', 'BOTH', 'inner', 'ACCOUNT', 'ACCOUNT') ],
        partition_filters => { EVERY => [102], BOTH => [ 101, 102 ] }, by(qw(EVERY.AMOUNT BOTH.AMOUNT)) }, '3,1;3,3;4,2;4,4', 'partition_filters of several datasets');
    sees({ dataset => 'EVERY', columns => [qw(EVERY.AMOUNT BOTH.AMOUNT)], joins => [ join_on('EVERY', 'BOTH', 'inner', 'ACCOUNT', 'ACCOUNT') ],
        partition_filters => { EVERY => [ 102, 103 ] } }, '5,5', 'those of one leave the other its default');
    return;
}

# --- partition_info --------------------------------------------------------------------------------------

sub info {
    my ($dataset) = @_;
    my $r = $http->api("/api/v1/datasets/$dataset/columns");
    my $answer = $r->{status} == 200 && Aurora::HTTP::json($r);
    return { problem => "$r->{status} " . substr $r->{body}, 0, 300 } unless ref $answer;
    return $answer->{partition_info};
}

sub list { my ($list) = @_; return $list ? join ',', map {"$_"} @$list : 'null' }
sub map_text { my ($map) = @_; return $map ? join ' ', map { "$_:" . list($map->{$_}) } sort keys %$map : 'null' }

sub info_text {
    my ($i) = @_;
    return $i->{problem} || join ' ', (map { lc($i->{$_} // 'null') } qw(load_type_column load_id_column date_column)), list($i->{supported_types}),
        list($i->{available_values}), '{' . map_text($i->{available_values_map}) . '}', map { $i->{$_} // 'null' } qw(min_value max_value);
}

sub infos {
    my $loads = 'Daily,Monthly,Weekly 104,103,102,101,99 {Daily:102,101 Monthly:103,99}';
    is(info_text(info('EVERY')), "load_type load_id as_of $loads 2023-12-31 2024-02-29", 'partition_info: every member');
    is(info_text(info('BOTH')),  "load_type load_id as_of $loads 2023-12-31 2024-02-29", 'a default partition hides no value');
    is(info_text(info('BY_ID')), "load_type load_id null $loads 99 104", 'without a date column the bounds are the load ids\'');
    is(info_text(info('HIDDEN')), "load_type load_id null $loads 99 104", 'columns that no request can name have values to choose from');
    is(info_text(info('BY_DAY')), 'null null as_of null null {null} 2023-12-31 2024-02-29', 'a date column alone has bounds alone');
    # an empty text is no text in Oracle
    is(info_text(info('TEXT_LOADS')), $db->name eq 'oracle' ? 'null load null null 2024-01-31_2,2024-01-31_1,2024-01-30_9 {null} 2024-01-30_9 2024-01-31_2'
        : 'null load null null 2024-01-31_2,2024-01-31_1,2024-01-30_9, {null}  2024-01-31_2', 'texts');
    is(info_text(info('NO_LOADS')), 'null load_id day null  {null} null null', 'an empty table');
    is(join(' ', sort keys %{ info('EVERY') }), 'available_values available_values_map date_column load_id_column load_type_column max_value min_value supported_types',
        'and no other member');
    is(info('ACCOUNTS'), undef, 'null where nothing is configured');
    my $many = info('MANY_LOADS');
    is(list($many->{available_values}), join(',', reverse IDS - IDS_SHOWN + 1 .. IDS), 'of many load ids the newest thousand');
    is("$many->{min_value} $many->{max_value}", '1 ' . IDS, 'the bounds are those of all');
    return;
}

# --- estimates, workbooks, limits ---------------------------------------------------------------------------

sub estimated {
    my %rows = map { $_ => (Aurora::HTTP::json($http->post('/aurora/api/v1/query/estimate', { dataset => $_ })) || {})->{estimated_rows} } qw(EVERY MANY_LOADS);
    if ($db->name eq 'sqlite') {
        is("$rows{EVERY} $rows{MANY_LOADS}", '8 1', 'an estimate counts the newest partition alone');
        my $server = Aurora::Server->start($db->server, catalog => $catalog, conf => 'AuroraExplainThreshold 5');
        is(Aurora::HTTP::json($server->http->preview({ dataset => $_->[0] }))->{code} // 'let through', $_->[1], "the gate sees what the query sees: $_->[0]")
            for [ EVERY => 'QUERY_TOO_LARGE' ], [ MANY_LOADS => 'let through' ];
        $server->finish;
    }
    else {
        cmp_ok($rows{MANY_LOADS}, '<', IDS / 10, 'the plan\'s estimate is of the newest partition');
    }
    return;
}

sub about {
    my ($request) = @_;
    my $r = $http->export($request, query => '?format=xlsx&about=1');
    return "$r->{status} " . substr $r->{body}, 0, 300 if $r->{status} != 200 || !$r->{complete};
    my $xml = Aurora::Readers::part(Aurora::Readers::keep("$folder/about.xlsx", $r->{body}), 'xl/worksheets/sheet2.xml');
    return $xml =~ m{>Partitions</t></is></c><c [^>]*><is><t[^>]*>([^<]*)</t>} ? $1 : 'nothing';
}

sub described {
    is(about({ dataset => 'EVERY' }), 'nothing', 'about: every partition is nothing to tell');
    is(about({ dataset => 'BY_ID' }), 'BY_ID: the newest', 'about: the newest partition is a limit that applied');
    is(about({ dataset => 'BY_ID', partition_load_type => 'daily' }), 'load type daily; BY_ID: the newest', 'about: of a load type');
    is(about({ dataset => 'BY_ID', partition_filters => { BY_ID => [101] } }), 'BY_ID: 101', 'about: a chosen one');
    is(about({ dataset => 'BY_ID', where(rule('LOAD_ID', 'eq', 101)) }), 'nothing', 'about: a filter is told among the filters');
    return;
}

# The planner of PostgreSQL takes every partition of such a table for the newest, until it is told which one that is.
sub parted {
    $db->pg->psql(join "\n", 'CREATE TABLE parted (v int, load_id int NOT NULL, day date NOT NULL) PARTITION BY LIST (load_id);',
        (map {"CREATE TABLE parted_$_ PARTITION OF parted FOR VALUES IN ($_);"} 1 .. 20),
        q{INSERT INTO parted SELECT i, i % 20 + 1, date '2024-01-01' + i % 20 FROM generate_series(1, 2000) i; ANALYZE parted;});
    my $file = Aurora::Data::catalog_write("$folder/parted.json", { datasets => {
        PARTED => { partition => { load_id_column => 'load_id', %latest } }, PARTED_2 => { source => 'PARTED', partition => { load_id_column => 'load_id', date_column => 'day', %latest } },
        PARTED_EVERY => { source => 'PARTED' } } });
    my $server = Aurora::Server->start($db->server, catalog => $file, conf => 'AuroraExplainThreshold 500');
    my $http = $server->http;
    my $on = [ { left_column => 'v', right_column => 'v' } ];
    for ([ 'PARTED', 'of 100' ], [ 'PARTED_2', 'of 100' ], [ 'PARTED_EVERY', 'QUERY_TOO_LARGE' ],
        [ 'PARTED', 'of 100', joins => [ { left_dataset => 'PARTED', right_dataset => 'PARTED_2', join_type => 'left', on => $on } ], columns => ['PARTED.v'] ]) {
        my ($dataset, $want, @more) = @$_;
        my %request = (dataset => $dataset, limit => 10, @more);
        my $got = Aurora::HTTP::json($http->preview(\%request)) || {};
        is($got->{code} // "of $got->{total_row_count}", $want, "a partitioned table, $dataset" . (@more ? ', joined' : ''));
        my $estimate = Aurora::HTTP::json($http->post('/aurora/api/v1/query/estimate', \%request)) || {};
        is($estimate->{would_run}{preview}{allowed} ? 'allowed' : 'refused', $want =~ /^of/ ? 'allowed' : 'refused', "and the estimate says so: $estimate->{estimated_rows}");
        is("$estimate->{estimated_rows}", $dataset eq 'PARTED_EVERY' ? 2000 : 100, 'exactly') unless @more;
    }
    $server->finish;
    return;
}

# SQLite alone has the view that never ends.
sub bounded_in_time {
    my $endless = Aurora::Data::catalog_write("$folder/endless.json", { datasets => { ENDLESS => { partition => { load_id_column => 'LOAD_ID' } } } });
    my $server = Aurora::Server->start($db->server, catalog => $endless, conf => 'AuroraQueryTimeout 1s');
    my $begin = time;
    my $r = $server->http->api('/api/v1/datasets/ENDLESS/columns');
    is("$r->{status} " . (Aurora::HTTP::json($r)->{code} // ''), '504 QUERY_TIMEOUT', 'partition values are under the query timeout');
    cmp_ok(time - $begin, '<', 5 * Aurora::Server::patience(), 'at once');
    $server->finish;
    return;
}

sub catalogue {
    for ([ { load_type_column => 'LOAD_TYPE', default => 'latest' }, 'default' ], [ { load_id_column => 'LOAD_ID', default => 'newest' }, 'default' ],
        [ { load_id_column => 'LOAD_ID', default => 1 }, 'default' ], [ { load_id_column => 'LOAD_ID', defaults => 'latest' }, 'defaults' ]) {
        my ($partition, $member) = @$_;
        my $file = Aurora::Data::catalog_write("$folder/bad.json", { datasets => { LOADS => { partition => $partition } } });
        my ($exit, $text) = Aurora::Server->configtest($db->server, catalog => $file);
        ok($exit != 0 && $text =~ m{/datasets/LOADS/partition/$member\b}, "configtest refuses " . Aurora::JSON::encode($partition)) or diag($text);
    }
    return;
}

for my $name (Aurora::Databases->names) {
    subtest $name => sub {
        my $why = Aurora::Databases->missing($name);
        plan skip_all => $why if $why;
        $db = Aurora::Databases->create($name, more => $tables);
        for my $mpm (Aurora::Server->mpms) {
            note("under $mpm");
            my $server = Aurora::Server->start(mpm => $mpm, $db->server, catalog => $catalog);
            $http = $server->http(keep => 1);
            newest();
            of_a_type();
            chosen();
            joined();
            infos();
            estimated() if $mpm eq (Aurora::Server->mpms)[0];
            described();
            $server->finish;
        }
        if ($name eq 'sqlite') {
            bounded_in_time();
            catalogue();
        }
        parted() if $name eq 'pgsql';
        undef $db;
        done_testing();
    };
}
done_testing();
