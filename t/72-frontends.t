# Requests as the frontends that exist today send them, unchanged: every member there though most are empty, names with table and
# schema, numbers and dates as texts, members that mean nothing here. Each has its exact rows, on every database.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Aurora::CSV;
use Aurora::Data;
use Aurora::Databases;
use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Server;

Aurora::Server::require_or_skip();

my $tables = <<'SQL';
CREATE TABLE ORDERS (ID INTEGER PRIMARY KEY, CUSTOMER VARCHAR(20), AMOUNT DECIMAL(10,2), QTY INTEGER, ORDERED DATE, CHANGED TIMESTAMP, CODE VARCHAR(10),
 LOAD_ID INTEGER, LOAD_TYPE VARCHAR(10));
INSERT INTO ORDERS VALUES
 (1, 'Ann', 10.50, 1, '2024-01-01', '2024-01-01 08:00:00', '007', 202401, 'Daily'),
 (2, 'Bob', 20, 2, '2024-01-15', '2024-01-15 12:30:00', '08', 202401, 'Daily'),
 (3, 'Cy', 30.25, 3, '2024-02-01', '2024-02-01 00:00:00', '7', 202402, 'Monthly'),
 (4, 'Ann', 40, 4, '2024-02-29', '2024-02-29 23:59:59', 'A,B', 202402, 'Monthly'),
 (5, NULL, -5, NULL, NULL, NULL, '', 202403, 'Daily');
CREATE TABLE CLIENTS (NAME VARCHAR(20) PRIMARY KEY, CITY VARCHAR(20), LOAD_ID INTEGER);
INSERT INTO CLIENTS VALUES ('Ann', 'Bern', 1), ('Bob', NULL, 2), ('Dan', 'Rome', 2);
SQL

my $folder  = Aurora::Data::folder();
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json", { datasets => {
    ORDERS  => { partition => { load_id_column => 'LOAD_ID', load_type_column => 'LOAD_TYPE', supported_types => [qw(Daily Monthly)] } },
    CLIENTS => { partition => { load_id_column => 'LOAD_ID' } } } });

my %SCHEMA = (sqlite => '', pgsql => 'PUBLIC.', mysql => 'AURORA.', oracle => 'AURORA.');    # SQLite has none
my ($T, $F) = (Aurora::JSON::true(), Aurora::JSON::false());
my ($db, $http);

# What a frontend sends for "nothing": three ways of it.
my @EMPTY = (
    { joins => [], filters => undef, group_by => [], aggregations => [], sorting => [], partition_filters => {}, partition_load_type => undef },
    { joins => undef, filters => { logic => 'AND', conditions => [] }, group_by => undef, aggregations => undef, sorting => undef, partition_filters => undef,
        partition_load_type => '' },
    { filters => { logic => 'and', conditions => [ { logic => 'OR', conditions => [] } ] }, partition_filters => { ORDERS => undef } },
);
# What it sends besides: of no meaning here, and of whatever type.
my %BESIDES = (
    column_metadata => { 'ORDERS.AMOUNT' => { data_type => 'VARCHAR2', base_type => 'text' }, NONE => undef }, use_high_perf_hints => $T, is_virtual_scroll => $F,
    is_preview => $T, limit => 200, offset => 0, request_id => 'r-17', ui => { tab => 3, open => [ 1, undef, $T ] }, schema_version => 2.5,
);

sub body { my (%o) = @_; return { %BESIDES, %{ $EMPTY[0] }, dataset => 'ORDERS', %o } }

sub rule { my ($column, $operator, @value) = @_; return { column => $column, operator => $operator, datatype => 'VARCHAR2', @value ? (value => $value[0]) : (value => undef) } }
sub where { return (filters => { logic => 'AND', conditions => [@_] }) }
sub sorted { return (sorting => [ map { my ($c, $d) = split ' '; { column => $c, direction => $d // 'ASC' } } @_ ]) }

sub value { my ($v, $type) = @_; return !defined $v ? '~' : $type eq 'number' ? 0 + "$v" : "$v" }

# "KEY=value KEY=value; …" of rows as objects, in the order of the answer's columns.
sub got {
    my ($request) = @_;
    my $r = $http->preview($request);
    my $answer = $r->{status} == 200 && Aurora::HTTP::json($r);
    return "$r->{status} " . substr($r->{body}, 0, 300) unless ref $answer;
    my @columns = @{ $answer->{columns} };
    my %type;
    @type{@columns} = @{ $answer->{types} };
    return join '; ', map { my $row = $_; keys %$row == @columns ? join ' ', map { "$_=" . value($row->{$_}, $type{$_}) } @columns : 'other keys' } @{ $answer->{data} };
}

sub gives { my ($request, $want, $name) = @_; return is(got($request), $want, $name) }

# Only the ids, in their order.
sub finds {
    my ($rules, $want, $name) = @_;
    my $rows = got(body(columns => ['ID'], where(@$rules), sorted('ID')));
    $rows =~ s/(?:; )?ID=/ /g;
    $rows =~ s/^ //;
    return is($rows, $want, $name);
}

sub names {
    my $schema = $SCHEMA{ $db->name };
    gives(body(dataset => 'orders', columns => [ "${schema}ORDERS.ID", 'ORDERS.CUSTOMER', 'amount' ], sorted('ORDERS.ID DESC'), limit => 2),
        "${schema}ORDERS.ID=5 ORDERS.CUSTOMER=~ amount=-5; ${schema}ORDERS.ID=4 ORDERS.CUSTOMER=Ann amount=40", 'columns with table and schema are the keys of rows, as written');
    gives(body(dataset => "${schema}ORDERS", columns => ['Id'], where(rule("${schema}ORDERS.QTY", 'eq', 4))), 'Id=4', 'a dataset with its schema, a filter too');
    gives(body(dataset => lc "${schema}orders", columns => ['orders.code'], where(rule('ORDERS.ID', 'eq', 1))), 'orders.code=007', 'both in small letters');
    my $all = join '; ', map { my $i = $_; "ID=$i" } 1 .. 5;
    for my $empty (0 .. $#EMPTY) {
        gives({ %BESIDES, %{ $EMPTY[$empty] }, dataset => 'ORDERS', columns => ['ID'], sorted('ID') }, $all, "nothing said in way $empty");
    }
    my $r = Aurora::HTTP::json($http->preview(body(columns => undef, sorted('ID'), limit => 1))) || {};
    is(join(' ', map {uc} @{ $r->{columns} || [] }), 'ID CUSTOMER AMOUNT QTY ORDERED CHANGED CODE LOAD_ID LOAD_TYPE', 'columns: null is every column, by its database name');
    is(join(' ', map { "$r->{$_}" } qw(row_count total_row_count limit offset)), '1 5 1 0', 'and the page is counted');
    is(join(' ', @{ $r->{types} || [] }), 'number text number number date timestamp text number text', 'types are the database\'s, whatever column_metadata says');
    return;
}

sub values_of_filters {
    finds([ rule('QTY', 'between', '2,3') ], '2 3', 'between as "a,b"');
    finds([ rule('AMOUNT', 'between', '10.5, 30.25') ], '1 2 3', 'with a blank and decimals');
    finds([ rule('QTY', 'between', [ '2', 3 ]) ], '2 3', 'as a list of both kinds');
    finds([ rule('ORDERED', 'between', '2024-01-15,2024-02-01') ], '2 3', 'of dates');
    finds([ rule('CHANGED', 'between', '2024-01-15T00:00:00Z,2024-02-01T00:00:00Z') ], '2 3', 'of timestamps');
    finds([ rule('CUSTOMER', 'between', 'Ann,Bob') ], '1 2 4', 'of texts');
    finds([ rule('AMOUNT', 'eq', '20') ], '2', 'a number as a text');
    finds([ rule('AMOUNT', 'gt', '20.00') ], '3 4', 'with its decimals');
    finds([ rule('QTY', 'in', [ '1', 4, '4.0' ]) ], '1 4', 'in a list');
    finds([ rule('CODE', 'eq', '007') ], '1', 'digits in a text column are a text');
    finds([ rule('CODE', 'in', [ '7', 'A,B' ]) ], '3 4', 'with commas in them');
    finds([ rule('ORDERED', 'eq', '2024-02-29T00:00:00.000Z') ], '4', 'a date as a browser writes it');
    finds([ rule('ORDERED', 'gte', '2024-02-01T00:00:00') ], '3 4', 'without a zone');
    finds([ rule('ORDERED', 'in', [ '2024-01-01', '2024-01-15T00:00:00Z' ]) ], '1 2', 'of both kinds');
    finds([ rule('CHANGED', 'eq', '2024-01-15T13:30:00+01:00') ], '2', 'an instant');
    finds([ rule('CHANGED', 'gte', '2024-02-01') ], '3 4', 'a timestamp column with a date');
    finds([ rule('CUSTOMER', 'is_null') ], '5', 'operators without a value are sent a null');
    finds([ rule('CODE', 'is_empty', '') ], '5', 'or an empty text');
    finds([ rule('QTY', 'gte', 1), { logic => 'OR', conditions => [ rule('CUSTOMER', 'starts_with', 'B'), { logic => 'AND', conditions => [ rule('QTY', 'gt', '3'),
        rule('ORDERS.CUSTOMER', 'contains', 'n') ] } ] } ], '2 4', 'groups in groups');
    # a DATE of Oracle's has hours and minutes
    my @hours = $db->name eq 'oracle' ? () : [ 'ORDERED', '2024-02-29T10:00:00Z' ];
    for (['CODE', 7], ['QTY', 'many'], ['ORDERED', '2024-02-30'], @hours) {
        my ($column, $value) = @$_;
        my $problem = Aurora::HTTP::json($http->preview(body(columns => ['ID'], where(rule($column, 'eq', $value))))) || {};
        is(join(' ', map { $_ // '-' } @$problem{qw(code column pointer)}), "BAD_VALUE $column /filters/conditions/0/value", "what fits no $column is refused, not guessed: $value");
    }
    return;
}

sub tables_and_totals {
    my $join = sub { return { left_dataset => 'orders', right_dataset => 'Clients', join_type => $_[0], on => [ { left_column => 'ORDERS.CUSTOMER', right_column => 'CLIENTS.NAME' } ], id => 'j1' } };
    my @columns = (columns => [ 'ORDERS.ID', 'CLIENTS.CITY' ], sorted('ORDERS.ID'));
    my $row = sub { return join '; ', map { my ($id, $city) = split /,/; "ORDERS.ID=$id CLIENTS.CITY=$city" } @_ };
    my %want = (inner => [ '1,Bern', '2,~', '4,Bern' ], left => [ '1,Bern', '2,~', '3,~', '4,Bern', '5,~' ], right => [ '1,Bern', '2,~', '4,Bern', '~,Rome' ],
        outer => [ '1,Bern', '2,~', '3,~', '4,Bern', '5,~', '~,Rome' ]);
    gives(body(@columns, joins => [ $join->($_) ]), $row->(@{ $want{ lc $_ } }), "$_ join") for qw(inner left right outer LEFT);
    gives(body(@columns, joins => [ $join->('left') ], partition_filters => { ORDERS => [ '202401', 202402 ], CLIENTS => ['1'] }),
        $row->('1,Bern', '2,~', '3,~', '4,Bern'), 'partition_filters of two datasets, several values');
    gives(body(@columns, joins => [ $join->('inner') ], partition_filters => { orders => [ 202401, 202402 ] }, partition_load_type => 'MONTHLY'),
        $row->('4,Bern'), 'names in small letters, the load type in capitals');
    gives(body(@columns, joins => [ $join->('outer') ], partition_filters => { orders => ['202401'], clients => [2] }, partition_load_type => 'daily'),
        $row->('1,~', '2,~', '~,Rome'), 'they act before an outer join');
    gives(body(columns => [ 'ORDERS.CUSTOMER', 'SUM_ORDERS.AMOUNT', 'N' ], group_by => ['ORDERS.CUSTOMER'], aggregations => [
            { column => 'ORDERS.AMOUNT', function => 'sum', output_name => '' }, { column => '*', function => 'COUNT', output_name => 'N' } ],
            where(rule('N', 'gte', '1'), rule('SUM_ORDERS.AMOUNT', 'between', '20,60')), sorted('SUM_ORDERS.AMOUNT DESC', 'CUSTOMER')),
        'ORDERS.CUSTOMER=Ann SUM_ORDERS.AMOUNT=50.5 N=2; ORDERS.CUSTOMER=Cy SUM_ORDERS.AMOUNT=30.25 N=1; ORDERS.CUSTOMER=Bob SUM_ORDERS.AMOUNT=20 N=1',
        'totals: an empty output_name, filters and sorting on totals, a function in capitals');
    gives(body(columns => [], group_by => [ 'LOAD_TYPE' ], aggregations => [ { column => 'QTY', function => 'max', output_name => undef } ], sorted('LOAD_TYPE')),
        'LOAD_TYPE=Daily MAX_QTY=2; LOAD_TYPE=Monthly MAX_QTY=4', 'an empty list of columns with a grouping');
    return;
}

sub files {
    my $request = body(columns => [ 'ORDERS.ID', 'CODE' ], where(rule('QTY', 'between', '1,3')), sorted('ID DESC'), limit => 1, offset => 2);
    my $r = $http->export($request);
    is($r->{body}, "ORDERS.ID,CODE\r\n3,7\r\n2,08\r\n1,007\r\n", 'the same body as a CSV: every row');
    $r = $http->export($request, query => '?format=excel');
    is(substr($r->{body}, 0, 2) . " $r->{status} $r->{complete}", 'PK 200 1', 'and as "excel"');
    my $estimate = Aurora::HTTP::json($http->post('/aurora/api/v1/query/estimate', $request)) || {};
    is(join(' ', @{ $estimate->{columns} || [] }), 'ORDERS.ID CODE', 'and estimated');
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
            names();
            values_of_filters();
            tables_and_totals();
            files();
            $server->finish;
        }
        undef $db;
        done_testing();
    };
}
done_testing();
