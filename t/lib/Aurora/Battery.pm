package Aurora::Battery;

# The query battery: requests, and for each the rows a person would ask for in SQL by hand. The
# SQL never comes from the module; it runs through the database's own shell. `sql` is one text for
# every database, or a hash {default, pgsql, …} where they differ in more than words (%WORDS below).
#
# A case is {name, request, sql, ...}: without `sorting` in the request the order of rows is not
# compared; with it the order is, so the sort must be total. Paging is applied to the rows of
# `sql` by the test itself from the request's limit and offset.
# Also: keys (the expected columns where they are not the request's), types (by position), not_on
# (database => why it cannot be asked there), csv => 0.

use strict;
use warnings;
use utf8;

use JSON::PP ();

use Aurora::Data ();
use Aurora::JSON ();

my $T = Aurora::JSON::true();
my $F = Aurora::JSON::false();

sub rule { my ($column, $operator, @value) = @_; return { column => $column, operator => $operator, @value ? (value => $value[0]) : () } }
sub ci   { return { %{ rule(@_) }, ignore_case => $T } }
sub both { return { logic => 'AND', conditions => [@_] } }
sub any  { return { logic => 'OR', conditions => [@_] } }
sub asc  { return { column => $_[0], direction => 'ASC', @_ > 1 ? (nulls => $_[1]) : () } }
sub desc { return { column => $_[0], direction => 'DESC', @_ > 1 ? (nulls => $_[1]) : () } }
sub agg  { my ($function, $column, $name) = @_; return { column => $column, function => $function, defined $name ? (output_name => $name) : () } }

sub join_on {
    my ($left, $right, $type, @pairs) = @_;
    my $alias = @pairs % 2 ? pop @pairs : undef;
    my @on;
    while (my ($l, $r) = splice @pairs, 0, 2) {
        push @on, { left_column => $l, right_column => $r };
    }
    return { left_dataset => $left, right_dataset => $right, join_type => $type, on => \@on,
        defined $alias ? (alias => $alias) : () };
}

my @cases;

sub add {
    my ($name, $request, $sql, %o) = @_;
    push @cases, { name => $name, request => $request, sql => $sql, %o };
}

# One rule on one dataset, a key column selected and sorted by.
sub filter_case {
    my ($table, $filter, $where, $name) = @_;
    my $f = exists $filter->{conditions} ? $filter : both($filter);
    my %where = ref $where ? %$where : (default => $where);
    add($name // "$table: " . ($filter->{column} // 'group') . ' ' . ($filter->{operator} // '') . " ($where{default})",
        { dataset => $table, columns => ['ID'], filters => $f, sorting => [ asc('ID') ], limit => 500 },
        { map { $_ => "SELECT ID FROM $table WHERE $where{$_} ORDER BY ID" } keys %where });
}

# --- what is selected --------------------------------------------------------------------------

sub _columns {
    add('every column of a dataset', { dataset => 'REGIONS', sorting => [ asc('ID') ] },
        'SELECT ID, NAME, MANAGER FROM REGIONS ORDER BY ID', keys => [qw(ID NAME MANAGER)],
        types => [qw(number text text)]);
    add('columns: null is every column', { dataset => 'TYPES', columns => undef, sorting => [ asc('ID') ] },
        { default => 'SELECT ID, T, N, D, R, DAY, TS, TSZ, B, CASE WHEN BL IS NOT NULL THEN hex(BL) END FROM TYPES ORDER BY ID',
            mysql => q{SELECT ID, T, N, D, R, DAY, TS, strftime('%Y-%m-%d %H:%M:%f', TSZ), B, CASE WHEN BL IS NOT NULL THEN hex(BL) END FROM TYPES ORDER BY ID},
            oracle => q{SELECT ID, T, N, D, R, DAY, TS, strftime('%Y-%m-%d %H:%M:%fZ', TSZ), B, CASE WHEN BL IS NOT NULL THEN hex(BL) END FROM TYPES ORDER BY ID} },
        keys => [qw(ID T N D R DAY TS TSZ B BL)],
        types => [qw(number text number number number date timestamp timestamp boolean binary)],
        csv => 0);
    add('columns in the order asked', { dataset => 'CUSTOMERS', columns => [qw(CREATED NAME ID)],
        sorting => [ asc('ID') ] }, 'SELECT CREATED, NAME, ID FROM CUSTOMERS ORDER BY ID',
        types => [qw(date text number)]);
    add('a dataset name in another case', { dataset => 'rEgIoNs', columns => ['ID'], sorting => [ asc('ID') ] },
        'SELECT ID FROM REGIONS ORDER BY ID');
    add('column names in another case are the keys as written', { dataset => 'REGIONS',
        columns => [qw(id Name mAnAgEr)], sorting => [ asc('iD') ] },
        'SELECT ID, NAME, MANAGER FROM REGIONS ORDER BY ID');
    add('qualified column names are the keys as written', { dataset => 'REGIONS',
        columns => [ 'REGIONS.NAME', 'regions.Id' ], sorting => [ asc('REGIONS.ID') ] },
        'SELECT NAME, ID FROM REGIONS ORDER BY ID');
    add('a qualified column in a filter', { dataset => 'REGIONS', columns => ['NAME'],
        filters => both(rule('REGIONS.ID', 'eq', 3)) }, 'SELECT NAME FROM REGIONS WHERE ID = 3');
    add('an empty table', { dataset => 'EMPTY_TABLE' }, 'SELECT ID, NAME, SINCE FROM EMPTY_TABLE',
        keys => [qw(ID NAME SINCE)], types => [qw(number text date)]);
    add('an empty result', { dataset => 'SALES', columns => ['ID'], filters => both(rule('ID', 'lt', 0)) },
        'SELECT ID FROM SALES WHERE ID < 0');
    add('a view', { dataset => 'ACTIVE_CUSTOMERS', columns => [qw(ID NAME CREATED)], sorting => [ asc('ID') ] },
        'SELECT ID, NAME, CREATED FROM ACTIVE_CUSTOMERS ORDER BY ID', types => [qw(number text date)]);
    add('a view with a hostile name', { dataset => q{view; of 'sales'}, columns => [qw(REGION AMOUNT)],
        sorting => [ asc('AMOUNT'), asc('REGION') ], limit => 500 },
        q{SELECT REGION, AMOUNT FROM SALES WHERE AMOUNT > 0 ORDER BY AMOUNT, REGION NULLS LAST});
    add('awkward text survives', { dataset => 'TEXTS', columns => [qw(ID V)], sorting => [ asc('ID') ], limit => 500 },
        'SELECT ID, V FROM TEXTS ORDER BY ID');
    add('integers of any size', { dataset => 'INTEGERS', columns => [qw(ID I)], sorting => [ asc('ID') ], limit => 500 },
        'SELECT ID, I FROM INTEGERS ORDER BY ID', types => [qw(number number)]);
    add('a date before the common calendar years', { dataset => 'TYPES', columns => [qw(ID DAY)],
        sorting => [ asc('DAY'), asc('ID') ] }, 'SELECT ID, DAY FROM TYPES ORDER BY DAY NULLS LAST, ID');
    add('words of SQL as names', { dataset => 'order', columns => [qw(group from)],
        filters => both(rule('from', 'neq', 'b')), sorting => [ asc('group') ] },
        q{SELECT "group", "from" FROM "order" WHERE "from" <> 'b' ORDER BY "group"});
    add('names with a space', { dataset => 'two words', columns => [ 'first name', 'select' ],
        filters => both(rule('first name', 'starts_with', 'A')), sorting => [ asc('select') ] },
        q{SELECT "first name", "select" FROM "two words" WHERE "first name" GLOB 'A*' ORDER BY "select"});
    add('an exact spelling wins over one that differs in case', { dataset => 'two words',
        columns => [ 'É', 'é' ], sorting => [ asc('select') ] },
        q{SELECT "É", "é" FROM "two words" ORDER BY "select"}, not_on => { mysql => 'column names differ in more than case and accents there' });
    my $table = Aurora::Data::quote_ident($Aurora::Data::HOSTILE_TABLE);
    my @quoted = map { Aurora::Data::quote_ident($_) } @Aurora::Data::HOSTILE_COLUMNS;
    add('a table whose names look like an injection', { dataset => $Aurora::Data::HOSTILE_TABLE,
        columns => [@Aurora::Data::HOSTILE_COLUMNS], sorting => [ desc('plain') ] },
        'SELECT ' . join(', ', @quoted) . " FROM $table ORDER BY \"plain\" DESC");
    for my $column (@Aurora::Data::HOSTILE_COLUMNS[1 .. $#Aurora::Data::HOSTILE_COLUMNS]) {
        my $q = Aurora::Data::quote_ident($column);
        add("the column [$column] in every clause", { dataset => $Aurora::Data::HOSTILE_TABLE,
            columns => [ $column, 'N' ], filters => both(rule($column, 'starts_with', '3')),
            group_by => [$column], aggregations => [ agg('count', '*', 'N') ], sorting => [ asc($column) ] },
            "SELECT $q, count(*) FROM $table WHERE $q GLOB '3*' GROUP BY $q ORDER BY $q");
    }
}

# --- every operator on every type --------------------------------------------------------------

sub _numbers {
    my %compare = (eq => '=', neq => '<>', gt => '>', gte => '>=', lt => '<', lte => '<=');
    for my $op (qw(eq neq gt gte lt lte)) {
        filter_case('SALES', rule('QUANTITY', $op, 3),            "QUANTITY $compare{$op} 3");
        filter_case('SALES', rule('AMOUNT',   $op, 177.5),        "AMOUNT $compare{$op} 177.5");
        filter_case('SALES', rule('PRICE',    $op, 5.125),        "PRICE $compare{$op} 5.125");
        filter_case('SALES', rule('AMOUNT',   $op, '-7.5'),       "AMOUNT $compare{$op} -7.5",
            "SALES: AMOUNT $op a numeric string");
        filter_case('SALES', rule('REF', $op, '100000030000000210'), "REF $compare{$op} 100000030000000210",
            "SALES: an 18-digit integer as a string, $op");
        filter_case('SALES', rule('SOLD_ON', $op, '1982-04-01'), "SOLD_ON $compare{$op} '1982-04-01'");
        filter_case('SALES', rule('CREATED_AT', $op, '1970-06-08T08:00:00'),
            "CREATED_AT $compare{$op} '1970-06-08 08:00:00'");
        filter_case('SALES', rule('REGION', $op, 'North'), "REGION $compare{$op} 'North'");
        filter_case('SALES', rule('PRODUCT', $op, ''), "PRODUCT $compare{$op} ''");
    }
    filter_case('SALES', rule('REF', 'eq', 100000000000000000 + 7 * 1000000007), 'ID = 7',
        'SALES: an 18-digit integer as a JSON number');
    filter_case('SALES', rule('QUANTITY', 'eq', '3.0'),   'QUANTITY = 3',   'a whole number written with a fraction');
    filter_case('SALES', rule('QUANTITY', 'eq', '3e0'),   'QUANTITY = 3',   'a whole number in exponent form');
    filter_case('SALES', rule('AMOUNT',   'eq', '177.50'), 'AMOUNT = 177.5', 'trailing zeros of a value do not matter');
    filter_case('SALES', rule('QUANTITY', 'gt', 2.5),     'QUANTITY > 2.5', 'a fraction against an integer column');
    filter_case('SALES', rule('QUANTITY', 'lt', '99999999999999999999999'), 'QUANTITY IS NOT NULL',
        'a value beyond every integer');
    filter_case('INTEGERS', rule('I', 'eq', '9223372036854775807'),  'I = 9223372036854775807', 'the largest integer');
    filter_case('INTEGERS', rule('I', 'lte', '-9223372036854775808'), 'I <= -9223372036854775807 - 1', 'the smallest integer');
    filter_case('INTEGERS', rule('I', 'eq', '9007199254740993'), 'I = 9007199254740993', 'an integer no double can hold');
    filter_case('INTEGERS', rule('I', 'in', [ '9007199254740993', 42, '100000000000000000' ]),
        'I IN (9007199254740993, 42, 100000000000000000)', 'large integers in a list');
    filter_case('SALES', rule('QUANTITY', 'between', [ 2, 4 ]),       'QUANTITY BETWEEN 2 AND 4');
    filter_case('SALES', rule('QUANTITY', 'between', '2,4'),          'QUANTITY BETWEEN 2 AND 4', 'between as a string, numbers');
    filter_case('SALES', rule('AMOUNT', 'between', [ '-50.5', 12.75 ]), 'AMOUNT BETWEEN -50.5 AND 12.75');
    filter_case('SALES', rule('AMOUNT', 'between', '-50.5,12.75'),    'AMOUNT BETWEEN -50.5 AND 12.75', 'between as a string, decimals');
    filter_case('SALES', rule('QUANTITY', 'between', [ 4, 2 ]),       'QUANTITY BETWEEN 4 AND 2', 'between with the ends swapped finds nothing');
    filter_case('SALES', rule('QUANTITY', 'in', [ 1, '2', 6 ]),       'QUANTITY IN (1, 2, 6)');
    filter_case('SALES', rule('QUANTITY', 'in', [5]),                 'QUANTITY IN (5)', 'a list of one');
    filter_case('SALES', rule('QUANTITY', 'not_in', [ 0, 1, 2 ]),     'QUANTITY NOT IN (0, 1, 2)');
    filter_case('SALES', rule('ID', 'in', [ 1 .. 1000 ]),             'ID BETWEEN 1 AND 1000', 'a list of a thousand');
    filter_case('SALES', rule('AMOUNT', 'is_null'),     'AMOUNT IS NULL');
    filter_case('SALES', rule('AMOUNT', 'is_not_null'), 'AMOUNT IS NOT NULL');
}

sub _dates {
    filter_case('SALES', rule('SOLD_ON', 'between', [ '1969-01-01', '1970-12-31' ]),
        q{SOLD_ON BETWEEN '1969-01-01' AND '1970-12-31'}, 'dates on both sides of 1970');
    filter_case('SALES', rule('SOLD_ON', 'between', '1969-01-01,1970-12-31'),
        q{SOLD_ON BETWEEN '1969-01-01' AND '1970-12-31'}, 'between as a string, dates');
    filter_case('SALES', rule('SOLD_ON', 'in', [ '1968-07-06', '1968-12-26', '2000-01-01' ]),
        q{SOLD_ON IN ('1968-07-06', '1968-12-26', '2000-01-01')});
    filter_case('SALES', rule('SOLD_ON', 'not_in', [ '1968-07-06', '1968-12-26' ]),
        q{SOLD_ON NOT IN ('1968-07-06', '1968-12-26')});
    filter_case('SALES', rule('SOLD_ON', 'is_null'),     'SOLD_ON IS NULL');
    filter_case('SALES', rule('SOLD_ON', 'is_not_null'), 'SOLD_ON IS NOT NULL');
    filter_case('CUSTOMERS', rule('CREATED', 'lt', '1970-01-01'), q{CREATED < '1970-01-01'}, 'dates before 1970');
    filter_case('TYPES', rule('DAY', 'lte', '1899-12-31'), q{DAY <= '1899-12-31'}, 'dates before 1900');
    filter_case('SALES', rule('CREATED_AT', 'between', [ '1970-01-01T00:00:00', '1970-03-31T23:59:59' ]),
        q{CREATED_AT BETWEEN '1970-01-01 00:00:00' AND '1970-03-31 23:59:59'});
    filter_case('SALES', rule('CREATED_AT', 'between', '1970-01-01 00:00:00,1970-03-31 23:59:59'),
        q{CREATED_AT BETWEEN '1970-01-01 00:00:00' AND '1970-03-31 23:59:59'}, 'between as a string, timestamps');
    filter_case('SALES', rule('CREATED_AT', 'gte', '1971-01-01T00:00:00Z'), q{CREATED_AT >= '1971-01-01 00:00:00'},
        'a timestamp with Z');
    filter_case('SALES', rule('CREATED_AT', 'gte', '1971-01-01T02:00:00+02:00'), q{CREATED_AT >= '1971-01-01 00:00:00'},
        'a timestamp with a zone is shifted');
    filter_case('SALES', rule('CREATED_AT', 'in', [ '1969-12-30T20:29:00', '1970-01-05T08:28:00' ]),
        q{CREATED_AT IN ('1969-12-30 20:29:00', '1970-01-05 08:28:00')});
    filter_case('SALES', rule('CREATED_AT', 'not_in', ['1969-12-30T20:29:00']), q{CREATED_AT NOT IN ('1969-12-30 20:29:00')});
    filter_case('SALES', rule('CREATED_AT', 'is_null'),     'CREATED_AT IS NULL');
    filter_case('SALES', rule('CREATED_AT', 'is_not_null'), 'CREATED_AT IS NOT NULL');
    filter_case('TYPES', rule('TS', 'gt', '1999-12-31T23:59:59'), { default => q{julianday(TS) > julianday('1999-12-31 23:59:59')}, pgsql => q{TS > '1999-12-31 23:59:59'} },
        'a fraction of a second counts');
    filter_case('TYPES', rule('TS', 'eq', '2024-02-29T12:34:56.789012'), 'ID = 5', 'microseconds');
}

sub _texts {
    filter_case('CUSTOMERS', rule('NAME', 'between', [ 'M', 'O' ]), q{NAME BETWEEN 'M' AND 'O'});
    filter_case('CUSTOMERS', rule('NAME', 'in', [ 'Zeta', 'Acme, Inc.', q{O'Neil "Bob"} ]),
        q{NAME IN ('Zeta', 'Acme, Inc.', 'O''Neil "Bob"')});
    filter_case('CUSTOMERS', rule('NAME', 'not_in', [ 'Zeta', 'zeta' ]), q{NAME NOT IN ('Zeta', 'zeta')});
    filter_case('CUSTOMERS', rule('NAME', 'eq', 'zeta'), q{NAME = 'zeta'}, 'text comparison sees case');
    my @contains = ([ 'e', 'small letter' ], [ 'combining', 'a word' ], [ '%', 'percent' ], [ '_', 'underscore' ],
        [ '\\', 'backslash' ], [ '\\%', 'backslash percent' ], [ q{'}, 'apostrophe' ], [ '"', 'quote' ],
        [ 'ЖИ', 'Cyrillic capitals' ], [ 'жи', 'Cyrillic smalls' ], [ '日', 'ideograph' ], [ '😀', 'emoji' ],
        [ "\n", 'line feed' ], [ "\t", 'tab' ], [ ' ', 'space' ], [ 'ß', 'sharp s' ], [ '[', 'bracket' ]);
    for (@contains) {
        my ($text, $what) = @$_;
        my $lit = Aurora::Data::quote_text($text);
        filter_case('TEXTS', rule('V', 'contains', $text), "instr(V, $lit) > 0", "contains: $what");
    }
    for ([ '%', 'percent' ], [ '_', 'underscore' ], [ '\\', 'backslash' ], [ 'e', 'letter' ], [ 'ь', 'Cyrillic letter' ]) {
        my ($text, $what) = @$_;
        my $lit = Aurora::Data::quote_text($text);
        filter_case('TEXTS', both(rule('V', 'not_contains', $text), rule('V', 'is_not_null')),
            "V IS NOT NULL AND instr(V, $lit) = 0", "not_contains: $what");
        filter_case('TEXTS', rule('V', 'starts_with', $text), "substr(V, 1, 1) = $lit", "starts_with: $what");
        filter_case('TEXTS', rule('V', 'ends_with', $text), "substr(V, -1, 1) = $lit AND length(V) > 0", "ends_with: $what");
    }
    filter_case('TEXTS', rule('V', 'starts_with', 'STRA'), q{substr(V, 1, 4) = 'STRA'}, 'starts_with counts case');
    filter_case('TEXTS', rule('V', 'ends_with', 'case'), q{substr(V, -4) = 'case'}, 'ends_with counts case');
    filter_case('TEXTS', rule('V', 'starts_with', 'longer than most of the texts that stand in this table'), '1 = 0',
        'starts_with longer than every text');
    filter_case('TEXTS', ci('V', 'contains', 'CAMEL'), q{V IN ('CamelCase', 'camelcase', 'CAMELCASE')}, 'contains, ignoring case');
    filter_case('TEXTS', ci('V', 'contains', 'жИзНь'), q{V IN ('жизнь', 'ЖИЗНЬ', 'Жизнь')}, 'contains, ignoring Cyrillic case');
    filter_case('TEXTS', ci('V', 'starts_with', 'äR'), q{V IN ('Ärger', 'ÄRGER', 'ärger')}, 'starts_with, ignoring umlaut case');
    filter_case('TEXTS', ci('V', 'ends_with', 'ΜΈΓΑ'), q{V IN ('Ωμέγα', 'ωμέγα')}, 'ends_with, ignoring Greek case');
    filter_case('TEXTS', both(ci('V', 'not_contains', 'c'), rule('V', 'is_not_null')),
        q{V IS NOT NULL AND instr(V, 'c') = 0 AND instr(V, 'C') = 0}, 'not_contains, ignoring case');
    filter_case('TEXTS', both({ %{ rule('V', 'contains', 'camel') }, ignore_case => $F }),
        q{instr(V, 'camel') > 0}, 'ignore_case: false');
    filter_case('TEXTS', rule('V', 'is_empty'),     q{V IS NULL OR V = ''}, 'is_empty is NULL or zero length');
    filter_case('TEXTS', rule('V', 'is_not_empty'), q{V IS NOT NULL AND V <> ''}, 'is_not_empty');
    filter_case('TEXTS', rule('V', 'is_null'),      'V IS NULL', 'is_null is not is_empty');
    filter_case('TEXTS', rule('V', 'is_not_null'),  'V IS NOT NULL', 'is_not_null finds the empty string');
    filter_case('TEXTS', rule('V', 'eq', q{'; DROP TABLE SALES; --}), q{V = '''; DROP TABLE SALES; --'}, 'an injection is a value');
    filter_case('TEXTS', rule('V', 'eq', '\\N'), q{V = '\N'}, 'backslashes are characters');
}

sub _others {
    filter_case('SALES', rule('PAID', 'eq', $T), 'PAID = 1', 'boolean true');
    filter_case('SALES', rule('PAID', 'eq', $F), 'PAID = 0', 'boolean false');
    filter_case('SALES', rule('PAID', 'neq', $T), 'PAID <> 1', 'boolean neq');
    filter_case('SALES', rule('PAID', 'in', [ $T, $F ]), 'PAID IN (0, 1)', 'booleans in a list');
    filter_case('SALES', rule('PAID', 'is_null'), 'PAID IS NULL', 'boolean NULL');
    filter_case('TYPES', rule('BL', 'is_null'), 'BL IS NULL', 'binary NULL');
    filter_case('TYPES', rule('BL', 'is_not_null'), 'BL IS NOT NULL', 'binary not NULL');
    filter_case('SALES', { %{ rule('QUANTITY', 'eq', 3) }, datatype => 'VARCHAR2' }, 'QUANTITY = 3',
        'datatype is accepted and ignored');
    add('compatibility members are accepted', { dataset => 'REGIONS', columns => ['ID'], sorting => [ asc('ID') ],
        column_metadata => { ID => { type => 'text' } }, use_high_perf_hints => $T, is_virtual_scroll => $F,
        is_preview => $T, something_new => [ 1, { a => undef } ] }, 'SELECT ID FROM REGIONS ORDER BY ID', types => ['number']);
    add('null for every member that may be null', { dataset => 'REGIONS', columns => undef, filters => undef,
        partition_load_type => undef }, 'SELECT ID, NAME, MANAGER FROM REGIONS', keys => [qw(ID NAME MANAGER)]);
}

# --- groups of rules ---------------------------------------------------------------------------

sub _nested {
    filter_case('SALES', both(rule('REGION', 'eq', 'North'), rule('QUANTITY', 'gt', 2)),
        q{REGION = 'North' AND QUANTITY > 2}, 'AND');
    filter_case('SALES', any(rule('REGION', 'eq', 'North'), rule('QUANTITY', 'gt', 5)),
        q{REGION = 'North' OR QUANTITY > 5}, 'OR');
    filter_case('SALES', both(any(rule('REGION', 'eq', 'North'), rule('REGION', 'eq', 'South')),
        any(rule('QUANTITY', 'eq', 1), both(rule('AMOUNT', 'lt', 0), rule('PAID', 'is_not_null')))),
        q{(REGION = 'North' OR REGION = 'South') AND (QUANTITY = 1 OR (AMOUNT < 0 AND PAID IS NOT NULL))}, 'nested groups');
    filter_case('SALES', any(both(rule('ID', 'lt', 5)), both(rule('ID', 'gt', 115), any(rule('ID', 'eq', 118), rule('ID', 'eq', 2)))),
        'ID < 5 OR (ID > 115 AND (ID = 118 OR ID = 2))', 'OR of ANDs of ORs');
    my $deep = rule('ID', 'lte', 3);
    $deep = both($deep) for 1 .. 5;
    filter_case('SALES', $deep, 'ID <= 3', 'five groups inside one another');
    filter_case('SALES', any(map { rule('ID', 'eq', $_) } 1 .. 50), 'ID BETWEEN 1 AND 50', 'fifty rules in a group');
}

# --- joins -------------------------------------------------------------------------------------

sub _joins {
    my @columns = ('CUSTOMERS.ID', 'CUSTOMERS.NAME', 'REGIONS.NAME');
    my %sql = (inner => 'JOIN', left => 'LEFT JOIN', right => 'RIGHT JOIN', outer => 'FULL OUTER JOIN');
    for my $type (qw(inner left right outer)) {
        add("join: $type", { dataset => 'CUSTOMERS', columns => [@columns],
            joins => [ join_on('CUSTOMERS', 'REGIONS', $type, 'REGION_ID', 'ID') ],
            sorting => [ asc('CUSTOMERS.ID'), asc('REGIONS.ID') ] },
            "SELECT C.ID, C.NAME, R.NAME FROM CUSTOMERS C $sql{$type} REGIONS R ON C.REGION_ID = R.ID "
            . 'ORDER BY C.ID NULLS LAST, R.ID NULLS LAST');
    }
    add('join with qualified ON columns', { dataset => 'CUSTOMERS', columns => [@columns],
        joins => [ join_on('CUSTOMERS', 'REGIONS', 'inner', 'CUSTOMERS.REGION_ID', 'REGIONS.ID') ],
        sorting => [ asc('CUSTOMERS.ID') ] },
        'SELECT C.ID, C.NAME, R.NAME FROM CUSTOMERS C JOIN REGIONS R ON C.REGION_ID = R.ID ORDER BY C.ID');
    add('an unqualified column that only one table has', { dataset => 'CUSTOMERS', columns => [qw(EMAIL MANAGER)],
        joins => [ join_on('CUSTOMERS', 'REGIONS', 'inner', 'REGION_ID', 'ID') ], sorting => [ asc('CUSTOMERS.ID') ] },
        'SELECT C.EMAIL, R.MANAGER FROM CUSTOMERS C JOIN REGIONS R ON C.REGION_ID = R.ID ORDER BY C.ID');
    add('an unqualified column that both have is the main dataset\'s', { dataset => 'CUSTOMERS', columns => [qw(ID NAME)],
        joins => [ join_on('CUSTOMERS', 'REGIONS', 'left', 'REGION_ID', 'ID') ], filters => both(rule('NAME', 'starts_with', 'Z')), sorting => [ asc('ID') ] },
        q{SELECT C.ID, C.NAME FROM CUSTOMERS C LEFT JOIN REGIONS R ON C.REGION_ID = R.ID WHERE C.NAME GLOB 'Z*' ORDER BY C.ID});
    add('two joins in a row', { dataset => 'SALES', columns => [ 'SALES.ID', 'CUSTOMERS.NAME', 'REGIONS.NAME' ],
        joins => [ join_on('SALES', 'CUSTOMERS', 'left', 'CUSTOMER_ID', 'ID'),
            join_on('CUSTOMERS', 'REGIONS', 'left', 'REGION_ID', 'ID') ], sorting => [ asc('SALES.ID') ], limit => 500 },
        'SELECT S.ID, C.NAME, R.NAME FROM SALES S LEFT JOIN CUSTOMERS C ON S.CUSTOMER_ID = C.ID '
        . 'LEFT JOIN REGIONS R ON C.REGION_ID = R.ID ORDER BY S.ID');
    add('two joins from the main dataset', { dataset => 'SALES', columns => [ 'SALES.ID', 'CUSTOMERS.NAME', 'REGIONS.MANAGER' ],
        joins => [ join_on('SALES', 'CUSTOMERS', 'inner', 'CUSTOMER_ID', 'ID'),
            join_on('SALES', 'REGIONS', 'inner', 'REGION', 'NAME') ], sorting => [ asc('SALES.ID') ], limit => 500 },
        'SELECT S.ID, C.NAME, R.MANAGER FROM SALES S JOIN CUSTOMERS C ON S.CUSTOMER_ID = C.ID '
        . 'JOIN REGIONS R ON S.REGION = R.NAME ORDER BY S.ID');
    add('a join on two pairs', { dataset => 'BALANCES', columns => [ 'BALANCES.ACCOUNT', 'BALANCES.LOAD_ID', 'P.AMOUNT' ],
        joins => [ join_on('BALANCES', 'BALANCES', 'inner', 'ACCOUNT', 'ACCOUNT', 'LOAD_ID', 'LOAD_ID', 'P') ],
        sorting => [ asc('BALANCES.LOAD_ID'), asc('BALANCES.ACCOUNT') ], limit => 500 },
        'SELECT A.ACCOUNT, A.LOAD_ID, B.AMOUNT FROM BALANCES A JOIN BALANCES B ON A.ACCOUNT = B.ACCOUNT AND '
        . 'A.LOAD_ID = B.LOAD_ID ORDER BY A.LOAD_ID, A.ACCOUNT');
    add('a self-join with an alias', { dataset => 'CUSTOMERS', columns => [ 'CUSTOMERS.NAME', 'BOSS.NAME' ],
        joins => [ join_on('CUSTOMERS', 'CUSTOMERS', 'left', 'REFERRED_BY', 'ID', 'BOSS') ], sorting => [ asc('CUSTOMERS.ID') ] },
        'SELECT C.NAME, B.NAME FROM CUSTOMERS C LEFT JOIN CUSTOMERS B ON C.REFERRED_BY = B.ID ORDER BY C.ID');
    add('a self-join without one is TABLE_2', { dataset => 'CUSTOMERS', columns => [ 'CUSTOMERS.NAME', 'CUSTOMERS_2.NAME' ],
        joins => [ join_on('CUSTOMERS', 'CUSTOMERS', 'inner', 'REFERRED_BY', 'ID') ], sorting => [ asc('CUSTOMERS.ID') ] },
        'SELECT C.NAME, B.NAME FROM CUSTOMERS C JOIN CUSTOMERS B ON C.REFERRED_BY = B.ID ORDER BY C.ID');
    add('the third use is TABLE_3', { dataset => 'CUSTOMERS', columns => [ 'CUSTOMERS.NAME', 'CUSTOMERS_2.NAME', 'CUSTOMERS_3.NAME' ],
        joins => [ join_on('CUSTOMERS', 'CUSTOMERS', 'left', 'REFERRED_BY', 'ID'),
            join_on('CUSTOMERS_2', 'CUSTOMERS', 'left', 'REFERRED_BY', 'ID') ], sorting => [ asc('CUSTOMERS.ID') ] },
        'SELECT C.NAME, B.NAME, A.NAME FROM CUSTOMERS C LEFT JOIN CUSTOMERS B ON C.REFERRED_BY = B.ID '
        . 'LEFT JOIN CUSTOMERS A ON B.REFERRED_BY = A.ID ORDER BY C.ID');
    add('later joins address an alias', { dataset => 'CUSTOMERS', columns => [ 'CUSTOMERS.NAME', 'BOSS.NAME', 'REGIONS.NAME' ],
        joins => [ join_on('CUSTOMERS', 'CUSTOMERS', 'inner', 'REFERRED_BY', 'ID', 'BOSS'),
            join_on('BOSS', 'REGIONS', 'left', 'REGION_ID', 'ID') ], sorting => [ asc('CUSTOMERS.ID') ] },
        'SELECT C.NAME, B.NAME, R.NAME FROM CUSTOMERS C JOIN CUSTOMERS B ON C.REFERRED_BY = B.ID '
        . 'LEFT JOIN REGIONS R ON B.REGION_ID = R.ID ORDER BY C.ID');
    add('filters on both sides of a join', { dataset => 'SALES', columns => [ 'SALES.ID', 'C.NAME' ],
        joins => [ join_on('SALES', 'CUSTOMERS', 'inner', 'CUSTOMER_ID', 'ID', 'C') ],
        filters => both(rule('C.ACTIVE', 'eq', $T), rule('SALES.AMOUNT', 'gt', 200)), sorting => [ asc('SALES.ID') ], limit => 500 },
        'SELECT S.ID, C.NAME FROM SALES S JOIN CUSTOMERS C ON S.CUSTOMER_ID = C.ID WHERE C.ACTIVE = 1 AND S.AMOUNT > 200 ORDER BY S.ID');
    add('a left join filtered to what found nothing', { dataset => 'CUSTOMERS', columns => ['CUSTOMERS.NAME'],
        joins => [ join_on('CUSTOMERS', 'REGIONS', 'left', 'REGION_ID', 'ID') ], filters => both(rule('REGIONS.ID', 'is_null')),
        sorting => [ asc('CUSTOMERS.ID') ] },
        'SELECT C.NAME FROM CUSTOMERS C LEFT JOIN REGIONS R ON C.REGION_ID = R.ID WHERE R.ID IS NULL ORDER BY C.ID');
    add('a join with an empty table', { dataset => 'REGIONS', columns => [ 'REGIONS.ID', 'EMPTY_TABLE.NAME' ],
        joins => [ join_on('REGIONS', 'EMPTY_TABLE', 'left', 'ID', 'ID') ], sorting => [ asc('REGIONS.ID') ] },
        'SELECT R.ID, E.NAME FROM REGIONS R LEFT JOIN EMPTY_TABLE E ON R.ID = E.ID ORDER BY R.ID');
    add('a join with the hostile table', { dataset => 'REGIONS', columns => [ 'NAME', q{H.semi;colon} ],
        joins => [ join_on('REGIONS', $Aurora::Data::HOSTILE_TABLE, 'inner', 'ID', 'plain', 'H') ], sorting => [ asc('REGIONS.ID') ] },
        'SELECT R.NAME, H."semi;colon" FROM REGIONS R JOIN ' . Aurora::Data::quote_ident($Aurora::Data::HOSTILE_TABLE)
        . ' H ON R.ID = H."plain" ORDER BY R.ID');
    add('aggregation over a join', { dataset => 'SALES', columns => [ 'CUSTOMERS.NAME', 'TOTAL', 'N' ],
        joins => [ join_on('SALES', 'CUSTOMERS', 'right', 'CUSTOMER_ID', 'ID') ], group_by => ['CUSTOMERS.NAME'],
        aggregations => [ agg('sum', 'SALES.AMOUNT', 'TOTAL'), agg('count', 'SALES.ID', 'N') ], sorting => [ asc('CUSTOMERS.NAME') ] },
        'SELECT C.NAME, sum(S.AMOUNT), count(S.ID) FROM SALES S RIGHT JOIN CUSTOMERS C ON S.CUSTOMER_ID = C.ID GROUP BY C.NAME ORDER BY C.NAME');
}

# --- groups and totals -------------------------------------------------------------------------

sub _aggregations {
    my %sql = (sum => 'sum(%s)', avg => 'avg(%s)', count => 'count(%s)', min => 'min(%s)', max => 'max(%s)',
        distinct_count => 'count(DISTINCT %s)');
    for my $function (qw(sum avg count min max distinct_count)) {
        my $expr = sprintf $sql{$function}, 'AMOUNT';
        add("aggregation: $function by region", { dataset => 'SALES', columns => [qw(REGION X)], group_by => ['REGION'],
            aggregations => [ agg($function, 'AMOUNT', 'X') ], sorting => [ asc('REGION') ] },
            "SELECT REGION, $expr FROM SALES GROUP BY REGION ORDER BY REGION NULLS LAST", types => [qw(text number)]);
        add("aggregation: $function over all rows", { dataset => 'SALES', columns => ['X'],
            aggregations => [ agg($function, 'AMOUNT', 'X') ] }, "SELECT $expr FROM SALES");
        add("aggregation: $function over no rows", { dataset => 'EMPTY_TABLE', columns => ['X'],
            aggregations => [ agg($function, 'ID', 'X') ] }, 'SELECT ' . sprintf($sql{$function}, 'ID') . ' FROM EMPTY_TABLE');
    }
    for my $function (qw(count min max distinct_count)) {
        for my $column (qw(PRODUCT SOLD_ON CREATED_AT REF)) {
            my %type = (PRODUCT => 'text', SOLD_ON => 'date', CREATED_AT => 'timestamp', REF => 'number');
            add("aggregation: $function of $column", { dataset => 'SALES', columns => ['X'],
                aggregations => [ agg($function, $column, 'X') ] },
                'SELECT ' . sprintf($sql{$function}, $column) . ' FROM SALES',
                types => [ $function =~ /count/ ? 'number' : $type{$column} ]);
        }
    }
    add('count of *', { dataset => 'SALES', columns => ['N'], aggregations => [ agg('count', '*', 'N') ] },
        'SELECT count(*) FROM SALES', types => ['number']);
    add('an empty output_name becomes FUNCTION_COLUMN', { dataset => 'SALES', columns => ['SUM_AMOUNT'],
        aggregations => [ agg('sum', 'AMOUNT', '') ] }, 'SELECT sum(AMOUNT) FROM SALES');
    add('a missing output_name likewise', { dataset => 'SALES', columns => ['DISTINCT_COUNT_REGION'],
        aggregations => [ agg('distinct_count', 'REGION') ] }, 'SELECT count(DISTINCT REGION) FROM SALES');
    add('group by two columns', { dataset => 'SALES', columns => [qw(REGION QUANTITY N)], group_by => [qw(REGION QUANTITY)],
        aggregations => [ agg('count', '*', 'N') ], sorting => [ asc('REGION'), asc('QUANTITY') ] },
        'SELECT REGION, QUANTITY, count(*) FROM SALES GROUP BY REGION, QUANTITY ORDER BY REGION NULLS LAST, QUANTITY');
    add('group by without aggregation is distinct', { dataset => 'SALES', columns => ['REGION'], group_by => ['REGION'],
        sorting => [ asc('REGION') ] }, 'SELECT DISTINCT REGION FROM SALES ORDER BY REGION NULLS LAST');
    add('group by a column that is not selected', { dataset => 'SALES', columns => ['N'], group_by => ['QUANTITY'],
        aggregations => [ agg('count', '*', 'N') ] }, 'SELECT count(*) FROM SALES GROUP BY QUANTITY');
    add('several aggregations, mixed order', { dataset => 'SALES', columns => [qw(HIGH REGION LOW N)], group_by => ['REGION'],
        aggregations => [ agg('min', 'AMOUNT', 'LOW'), agg('max', 'AMOUNT', 'HIGH'), agg('count', '*', 'N') ],
        sorting => [ desc('N'), asc('REGION') ] },
        'SELECT max(AMOUNT), REGION, min(AMOUNT), count(*) FROM SALES GROUP BY REGION ORDER BY count(*) DESC, REGION NULLS LAST');
    add('sorted by a total', { dataset => 'SALES', columns => [qw(REGION TOTAL)], group_by => ['REGION'],
        aggregations => [ agg('sum', 'AMOUNT', 'TOTAL') ], sorting => [ desc('TOTAL') ] },
        'SELECT REGION, sum(AMOUNT) FROM SALES GROUP BY REGION ORDER BY sum(AMOUNT) DESC');
    add('an output_name of any script', { dataset => 'SALES', columns => [ 'REGION', 'Summe "Ä"; --' ], group_by => ['REGION'],
        aggregations => [ agg('sum', 'AMOUNT', 'Summe "Ä"; --') ], sorting => [ asc('Summe "Ä"; --') ] },
        'SELECT REGION, sum(AMOUNT) FROM SALES GROUP BY REGION ORDER BY sum(AMOUNT)');
    add('HAVING', { dataset => 'SALES', columns => [qw(QUANTITY N)], group_by => ['QUANTITY'],
        aggregations => [ agg('count', '*', 'N') ], filters => both(rule('N', 'gt', 17)), sorting => [ asc('QUANTITY') ] },
        'SELECT QUANTITY, count(*) FROM SALES GROUP BY QUANTITY HAVING count(*) > 17 ORDER BY QUANTITY');
    add('HAVING and WHERE in one AND', { dataset => 'SALES', columns => [qw(REGION TOTAL)], group_by => ['REGION'],
        aggregations => [ agg('sum', 'AMOUNT', 'TOTAL') ],
        filters => both(rule('TOTAL', 'gt', 5000), rule('QUANTITY', 'lt', 5)), sorting => [ asc('REGION') ] },
        'SELECT REGION, sum(AMOUNT) FROM SALES WHERE QUANTITY < 5 GROUP BY REGION HAVING sum(AMOUNT) > 5000 ORDER BY REGION NULLS LAST');
    add('HAVING with an OR of totals', { dataset => 'SALES', columns => [qw(REGION TOTAL N)], group_by => ['REGION'],
        aggregations => [ agg('sum', 'AMOUNT', 'TOTAL'), agg('count', '*', 'N') ],
        filters => any(rule('TOTAL', 'lt', 7800), rule('N', 'gt', 100)), sorting => [ asc('REGION') ] },
        'SELECT REGION, sum(AMOUNT), count(*) FROM SALES GROUP BY REGION HAVING sum(AMOUNT) < 7800 OR count(*) > 100 ORDER BY REGION NULLS LAST');
    add('a total that columns do not name comes after them', { dataset => 'SALES', columns => ['REGION'], group_by => ['REGION'],
        aggregations => [ agg('max', 'QUANTITY', 'M') ], filters => both(rule('M', 'between', [ 6, 7 ])), sorting => [ asc('REGION') ] },
        'SELECT REGION, max(QUANTITY) FROM SALES GROUP BY REGION HAVING max(QUANTITY) BETWEEN 6 AND 7 ORDER BY REGION NULLS LAST', keys => [qw(REGION M)]);
    add('HAVING on a date', { dataset => 'SALES', columns => [qw(REGION FIRST)], group_by => ['REGION'],
        aggregations => [ agg('min', 'SOLD_ON', 'FIRST') ], filters => both(rule('FIRST', 'gte', '1969-01-01')), sorting => [ asc('REGION') ] },
        q{SELECT REGION, min(SOLD_ON) FROM SALES GROUP BY REGION HAVING min(SOLD_ON) >= '1969-01-01' ORDER BY REGION NULLS LAST});
    add('avg is not rounded to whole numbers', { dataset => 'SALES', columns => ['A'], aggregations => [ agg('avg', 'QUANTITY', 'A') ] },
        'SELECT avg(QUANTITY) FROM SALES');
    add('the sum of large integers is exact', { dataset => 'SALES', columns => ['S'], filters => both(rule('ID', 'lte', 50)),
        aggregations => [ agg('sum', 'REF', 'S') ] }, 'SELECT sum(REF) FROM SALES WHERE ID <= 50');
}

# --- order and pages ---------------------------------------------------------------------------

sub _sorting {
    for my $d (qw(ASC DESC)) {
        my $default = $d eq 'ASC' ? 'LAST' : 'FIRST';
        for my $nulls (undef, 'first', 'last') {
            my $sort = { column => 'SOLD_ON', direction => $d, defined $nulls ? (nulls => $nulls) : () };
            add("sorting: $d nulls " . ($nulls // 'by default'), { dataset => 'SALES', columns => [qw(ID SOLD_ON)],
                sorting => [ $sort, asc('ID') ], limit => 500 },
                "SELECT ID, SOLD_ON FROM SALES ORDER BY SOLD_ON $d NULLS " . uc($nulls // $default) . ', ID');
            add("sorting groups: $d nulls " . ($nulls // 'by default'), { dataset => 'SALES', columns => [qw(PRODUCT N)],
                group_by => ['PRODUCT'], aggregations => [ agg('count', '*', 'N') ],
                sorting => [ { %$sort, column => 'PRODUCT' } ] },
                "SELECT PRODUCT, count(*) FROM SALES GROUP BY PRODUCT ORDER BY PRODUCT $d NULLS " . uc($nulls // $default));
        }
    }
    add('sorting by a column that is not selected', { dataset => 'SALES', columns => ['ID'], sorting => [ desc('PRICE') ], limit => 500 },
        'SELECT ID FROM SALES ORDER BY PRICE DESC');
    add('sorting by three columns', { dataset => 'SALES', columns => [qw(ID REGION QUANTITY)],
        sorting => [ desc('REGION'), asc('QUANTITY'), desc('ID') ], limit => 500 },
        'SELECT ID, REGION, QUANTITY FROM SALES ORDER BY REGION DESC NULLS FIRST, QUANTITY, ID DESC');
    add('numbers sort as numbers', { dataset => 'INTEGERS', columns => ['I'], sorting => [ asc('I') ], limit => 500 },
        'SELECT I FROM INTEGERS ORDER BY I');
}

sub _paging {
    my @pages = ([ 10, 0 ], [ 10, 10 ], [ 10, 115 ], [ 10, 110 ], [ 10, 120 ], [ 10, 100000 ], [ 1, 0 ], [ 120, 0 ], [ 121, 0 ],
        [ 119, 0 ], [ 500, 0 ], [ 50000, 0 ], [ undef, undef ], [ undef, 50 ]);
    for (@pages) {
        my ($limit, $offset) = @$_;
        add('page: limit ' . ($limit // 'missing') . ', offset ' . ($offset // 'missing'), { dataset => 'SALES', columns => ['ID'],
            sorting => [ asc('ID') ], defined $limit ? (limit => $limit) : (), defined $offset ? (offset => $offset) : () },
            'SELECT ID FROM SALES ORDER BY ID');
    }
    add('a page of a filtered result', { dataset => 'SALES', columns => ['ID'], filters => both(rule('QUANTITY', 'gt', 3)),
        sorting => [ desc('ID') ], limit => 7, offset => 14 }, 'SELECT ID FROM SALES WHERE QUANTITY > 3 ORDER BY ID DESC');
    add('a page of groups', { dataset => 'SALES', columns => [qw(QUANTITY N)], group_by => ['QUANTITY'],
        aggregations => [ agg('count', '*', 'N') ], sorting => [ asc('QUANTITY') ], limit => 2, offset => 3 },
        'SELECT QUANTITY, count(*) FROM SALES GROUP BY QUANTITY ORDER BY QUANTITY');
    add('a page of groups after HAVING', { dataset => 'SALES', columns => [qw(QUANTITY N)], group_by => ['QUANTITY'],
        aggregations => [ agg('count', '*', 'N') ], filters => both(rule('N', 'gte', 17)), sorting => [ asc('QUANTITY') ], limit => 2 },
        'SELECT QUANTITY, count(*) FROM SALES GROUP BY QUANTITY HAVING count(*) >= 17 ORDER BY QUANTITY');
    add('a page of a join', { dataset => 'SALES', columns => [ 'SALES.ID', 'CUSTOMERS.NAME' ],
        joins => [ join_on('SALES', 'CUSTOMERS', 'inner', 'CUSTOMER_ID', 'ID') ], sorting => [ asc('SALES.ID') ], limit => 5, offset => 5 },
        'SELECT S.ID, C.NAME FROM SALES S JOIN CUSTOMERS C ON S.CUSTOMER_ID = C.ID ORDER BY S.ID');
    add('a page of a dataset with a default order', { dataset => 'STAFF_SALES', columns => ['ID'], limit => 5, offset => 2 },
        'SELECT ID FROM SALES ORDER BY ID DESC', ordered => 1);
}

# --- partitions --------------------------------------------------------------------------------

sub _partitions {
    my $columns = [qw(ACCOUNT LOAD_ID AMOUNT)];
    my $order = [ asc('LOAD_ID'), asc('ACCOUNT') ];
    my $by = 'ORDER BY LOAD_ID, ACCOUNT';
    my $select = 'SELECT ACCOUNT, LOAD_ID, AMOUNT FROM BALANCES';
    add('no partition filter', { dataset => 'BALANCES', columns => $columns, sorting => $order, limit => 500 }, "$select $by");
    add('one partition', { dataset => 'BALANCES', columns => $columns, partition_filters => { BALANCES => [202402] },
        sorting => $order, limit => 500 }, "$select WHERE LOAD_ID IN (202402) $by");
    add('two partitions, one a string', { dataset => 'BALANCES', columns => $columns, partition_filters => { balances => [ 202401, '202405' ] },
        sorting => $order, limit => 500 }, "$select WHERE LOAD_ID IN (202401, 202405) $by");
    add('a partition that does not exist', { dataset => 'BALANCES', columns => $columns, partition_filters => { BALANCES => [1] },
        sorting => $order, limit => 500 }, "$select WHERE LOAD_ID IN (1) $by");
    add('a load type in another case', { dataset => 'BALANCES', columns => $columns, partition_load_type => 'mOnThLy',
        sorting => $order, limit => 500 }, "$select WHERE LOAD_TYPE = 'Monthly' $by");
    add('a load type and partitions', { dataset => 'BALANCES', columns => $columns, partition_load_type => 'Daily',
        partition_filters => { BALANCES => [ 202401, 202402 ] }, sorting => $order, limit => 500 },
        "$select WHERE LOAD_TYPE = 'Daily' AND LOAD_ID IN (202401, 202402) $by");
    add('partitions and filters', { dataset => 'BALANCES', columns => $columns, partition_filters => { BALANCES => [202403] },
        filters => any(rule('AMOUNT', 'gt', 100), rule('BRANCH', 'is_null')), sorting => $order, limit => 500 },
        "$select WHERE LOAD_ID IN (202403) AND (AMOUNT > 100 OR BRANCH IS NULL) $by");
    add('partitions of a dataset on the outer side of a join act before it', { dataset => 'BRANCHES',
        columns => [ 'BRANCHES.BRANCH', 'BALANCES.ACCOUNT' ], joins => [ join_on('BRANCHES', 'BALANCES', 'left', 'BRANCH', 'BRANCH') ],
        partition_filters => { BALANCES => [202402] }, filters => both(rule('BRANCHES.BRANCH', 'neq', 'Main')),
        sorting => [ asc('BRANCHES.BRANCH'), asc('BALANCES.ACCOUNT') ], limit => 500 },
        q{SELECT B.BRANCH, A.ACCOUNT FROM BRANCHES B LEFT JOIN (SELECT * FROM BALANCES WHERE LOAD_ID = 202402) A ON B.BRANCH = A.BRANCH }
        . q{WHERE B.BRANCH <> 'Main' ORDER BY B.BRANCH, A.ACCOUNT NULLS LAST});
    add('partitions of the main dataset under an outer join act before it', { dataset => 'BALANCES',
        columns => [ 'BRANCHES.BRANCH', 'BALANCES.ACCOUNT' ], joins => [ join_on('BALANCES', 'BRANCHES', 'outer', 'BRANCH', 'BRANCH') ],
        partition_filters => { BALANCES => [202402] }, sorting => [ asc('BRANCHES.BRANCH'), asc('BALANCES.ACCOUNT') ], limit => 500 },
        'SELECT B.BRANCH, A.ACCOUNT FROM (SELECT * FROM BALANCES WHERE LOAD_ID = 202402) A FULL OUTER JOIN BRANCHES B ON A.BRANCH = B.BRANCH '
        . 'ORDER BY B.BRANCH NULLS LAST, A.ACCOUNT NULLS LAST');
    add('every use of a dataset is restricted', { dataset => 'BALANCES', columns => [ 'BALANCES.ACCOUNT', 'O.LOAD_ID' ],
        joins => [ join_on('BALANCES', 'BALANCES', 'inner', 'ACCOUNT', 'ACCOUNT', 'O') ],
        partition_filters => { BALANCES => [ 202401, 202402 ] }, sorting => [ asc('BALANCES.ACCOUNT'), asc('BALANCES.LOAD_ID'), asc('O.LOAD_ID') ],
        limit => 500 },
        'SELECT A.ACCOUNT, O.LOAD_ID FROM BALANCES A JOIN BALANCES O ON A.ACCOUNT = O.ACCOUNT WHERE A.LOAD_ID IN (202401, 202402) '
        . 'AND O.LOAD_ID IN (202401, 202402) ORDER BY A.ACCOUNT, A.LOAD_ID, O.LOAD_ID');
    add('totals of one partition', { dataset => 'BALANCES', columns => [qw(BRANCH TOTAL)], partition_filters => { BALANCES => [202404] },
        group_by => ['BRANCH'], aggregations => [ agg('sum', 'AMOUNT', 'TOTAL') ], sorting => [ asc('BRANCH') ] },
        'SELECT BRANCH, sum(AMOUNT) FROM BALANCES WHERE LOAD_ID = 202404 GROUP BY BRANCH ORDER BY BRANCH NULLS LAST');
}

sub cases {
    return @cases if @cases;
    _columns(); _numbers(); _dates(); _texts(); _others(); _nested(); _joins(); _aggregations(); _sorting(); _paging(); _partitions();
    return @cases;
}

# The cases as a database without BOOLEAN is asked them: 1 and 0, in columns of numbers.
sub cases_in_numbers {
    return map {
        { %$_, request => _in_numbers($_->{request}), $_->{types} ? (types => [ map { $_ eq 'boolean' ? 'number' : $_ } @{ $_->{types} } ]) : () }
    } cases();
}

# A truth in a filter's value as a number; truths elsewhere (ignore_case) are the contract's.
sub _in_numbers {
    my ($what, $in_value) = @_;
    return { map { $_ => _in_numbers($what->{$_}, $_ eq 'value') } keys %$what } if ref $what eq 'HASH';
    return [ map { _in_numbers($_, $in_value) } @$what ] if ref $what eq 'ARRAY';
    return $in_value && JSON::PP::is_bool($what) ? ($what ? 1 : 0) : $what;
}

# What a database's shell calls otherwise than SQLite's.
my %WORDS = (
    pgsql => [
        [ qr/\binstr\(/                        => sub { 'strpos(' } ],
        [ qr/\bchar\((\d+)\)/                  => sub { "chr($_[0])" } ],
        [ qr/\bsubstr\(V, -(\d+)(?:, \d+)?\)/  => sub { "right(V, $_[0])" } ],
        [ qr/\bGLOB '([^'*]*)\*'/              => sub { "LIKE '$_[0]%'" } ],
        [ qr/\bhex\((\w+)\)/                   => sub { "encode($_[0], 'hex')" } ],
        [ qr/\b(ACTIVE|PAID) (=|<>) ([01])\b/  => sub { "$_[0] $_[1] " . ($_[2] ? 'true' : 'false') } ],
        [ qr/\b(PAID) IN \(0, 1\)/             => sub { "$_[0] IN (false, true)" } ],
    ],
);

# The hand-written statement of a case for a database; `shell` is the one whose shell will run it.
sub sql_for {
    my ($case, $database, $shell) = @_;
    my $sql = $case->{sql};
    $sql = $sql->{$database} // $sql->{default} if ref $sql;
    for (@{ $WORDS{ $shell // $database } || [] }) {
        my ($word, $own) = @$_;
        $sql =~ s/$word/$own->($1, $2, $3)/ge;
    }
    return $sql;
}

1;
