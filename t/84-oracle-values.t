# NUMBER, DATE, timestamps and intervals over the whole of their range, from the double's own encoder through driver,
# cursor and writers: what stands in CSV, JSON and a workbook is what was put in, digit by digit. What is expected is
# made here, of digits and of the calendar's parts; nothing of it comes from the driver or the module.
#
# AURORA_SEED=n repeats a run.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use File::Temp ();
use Test::More;

use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Oracle;
use Aurora::Readers;
use Aurora::Server;

use constant EACH => 300;    # values of a class

Aurora::Server::require_or_skip();
my $build = abs_path($ENV{AURORA_BUILD} || 'build');
my $why   = Aurora::Oracle->missing;
$why ||= 'no Oracle driver: make deps-oracle' unless -e "$build/apr_dbd_oracle.so";
plan skip_all => $why if $why;

my $seed = $ENV{AURORA_SEED} // int rand 1 << 30;
srand $seed;
note("seed $seed");
my $folder = File::Temp->newdir('aurora-values-XXXXXX', TMPDIR => 1);

sub between { my ($low, $high) = @_; return $low + int rand($high - $low + 1) }
sub one_of  { return $_[ int rand @_ ] }

# --- numbers: sign, digits, and how many of these stand before the point -----------------------------

# Plain decimal text of 0.DIGITS times ten to the power of `point`.
sub plain {
    my ($sign, $digits, $point) = @_;
    $point -= length $1 if $digits =~ s/^(0+)//;
    $digits =~ s/0+\z//;
    return '0' if $digits eq '';
    return "${sign}0." . '0' x -$point . $digits if $point <= 0;
    return $sign . $digits . '0' x ($point - length $digits) if $point >= length $digits;
    return $sign . substr($digits, 0, $point) . '.' . substr $digits, $point;
}

sub digits { my ($n) = @_; return between(1, 9) . join('', map { int rand 10 } 3 .. $n) . ($n > 1 ? between(1, 9) : '') }
sub sign   { return one_of('', '-') }

# Twenty digits of base 100: forty where pairs begin with a whole one, else thirty-nine.
sub most { my ($point) = @_; return $point % 2 ? 39 : 40 }

my %classes = (
    'any NUMBER'         => sub { my $point = between(-129, 126); plain(sign(), digits(between(1, most($point))), $point) },
    'all 39 or 40 digits' => sub { my $point = between(-129, 126); plain(sign(), digits(most($point)), $point) },
    'NUMBER(38)'         => sub { plain(sign(), digits(38), 38) },
    'NUMBER(38,s)'       => sub { plain(sign(), digits(38), between(-45, 84)) },
    'amounts'            => sub { plain(sign(), digits(between(1, 13)), between(-1, 11)) },
    'near a double'      => sub { plain(sign(), digits(between(14, 18)), between(-20, 25)) },
    'small integers'     => sub { plain(sign(), between(0, 100_000), 5) },
    'nines'              => sub { my $point = between(-129, 126); plain(sign(), '9' x between(1, most($point)), $point) },
);

# The facts sheet's examples, and the ends of the range.
my @examples = qw(0 1 5 10 99 42 100 1000000 14500 123.45 0.5 0.1 0.01 0.001 -1 -5 -0.01 -123.45 -0.00734 12345678901234567890123456789012345678 9007199254740993 0.1234567890123456789);
push @examples, plain('', 1, -129), plain('-', 1, -129), plain('', 99, 126), plain('-', 99, 126), plain('', '9' x 40, 126), plain('-', '9' x 40, 126), plain('', '9' x 40, -128);
my @powers = map { (plain('', 1, $_), plain('-', 1, $_)) } -129 .. 126;

sub numbers {
    my @rows = (map({ [ 'examples', $_ ] } @examples), map { [ 'powers of ten', $_ ] } @powers);
    for my $class (sort keys %classes) {
        push @rows, [ $class, $classes{$class}->() ] for 1 .. EACH;
    }
    return @rows;
}

# Digits without those zeros that say nothing, and the power of ten.
sub canonical {
    my ($text) = @_;
    my ($whole, $part, $power) = $text =~ /^-?(\d*)\.?(\d*)(?:e([+-]?\d+))?\z/i or die "no number: $text";
    my $digits = $whole . $part;
    my $point = length($whole) + ($power // 0);
    $point -= length $1 if $digits =~ s/^(0+)//;
    $digits =~ s/0+\z//;
    return $digits eq '' ? '0' : "$digits/$point";
}

# Would a double print these very digits again? The shortest form that reads back is what one prints.
sub survives {
    my ($text) = @_;
    my $double = unpack 'd', pack 'd', $text;    # else a whole number stays one
    for my $precision (0 .. 16) {
        my $shown = sprintf "%.${precision}e", $double;
        return canonical($shown) eq canonical($text) if $shown == $double;
    }
    return 0;
}

# --- moments -------------------------------------------------------------------------------------

sub days_of { my ($y, $m) = @_; return $m == 2 ? ($y % 4 == 0 && ($y % 100 != 0 || $y % 400 == 0) ? 29 : 28) : (31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[ $m - 1 ] }

# Years as ISO 8601 counts them: 0 is 1 BC.
sub day_in {
    my ($low, $high) = @_;
    my ($y, $m) = (between($low, $high), between(1, 12));
    return { y => $y, m => $m, d => between(1, days_of($y, $m)), h => 0, mi => 0, s => 0, us => 0 };
}

sub moment_in { return { %{ day_in(@_) }, h => between(0, 23), mi => between(0, 59), s => between(0, 59) } }

sub fractional {
    my ($low, $high) = @_;
    return { %{ moment_in($low, $high) }, us => one_of(0, 1, 999_999, 500_000, between(0, 999) * 1000, between(0, 999_999), between(0, 999_999)) };
}

sub year_text { my ($y) = @_; return $y < 0 ? sprintf '-%04d', -$y : sprintf '%04d', $y }

# As PostgreSQL reads it.
sub for_database {
    my ($t) = @_;
    my $year = $t->{y} > 0 ? $t->{y} : 1 - $t->{y};
    return sprintf '%04d-%02d-%02d %02d:%02d:%02d.%06d%s', $year, @$t{qw(m d h mi s us)}, $t->{y} > 0 ? '' : ' BC';
}

# ISO text with this separator; without a time where it is a DATE's midnight.
sub iso {
    my ($t, $between, $date) = @_;
    my $text = year_text($t->{y}) . sprintf '-%02d-%02d', @$t{qw(m d)};
    return $text if $date && !grep { $t->{$_} } qw(h mi s);
    $text .= $between . sprintf '%02d:%02d:%02d', @$t{qw(h mi s)};
    return $text . (sprintf('.%06d', $t->{us}) =~ s/\.?0+\z//r);
}

# --- reading what came ----------------------------------------------------------------------------

my $http;
my $openpyxl = grep { $_ eq 'openpyxl' } Aurora::Readers::all();

sub request { my ($table, @columns) = @_; return { dataset => $table, columns => [ 'ID', @columns ], sorting => [ { column => 'ID', direction => 'ASC' } ] } }

sub from_csv {
    my ($table, @columns) = @_;
    my $r = $http->export(request($table, @columns));
    my ($head, @lines) = split /\r\n/, $r->{body};
    is($head, join(',', 'ID', @columns), "$table as CSV") or diag(substr $r->{body}, 0, 400);
    return map { [ split /,/, $_, -1 ] } @lines;
}

sub from_json {
    my ($table, @columns) = @_;
    my $r = $http->preview({ %{ request($table, @columns) }, shape => 'arrays', limit => 100_000 });
    my $answer = eval { Aurora::JSON::decode($r->{body}) } || {};
    is($r->{status}, 200, "$table as JSON") or diag($r->{body});
    return @{ $answer->{data} || [] };
}

# [kind, value] of each cell, as openpyxl reads them.
sub from_xlsx {
    my ($table, @columns) = @_;
    my $file = Aurora::Readers::keep("$folder/$table.xlsx", $http->export(request($table, @columns), query => '?format=xlsx')->{body});
    my $home = Aurora::Readers::home();
    open my $said, '-|', '/usr/bin/python3', '-B', "$home/read_openpyxl.py", $file or die $!;
    my ($head, @lines) = <$said>;
    close $said;
    is($? >> 8, 0, "$table as a workbook");
    return map { eval { Aurora::JSON::decode($_) } || [] } @lines;
}

# Each row's cells by `same`, which says what is wrong with one, or nothing.
sub compare {
    my ($name, $rows, $got, $same) = @_;
    my (@wrong, %seen);
    for my $i (0 .. $#$rows) {
        my $row = $rows->[$i];
        my $id = defined $got->[$i] && defined $got->[$i][0] ? (ref $got->[$i][0] eq 'ARRAY' ? $got->[$i][0][1] : "$got->[$i][0]") : 'none';
        my $what = $id eq 'none' || $id != $i + 1 ? "row $id in place of " . ($i + 1) : $same->($row, $got->[$i]);
        push @wrong, "$row->[0]: $what" if defined $what && $what ne '';
        $seen{ $row->[0] }++;
    }
    is(scalar(@$got), scalar(@$rows), "$name: every row, none twice");
    return is(scalar(@wrong), 0, "$name: " . join(', ', map {"$seen{$_} $_"} sort keys %seen) . " (seed $seed)") || diag(join "\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]);
}

sub compare_workbook {
    my ($name, $rows, $table, $columns, $same) = @_;
  SKIP: {
        skip "openpyxl is not installed: $name in a workbook", 1 unless $openpyxl;
        compare("$name in a workbook", $rows, [ from_xlsx($table, @$columns) ], $same);
    }
}

sub differs { my ($got, $want) = @_; return defined $got && !ref $got && $got eq $want ? '' : "$want became " . (defined $got ? ref $got eq 'ARRAY' ? "[@$got]" : ref $got ? "number $got" : $got : 'nothing') }

# --- the database ---------------------------------------------------------------------------------

my $ora = Aurora::Oracle->new;
my @numbers = numbers();
my @dates = (
    [ 'examples', { y => 2024, m => 2, d => 29, h => 13, mi => 30, s => 5, us => 0 } ], [ 'examples', { y => -4711, m => 1, d => 1, h => 0, mi => 0, s => 0, us => 0 } ],
    [ 'examples', { y => 9999, m => 12, d => 31, h => 23, mi => 59, s => 59, us => 0 } ], [ 'examples', { y => 0, m => 2, d => 29, h => 0, mi => 0, s => 1, us => 0 } ],
    [ 'examples', { y => 1, m => 1, d => 1, h => 0, mi => 0, s => 0, us => 0 } ], [ 'examples', { y => 1900, m => 2, d => 28, h => 0, mi => 0, s => 0, us => 0 } ],
    [ 'examples', { y => 1900, m => 3, d => 1, h => 0, mi => 0, s => 0, us => 0 } ], [ 'examples', { y => 1970, m => 1, d => 1, h => 0, mi => 0, s => 0, us => 0 } ],
    map({ [ 'whole range', moment_in(-4711, 9999) ] } 1 .. EACH), map({ [ 'days', day_in(-4711, 9999) ] } 1 .. EACH), map({ [ 'BC', moment_in(-4711, 0) ] } 1 .. EACH),
    map({ [ 'around the first year', one_of(\&day_in, \&moment_in)->(-120, 120) ] } 1 .. EACH), map({ [ 'since 1890', one_of(\&day_in, \&moment_in)->(1890, 2100) ] } 1 .. EACH),
);
my @times = (map({ [ 'whole range', fractional(-4711, 9999) ] } 1 .. EACH), map { [ 'since 1890', fractional(1890, 2100) ] } 1 .. EACH);
my @spans = (
    [ '1 day 02:03:04.5', '+01 02:03:04.500000', '2 years 6 mons', '+02-06' ], [ '-1 days -02:03:04.000001', '-01 02:03:04.000001', '-2 years -6 mons', '-02-06' ],
    [ '00:00:00', '+00 00:00:00.000000', '0 years', '+00-00' ], [ '99 days 23:59:59.999999', '+99 23:59:59.999999', '99 years 11 mons', '+99-11' ],
    [ '-00:00:00.25', '-00 00:00:00.250000', '-1 mons', '-00-01' ],
);

sub fill {
    my ($table, $columns, @values) = @_;
    $ora->psql(qq{SET search_path = "AURORA", "SYS", public; SET TimeZone = 'UTC';\nCREATE TABLE "$table" ("ID" numeric(10), $columns);\n}
        . (@values ? qq{INSERT INTO "$table" VALUES\n} . join(",\n", map { '(' . join(', ', $_ + 1, map {"'$_'"} @{ $values[$_] }) . ')' } 0 .. $#values) . ";\n" : ''));
}
fill('NUMBERS', '"V" numeric', map { [ $_->[1] ] } @numbers);
fill('DATES', '"D" oracle_date', map { [ for_database($_->[1]) =~ s/\.000000//r ] } @dates);
fill('TIMES', '"T6" timestamp(6), "T3" timestamp(3), "T0" timestamp(0), "Z" timestamptz(6), "L" timestampltz',
    map { my $t = $_->[1]; my $us = $t->{us}; [ for_database($t), for_database({ %$t, us => $us - $us % 1000 }), for_database({ %$t, us => 0 }), (for_database($t) =~ s/(| BC)\z/+00$1/r) x 2 ] } @times);
fill('SPANS', '"D" interval day to second, "Y" interval year to month', map { [ @$_[ 0, 2 ] ] } @spans);

# What the test expects is what PostgreSQL has, too: its own text of the same values.
is(join(' ', map { $_->[0] } $ora->rows('SELECT trim_scale("V")::text FROM "AURORA"."NUMBERS" ORDER BY "ID"')), join(' ', map { $_->[1] } @numbers), 'PostgreSQL writes the same numbers');

# --- the comparisons --------------------------------------------------------------------------------

sub numbers_agree {
    compare('NUMBER in CSV', \@numbers, [ from_csv('NUMBERS', 'V') ], sub { my ($row, $got) = @_; return differs($got->[1], $row->[1]) });
    my $bare = 0;
    compare('NUMBER in JSON', \@numbers, [ from_json('NUMBERS', 'V') ], sub {
        my ($row, $got) = @_;
        my $is_number = ref $got->[1] ? 1 : 0;
        $bare += $is_number;
        return 'a ' . ($is_number ? 'number' : 'string') . " of $row->[1]" if $is_number != (survives($row->[1]) ? 1 : 0);
        return differs("$got->[1]", $row->[1]);
    });
    cmp_ok($bare, '>', EACH, "JSON: $bare are numbers of its own, the others strings");
    compare_workbook('NUMBER', \@numbers, 'NUMBERS', ['V'], sub {
        my ($row, $got) = @_;
        my ($kind, $value) = @{ $got->[1] || [ 'no', 'cell' ] };
        return "$kind of $row->[1]" if $kind ne (survives($row->[1]) ? 'n' : 's');
        return differs("$value", $row->[1]) if $kind eq 's';
        return unpack('d', pack 'd', "$value") == unpack('d', pack 'd', $row->[1]) ? '' : "$row->[1] became $value";
    });
}

# A moment of the 1900 system as readers give it, in milliseconds of its day; else ISO text.
sub in_workbook {
    my ($t, $got, $date) = @_;
    my ($kind, $value) = @{ $got || [ 'no', 'cell' ] };
    my $serial = $t->{y} > 1900 || $t->{y} == 1900 && $t->{m} > 2;
    return "$kind of " . iso($t, 'T', $date) if $kind ne ($serial ? 'd' : 's');
    return differs("$value", iso($t, 'T', $date)) unless $serial;
    my ($day, $h, $mi, $s, $ms) = $value =~ /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})\z/ or return "a date as $value";
    my $want = (($t->{h} * 60 + $t->{mi}) * 60 + $t->{s}) * 1000 + $t->{us} / 1000;
    my $is = (($h * 60 + $mi) * 60 + $s) * 1000 + $ms;
    $is += 86_400_000 if $want > 86_399_999 && $is == 0;    # a reader rounded into the next day
    return abs($want - $is) <= 1 && ($day eq iso({ %$t, h => 0, mi => 0, s => 0 }, '', 1) || $is >= 86_400_000) ? '' : iso($t, 'T') . " became $value";
}

sub dates_agree {
    compare('DATE in CSV', \@dates, [ from_csv('DATES', 'D') ], sub { my ($row, $got) = @_; return differs($got->[1], iso($row->[1], ' ', 1)) });
    compare('DATE in JSON', \@dates, [ from_json('DATES', 'D') ], sub { my ($row, $got) = @_; return differs($got->[1], iso($row->[1], 'T', 1)) });
    compare_workbook('DATE', \@dates, 'DATES', ['D'], sub { my ($row, $got) = @_; return in_workbook($row->[1], $got->[1], 1) });
}

sub times_agree {
    my @columns = qw(T6 T3 T0 Z L);
    my %cut = (T6 => 1, T3 => 1000, T0 => 1_000_000, Z => 1, L => 1);
    my $want = sub { my ($t, $column, $between) = @_; return iso({ %$t, us => $t->{us} - $t->{us} % $cut{$column} }, $between) . ($column =~ /[ZL]/ ? '+00:00' : '') };
    for my $form ([ 'CSV', ' ', \&from_csv ], [ 'JSON', 'T', \&from_json ]) {
        my ($name, $between, $read) = @$form;
        compare("timestamps in $name", \@times, [ $read->('TIMES', @columns) ], sub {
            my ($row, $got) = @_;
            return join ' ', grep {$_} map { differs($got->[ $_ + 1 ], $want->($row->[1], $columns[$_], $between)) } 0 .. $#columns;
        });
    }
    compare_workbook('timestamps', \@times, 'TIMES', \@columns, sub {
        my ($row, $got) = @_;
        return join ' ', grep {$_} map {
            my ($t, $c, $is) = ($row->[1], $columns[$_], $got->[ $_ + 1 ]);
            $c =~ /[ZL]/ ? differs(join(' ', @{ $is || ['nothing'] }), 's ' . $want->($t, $c, 'T')) : in_workbook({ %$t, us => $t->{us} - $t->{us} % $cut{$c} }, $is)
        } 0 .. $#columns;
    });
}

sub spans_agree {
    my @rows = map { [ 'intervals', $_ ] } @spans;
    my $same = sub { my ($row, $got) = @_; return join ' ', grep {$_} differs($got->[1], $row->[1][1]), differs($got->[2], $row->[1][3]) };
    compare('INTERVAL in CSV',  \@rows, [ from_csv('SPANS', 'D', 'Y') ], $same);
    compare('INTERVAL in JSON', \@rows, [ from_json('SPANS', 'D', 'Y') ], $same);
    compare_workbook('INTERVAL', \@rows, 'SPANS', [qw(D Y)], sub { my ($row, $got) = @_; return $same->($row, [ map { $_ && $_->[0] eq 's' ? $_->[1] : "@{ $_ || [] }" } @$got ]) });
}

my $server = Aurora::Server->start(driver => 'oracle', params => $ora->params . " libdir=$build/oci",
    env => { LD_LIBRARY_PATH => $build }, conf => "AuroraSchemas AURORA\nAuroraPreviewMaxRows 100000");
$http = $server->http(timeout => 60);
numbers_agree();
dates_agree();
times_agree();
spans_agree();
unlike($server->error_log, qr/:(?:error|crit|alert|emerg)\]/, 'no error is logged') or diag($server->error_log);
$server->finish;
done_testing();
