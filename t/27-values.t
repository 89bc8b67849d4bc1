# Values survive: what PostgreSQL holds is what a preview, in both shapes, and a CSV show, to the last digit
# and byte, as psql prints it and the contract writes it. What a preview shows also finds its row again.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(decode_utf8 encode_utf8);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Aurora::CSV;
use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Postgres;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();
my $why = Aurora::Postgres->missing;
plan skip_all => $why if $why;

my @LINES = ('plain', 'Straße Ärger ÜBERMUT', 'жизнь', 'Ωμέγα', '日本語', '中文', '한국어', 'עברית', 'العربية', 'ไทย', 'हिन्दी', 'தமிழ்', 'ქართული', 'አማርኛ',
    '😀', '👩‍👩‍👧', '🇨🇭', '𝒳𐍈𠀀', "e\x{301}", "\x{2028}\x{2029}", "\x{feff}bom", "\x{fffd}", "\x{10fffd}", "\x{1}\x{8}\x{1b}\x{7f}", 'quote " and \' and ,', "a\nb\r\nc\rd\te",
    '\\', '\\n', '\\N', 'NULL', 'null', ' ', '  padded  ', '=1+1', '<b>&amp;</b>', '0', '-0', '1e5', '{"a": [1]}');

# type => {sql: its name in PostgreSQL, type: the contract's, values: as SQL; a text stands for itself,
# find: whether a rule with what was shown finds the row}
my @GROUPS = (
    { name => 'numeric', sql => 'numeric', type => 'number', find => 1, values => [ qw(0 1 -1 0.00 1.500 100.00 -0.10
        123456789012345678901234567890 -123456789012345678901234567890 0.123456789012345678901234567890 123456789012345.678901234567890
        1.0000000000000000000000000000001 1e25 1e-20 1e400 -1e-400 0.1 0.30000000000000004 9007199254740993 9007199254740993.0 NaN Infinity -Infinity),
        undef ] },
    { name => 'numeric with scale', sql => 'numeric(40,10)', type => 'number', find => 1, values => [ qw(1.5 12345678901234567890.1234567890
        123456789012345678901234567890 -0.0000000001 0), undef ] },
    { name => 'bigint', sql => 'bigint', type => 'number', find => 1, values => [ qw(9223372036854775807 -9223372036854775808 9007199254740991
        9007199254740992 9007199254740993 -9007199254740993 999999999999999 1000000000000000 0 -1), undef ] },
    { name => 'integer', sql => 'integer', type => 'number', find => 1, values => [ qw(2147483647 -2147483648 0) ] },
    { name => 'smallint', sql => 'smallint', type => 'number', find => 1, values => [ qw(32767 -32768) ] },
    { name => 'float8', sql => 'double precision', type => 'number', find => 1, values => [ qw(1.7976931348623157e308 -1.7976931348623157e308 5e-324 2.2250738585072014e-308
        0.1 0.30000000000000004 0.3333333333333333 1e15 1e16 1e21 1e22 123456789012345680 4503599627370497.5 -0 0 NaN Infinity -Infinity), undef ] },
    { name => 'float4', sql => 'real', type => 'number', values => [ qw(3.4028235e38 1.1754944e-38 1e-45 0.1 16777216 NaN Infinity -Infinity), undef ] },
    { name => 'date', sql => 'date', type => 'date', find => 1, values => [ qw(2024-02-29 1970-01-01 1969-12-31 1582-10-10 0001-01-01 9999-12-31 10000-01-01 294276-12-31
        5874897-12-31 infinity -infinity), '0001-12-31 BC', '0044-03-15 BC', '0101-02-28 BC', '4713-01-01 BC', undef ] },
    { name => 'timestamp', sql => 'timestamp', type => 'timestamp', find => 1, values => [ '2024-02-29 12:34:56.789012', '1969-12-31 23:59:59.999999', '1970-01-01 00:00:00',
        '2024-01-01 00:00:00.1', '2024-01-01 00:00:00.000001', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999', '0044-03-15 12:00:00.5 BC',
        '4713-01-01 00:00:00 BC', 'infinity', '-infinity', undef ] },
    { name => 'timestamptz', sql => 'timestamptz', type => 'timestamp', find => 1, values => [ '2024-07-01 12:00:00+05:30', '2024-07-01 12:00:00.000001-11:45', '1883-11-18 12:03:57 America/New_York',
        '2024-03-31 02:30:00 Europe/Zurich', '2023-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.999999+00', '0001-01-01 00:00:00+00', '0001-01-01 00:00:00+14', '0044-03-15 12:00:00+00 BC', 'infinity',
        '-infinity', undef ] },
    { name => 'boolean', sql => 'boolean', type => 'boolean', values => [ 'true', 'false', undef ] },
    { name => 'text', sql => 'text', type => 'text', find => 1, values => [ '', undef, @LINES, join('', @LINES) x 100 ] },
    { name => 'varchar', sql => 'varchar(20)', type => 'text', find => 1, values => [ '', undef, 'Müller', ' x ', '日本語' ] },
    { name => 'char', sql => 'char(5)', type => 'text', find => 1, values => [ '', undef, 'ab', 'abcde' ] },
    { name => 'bytea', sql => 'bytea', type => 'binary', values => [ '\x', undef, '\x00', '\xff', '\x' . join('', map { sprintf '%02x', $_ } 0 .. 255), '\x' . '5c27' x 50_000 ] },
    { name => 'uuid', sql => 'uuid', type => 'text', find => 1, values => [ '00000000-0000-0000-0000-000000000000', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', undef ] },
    { name => 'json', sql => 'json', type => 'text', values => [ '{"b": 1,  "a": [1.50, null, "\u00e9", {}]}', '[]', '"x"', 'null', undef ] },
    { name => 'jsonb', sql => 'jsonb', type => 'text', values => [ '{"b": 1,  "a": [1.50, null, "é", {}]}', '[]', '"x"', 'null', undef ] },
    { name => 'integer array', sql => 'integer[]', type => 'text', find => 1, values => [ '{1,2,NULL}', '{}', '{{1,2},{3,4}}', '[0:1]={5,6}', undef ] },
    { name => 'text array', sql => 'text[]', type => 'text', find => 1, values => [ '{"a,b","c\"d",NULL,"NULL","",é}', undef ] },
    { name => 'enumeration', sql => 'mood', type => 'text', find => 1, values => [ 'glad', 'so, so "x"', 'ärgerlich', undef ] },
    { name => 'interval', sql => 'interval', type => 'text', find => 1, values => [ '1 year 2 months 3 days 04:05:06.789', '-1 day', '0', '25:00:00', undef ] },
    { name => 'time', sql => 'time', type => 'text', find => 1, values => [ '10:11:12.000001', '24:00:00', undef ] },
    { name => 'timetz', sql => 'timetz', type => 'text', find => 1, values => [ '10:11:12+05:30', undef ] },
    { name => 'inet', sql => 'inet', type => 'text', find => 1, values => [ '10.0.0.1', '2001:db8::1/64', undef ] },
    { name => 'range', sql => 'int4range', type => 'text', find => 1, values => [ '[1,5]', 'empty', '(,)', undef ] },
    { name => 'bits', sql => 'bit varying', type => 'text', find => 1, values => [ '101', '', undef ] },
    { name => 'point', sql => 'point', type => 'text', values => [ '(1.5,-2)', undef ] },
    { name => 'domain', sql => 'price', type => 'number', find => 1, values => [ '1.50', '0.00', undef ] },
);

sub literal {
    my ($text) = @_;
    return 'NULL' unless defined $text;
    $text =~ s/([\\'])/\\$1/g;
    $text =~ s/\r/\\r/g;
    return "E'$text'";
}

my $pg  = Aurora::Postgres->new;
my $sql = qq{SET client_min_messages = warning; SET TimeZone = 'UTC';\nCREATE TYPE mood AS ENUM ('glad', 'so, so "x"', 'ärgerlich');\nCREATE DOMAIN price AS numeric(10,2);\n};
for my $group (@GROUPS) {
    my $id = 0;
    $sql .= qq{CREATE TABLE "$group->{name}" (id integer, v $group->{sql});\nINSERT INTO "$group->{name}" VALUES }
        . join(",\n", map { '(' . ++$id . ', ' . literal($_) . ')' } @{ $group->{values} }) . ";\n";
}
# texts beyond a mebibyte, with others before and after: each one megabyte and different
$sql .= qq{CREATE TABLE large AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN repeat(repeat(chr(960 + i), 60) || '",' || i || E'\\r\\n', 1048576 / 125) ELSE 'short ' || i END AS v FROM generate_series(1, 6) i;\n};
$pg->psql(encode_utf8($sql));
push @GROUPS, { name => 'large', type => 'text', values => [ (1) x 6 ] };

# What psql prints for the values, in the session that the contract promises.
sub printed {
    my ($name) = @_;
    my @rows = $pg->rows(qq{SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'; SET extra_float_digits = 3;
        SELECT id, v FROM "$name" ORDER BY id});
    return map { defined $_->[1] ? decode_utf8($_->[1]) : undef } @rows;
}

# --- what the contract makes of it -------------------------------------------------------------

# "0044-03-15 BC" is the year -43; a zone has minutes.
sub moment {
    my ($text, $between) = @_;
    return $text if $text =~ /infinity/;
    if ($text =~ s/ BC$//) {
        $text =~ s/^(\d+)/my $y = 1 - $1; $y < 0 ? sprintf '-%04d', -$y : sprintf '%04d', $y/e;
    }
    $text =~ s/ /$between/;
    $text =~ s/(:\S*[-+]\d\d)$/$1:00/;
    return $text;
}

sub as_written {
    my ($text, $group, $between) = @_;
    return undef unless defined $text;
    return moment($text, $between) if $group->{type} =~ /date|timestamp/;
    return $text eq 't' ? 'true' : 'false' if $group->{type} eq 'boolean';
    return encode_base64(pack('H*', substr $text, 2), '') if $group->{type} eq 'binary';
    return $text;
}

# Sign, digits and exponent of a number, nothing that does not count.
sub parts {
    my ($text) = @_;
    my ($sign, $whole, $fraction, $exponent) = $text =~ /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/ or return '';
    my $digits = $whole . ($fraction // '');
    my $e = length($whole) + ($exponent // 0);
    $digits =~ s/^(0*)//;
    $e -= length $1;
    $digits =~ s/0+$//;
    return length $digits ? "$sign$digits e$e" : '0';
}

# Does the number survive a round trip through a double?
sub survives {
    my ($text) = @_;
    my $double = unpack 'd', pack 'd', $text;
    return 0 if $double * 0 != 0;
    for (1 .. 17) {
        my $shortest = sprintf "%.${_}g", $double;
        return parts($shortest) eq parts($text) if $shortest == $double;
    }
    return 0;
}

sub is_float { my ($group) = @_; return $group->{name} =~ /^float/ }

# Is the JSON value this text? What is wrong, or undef.
sub json_defect {
    my ($value, $text, $group) = @_;
    return defined $value ? 'is not null' : undef unless defined $text;
    return 'is null' unless defined $value;
    if ($group->{type} eq 'number') {
        my $is_number = ref $value eq 'Aurora::JSON::Number';
        return 'is ' . ref $value if ref $value && !$is_number;
        my $should = $text !~ /[a-df-z]/i && survives($text);
        return ($is_number ? 'a JSON number' : 'a string') . " \"$value\" for $text" if $is_number != !!$should;
        return undef if is_float($group) && parts("$value") eq parts($text) && $is_number;
    }
    elsif ($group->{type} eq 'boolean') {
        return 'no JSON boolean' unless ref $value && ref($value) =~ /Boolean/;
        return (($value ? 'true' : 'false') eq $text) ? undef : 'wrong';
    }
    elsif (ref $value) {
        return 'a JSON ' . ref $value;
    }
    return "$value" eq $text ? undef : '"' . substr($value, 0, 80) . '", expected "' . substr($text, 0, 80) . '"';
}

sub check_json {
    my ($answer, $shape, $group, $printed, $name) = @_;
    my @bad;
    push @bad, "type is $answer->{types}[1]" if ($answer->{types}[1] // '') ne $group->{type};
    push @bad, 'rows: ' . @{ $answer->{data} || [] } if @{ $answer->{data} || [] } != @$printed;
    for my $i (0 .. $#$printed) {
        my $row = $answer->{data}[$i] or last;
        my $wrong = json_defect($shape eq 'arrays' ? $row->[1] : $row->{V}, as_written($printed->[$i], $group, 'T'), $group);
        push @bad, 'value ' . ($i + 1) . " $wrong" if defined $wrong;
    }
    return ok(!@bad, "$name: a preview shows the values ($shape)") || diag(join "\n", @bad);
}

sub check_csv {
    my ($r, $group, $printed, $name) = @_;
    my @records = eval { Aurora::CSV::parse(decode_utf8($r->{body})) };
    my @bad = $@ || ();
    shift @records;
    push @bad, "status $r->{status}, rows: " . @records if $r->{status} != 200 || !$r->{complete} || @records != @$printed;
    for my $i (0 .. $#records) {
        my ($got, $want) = ($records[$i][1], as_written($printed->[$i], $group, ' '));
        next if !defined $got && !defined $want;
        next if defined $got && defined $want && ($got eq $want || is_float($group) && parts($got) ne '' && parts($got) eq parts($want));
        push @bad, 'value ' . ($i + 1) . ' is ' . substr($got // 'nothing', 0, 80) . ', expected ' . substr($want // 'nothing', 0, 80);
    }
    return ok(!@bad, "$name: a CSV has the values") || diag(join "\n", @bad);
}

# Each value that was shown, sent back as it came, finds its row.
sub check_found {
    my ($http, $group, $answer, $name) = @_;
    my (@bad, $n);
    for my $row (@{ $answer->{data} }) {
        my ($id, $value) = @$row;
        next if !defined $value || $value =~ /^(?:-?infinity|NaN)$/i || length $value > 100_000;
        $value = "$value" if ref $value;
        next if $group->{type} eq 'number' && $value =~ /^-?[\d.]{352}/;    # beyond the digits a request may have
        next if $group->{type} eq 'date' && $value =~ /^\d{7}/;    # beyond the six digits a request may have
        $n++;
        my $r = $http->preview({ dataset => $group->{name}, columns => ['ID'], shape => 'arrays',
            filters => { logic => 'AND', conditions => [ { column => 'V', operator => 'eq', value => $value } ] } });
        my $found = Aurora::HTTP::json($r);
        push @bad, "$value: $r->{status} " . substr $r->{body}, 0, 300 unless $found && grep { "$_->[0]" eq "$id" } @{ $found->{data} || [] };
    }
    return ok($n && !@bad, "$name: what was shown finds its row") || diag(join "\n", @bad);
}

for my $mpm (Aurora::Server->mpms) {
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'pgsql', params => $pg->params);
    my $http = $server->http(keep => 1);
    for my $group (@GROUPS) {
        my $name = "$mpm, $group->{name}";
        $group->{printed} ||= [ printed($group->{name}) ];
        is(scalar @{ $group->{printed} }, scalar @{ $group->{values} }, "$name: psql prints every value");
        my %request = (dataset => $group->{name}, columns => [ 'ID', 'V' ], sorting => [ { column => 'ID', direction => 'ASC' } ]);
        my $answer;
        for my $shape (qw(objects arrays)) {
            my $r = $http->preview({ %request, shape => $shape });
            $answer = Aurora::HTTP::json($r) || {};
            diag("$r->{status} " . substr($r->{body}, 0, 300) . ($@ || '')) unless $answer->{data};
            check_json($answer, $shape, $group, $group->{printed}, $name);
        }
        check_csv($http->export(\%request), $group, $group->{printed}, $name);
        check_found($http, $group, $answer, $name) if $group->{find};
    }
    $server->finish;
}
done_testing();
