# CSV exports: options, headers, file names, every row of a large table, constant memory.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw(md5_hex);
use Encode qw(decode_utf8 encode_utf8);
use Test::More;

use Aurora::Compare;
use Aurora::CSV;
use Aurora::Data;
use Aurora::JSON;
use Aurora::Refusals;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

use constant LONG_ROWS => $ENV{AURORA_ASAN} ? 20_000 : 150_000;

my @NAMES = ('Продажи 2024', '売上 データ', 'a/b\\c', q{quo"te; filename=x.exe}, "tab\tname", 'ümläut', '..', '100%', '😀 smile', 'x' x 200, "it's");
my $more = join '', map { 'CREATE TABLE ' . Aurora::Data::quote_ident($_) . ' (A INTEGER); INSERT INTO ' . Aurora::Data::quote_ident($_) . " VALUES (1);\n" } @NAMES;

my $folder  = Aurora::Data::folder();
my $db      = Aurora::Data::sqlite_create("$folder/export.db", more => $more . Aurora::Data::long_table('LONG_TABLE', LONG_ROWS));
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json");

my $by_id = [ { column => 'ID', direction => 'ASC' } ];
my %texts = (dataset => 'TEXTS', columns => [qw(ID V)], sorting => $by_id);
my %types = (dataset => 'TYPES', columns => [qw(ID N D R DAY TS B)], sorting => $by_id);

sub csv {
    my ($http, $request, $query) = @_;
    return $http->export($request, query => '?format=csv' . ($query // ''));
}

sub parsed {
    my ($r, %o) = @_;
    my @records = eval { Aurora::CSV::parse(decode_utf8($r->{body} =~ s/^\xef\xbb\xbf//r), %o) };
    diag("$r->{status} $@" . substr $r->{body}, 0, 300) if $@ || $r->{status} != 200;
    return @records;
}

# --- headers and names -------------------------------------------------------------------------

sub headers {
    my ($http) = @_;
    my $r = csv($http, { dataset => 'REGIONS', sorting => $by_id });
    is($r->{status}, 200, 'an export');
    my $h = $r->{headers};
    is($h->{'content-type'}, 'text/csv; charset=utf-8; header=present', 'Content-Type');
    like($h->{'cache-control'} // '', qr/\bno-store\b/, 'Cache-Control');
    is($h->{'accept-ranges'}, 'none', 'Accept-Ranges');
    is($h->{'x-accel-buffering'}, 'no', 'X-Accel-Buffering');
    like($h->{'content-disposition'} // '', qr/^attachment; filename="[^"]+\.csv"/, 'Content-Disposition');
    ok(!defined $h->{etag} && !defined $h->{'last-modified'}, 'nothing to cache by');
    like($h->{'x-correlation-id'} // '', qr/^[A-Za-z0-9._-]{1,128}$/, 'X-Correlation-ID');
    is($r->{body}, "ID,NAME,MANAGER\r\n1,North,\xc3\x85sa \xc3\x84rlig\r\n2,South,O'Brien\r\n3,East,\r\n4,West,\"\"\r\n5,\xc3\x9cberall,\"Zo\xc3\xab, \"\"the boss\"\"\"\r\n", 'byte for byte');
    my $range = $http->export({ dataset => 'REGIONS', sorting => $by_id }, headers => { Range => 'bytes=0-3' });
    is($range->{status}, 200, 'a range is not served');
    is($range->{body}, $r->{body}, 'but the whole');
    $r = csv($http, { dataset => 'EMPTY_TABLE' });
    is($r->{body}, "ID,NAME,SINCE\r\n", 'no rows: the header alone');
    is(csv($http, { dataset => 'EMPTY_TABLE' }, '&header=0')->{body}, '', 'no rows and no header: nothing');
    $r = csv($http, { dataset => 'REGIONS', columns => ['ID'], sorting => $by_id, limit => 2, offset => 1 });
    is(scalar(my @all = parsed($r)), 6, 'limit and offset are the preview\'s');
}

# RFC 6266 and 8187: a quoted ASCII name for old clients, the real one in filename*.
sub file_names {
    my ($http) = @_;
    for my $name (@NAMES, $Aurora::Data::HOSTILE_TABLE, 'CUSTOMERS', 'two words') {
        my $r = csv($http, { dataset => $name });
        my $value = $r->{headers}{'content-disposition'} // '';
        my @bad;
        push @bad, "status $r->{status}" if $r->{status} != 200;
        push @bad, 'not ASCII' if $value =~ /[^\x20-\x7e]/;
        $value =~ m{^attachment; filename="((?:[^"\\]|\\["\\])*)"(?:; filename\*=UTF-8''([A-Za-z0-9!#\$&+\-.^_`|~%]+))?$}
            or push @bad, 'not of the form of RFC 6266';
        my ($plain, $encoded) = ($1, $2);
        if (defined $plain) {
            push @bad, 'the plain name does not end in .csv' unless $plain =~ /\.csv$/;
            push @bad, 'the plain name has a path in it' if $plain =~ m{[/\\]};
        }
        if (defined $encoded) {
            push @bad, 'a bad percent sequence' if $encoded =~ /%(?![0-9A-F]{2})/i;
            my $bytes = $encoded =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger;
            my $decoded = $bytes;
            push @bad, 'filename* is not UTF-8' unless utf8::decode($decoded);
            push @bad, 'filename* does not end in .csv' unless $decoded =~ /\.csv$/;
            push @bad, 'filename* has a path or a control character in it' if $decoded =~ m{[/\\\x00-\x1f]};
            push @bad, "filename* is $decoded" if $name =~ /^(?:Продажи|売上|ümläut|😀)/ && index($decoded, $name) < 0;
        }
        elsif ($name =~ /[^\x00-\x7f]/ && $name ne $Aurora::Data::HOSTILE_TABLE) {
            push @bad, 'no filename* for a name beyond ASCII';
        }
        ok(!@bad, 'file name of ' . substr $name, 0, 40) or diag(join "\n", @bad, $value);
    }
}

# --- options -----------------------------------------------------------------------------------

sub delimiters {
    my ($http) = @_;
    my @want = map { [@$_] } @{ Aurora::Data::sqlite_rows($db, 'SELECT ID, V FROM TEXTS ORDER BY ID') };
    my %delimiter = (comma => ',', semicolon => ';', tab => "\t", pipe => '|');
    for my $name (sort keys %delimiter) {
        my $r = csv($http, \%texts, "&delimiter=$name");
        my @records = parsed($r, delimiter => $delimiter{$name});
        is(join('+', @{ shift @records || [] }), 'ID+V', "delimiter $name: the header");
        my $wrong = Aurora::Compare::rows([ map { Aurora::Compare::row(@$_) } @records ], [ map { Aurora::Compare::row(@$_) } @want ], 1);
        ok(!defined $wrong, "delimiter $name: every text survives, NULL and \"\" apart") or diag($wrong);
        my @needless = Aurora::CSV::needless_quotes(decode_utf8($r->{body}), delimiter => $delimiter{$name});
        ok(!@needless, "delimiter $name: quotes only where needed") or diag(join "\n", @needless);
    }
}

sub options {
    my ($http) = @_;
    my $base = csv($http, \%types);
    my @plain = parsed($base);
    is($plain[1][5], '2024-01-31 00:00:00', 'timestamps as the database gave them');

    my $r = csv($http, \%types, '&delimiter=semicolon&decimal=comma');
    my @comma = parsed($r, delimiter => ';');
    my @bad;
    for my $i (1 .. $#plain) {
        for my $j (0 .. $#{ $plain[$i] }) {
            my $want = $plain[$i][$j];
            $want =~ s/^(-?\d+)\.(\d+(?:e[-+]?\d+)?)$/$1,$2/ if defined $want && $j <= 3;
            push @bad, "row $i: " . ($comma[$i][$j] // 'NULL') . ', expected ' . ($want // 'NULL') if ($want // "\0") ne ($comma[$i][$j] // "\0");
        }
    }
    ok(!@bad, 'decimal=comma: numbers, and numbers only') or diag(join "\n", @bad);
    like($r->{body}, qr/(?m)^1;1;1,5;0,1;/, 'without quotes');

    $r = csv($http, \%texts, '&null=%5CN');
    my @records = parsed($r, quoted => 1);
    my @texts = ('', @Aurora::Data::TEXTS);
    @bad = grep { my $t = $texts[$_]; my $f = $records[$_][1]; defined $t ? $f->[0] ne $t : $f->[0] ne '\\N' || $f->[1] } 1 .. $#texts;
    ok(!@bad, 'null=\\N: the token for NULL, texts as they are') or diag("rows @bad");
    my ($same) = grep { defined $texts[$_] && $texts[$_] eq '\\N' } 1 .. $#texts;
    ok($records[$same][1][1], 'a text that is the token is quoted');
    my $null = parsed_row($http, '&null=a%22b%2Cc', 'AMOUNT', 17);
    is($null, 'a"b,c', 'a token that needs quotes');

    $r = csv($http, \%texts, '&bom=1');
    like($r->{body}, qr/^\xef\xbb\xbfID,V\r\n/, 'bom=1');
    unlike(csv($http, \%texts, '&bom=0')->{body}, qr/^\xef\xbb\xbf/, 'bom=0');

    guard($http, '&formula_guard=1', 'formula_guard=1');
    unlike(csv($http, \%texts)->{body}, qr/'=1\+1/, 'no guard by default');
    like(csv($http, { dataset => 'INTEGERS', columns => ['I'], sorting => $by_id }, '&formula_guard=1')->{body}, qr/^-1\r$/m, 'negative numbers are not guarded');
    like(csv($http, { dataset => 'SALES', columns => [ '=x' ], aggregations => [ { column => '*', function => 'count', output_name => '=x' } ] }, '&formula_guard=1')->{body},
        qr/^'=x\r\n/, 'names are');

    $r = csv($http, \%texts, '&header=0');
    like($r->{body}, qr/^1,plain\r\n/, 'header=0');
    like($r->{headers}{'content-type'} // '', qr{^text/csv; charset=utf-8; header=absent$}, 'header=0 in the media type');
    like(csv($http, \%texts, '&header=1')->{body}, qr/^ID,V\r\n/, 'header=1');

    my %customers = (dataset => 'CUSTOMERS', columns => [qw(ID NAME EMAIL CREATED)], filters => Aurora::JSON::decode('{"logic":"AND","conditions":[{"column":"ID","operator":"eq","value":"1"}]}'));
    my $display = qq{Customer no.,"Name, full","E-mail ""private""",CREATED\r\n};
    is(csv($http, \%customers)->{body} =~ s/\n.*/\n/sr, $display, 'display names by default');
    is(csv($http, \%customers, '&names=display')->{body} =~ s/\n.*/\n/sr, $display, 'names=display');
    is(csv($http, \%customers, '&names=database')->{body} =~ s/\n.*/\n/sr, "ID,NAME,EMAIL,CREATED\r\n", 'names=database');

    $r = csv($http, \%texts, '&profile=excel');
    like($r->{body}, qr/^\xef\xbb\xbf/, 'profile=excel means bom');
    guard($http, '&profile=excel', 'profile=excel');
    is(csv($http, { %types, columns => [qw(ID B)] })->{body}, "ID,B\r\n1,true\r\n2,false\r\n3,true\r\n4,\r\n5,false\r\n6,true\r\n", 'booleans');
    is(csv($http, { dataset => 'TYPES', columns => [qw(ID BL)], sorting => $by_id, filters => Aurora::JSON::decode('{"logic":"AND","conditions":[{"column":"ID","operator":"lte","value":5}]}') })->{body},
        "ID,BL\r\n1,\"\"\r\n2,AA==\r\n3,/wD+\r\n4,\r\n5,aGVsbG8gd29ybGQ=\r\n", 'binary is base64');
}

sub parsed_row {
    my ($http, $query, $column, $id) = @_;
    my @records = parsed(csv($http, { dataset => 'SALES', columns => [ 'ID', $column ], sorting => $by_id }, $query));
    return $records[$id][1];
}

sub guard {
    my ($http, $query, $name) = @_;
    my @records = parsed(csv($http, \%texts, $query));
    my @texts = ('', @Aurora::Data::TEXTS);
    my @bad = grep {
        my $want = $texts[$_];
        $want = "'$want" if defined $want && $want =~ /^[=+\-@\t\r]/;
        ($want // "\0") ne ($records[$_][1] // "\0");
    } 1 .. $#texts;
    ok(!@bad, "$name: texts that a spreadsheet would run, and no others, get an apostrophe") or diag("rows @bad");
}

sub defaults {
    my ($mpm) = @_;
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, conf => "AuroraCsvBom On\nAuroraCsvFormulaGuard On");
    my $http = $server->http;
    like(csv($http, \%texts)->{body}, qr/^\xef\xbb\xbf/, 'AuroraCsvBom On');
    guard($http, '', 'AuroraCsvFormulaGuard On');
    unlike(csv($http, \%texts, '&bom=0')->{body}, qr/^\xef\xbb\xbf/, 'bom=0 is above the directive');
    like(csv($http, \%texts, '&formula_guard=0')->{body}, qr/,=1\+1\r/, 'formula_guard=0 is above the directive');
    $server->stop;
}

# --- the whole of a large table ----------------------------------------------------------------

sub large {
    my ($server, $reference) = @_;
    my $http = $server->http;
    my $r = csv($http, { dataset => 'LONG_TABLE' });
    ok($r->{status} == 200 && $r->{complete}, 'the largest table arrives whole') or diag($r->{error} // '');
    ok($r->{chunked}, 'in chunks');
    ok(!defined $r->{headers}{'content-length'}, 'without a length');
    my $sum = md5_hex($r->{body});
    if (!$$reference) {
        my @records = map { Aurora::Compare::row(map { $_ // undef } @$_) } parsed($r);
        is((shift @records) // '', Aurora::Compare::row(qw(ID CODE AMOUNT RATE NAME NOTE DAY AT)), 'its header');
        my $want = Aurora::Data::sqlite_rows($db, 'SELECT ID, CODE, AMOUNT, RATE, NAME, NOTE, DAY, AT FROM LONG_TABLE ORDER BY ID');
        is(scalar @records, scalar @$want, 'every row of it');
        my $wrong;
        for my $i (0 .. $#$want) {
            my @got = map { $_ eq "\x1d" ? undef : $_ } split /\x1f/, $records[$i], -1;
            next if join("\x1f", map { $_ // "\x1d" } $got[0], $got[1], map({ Aurora::Compare::csv($_, 'number') } @got[ 2, 3 ]), @got[ 4 .. 7 ])
                eq join("\x1f", map { $_ // "\x1d" } @{ $want->[$i] }[ 0, 1 ], map({ Aurora::Compare::shell($_, 'number') } @{ $want->[$i] }[ 2, 3 ]), @{ $want->[$i] }[ 4 .. 7 ]);
            $wrong = "row $i: $records[$i] against " . join '|', map { $_ // 'NULL' } @{ $want->[$i] };
            last;
        }
        ok(!defined $wrong, 'row for row what the database\'s own shell says') or diag($wrong);
        $$reference = $sum;
    }
    is($sum, $$reference, 'the same bytes every time');

    my $curl = Aurora::HTTP::curl('-H', 'Content-Type: application/json', '-d', '{"dataset":"LONG_TABLE"}', $server->url('/api/v1/query/export?format=csv'));
    is($curl->{exit}, 0, 'curl is content');
    is(md5_hex($curl->{out}), $$reference, 'and has the same');
    $curl = Aurora::HTTP::curl('--http1.0', '-H', 'Content-Type: application/json', '-d', '{"dataset":"LONG_TABLE"}', $server->url('/api/v1/query/export?format=csv'));
    is(md5_hex($curl->{out}), $$reference, 'an HTTP/1.0 client, too');

    my $keep = $server->http(keep => 1);
    $r = csv($keep, { dataset => 'LONG_TABLE' });
    ok($r->{kept}, 'the connection is kept after an export');
    is(md5_hex($r->{body}), $$reference, 'as a whole');
    is($keep->preview({ dataset => 'REGIONS' })->{status}, 200, 'and used for a preview');
}

sub together {
    my ($server, $reference) = @_;
    my @running;
    for (1 .. 6) {
        pipe my $in, my $out or die $!;
        my $pid = fork // die $!;
        if (!$pid) {
            my $md5 = Digest::MD5->new;
            my $r = $server->http->export({ dataset => 'LONG_TABLE' }, sink => sub { $md5->add($_[0]) });
            syswrite $out, ($r->{complete} ? 'whole ' : "broken $r->{status} ") . $md5->hexdigest;
            POSIX::_exit(0);
        }
        close $out;
        push @running, [ $pid, $in ];
    }
    my @answers;
    for (@running) {
        local $/;
        push @answers, readline $_->[1];
        waitpid $_->[0], 0;
    }
    is(scalar(grep { $_ eq "whole $$reference" } @answers), 6, 'six at once are all whole') or diag(join "\n", @answers);
}

sub compressed {
    my ($mpm, $reference) = @_;
    SKIP: {
        skip 'mod_deflate is not installed', 3 unless Aurora::Server::has_module('deflate') && Aurora::Server::has_module('filter');
        my $server = Aurora::Server->start(mpm => $mpm, db => $db, modules => [qw(filter deflate)], location => 'SetOutputFilter DEFLATE');
        my $curl = Aurora::HTTP::curl('--compressed', '-D', "$folder/headers", '-H', 'Content-Type: application/json', '-d', '{"dataset":"LONG_TABLE"}',
            $server->url('/api/v1/query/export?format=csv'));
        is($curl->{exit}, 0, 'through mod_deflate: curl is content');
        like(Aurora::Server::slurp("$folder/headers"), qr/^Content-Encoding: gzip/mi, 'compressed');
        is(md5_hex($curl->{out}), $$reference, 'and the same once unpacked');
        $server->stop;
    }
}

sub memory {
    my ($mpm) = @_;
    SKIP: {
        skip 'resident memory says nothing under a sanitizer', 1 if Aurora::Server::asan();
        my $server = Aurora::Server->start(mpm => $mpm, db => $db, children => 1);
        my $http = $server->http;
        my $rows = sub { my ($n) = @_; return { dataset => 'LONG_TABLE', filters => { logic => 'AND', conditions => [ { column => 'ID', operator => 'lte', value => $n } ] } } };
        csv($http, $rows->(1000)) for 1 .. 2;
        my $small = $server->rss_max;
        $http->export($rows->(LONG_ROWS), sink => sub { }) for 1 .. 2;
        my $large = $server->rss_max;
        ok(defined $small && $large - $small <= 8192, "$mpm: resident memory after a large export is within 8 MiB of that after a small one ($small and $large KiB)");
        $server->stop;
    }
}

my $reference;
for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, catalog => $catalog);
    my $http = $server->http;
    headers($http);
    file_names($http);
    delimiters($http);
    options($http);
    large($server, \$reference);
    together($server, \$reference);
    $server->finish;
    defaults($mpm);
    compressed($mpm, \$reference);
    memory($mpm);
}
done_testing();
