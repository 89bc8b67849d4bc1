package Aurora::Refusals;

# Requests that must be refused, and what a refusal has to look like. semantic(): well-formed
# requests that ask for what is not there. hostile(): requests that want to do harm. As data, so that every
# database runs the same lists.

use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);

use Aurora::Battery ();
use Aurora::JSON ();

# The contract's codes and their statuses (api.md, "Errors").
our %STATUS = (
    (map { $_ => 400 } qw(BAD_JSON BAD_REQUEST BAD_VALUE UNKNOWN_COLUMN UNKNOWN_OPERATOR MIXED_AGGREGATE_FILTER
        MISSING_PARAMETER QUERY_TOO_LARGE XLSX_TOO_MANY_ROWS)),
    FORBIDDEN => 403,
    (map { $_ => 404 } qw(UNKNOWN_DATASET UNKNOWN_REPORT UNKNOWN_TASK NOT_FOUND)),
    METHOD_NOT_ALLOWED => 405, BODY_TOO_LARGE => 413, UNSUPPORTED_MEDIA_TYPE => 415,
    RATE_LIMITED => 429, TOO_MANY_TASKS => 429, DATABASE_ERROR => 502,
    (map { $_ => 503 } qw(DATABASE_POOL_EXHAUSTED DATABASE_UNAVAILABLE EXPORT_QUEUE_FULL)),
    QUERY_TIMEOUT => 504,
);

my $LEAK = qr{\bSELECT\b.+\bFROM\b|\bsqlite|no such (?:table|column|function)|near "|syntax error|/tmp/|/home/|/usr/
              |/var/|mod_aurora|\.c:\d|0x[0-9a-f]{6}|\bt0\.|SQL logic|prepare|canary
              |postgres|libpq|\bpg_|\brelation\s"|does not exist|invalid input syntax|SQLSTATE|127\.0\.0\.1
              |mariadb|\bmysql|sql syntax|unknown column '|doesn't exist}xi;

# What of the database, the server or the code shows in an answer, or undef. Text the request itself brought
# is no leak.
sub leak {
    my ($body, $sent) = @_;
    $body =~ s/\Q$_\E//g for grep { length > 3 } @{ $sent || [] };
    return $body =~ /($LEAK)/ ? $1 : undef;
}

# Everything wrong with a problem+json answer. Options: status, codes (list), sent (texts of the request).
sub problem_defects {
    my ($r, %o) = @_;
    my @bad;
    return ('no answer: ' . ($r->{error} // '')) unless $r->{status};
    push @bad, "status $r->{status}" . ($o{status} ? ", expected $o{status}" : '')
        if $o{status} ? $r->{status} != $o{status} : $r->{status} < 400 || $r->{status} > 499;
    my $h = $r->{headers};
    push @bad, 'Content-Type is ' . ($h->{'content-type'} // 'missing')
        unless ($h->{'content-type'} // '') =~ m{^application/problem\+json(?:;.*)?$};
    push @bad, 'the answer is not complete' unless $r->{complete};
    my $problem = Aurora::HTTP::json($r);
    return (@bad, 'the body is no JSON object') unless ref $problem eq 'HASH';
    for (qw(type title detail code correlation_id)) {
        push @bad, "$_ is missing" unless defined $problem->{$_} && !ref $problem->{$_} && length $problem->{$_};
    }
    push @bad, 'type is not about:blank' unless ($problem->{type} // '') eq 'about:blank';
    push @bad, 'status is ' . ($problem->{status} // 'missing')
        unless ref $problem->{status} eq 'Aurora::JSON::Number' && "$problem->{status}" eq $r->{status};
    my $code = $problem->{code} // '';
    push @bad, "code $code is not the contract's" unless $STATUS{$code};
    push @bad, "code $code goes with $STATUS{$code}" if $STATUS{$code} && $STATUS{$code} != $r->{status};
    push @bad, "code is $code, expected @{$o{codes}}" if $o{codes} && !grep { $_ eq $code } @{ $o{codes} };
    push @bad, 'correlation_id is not the header\'s'
        unless ($problem->{correlation_id} // '') eq ($h->{'x-correlation-id'} // ' ');
    my $leak = leak($r->{body}, $o{sent});
    push @bad, "the answer shows: $leak" if defined $leak;
    my %known = map { $_ => 1 } qw(type title status detail code correlation_id column pointer retry_after estimated_rows limit);
    push @bad, "unknown member $_" for grep { !$known{$_} } sort keys %$problem;
    return @bad;
}

# --- well-formed, but wrong --------------------------------------------------------------------

my $T = Aurora::JSON::true();

sub _rule { return Aurora::Battery::rule(@_) }
sub _where { return Aurora::Battery::both(@_) }
sub _agg { return Aurora::Battery::agg(@_) }
sub _join { return Aurora::Battery::join_on(@_) }

sub semantic {
    my @cases;
    my $case = sub {
        my ($name, $code, $request, %o) = @_;
        push @cases, { name => $name, code => $code, request => $request, %o };
    };
    my $filter = sub {
        my ($name, $code, $rule, %o) = @_;
        $case->($name, $code, { dataset => 'SALES', columns => ['ID'], filters => _where($rule) }, %o);
    };

    $case->('an unknown dataset', 'UNKNOWN_DATASET', { dataset => 'NOPE' });
    $case->('an unknown dataset in a join', 'UNKNOWN_DATASET', { dataset => 'SALES', joins => [ _join('SALES', 'NOPE', 'inner', 'ID', 'ID') ] });
    $case->('the database\'s own tables', 'UNKNOWN_DATASET', { dataset => $_ }) for qw(sqlite_master sqlite_schema sqlite_sequence pragma_table_info
        pg_class pg_catalog.pg_class pg_shadow pg_stat_activity information_schema.tables mysql.user performance_schema.threads dual);
    $case->('an unknown column', 'UNKNOWN_COLUMN', { dataset => 'SALES', columns => [ 'ID', 'NOPE' ] }, column => 'NOPE', pointer => '/columns/1');
    $case->('a hidden row number', 'UNKNOWN_COLUMN', { dataset => 'SALES', columns => [$_] }, column => $_) for qw(rowid _rowid_ oid ctid xmin tableoid);
    $case->('a column the catalogue file leaves out', 'UNKNOWN_COLUMN', { dataset => 'STAFF_SALES', columns => ['AMOUNT'] }, column => 'AMOUNT');
    $case->('filtering by a column the catalogue file leaves out', 'UNKNOWN_COLUMN', { dataset => 'STAFF_SALES', columns => ['ID'],
        filters => _where(_rule('AMOUNT', 'gt', 1)) }, column => 'AMOUNT');
    $case->('a column of a table that is not joined', 'UNKNOWN_COLUMN', { dataset => 'SALES', columns => ['REGIONS.NAME'] }, column => 'REGIONS.NAME');
    $filter->('an unknown column in a filter', 'UNKNOWN_COLUMN', _rule('NOPE', 'eq', 1), column => 'NOPE');
    $case->('an unknown column in group_by', 'UNKNOWN_COLUMN', { dataset => 'SALES', columns => ['N'], group_by => ['NOPE'], aggregations => [ _agg('count', '*', 'N') ] }, column => 'NOPE');
    $case->('an unknown column in an aggregation', 'UNKNOWN_COLUMN', { dataset => 'SALES', columns => ['N'], aggregations => [ _agg('sum', 'NOPE', 'N') ] }, column => 'NOPE');
    $case->('an unknown column in sorting', 'UNKNOWN_COLUMN', { dataset => 'SALES', columns => ['ID'], sorting => [ { column => 'NOPE', direction => 'ASC' } ] }, column => 'NOPE');
    $case->('an unknown column in ON, left', 'UNKNOWN_COLUMN', { dataset => 'SALES', joins => [ _join('SALES', 'REGIONS', 'inner', 'NOPE', 'ID') ] }, column => 'NOPE');
    $case->('an unknown column in ON, right', 'UNKNOWN_COLUMN', { dataset => 'SALES', joins => [ _join('SALES', 'REGIONS', 'inner', 'ID', 'NOPE') ] }, column => 'NOPE');
    $filter->('an unknown operator', 'UNKNOWN_OPERATOR', _rule('ID', 'like', 1));
    $filter->("operator $_->[0] on a $_->[1]", 'UNKNOWN_OPERATOR|BAD_REQUEST|BAD_VALUE', _rule($_->[2], $_->[0], $_->[3]))
        for [ contains => number => ID => '1' ], [ starts_with => date => SOLD_ON => '19' ], [ ends_with => timestamp => CREATED_AT => '0' ],
        [ is_empty => number => 'ID', undef ], [ is_not_empty => date => 'SOLD_ON', undef ], [ between => boolean => PAID => [ $T, $T ] ],
        [ not_contains => boolean => PAID => 'x' ];
    $case->("operator $_ on binary", 'UNKNOWN_OPERATOR|BAD_REQUEST|BAD_VALUE', { dataset => 'TYPES', columns => ['ID'], filters => _where(_rule('BL', $_, 'AA==')) })
        for qw(eq gt contains);
    $case->('sorting by binary', 'BAD_REQUEST', { dataset => 'TYPES', columns => ['ID'], sorting => [ { column => 'BL', direction => 'ASC' } ] });
    $case->('grouping by binary', 'BAD_REQUEST', { dataset => 'TYPES', columns => ['BL'], group_by => ['BL'] });

    $filter->("$_->[0] for a $_->[1]", 'BAD_VALUE', _rule($_->[2], 'eq', $_->[3]), column => $_->[2])
        for [ 'text', number => QUANTITY => 'three' ], [ 'an empty string', number => QUANTITY => '' ], [ 'a hexadecimal', number => QUANTITY => '0x10' ],
        [ 'NaN', number => AMOUNT => 'NaN' ], [ 'Infinity', number => AMOUNT => 'Infinity' ], [ 'two numbers', number => AMOUNT => '1 2' ],
        [ 'a comma', number => AMOUNT => '1,5' ], [ 'a boolean', number => QUANTITY => $T ], [ 'a day that is not', date => SOLD_ON => '2023-02-29' ],
        [ 'a month that is not', date => SOLD_ON => '2024-13-01' ], [ 'another date order', date => SOLD_ON => '31.12.2024' ],
        [ 'a number', date => SOLD_ON => 20240101 ], [ 'a word', date => SOLD_ON => 'today' ], [ 'an empty string', date => SOLD_ON => '' ],
        [ 'half a time', timestamp => CREATED_AT => '2024-01-01T25:00:00' ], [ 'a word', timestamp => CREATED_AT => 'now' ],
        [ 'second 61', timestamp => CREATED_AT => '2024-01-01T00:00:61' ], [ 'a word', boolean => PAID => 'maybe' ];
    $filter->('one bad value of a list', 'BAD_VALUE', _rule('QUANTITY', 'in', [ 1, 2, 'x' ]), column => 'QUANTITY');
    $filter->('a bad end of between', 'BAD_VALUE', _rule('QUANTITY', 'between', [ 1, 'x' ]), column => 'QUANTITY');
    $filter->('between as a string with one end', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'between', '1'));
    $filter->('between with three ends', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'between', [ 1, 2, 3 ]));
    $filter->('between with one end', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'between', [1]));
    $filter->('an empty list', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'in', []));
    $filter->('a list of 1001', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'in', [ 1 .. 1001 ]));
    $filter->('a scalar for in', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'in', 1));
    $filter->('a list for eq', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'eq', [1]));
    $filter->('an object for eq', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'eq', { a => 1 }));
    $filter->('null for eq', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'eq', undef));
    $filter->('null in a list', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'in', [ 1, undef ]));
    $filter->('no value for eq', 'BAD_VALUE|BAD_REQUEST', _rule('QUANTITY', 'eq'));
    $filter->('a number for contains', 'BAD_VALUE|BAD_REQUEST', _rule('REGION', 'contains', 5));

    $case->('totals and columns mixed in an OR', 'MIXED_AGGREGATE_FILTER', { dataset => 'SALES', columns => [qw(REGION N)], group_by => ['REGION'],
        aggregations => [ _agg('count', '*', 'N') ], filters => Aurora::Battery::any(_rule('N', 'gt', 1), _rule('REGION', 'eq', 'North')) });
    $case->('totals and columns mixed in a nested OR', 'MIXED_AGGREGATE_FILTER', { dataset => 'SALES', columns => [qw(REGION N)], group_by => ['REGION'],
        aggregations => [ _agg('count', '*', 'N') ], filters => _where(Aurora::Battery::any(_where(_rule('N', 'gt', 1)), _where(_rule('REGION', 'eq', 'North')))) });
    $case->('a column neither grouped nor aggregated', 'BAD_REQUEST', { dataset => 'SALES', columns => [qw(REGION ID N)], group_by => ['REGION'],
        aggregations => [ _agg('count', '*', 'N') ] });
    $case->('sorting by a column neither grouped nor aggregated', 'BAD_REQUEST', { dataset => 'SALES', columns => ['REGION'], group_by => ['REGION'],
        sorting => [ { column => 'ID', direction => 'ASC' } ] });
    $case->('sum of *', 'BAD_REQUEST|UNKNOWN_COLUMN', { dataset => 'SALES', columns => ['N'], aggregations => [ _agg('sum', '*', 'N') ] });
    $case->('sum of text', 'BAD_REQUEST|BAD_VALUE', { dataset => 'SALES', columns => ['N'], aggregations => [ _agg('sum', 'REGION', 'N') ] });
    $case->('avg of dates', 'BAD_REQUEST|BAD_VALUE', { dataset => 'SALES', columns => ['N'], aggregations => [ _agg('avg', 'SOLD_ON', 'N') ] });
    $case->('two totals of one name', 'BAD_REQUEST', { dataset => 'SALES', columns => ['N'], aggregations => [ _agg('count', '*', 'N'), _agg('sum', 'ID', 'N') ] });
    $case->('an ambiguous column', 'BAD_REQUEST', { dataset => 'SALES', columns => ['NAME'],
        joins => [ _join('SALES', 'CUSTOMERS', 'inner', 'CUSTOMER_ID', 'ID'), _join('CUSTOMERS', 'REGIONS', 'inner', 'REGION_ID', 'ID') ] });
    $case->('a join from a table that is not there yet', 'BAD_REQUEST|UNKNOWN_DATASET|UNKNOWN_COLUMN', { dataset => 'SALES', columns => ['SALES.ID'],
        joins => [ _join('REGIONS', 'CUSTOMERS', 'inner', 'ID', 'REGION_ID') ] });
    $case->('a join without ON', 'BAD_REQUEST', { dataset => 'SALES', columns => ['SALES.ID'], joins => [ _join('SALES', 'REGIONS', 'inner') ] });
    $case->('a join of text with a number', 'BAD_REQUEST', { dataset => 'SALES', columns => ['SALES.ID'], joins => [ _join('SALES', 'REGIONS', 'inner', 'REGION', 'ID') ] });
    $case->('one alias twice', 'BAD_REQUEST', { dataset => 'SALES', columns => ['SALES.ID'], joins => [ _join('SALES', 'REGIONS', 'inner', 'REGION', 'NAME', 'R'),
        _join('SALES', 'CUSTOMERS', 'inner', 'CUSTOMER_ID', 'ID', 'R') ] });
    $case->('an alias that is the dataset\'s name', 'BAD_REQUEST', { dataset => 'SALES', columns => ['SALES.ID'],
        joins => [ _join('SALES', 'REGIONS', 'inner', 'REGION', 'NAME', 'SALES') ] });
    $case->('partition filters of a dataset without partitions', 'BAD_REQUEST|UNKNOWN_COLUMN|BAD_VALUE', { dataset => 'SALES', columns => ['ID'], partition_filters => { SALES => [1] } });
    $case->('a partition value of another type', 'BAD_VALUE', { dataset => 'BALANCES', columns => ['ACCOUNT'], partition_filters => { BALANCES => ['x'] } });
    return @cases;
}

# --- with bad intent ---------------------------------------------------------------------------

our @INJECTIONS = (
    q{'; DROP TABLE SALES; --}, q{" OR 1=1 --}, q{SALES"; DELETE FROM SALES; --}, q{1 UNION SELECT CANARY FROM SECRETS},
    q{x' AND (SELECT CANARY FROM SECRETS) LIKE 'c%' --}, q{ID) FROM SALES; --}, q{../../etc/passwd}, q{%00}, q{${jndi:ldap://x}},
    q{SALES/*}, q{ID, (SELECT CANARY FROM SECRETS)}, q{"SECRETS"."CANARY"},
    q{1; SELECT pg_sleep(9)}, q{\\'; COPY SECRETS TO PROGRAM 'x'; --}, q{$$||(SELECT canary FROM secrets)||$$}, q{SALES` WHERE SLEEP(9)#},
);

# Every place of a request that takes text; each gets the text and returns a request. `value` places may
# answer 200.
sub positions {
    my $ok = sub { return { dataset => 'SALES', columns => ['ID'], @_ } };
    my $grouped = sub { return { dataset => 'SALES', columns => ['REGION'], group_by => ['REGION'], @_ } };
    return (
        [ 'dataset', sub { { dataset => $_[0] } } ],
        [ 'columns', sub { { dataset => 'SALES', columns => [ $_[0] ] } } ],
        [ 'a qualified column', sub { { dataset => 'SALES', columns => [ "SALES.$_[0]" ] } } ],
        [ 'a column\'s qualifier', sub { { dataset => 'SALES', columns => [ "$_[0].ID" ] } } ],
        [ 'filter column', sub { $ok->(filters => _where(_rule($_[0], 'eq', 1))) } ],
        [ 'filter operator', sub { $ok->(filters => _where(_rule('ID', $_[0], 1))) } ],
        [ 'filter logic', sub { $ok->(filters => { logic => $_[0], conditions => [ _rule('ID', 'eq', 1) ] }) } ],
        [ 'a number\'s value', sub { $ok->(filters => _where(_rule('ID', 'eq', $_[0]))) } ],
        [ 'a date\'s value', sub { $ok->(filters => _where(_rule('SOLD_ON', 'eq', $_[0]))) } ],
        [ 'a boolean\'s value', sub { $ok->(filters => _where(_rule('PAID', 'eq', $_[0]))) } ],
        [ 'a text\'s value', sub { $ok->(filters => _where(_rule('REGION', 'eq', $_[0]))) }, 'value' ],
        [ 'a contains value', sub { $ok->(filters => _where(_rule('REGION', 'contains', $_[0]))) }, 'value' ],
        [ 'a list value', sub { $ok->(filters => _where(_rule('REGION', 'in', [ 'North', $_[0] ]))) }, 'value' ],
        [ 'a between value', sub { $ok->(filters => _where(_rule('REGION', 'between', [ $_[0], 'z' ]))) }, 'value' ],
        [ 'a rule\'s datatype', sub { $ok->(filters => _where({ %{ _rule('ID', 'eq', 1) }, datatype => $_[0] })) }, 'value' ],
        [ 'join left_dataset', sub { $ok->(columns => ['SALES.ID'], joins => [ _join($_[0], 'REGIONS', 'inner', 'REGION', 'NAME') ]) } ],
        [ 'join right_dataset', sub { $ok->(columns => ['SALES.ID'], joins => [ _join('SALES', $_[0], 'inner', 'REGION', 'NAME') ]) } ],
        [ 'join_type', sub { $ok->(columns => ['SALES.ID'], joins => [ _join('SALES', 'REGIONS', $_[0], 'REGION', 'NAME') ]) } ],
        [ 'join alias', sub { $ok->(columns => ['SALES.ID'], joins => [ _join('SALES', 'REGIONS', 'inner', 'REGION', 'NAME', $_[0]) ]) }, 'value' ],
        [ 'ON left_column', sub { $ok->(columns => ['SALES.ID'], joins => [ _join('SALES', 'REGIONS', 'inner', $_[0], 'NAME') ]) } ],
        [ 'ON right_column', sub { $ok->(columns => ['SALES.ID'], joins => [ _join('SALES', 'REGIONS', 'inner', 'REGION', $_[0]) ]) } ],
        [ 'group_by', sub { $grouped->(group_by => [ $_[0] ]) } ],
        [ 'aggregation column', sub { $grouped->(columns => [ 'REGION', 'X' ], aggregations => [ _agg('count', $_[0], 'X') ]) } ],
        [ 'aggregation function', sub { $grouped->(columns => [ 'REGION', 'X' ], aggregations => [ _agg($_[0], 'ID', 'X') ]) } ],
        [ 'output_name', sub { $grouped->(columns => [ 'REGION', $_[0] ], aggregations => [ _agg('count', '*', $_[0]) ]) }, 'value' ],
        [ 'sorting column', sub { $ok->(sorting => [ { column => $_[0], direction => 'ASC' } ]) } ],
        [ 'sorting direction', sub { $ok->(sorting => [ { column => 'ID', direction => $_[0] } ]) } ],
        [ 'sorting nulls', sub { $ok->(sorting => [ { column => 'ID', direction => 'ASC', nulls => $_[0] } ]) } ],
        [ 'partition_filters dataset', sub { { dataset => 'BALANCES', columns => ['ACCOUNT'], partition_filters => { $_[0] => [1] } } } ],
        [ 'partition_filters value', sub { { dataset => 'BALANCES', columns => ['ACCOUNT'], partition_filters => { BALANCES => [ $_[0] ] } } } ],
        [ 'partition_load_type', sub { { dataset => 'BALANCES', columns => ['ACCOUNT'], partition_load_type => $_[0] } }, 'value' ],
        [ 'shape', sub { $ok->(shape => $_[0]) } ],
        [ 'limit', sub { $ok->(limit => $_[0]) } ],
        [ 'offset', sub { $ok->(offset => $_[0]) } ],
        [ 'an unknown member', sub { $ok->($_[0] => $_[0]) }, 'value' ],
    );
}

# One value of every JSON type that a member does not take.
sub wrong_types {
    my %types = (
        dataset => [ 5, undef, [], {}, $T, '' ], columns => [ 5, 'ID', {}, $T, [ 5 ], [ undef ], [ [] ], [ {} ], [''] ],
        joins => [ 5, 'x', {}, [ 5 ], [ 'x' ], [ {} ], [ [] ] ], filters => [ 5, 'x', [], $T, {}, { logic => 'AND' }, { logic => 'AND', conditions => {} },
            { logic => 'AND', conditions => [5] }, { logic => 'XOR', conditions => [ _rule('ID', 'eq', 1) ] }, { logic => 'AND', conditions => [ {} ] } ],
        group_by => [ 5, 'ID', {}, [5], [undef] ], aggregations => [ 5, 'x', {}, [5], [ {} ], [ { column => 5, function => 'sum' } ],
            [ { column => 'ID', function => 5 } ], [ { column => 'ID', function => 'sum', output_name => 5 } ] ],
        sorting => [ 5, 'ID', {}, [5], [ {} ], [ { column => 5, direction => 'ASC' } ], [ { column => 'ID', direction => 5 } ] ],
        partition_filters => [ 5, 'x', [], [5], { BALANCES => 5 }, { BALANCES => {} }, { BALANCES => [ [] ] }, { BALANCES => [ {} ] } ],
        partition_load_type => [ 5, [], {}, $T ], limit => [ 'x', 1.5, 0, -1, [], {}, $T, '10' ], offset => [ 'x', 1.5, -1, [], {}, $T ],
        shape => [ 5, 'rows', [], {}, $T ],
    );
    my @cases;
    for my $member (sort keys %types) {
        my $dataset = $member =~ /partition/ ? 'BALANCES' : 'SALES';
        for my $value (@{ $types{$member} }) {
            my $text = Aurora::JSON::encode([$value]);
            push @cases, { name => "$member: $text", body => Aurora::JSON::encode({ dataset => $dataset, $member => $value }) };
        }
    }
    push @cases, { name => 'no dataset', body => '{}' }, map { { name => "the body is $_", body => $_ } } 'null', '5', '"x"', '[]', 'true';
    return @cases;
}

# Bodies that are not what they say, as bytes: {name, body, codes?, fine?}.
sub bodies {
    my $long = 'A' x 100_000;
    my $many = sub { my ($n, $one) = @_; return '[' . join(',', ($one) x $n) . ']' };
    my $nest = sub { my ($n) = @_; return '{"logic":"AND","conditions":[' x $n . '{"column":"ID","operator":"eq","value":1}' . ']}' x $n };
    my @json = ('', ' ', '{', '{"dataset"', '{"dataset":', '{"dataset":"SALES"', '{"dataset":"SALES",}', '{"dataset":"SALES"}}', '{"dataset":"SALES"} x',
        "{'dataset':'SALES'}", '{dataset:"SALES"}', '{"dataset":"SALES"}{"dataset":"SALES"}', '{"dataset":"SAL', '{"dataset":"\\x41"}', '{"dataset":"\\ud800"}',
        '{"dataset":"\\udc00x"}', '{"dataset":"\\u00zz"}', "{\"dataset\":\"SA\nLES\"}", "{\"dataset\":\"SALES\0\"}", "\0", "{\"dataset\":\"SALES\"}\0",
        '{"dataset":"SALES","limit":01}', '{"dataset":"SALES","limit":+1}', '{"dataset":"SALES","limit":.5}', '{"dataset":"SALES","limit":NaN}', '{"dataset":"SALES","limit":0x10}',
        '// x', '<xml/>', 'dataset=SALES', "\xff\xfe{\0}\0", "\x80", '{"dataset":"' . "\xc3" . '"}', '{"dataset":"' . "\xc0\xaf" . '"}', '{"dataset":"' . "\xed\xa0\x80" . '"}',
        '{"dataset":"' . "\xf4\x90\x80\x80" . '"}', '{"dataset":"' . "\xf8\x88\x80\x80\x80" . '"}', '{"' . "\xff" . '":1,"dataset":"SALES"}',
        '{"dataset":"SALES","filters":{"logic":"AND","conditions":[{"column":"REGION","operator":"eq","value":"' . "\xe9" . '"}]}}',
        '{"dataset":"SALES","dataset":"SECRETS"}', '{"dataset":"SALES","limit":1,"limit":2}', '{"dataset":"SALES","x":{"a":1,"a":2}}',
        '{"dataset":"SALES","filters":{"logic":"AND","logic":"OR","conditions":[{"column":"ID","operator":"eq","value":1}]}}',
        '{"dataset":"SALES","x":' . '[' x 17 . ']' x 17 . '}', '{"dataset":"SALES","x":' . '[' x 100_000, '[' x 200_000, '{"a":' x 40_000,
        '{"dataset":"SALES","filters":' . $nest->(20) . '}', '{"dataset":"SALES","filters":' . $nest->(1000) . '}');
    my @cases = map { my $show = substr $_, 0, 50; { name => "bad JSON: $show", body => $_, codes => [ 'BAD_JSON', 'BAD_REQUEST' ] } } @json;
    push @cases,
        { name => 'a NUL in a value', body => '{"dataset":"SALES","columns":["ID"],"filters":{"logic":"AND","conditions":[{"column":"REGION","operator":"eq","value":"a\\u0000b"}]}}', fine => 1 },
        { name => 'a NUL in a name', body => '{"dataset":"SALES\\u0000"}' },
        { name => 'a NUL in a column', body => '{"dataset":"SALES","columns":["ID\\u0000.x"]}' },
        { name => 'a name of 100,000 letters', body => qq({"dataset":"$long"}) },
        { name => 'a column of 100,000 letters', body => qq({"dataset":"SALES","columns":["$long"]}) },
        { name => 'an alias of 100,000 letters', body => qq({"dataset":"SALES","joins":[{"left_dataset":"SALES","right_dataset":"REGIONS","join_type":"inner","alias":"$long","on":[{"left_column":"REGION","right_column":"NAME"}]}]}) },
        { name => 'an output_name of 100,000 letters', body => qq({"dataset":"SALES","columns":["ID"],"aggregations":[{"column":"*","function":"count","output_name":"$long"}]}) },
        { name => 'a value of 100,000 letters', body => qq({"dataset":"SALES","columns":["ID"],"filters":{"logic":"AND","conditions":[{"column":"REGION","operator":"eq","value":"$long"}]}}), fine => 1 },
        { name => 'an operator of 100,000 letters', body => qq({"dataset":"SALES","filters":{"logic":"AND","conditions":[{"column":"ID","operator":"$long","value":1}]}}) },
        { name => '20,000 columns', body => '{"dataset":"SALES","columns":' . $many->(20_000, '"ID"') . '}' },
        { name => '2,000 columns', body => '{"dataset":"SALES","columns":' . $many->(2000, '"ID"') . '}' },
        { name => '5,000 rules', body => '{"dataset":"SALES","filters":{"logic":"OR","conditions":' . $many->(5000, '{"column":"ID","operator":"eq","value":1}') . '}}' },
        { name => '100 joins', body => '{"dataset":"SALES","joins":' . $many->(100, '{"left_dataset":"SALES","right_dataset":"SALES","join_type":"inner","on":[{"left_column":"ID","right_column":"ID"}]}') . '}' },
        { name => '30,000 values', body => '{"dataset":"SALES","filters":{"logic":"AND","conditions":[{"column":"ID","operator":"in","value":' . $many->(30_000, '1') . '}]}}' },
        { name => 'twenty lists of 1,000', body => '{"dataset":"SALES","columns":["ID"],"filters":{"logic":"OR","conditions":' . $many->(20, '{"column":"ID","operator":"in","value":' . $many->(1000, '1') . '}') . '}}', fine => 1 },
        { name => '5,000 sortings', body => '{"dataset":"SALES","sorting":' . $many->(5000, '{"column":"ID","direction":"ASC"}') . '}' },
        { name => '5,000 aggregations', body => '{"dataset":"SALES","aggregations":' . $many->(3000, '{"column":"ID","function":"max"}') . '}' },
        { name => '5,000 group columns', body => '{"dataset":"SALES","group_by":' . $many->(5000, '"ID"') . '}' },
        { name => '1,000 pairs in ON', body => '{"dataset":"SALES","columns":["SALES.ID"],"joins":[{"left_dataset":"SALES","right_dataset":"REGIONS","join_type":"inner","on":' . $many->(1000, '{"left_column":"REGION","right_column":"NAME"}') . '}]}', fine => 1 },
        { name => '5,000 partitions', body => '{"dataset":"BALANCES","partition_filters":{"BALANCES":' . $many->(5000, '1') . '}}', fine => 1 },
        map({ { name => "limit $_", body => qq({"dataset":"SALES","columns":["ID"],"limit":$_}), fine => 1 } } qw(9223372036854775807 9223372036854775808 99999999999999999999999999 1e400 -9223372036854775809 1e3 -0 1E-400)),
        map({ { name => "offset $_", body => qq({"dataset":"SALES","columns":["ID"],"offset":$_}), fine => 1 } } qw(9223372036854775807 99999999999999999999999999 1e400)),
        map({ { name => "value $_", body => qq({"dataset":"SALES","columns":["ID"],"filters":{"logic":"AND","conditions":[{"column":"AMOUNT","operator":"gt","value":$_}]}}), fine => 1 } }
            qw(1e308 1e309 -1e400 1e-400 9223372036854775808 123456789012345678901234567890 0.1000000000000000055511151231257827), '"1e400"', '"' . '9' x 390 . '"', '"' . '9' x 5000 . '"', '"1e999999999999"', '"1e-999999999"', '"-0"');
    return @cases;
}

1;
