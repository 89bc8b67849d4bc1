# Large objects of Oracle's, through driver and double: what arrives is what the database holds, whatever its length
# and wherever its pieces were cut; memory does not follow its length; and a value that breaks off in the middle,
# for whatever reason, is never taken for whole.
#
# The double keeps a LOB as a whole, which Oracle's client does not: where memory is measured, its LOBs are texts
# that repeat themselves and that nobody holds (t/oci/README.md).
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8 decode_utf8);
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Oracle;
use Aurora::Readers;
use Aurora::Refusals;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $build = abs_path($ENV{AURORA_BUILD} || 'build');
my $why   = Aurora::Oracle->missing;
$why ||= 'no Oracle driver: make deps-oracle' unless -e "$build/apr_dbd_oracle.so";
plan skip_all => $why if $why;

# A text of every kind of character, and of an odd number of bytes, so that its copies meet every boundary.
my $unit = join '', 'plain text, "quoted" ', "\r\n", 'é€😀', "\t\x01\x1f", '\\ _x0041_ <a&b> ', '日本語 ' x 3, "end.\n";
my $folder = File::Temp->newdir('aurora-lobs-XXXXXX', TMPDIR => 1);

# The two that are of more than 64 MiB are of what PostgreSQL can make fast: numbers between those characters.
my $ora = Aurora::Oracle->new;
$ora->psql(encode_utf8(<<"SQL"));
SET search_path = "AURORA", "SYS", public;
CREATE TABLE "DOCS" ("ID" numeric(10) PRIMARY KEY, "C" clob, "N" nclob, "B" blob);
CREATE FUNCTION pg_temp.text_of(n int) RETURNS text LANGUAGE sql AS \$\$ SELECT string_agg(i::text || convert_from('\\x@{[unpack 'H*', encode_utf8($unit)]}', 'UTF8'), '' ORDER BY i) FROM generate_series(1, n) i \$\$;
CREATE FUNCTION pg_temp.bytes_of(n int) RETURNS bytea LANGUAGE sql AS \$\$ SELECT string_agg(sha256(i::text::bytea), ''::bytea ORDER BY i) FROM generate_series(1, n) i \$\$;
INSERT INTO "DOCS" VALUES (1, 'short', 'kürzer', '\\x00ff'), (2, NULL, NULL, NULL),
    (3, repeat('a', 65536), repeat('ü', 32768), decode(repeat('0a', 65536), 'hex')),
    (4, repeat('b', 65537), repeat('ü', 32768) || 'x', decode(repeat('0b', 65537), 'hex')),
    (5, pg_temp.text_of(40000), pg_temp.text_of(1000), pg_temp.bytes_of(150000)),
    (6, '=' || repeat('"', 70000), repeat('😀', 20000), decode(repeat('22', 65538), 'hex')),
    (7, pg_temp.text_of(750000), NULL, NULL), (8, NULL, NULL, pg_temp.bytes_of(2150000));
CREATE TABLE "ENDLESS" ("ID" numeric(10) PRIMARY KEY, "C" clob, "B" blob);
INSERT INTO "ENDLESS" SELECT i, E'\\x01*' || (16 * 10 ^ i)::int || ':' || repeat(convert_from('\\x@{[unpack 'H*', encode_utf8($unit)]}', 'UTF8'), 700),
    convert_to(E'\\x01*' || (16 * 10 ^ i)::int || ':', 'UTF8') || substr(pg_temp.bytes_of(2100), 1, 65537) FROM generate_series(0, 2) i;
ANALYZE;
SQL

# What the database holds: ID => [digest, bytes] by column.
my %held;
for my $column (qw(C N B)) {
    my $bytes = $column eq 'B' ? '"B"::bytea' : qq{convert_to("$column"::text, 'UTF8')};
    $held{$column}{ $_->[0] } = [ $_->[1], $_->[2] ] for $ora->rows(qq{SELECT "ID", encode(sha256($bytes), 'hex'), length($bytes) FROM "AURORA"."DOCS" WHERE "$column" IS NOT NULL ORDER BY 1});
}
my $mib = 1024 * 1024;
cmp_ok($held{$_->[0]}{ $_->[1] }[1], '>', $_->[2] * $mib, "$_->[0] of row $_->[1] has more than $_->[2] MiB") for [ 'C', 5, 3 ], [ 'B', 5, 4 ], [ 'C', 7, 64 ], [ 'B', 8, 64 ];

sub of { my ($id, $dataset, @columns) = @_; return { dataset => $dataset, columns => \@columns, filters => { logic => 'AND', conditions => [ { column => 'ID', operator => 'eq', value => $id } ] } } }

sub start {
    my ($mpm, %o) = @_;
    return Aurora::Server->start(mpm => $mpm, driver => 'oracle', params => $ora->params . " libdir=$build/oci", children => 1, %o,
        env => { LD_LIBRARY_PATH => $build, $o{fault} ? (AURORA_OCI_FAULT => $o{fault}) : () },
        conf => "AuroraSchemas AURORA\nAuroraPoolMin 1\nAuroraPoolMax 1\n" . ($o{conf} // ''));
}

# --- values ---------------------------------------------------------------------------------------

# In parts that end with a letter which no escape ends with: patterns take very long over a large text.
sub in_parts {
    my ($text, $change) = @_;
    my ($out, $at) = ('', 0);
    while ($at < length $text) {
        my $end = 1 + index $text, 'l', $at + 32768;
        my $part = $change->($end ? substr $text, $at, $end - $at : substr $text, $at);
        return undef unless defined $part;
        $out .= $part;
        $at = $end || length $text;
    }
    return $out;
}

# The only field of a CSV's only row; undef when that is not what it is.
sub csv_field {
    my ($body, $column) = @_;
    my $head = "$column\r\n";
    return undef unless substr($body, 0, length $head) eq $head && substr($body, -2) eq "\r\n";
    my $field = substr $body, length $head, -2;
    return $field if substr($field, 0, 1) ne '"';
    return undef if substr($field, -1) ne '"';
    return in_parts(substr($field, 1, -1), sub { my ($part) = @_; return ($part =~ s/""//gr) =~ /"/ ? undef : $part =~ s/""/"/gr });
}

sub json_field {
    my ($body, $column) = @_;
    my ($begin, $end) = (index($body, '"data":[["'), rindex $body, '"]],"row_count":1');
    return undef if $begin < 0 || $end < $begin;
    my %plain = (n => "\n", r => "\r", t => "\t", b => "\b", f => "\f", '"' => '"', '\\' => '\\');
    return in_parts(substr($body, $begin + 10, $end - $begin - 10), sub {
        my ($part) = @_;
        return undef if $part =~ /[\x00-\x1f]/ || ($part =~ s/\\.//gr) =~ /"/;
        return $part =~ s/\\(?:u00([0-9a-f]{2})|(.))/defined $1 ? chr hex $1 : $plain{$2} \/\/ '?'/ger;
    });
}

sub is_held {
    my ($column, $id, $bytes, $name) = @_;
    my $want = $held{$column}{$id};
    $bytes = decode_base64($bytes) if defined $bytes && $column eq 'B';
    return is(defined $bytes ? sha256_hex($bytes) . ' ' . length $bytes : 'nothing', "@$want", "$name: $column of row $id, $want->[1] bytes");
}

sub cut_text {
    my ($text) = @_;
    my ($units, $kept) = (0, 0);
    for my $c (split //, $text) {
        $units += ord $c > 0xffff ? 2 : 1;
        last if $units > 32767;
        $kept++;
    }
    return substr $text, 0, $kept;
}

# What a workbook shows of it, as openpyxl reads it.
sub workbook_shows {
    my ($http, $column, $id) = @_;
    my $r = $http->export(of($id, 'DOCS', 'ID', $column), query => '?format=xlsx');
    my $task = Aurora::HTTP::json($http->api("/api/v1/tasks/$r->{headers}{'x-aurora-task'}")) || {};
    my $file = Aurora::Readers::keep("$folder/book.xlsx", $r->{body});
    my $home = Aurora::Readers::home();
    open my $said, '-|', '/usr/bin/python3', '-B', "$home/read_openpyxl.py", $file or die $!;
    my (undef, $line) = <$said>;
    close $said;
    my $row = eval { Aurora::JSON::decode($line) } || [];
    my $begin = $column eq 'B' ? qq{encode(substr("B"::bytea, 1, 24573), 'hex')} : qq{encode(convert_to(left("$column"::text, 32768), 'UTF8'), 'hex')};
    my ($held) = map { $_->[0] } $ora->rows(qq{SELECT $begin FROM "AURORA"."DOCS" WHERE "ID" = $id});
    my $text = $column eq 'B' ? encode_base64(pack('H*', $held), '') : decode_utf8(pack 'H*', $held);
    my $want = $column eq 'B' ? $text : cut_text($text);
    my $cut = $column eq 'B' ? $held{B}{$id}[1] > 24573 : length $want < length $text;
    my $got = $row->[1][1] // 'nothing';
    ok($got eq $want, sprintf 'XLSX: %s of row %d, %d characters', $column, $id, length $want)
        or diag(sprintf "got %d characters: %s...", length $got, substr $got, 0, 200);
    is($task->{truncated_cells}, $cut ? 1 : 0, 'and whether that is all of it');
}

sub values_of {
    my ($server) = @_;
    my $http = $server->http(timeout => 120);
    my %field;
    for my $column (qw(C N B)) {
        for my $id (sort { $a <=> $b } keys %{ $held{$column} }) {
            my $r = $http->export(of($id, 'DOCS', $column));
            is_held($column, $id, csv_field($r->{body}, $column), 'CSV');
            $field{$id}{$column} = substr $r->{body}, 3, -2;
            ok($r->{complete} && ($held{$column}{$id}[1] <= 65536 || $r->{body} =~ /\A\w\r\n"/), 'whole; in quotes where it came in pieces');
            $r = $http->preview({ %{ of($id, 'DOCS', $column) }, shape => 'arrays' });
            is_held($column, $id, json_field($r->{body}, $column), 'preview') or diag(substr $r->{body}, 0, 300);
        }
    }
    my $csv = $http->export({ dataset => 'DOCS', columns => [qw(ID C N B)], sorting => [ { column => 'ID', direction => 'ASC' } ],
        filters => { logic => 'AND', conditions => [ { column => 'ID', operator => 'lte', value => 6 } ] } });
    my $rows = join '', map { my $id = $_; join(',', $id, map { $field{$id}{$_} // '' } qw(C N B)) . "\r\n" } 1 .. 6;
    ok($csv->{body} eq "ID,C,N,B\r\n$rows", 'all of them in one file, one after another');
    is(substr($csv->{body}, 10, 31), encode_utf8("1,short,kürzer,AP8=\r\n2,,,\r\n3,a"), 'the short ones as ever');
    my $guarded = $http->export(of(6, 'DOCS', 'C'), query => '?format=csv&formula_guard=1');
    is(substr($guarded->{body}, 0, 8), "C\r\n\"'=\"\"", 'a formula is guarded by its first character');
    my $objects = Aurora::HTTP::json($http->preview(of(5, 'DOCS', 'N', 'ID'))) || {};
    is(sha256_hex(encode_utf8($objects->{data}[0]{N} // '')), $held{N}{5}[0], 'as an object, and what follows it is there') or diag(explain($objects));
    is("$objects->{data}[0]{ID} $objects->{row_count}", '5 1', 'after it the row goes on');
}

# --- memory ---------------------------------------------------------------------------------------

# Export a value and watch the child meanwhile. Returns what it had at most, in KiB.
sub watched {
    my ($server, $child, $id, $column, $query, $digest) = @_;
    my ($peak, $bytes, $next) = (0, 0, 0);
    my $sha = Digest::SHA->new(256);
    my $r = $server->http(timeout => 120)->export(of($id, 'ENDLESS', $column), query => $query, sink => sub {
        $sha->add($_[0]) if $digest;
        $bytes += length $_[0];
        return if $bytes < $next;
        $next = $bytes + 2 * $mib;
        my $rss = $server->rss($child);
        $peak = $rss if $rss > $peak;
    });
    my $rss = $server->rss($child);
    return { peak => $rss > $peak ? $rss : $peak, bytes => $bytes, whole => $r->{complete}, digest => $sha->hexdigest };
}

sub digest_of {
    my ($head, $field, $times) = @_;
    my $sha = Digest::SHA->new(256);
    $sha->add($head);
    $sha->add($field) for 1 .. $times;
    $sha->add("\"\r\n");
    return $sha->hexdigest;
}

sub memory {
    my ($mpm) = @_;
    my $server = start($mpm);
    my ($child) = $server->children;
    my %field = (C => encode_utf8($unit) x 700, B => substr join('', map { Digest::SHA::sha256($_) } 1 .. 2100), 0, 65537);
    my $once = length $field{C};
    $field{C} =~ s/"/""/g;
    # Bytes make groups of three with those of the next copy: three copies are whole groups.
    my $groups = encode_base64($field{B} x 3, '');
    for my $column (qw(C B)) {
        watched($server, $child, 0, $column, '?format=csv') for 1 .. 2;
        my $base = $server->rss($child);
        my $got = watched($server, $child, 2, $column, '?format=csv', 1);
        ok($got->{whole} && $got->{bytes} > ($column eq 'C' ? 1600 * $once : 1600 * 65537 * 4 / 3 - 9), sprintf '%s: %s of %.0f MB as CSV', $mpm, $column, $got->{bytes} / 1e6);
        my $want = $column eq 'C' ? digest_of("C\r\n\"", $field{C}, 1600) : do {
            my $sha = Digest::SHA->new(256);
            $sha->add("B\r\n\"");
            $sha->add($groups) for 1 .. 533;
            $sha->add(encode_base64($field{B}, '') . "\"\r\n");
            $sha->hexdigest;
        };
        is($got->{digest}, $want, 'digit for digit');
      SKIP: {
            skip 'memory under a sanitizer is not what it is without', 1 if Aurora::Server::asan();
            cmp_ok($got->{peak} - $base, '<=', 512, sprintf 'resident memory of the child: %d KiB after 1 MB, %+d KiB at most during this', $base, $got->{peak} - $base);
        }
        my $book = watched($server, $child, 2, $column, '?format=xlsx');
        ok($book->{whole} && $book->{bytes} < 100_000, 'as XLSX: what a cell shows of it');
    }
    $server->finish("$mpm: the server has written large objects");
}

# --- what breaks ----------------------------------------------------------------------------------

sub error_lines { my ($server, $id) = @_; return grep { /\[\Q$id\E\]/ && /:(?:error|warn|info|notice)\]/ } split /\n/, $server->error_log }

# The export breaks off in the middle of its only value, for this reason.
sub breaks {
    my ($server, $name, $code, $log, %o) = @_;
    my $id = 'break-' . $name =~ s/\W+/-/gr;
    my ($tail, $from) = ('', time);
    my $n = 0;
    my $r = $server->http->export(of($o{row} // 2, 'ENDLESS', $o{column} // 'C'), headers => { 'X-Correlation-ID' => $id }, rcvbuf => 65536, %{ $o{options} || {} },
        sink => sub { $tail = substr $tail . $_[0], -400; my $before = $n; $n += length $_[0]; $o{at}->(@_) if $o{at} && !$before });
    my $took = time - $from;
    ok($r->{status} == 200 && $n > 10_000, "$name: under way ($n bytes)");
    ok(!$r->{complete} && ($o{options}{leave_after} || $r->{chunked} && $r->{closed}), "$name: no final chunk, and the connection is closed") or diag(explain({ %$r, body => '' }));
    unlike($tail, qr/problem\+|ORA-|about:blank|<html/, "$name: no error text in the body");
    my $task;
    my $path = "/api/v1/tasks/" . $r->{headers}{'x-aurora-task'};
    $server->wait_until(sub { $task = Aurora::HTTP::json($server->http->api($path)); $task && $task->{state} ne 'running' }, 5);
    is("$task->{state} " . ($task->{code} // ''), $code, "$name: the task's record says so");
    my $lines = $server->wait_for_log(error => qr/\[\Q$id\E\]/);
    my @said = error_lines($server, $id);
    is(scalar(@said), 1, "$name: logged once") or diag(join "\n", @said);
    like($said[0] // '', $log, "$name: with the reason");
    my $after = $server->wait_until(sub { $server->http->preview(of(1, 'DOCS', 'ID'))->{status} == 200 }, 5);
    ok($after, "$name: the only connection serves the next request");
    return $took;
}

sub database_fails {
    my ($mpm) = @_;
    my $server = start($mpm, fault => 'OCILobRead2@30=ORA:1555');
    breaks($server, 'a failing read', 'failed DATABASE_ERROR', qr/DATABASE_ERROR.*ORA-01555.*SELECT/);
    $server->finish("$mpm: a value whose reading fails");

    $server = start($mpm, fault => 'OCILobRead2@30=ORA:3113');
    breaks($server, 'a lost session', 'failed DATABASE_UNAVAILABLE', qr/DATABASE_UNAVAILABLE.*ORA-03113/, column => 'B');
    $server->finish("$mpm: a session lost in the middle of a value");

    # Before a byte has left, it is an answer like any other.
    for my $what (qw(preview csv xlsx)) {
        $server = start($mpm, fault => 'OCILobRead2@2=ORA:1555');
        my $r = $what eq 'preview' ? $server->http->preview(of(2, 'ENDLESS', 'C')) : $server->http->export(of(2, 'ENDLESS', 'C'), query => "?format=$what");
        my @bad = Aurora::Refusals::problem_defects($r, status => 502, codes => ['DATABASE_ERROR']);
        ok(!@bad, "$what: a read that fails before the first byte is a 502") or diag(join "\n", @bad);
        is($server->http->preview(of(1, 'DOCS', 'ID'))->{status}, 200, 'and the next request is served');
        $server->finish;
    }
    $server = start($mpm, fault => 'OCILobRead2@60=ORA:1555');
    my $r = $server->http->preview(of(2, 'ENDLESS', 'C'));
    ok($r->{status} == 200 && !$r->{complete}, 'a preview too long to wait for its end breaks off like an export');
    $server->finish;
}

sub stopped {
    my ($mpm) = @_;
    my $slack = 1.5 * Aurora::Server::patience();
    my $server = start($mpm, children => 3, fault => 'OCILobRead2=delay:10');
    my $took = breaks($server, 'a cancel', 'cancelled CLIENT_GONE', qr/was cancelled/, at => sub {
        my ($task) = @{ (Aurora::HTTP::json($server->http->api('/api/v1/tasks')) || {})->{tasks} || [] };
        is($server->http->request('DELETE', "/aurora/api/v1/tasks/$task->{id}")->{status}, 202, 'a task is cancelled in the middle of a value');
    });
    cmp_ok($took, '<', 1 + $slack, sprintf 'within a second or so (%.2f s)', $took);
    breaks($server, 'a client that leaves', 'failed CLIENT_GONE', qr/CLIENT_GONE/, options => { leave_after => 300_000 });
    $server->finish("$mpm: stopped in the middle of a value");

    $server = start($mpm, fault => 'OCILobRead2=delay:25', location => "AuroraQueryTimeout 1s\nAuroraTaskTimeout 4s");
    my $from = time;
    my $r = $server->http->export(of(1, 'ENDLESS', 'B'), sink => sub { });
    ok($r->{complete}, sprintf 'pieces that keep coming are no single wait: whole after %.1f s with a limit of 1 s', time - $from);
    cmp_ok(time - $from, '>', 1.5, 'which is longer than that');
    $took = breaks($server, 'a task over its limit', 'failed QUERY_TIMEOUT', qr/as a whole/);
    cmp_ok($took, '<', 4 + $slack, sprintf 'in time (%.2f s)', $took);
    $server->finish("$mpm: limits hold in the middle of a value");

    $server = start($mpm, fault => 'OCILobRead2@30=delay:2500', location => 'AuroraQueryTimeout 1s');
    breaks($server, 'a piece over the limit', 'failed QUERY_TIMEOUT', qr/QUERY_TIMEOUT/);
    $server->finish("$mpm: a piece that does not come");

    # As where a firewall takes breaks out: the client library's own limit is left, twice the query's and two seconds.
    $server = start($mpm, fault => 'OCILobRead2@30=hang', location => 'AuroraQueryTimeout 1s', threads => 16);
    $took = breaks($server, 'a call that no break ends', 'failed QUERY_TIMEOUT', qr/QUERY_TIMEOUT/);
    cmp_ok($took, '<', 7 + 2 * $slack, sprintf 'the call timeout ends it (%.2f s)', $took);
    $server->finish("$mpm: a break that does not arrive");
}

my ($first, @others) = Aurora::Server->mpms;
for my $mpm ($first, @others) {
    note("under $mpm");
    if ($mpm eq $first) {
        my $server = start($mpm);
        values_of($server);
      SKIP: {
            skip 'openpyxl is not installed', 1 unless grep { $_ eq 'openpyxl' } Aurora::Readers::all();
            for my $column (qw(C N B)) {
                workbook_shows($server->http(timeout => 60), $column, $_) for sort { $a <=> $b } keys %{ $held{$column} };
            }
        }
        unlike($server->error_log, qr/:(?:error|crit|alert|emerg)\]/, 'no error is logged');
        $server->finish;
    }
    memory($mpm);
    database_fails($mpm);
    stopped($mpm);
}
done_testing();
