# The query battery, the same on every database: every answer against hand-written SQL run by the
# database's own shell. Where databases differ by nature the contract's rule is what a case's name says,
# and what the shells of two databases say is compared as well.

use strict;
use warnings;
use utf8;
use feature "fc";
use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(decode_utf8 encode_utf8);
use Test::More;

use Aurora::Battery;
use Aurora::Compare;
use Aurora::CSV;
use Aurora::Data;
use Aurora::Databases;
use Aurora::JSON;
use Aurora::Refusals;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

use constant PREVIEW_MAX => 500;

my $folder  = Aurora::Data::folder();
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json");

my ($db, %rows_of);    # of the database at hand

sub statement { my ($case) = @_; return Aurora::Battery::sql_for($case, $db->name, $db->shell_name) }

sub cases { return grep { !($_->{not_on} || {})->{ $db->name } } $db->cases }

# The shell answers each statement once.
sub ask_the_shell {
    my %seen;
    my @sql = grep { !$seen{$_}++ } map { statement($_) } cases();
    %rows_of = ();
    @rows_of{@sql} = $db->rows_of(@sql);
}

sub expected { my ($case) = @_; return $rows_of{ statement($case) } }

# What a request calls its columns, or what the database does when it names none.
sub keys_of {
    my ($case) = @_;
    my $named = $case->{request}{columns};
    return $named ? $case->{keys} || $named : [ map { $db->kept_name($_) } @{ $case->{keys} } ];
}

# Problems of a preview answer's frame: everything but the rows.
sub frame_problems {
    my ($case, $answer, $all, $page) = @_;
    my $request = $case->{request};
    my $limit   = $request->{limit} // 100;
    $limit = PREVIEW_MAX if $limit > PREVIEW_MAX;
    my $offset = $request->{offset} // 0;
    my @bad;
    my %want = (row_count => scalar @$page, total_row_count => scalar @$all, limit => $limit, offset => $offset);
    for (sort keys %want) {
        push @bad, "$_ is " . ($answer->{$_} // 'missing') . ", expected $want{$_}"
            unless defined $answer->{$_} && ref $answer->{$_} eq 'Aurora::JSON::Number' && "$answer->{$_}" eq $want{$_};
    }
    my $truncated = $offset + @$page < @$all ? 1 : 0;
    push @bad, "truncated is not $truncated"
        unless ref $answer->{truncated} && ($answer->{truncated} ? 1 : 0) == $truncated;
    push @bad, 'dataset_name is ' . ($answer->{dataset_name} // 'missing')
        unless fc($answer->{dataset_name} // '') eq fc $request->{dataset};
    push @bad, 'execution_time_ms is no number' unless ref $answer->{execution_time_ms} eq 'Aurora::JSON::Number';
    my $keys = keys_of($case);
    push @bad, "columns are @{$answer->{columns} || []}, expected @$keys"
        unless join("\0", @{ $answer->{columns} || [] }) eq join("\0", @$keys);
    push @bad, "types are @{$answer->{types} || []}, expected @{$case->{types}}"
        if $case->{types} && "@{$answer->{types} || []}" ne "@{$case->{types}}";
    return @bad;
}

sub page_of {
    my ($case, $all) = @_;
    my ($limit, $offset) = ($case->{request}{limit} // 100, $case->{request}{offset} // 0);
    $limit = PREVIEW_MAX if $limit > PREVIEW_MAX;
    return [] if $offset > $#$all;
    my $last = $offset + $limit - 1;
    $last = $#$all if $last > $#$all;
    return [ @$all[ $offset .. $last ] ];
}

# Rows of an answer, canonical; problems go to @$bad.
sub answer_rows {
    my ($answer, $shape, $bad) = @_;
    my @columns = @{ $answer->{columns} };
    my @types   = @{ $answer->{types} };
    my %seen;
    my @rows;
    for my $row (@{ $answer->{data} }) {
        my @values;
        if ($shape eq 'arrays') {
            push @$bad, 'a row is no array', last unless ref $row eq 'ARRAY';
            push @$bad, 'a row has ' . @$row . ' values' if @$row != @columns;
            @values = @$row;
        }
        else {
            push @$bad, 'a row is no object', last unless ref $row eq 'HASH';
            push @$bad, 'row keys are ' . join(', ', sort keys %$row) if join("\0", sort keys %$row) ne join("\0", sort @columns);
            @values = @$row{@columns};
        }
        my @canonical;
        for my $i (0 .. $#columns) {
            my ($text, $wrong) = Aurora::Compare::json($values[$i], $types[$i]);
            push @$bad, "$columns[$i]: $wrong" if $wrong && !$seen{$wrong}++ && @$bad < 5;
            push @canonical, $text;
        }
        push @rows, Aurora::Compare::row(@canonical);
    }
    return \@rows;
}

sub check_preview {
    my ($http, $case, $shape) = @_;
    my $all  = expected($case);
    my $page = page_of($case, $all);
    my $r = $http->preview({ %{ $case->{request} }, $shape eq 'arrays' ? (shape => 'arrays') : () });
    my @bad;
    my $answer = $r->{status} == 200 && Aurora::HTTP::json($r);
    if (!ref $answer || ref $answer->{data} ne 'ARRAY' || ref $answer->{types} ne 'ARRAY' || ref $answer->{columns} ne 'ARRAY') {
        @bad = ("$r->{status} " . decode_utf8(substr $r->{body}, 0, 500), $@ || ());
    }
    else {
        @bad = frame_problems($case, $answer, $all, $page);
        my $got  = answer_rows($answer, $shape, \@bad);
        my @types = @{ $answer->{types} };
        my @want = map { my $row = $_; Aurora::Compare::row(map { Aurora::Compare::shell($row->[$_], $types[$_] // 'text') } 0 .. $#$row) } @$page;
        push @bad, grep { defined } Aurora::Compare::rows($got, \@want, $case->{request}{sorting} || $case->{ordered});
    }
    ok(!@bad, "$case->{name} [$shape]") or diag(join "\n", @bad, 'request: ' . decode_utf8(Aurora::JSON::encode($case->{request})));
    return ref $answer ? $answer->{types} : undef;
}

sub check_csv {
    my ($http, $case, $types) = @_;
    my $all = expected($case);
    my $r = $http->export($case->{request}, query => '?format=csv&names=database');
    my @bad;
    my @records;
    if ($r->{status} != 200 || !$r->{complete}) {
        @bad = ("$r->{status}, complete: $r->{complete} " . decode_utf8(substr $r->{body}, 0, 500));
    }
    elsif (!eval { @records = Aurora::CSV::parse(decode_utf8($r->{body})); 1 }) {
        @bad = ($@);
    }
    else {
        my $header = shift @records;
        my $keys = keys_of($case);
        push @bad, 'header: ' . join('|', map { $_ // 'NULL' } @$header) if join("\0", map { $_ // '' } @$header) ne join("\0", @$keys);
        push @bad, 'quoted without need: ' . join('|', Aurora::CSV::needless_quotes(decode_utf8($r->{body})))
            if Aurora::CSV::needless_quotes(decode_utf8($r->{body}));
        my @types = @{ $types || [] };
        my $canonical = sub {
            my ($how, $row) = @_;
            return Aurora::Compare::row(map { $how->($row->[$_], $types[$_] // 'text') } 0 .. $#$row);
        };
        my @got  = map { $canonical->(\&Aurora::Compare::csv,   $_) } @records;
        my @want = map { $canonical->(\&Aurora::Compare::shell, $_) } @$all;
        push @bad, grep { defined } Aurora::Compare::rows(\@got, \@want, $case->{request}{sorting} || $case->{ordered});
    }
    ok(!@bad, "$case->{name} [csv]") or diag(join "\n", @bad, 'request: ' . decode_utf8(Aurora::JSON::encode($case->{request})));
}

# A double comes back bit for bit, and no longer than it has to be.
sub check_doubles {
    my ($http) = @_;
    my $r = $http->preview({ dataset => 'DOUBLES', columns => ['R'], sorting => [ { column => 'ID', direction => 'ASC' } ], shape => 'arrays', limit => 500 });
    my $answer = Aurora::HTTP::json($r) || { data => [] };
    my $csv = $http->export({ dataset => 'DOUBLES', columns => ['R'], sorting => [ { column => 'ID', direction => 'ASC' } ] });
    my @csv = eval { Aurora::CSV::parse($csv->{body}) };
    shift @csv;
    is(scalar @{ $answer->{data} }, scalar @Aurora::Data::DOUBLES, 'every double is there');
    my @bad;
    for my $i (0 .. $#Aurora::Data::DOUBLES) {
        my $want  = $Aurora::Data::DOUBLES[$i];
        my $digits;
        for (1 .. 17) {
            $digits = $_;
            last if sprintf("%.${_}g", $want) == $want;
        }
        for ([ json => "$answer->{data}[$i][0]" ], [ csv => $csv[$i][0] ]) {
            my ($where, $text) = @$_;
            push @bad, "$where: $want became $text" unless defined $text && pack('d', $text) eq pack('d', $want);
            (my $mantissa = lc($text // '')) =~ s/e.*//;
            $mantissa =~ s/[-.]//g;
            $mantissa =~ s/^0+//;
            $mantissa =~ s/0+$//;
            push @bad, "$where: $text has " . length($mantissa) . " digits, $digits would do" if length $mantissa > $digits;
        }
    }
    ok(!@bad, 'doubles survive, in their shortest form') or diag(join "\n", @bad);
}

sub check_refusals {
    my ($server) = @_;
    my $http = $server->http;
    for my $case (Aurora::Refusals::semantic()) {
        my $r = $http->preview($case->{request});
        my $problem = Aurora::HTTP::json($r);
        my $status = $case->{code} =~ /^UNKNOWN_(DATASET|REPORT|TASK)$/ ? 404 : 400;
        my @bad = Aurora::Refusals::problem_defects($r, status => $status, codes => [ split /\|/, $case->{code} ],
            sent => [ $case->{request}{dataset} ]);
        push @bad, 'column is ' . ($problem->{column} // 'missing') . ", expected $case->{column}"
            if defined $case->{column} && ($problem->{column} // '') ne $case->{column};
        push @bad, 'pointer is ' . ($problem->{pointer} // 'missing') . ", expected $case->{pointer}"
            if defined $case->{pointer} && ($problem->{pointer} // '') ne $case->{pointer};
        ok(!@bad, "refused: $case->{name}") or diag(join "\n", @bad, decode_utf8($r->{body}));
    }
}

# The rows that two databases' shells give: one contract, one expectation.
sub check_expectations {
    my ($reference) = @_;
    my @bad;
    for my $case (cases()) {
        my $types = $case->{types} || [];
        my $canonical = sub {
            my ($rows) = @_;
            return [ map { my $row = $_; Aurora::Compare::row(map { canonical_text($row->[$_], $types->[$_]) } 0 .. $#$row) } @$rows ];
        };
        next if $case->{name} eq 'columns: null is every column';    # an instant is shown in the zone it was written with, or in UTC
        my $wrong = Aurora::Compare::rows($canonical->(expected($case)), $canonical->($reference->{ $case->{name} }), $case->{request}{sorting});
        push @bad, "$case->{name}: $wrong" if defined $wrong;
    }
    ok(!@bad, 'two databases are asked the same, and their shells say the same') or diag(join "\n", @bad);
}

# Of whatever type it is: numbers as numbers, truth as 1 and 0.
sub canonical_text {
    my ($value, $type) = @_;
    return undef unless defined $value;
    return Aurora::Compare::shell($value, $type) if $type && $type ne 'binary';
    return Aurora::Compare::timestamp($value) if $value =~ /^\d{4}-\d\d-\d\d /;
    return $value =~ /^-?\d+\.\d+$/ ? Aurora::Compare::number($value) : $value;
}

my %reference;    # case => rows, of the first database
for my $name (Aurora::Databases->names) {
    subtest $name => sub {
        my $why = Aurora::Databases->missing($name);
        plan skip_all => $why if $why;
        $db = Aurora::Databases->create($name);
        ask_the_shell();
        if (!%reference) {
            %reference = map { $_->{name} => expected($_) } cases();
        }
        elsif ($db->shell_name eq $name) {
            check_expectations(\%reference);
        }
        for my $case (grep { ($_->{not_on} || {})->{$name} } Aurora::Battery::cases()) {
            note("not asked: $case->{name}: $case->{not_on}{$name}");
        }
        for my $mpm (Aurora::Server->mpms) {
            my $server = Aurora::Server->start(mpm => $mpm, $db->server, catalog => $catalog, conf => 'AuroraPreviewMaxRows ' . PREVIEW_MAX);
            my $http = $server->http(keep => 1);
            note("under $mpm");
            for my $case (cases()) {
                my $types = check_preview($http, $case, 'objects');
                check_preview($http, $case, 'arrays');
                check_csv($http, $case, $types) unless exists $case->{csv} && !$case->{csv};
            }
            check_doubles($http);
            check_refusals($server);
            $server->finish;
        }
        undef $db;
        done_testing();
    };
}

cmp_ok(scalar(Aurora::Battery::cases()), '>=', 120, 'the battery has its size');
done_testing();
