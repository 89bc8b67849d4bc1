# Requests that want to do harm: a documented 4xx each, the same children before and after, the database
# as it was, nothing of SQL or of the machine in any answer.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(decode_utf8 encode_utf8);
use Test::More;

use Aurora::Data;
use Aurora::Databases;
use Aurora::JSON;
use Aurora::Refusals;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

my $folder  = Aurora::Data::folder();
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json");
my $count   = 0;

# One request: 4xx with a code of the contract, or 200 where that may be. Every answer is looked
# through for leaks.
sub refused {
    my ($r, $name, %o) = @_;
    $count++;
    my @sent = @{ $o{sent} || [] };
    my @bad;
    if ($r->{status} == 200 && $o{fine}) {
        push @bad, 'the answer is not complete' unless $r->{complete};
        my $leak = Aurora::Refusals::leak($r->{body}, \@sent);
        push @bad, "the answer shows: $leak" if defined $leak;
    }
    else {
        @bad = Aurora::Refusals::problem_defects($r, sent => \@sent, $o{status} ? (status => $o{status}) : (), $o{codes} ? (codes => $o{codes}) : ());
    }
    return ok(!@bad, $name) || diag(join "\n", @bad, "$r->{status} " . decode_utf8(substr $r->{body} // '', 0, 400));
}

# Forms in which a text of the request may stand in a JSON answer.
sub forms {
    my ($text) = @_;
    my $json = decode_utf8(Aurora::JSON::encode([$text]));
    return map { encode_utf8($_) } $text, substr($json, 2, -2);
}

sub injections {
    my ($http) = @_;
    for my $position (Aurora::Refusals::positions()) {
        my ($where, $make, $value) = @$position;
        for my $text (@Aurora::Refusals::INJECTIONS) {
            refused($http->preview($make->($text)), "$where: $text", fine => $value, sent => [ forms($text) ]);
        }
        refused($http->export($make->($Aurora::Refusals::INJECTIONS[0])), "export, $where", fine => $value,
            sent => [ forms($Aurora::Refusals::INJECTIONS[0]) ]);
    }
}

sub encode_path { my ($text) = @_; $text = encode_utf8($text); $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge; return $text }

# Paths may be refused before the module sees them (httpd's own 400 and 404 for %2F, %00, ..).
sub paths {
    my ($http) = @_;
    for my $text (@Aurora::Refusals::INJECTIONS, 'sqlite_master', 'pg_catalog.pg_authid', 'mysql.user', 'SALES.', '.', '..', ' ', 'x' x 3000, "\x{202e}", "a\nb") {
        for my $path ('/api/v1/datasets/' . encode_path($text) . '/columns', '/api/v1/' . encode_path($text), '/' . encode_path($text)) {
            $count++;
            my $r = $http->api($path);
            my $ours = ($r->{headers}{'content-type'} // '') =~ /problem/;
            my @bad = $ours ? Aurora::Refusals::problem_defects($r, sent => [ forms($text), encode_path($text) ])
                : $r->{status} < 400 || $r->{status} > 499 ? "status $r->{status}" : ();
            ok(!@bad, 'path ' . substr $path, 0, 100) or diag(join "\n", @bad, $r->{body});
        }
    }
    for my $raw ("/aurora/api/v1/datasets/%zz/columns", "/aurora/api/v1/datasets/%/columns", "/aurora/api/v1/datasets/\xff/columns",
        "/aurora/api/v1/datasets/%ff%fe/columns", "/aurora/api/v1/datasets//columns", '/aurora/api/v1/datasets/SALES/columns/x', '/aurora/../aurora/../../etc/passwd') {
        $count++;
        my $r = $http->get($raw);
        ok($r->{status} >= 400 && $r->{status} < 500 && !defined Aurora::Refusals::leak($r->{body}, [$raw]), "raw path $raw")
            or diag("$r->{status} $r->{body}");
    }
}

sub parameters {
    my ($http) = @_;
    my $body = { dataset => 'SALES', columns => ['ID'], filters => { logic => 'AND', conditions => [ { column => 'ID', operator => 'lt', value => 3 } ] } };
    for my $name (qw(format delimiter decimal bom formula_guard header names profile)) {
        for my $text (@Aurora::Refusals::INJECTIONS, '', '%ff', 'a%00b', 'x' x 3000) {
            my $query = '?' . ($name eq 'format' ? '' : 'format=csv&') . "$name=" . ($text =~ /^(%ff|a%00b)$/ ? $text : encode_path($text));
            refused($http->export($body, query => $query), 'parameter ' . substr($query, 0, 80), sent => [ forms($text), encode_path($text) ]);
        }
    }
    for my $text (@Aurora::Refusals::INJECTIONS) {
        refused($http->export($body, query => '?format=csv&null=' . encode_path($text)), "null token $text", fine => 1, sent => [ forms($text) ]);
    }
    refused($http->export($body, query => '?format=csv&null=%ff'), 'a null token that is no UTF-8', fine => 0);
    refused($http->export($body, query => '?format=csv&null=' . 'x' x 6000), 'a null token of 6,000 letters', fine => 1);
    refused($http->export($body, query => '?format=csv&delimiter=comma&decimal=comma'), 'decimal comma with delimiter comma', codes => ['BAD_REQUEST']);
    refused($http->export($body, query => '?format=csv&decimal=comma'), 'decimal comma with the default delimiter', codes => ['BAD_REQUEST']);
    refused($http->export($body, query => ''), 'no format at all', fine => 1);
    refused($http->export($body, query => '?format=pdf'), 'an unknown format', fine => 0);
    refused($http->export($body, query => '?format=csv&' . join('&', map { "p$_=1" } 1 .. 300)), 'three hundred unknown parameters', fine => 1);
    refused($http->export($body, query => '?&&&==&format=csv&=&%'), 'a query string of scraps', fine => 1);
    refused($http->export($body, query => '?format=csv&format=xlsx'), 'a parameter twice', fine => 1);
    my $r = $http->post('/aurora/api/v1/query/preview?' . 'x' x 20000, $body);
    ok($r->{status} == 414, 'a query string longer than httpd takes is its own 414') or diag($r->{status});
}

sub grammar {
    my ($http) = @_;
    for my $case (Aurora::Refusals::wrong_types()) {
        refused($http->preview($case->{body}), "wrong type: $case->{name}", codes => [qw(BAD_REQUEST BAD_JSON BAD_VALUE UNKNOWN_OPERATOR)], status => 400);
    }
    for my $case (Aurora::Refusals::bodies()) {
        refused($http->preview($case->{body}), "body: $case->{name}", fine => $case->{fine}, $case->{codes} ? (codes => $case->{codes}, status => 400) : ());
    }
    for my $case (grep { length $_->{body} < 2000 } Aurora::Refusals::bodies()) {
        refused($http->export($case->{body}), "export body: $case->{name}", fine => $case->{fine});
    }
}

sub media_and_methods {
    my ($http) = @_;
    my $body = '{"dataset":"SALES","columns":["ID"],"limit":1}';
    for my $type (undef, '', 'text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/jsonx', 'json',
        'application/json/x', 'x' x 2000, 'text/json; application/json') {
        refused($http->preview($body, headers => { 'Content-Type' => $type }), 'media type ' . substr($type // 'none', 0, 40), status => 415, codes => ['UNSUPPORTED_MEDIA_TYPE']);
    }
    for my $type ('application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"', "application/json ; x=y") {
        my $r = $http->preview($body, headers => { 'Content-Type' => $type });
        is($r->{status}, 200, "media type $type is taken");
    }
    for my $path (qw(/api/v1/query/preview /api/v1/query/export?format=csv)) {
        for my $method (qw(GET PUT DELETE PATCH HEAD PROPFIND BREW)) {
            my $r = $http->request($method, "/aurora$path");
            $count++;
            is($r->{status}, 405, "$method $path");
            like($r->{headers}{allow} // '', qr/\bPOST\b/, "$method $path: Allow") if $r->{status} == 405;
        }
    }
    for my $path (qw(/api/v1/datasets /api/v1/datasets/SALES/columns /health /ready)) {
        for my $method (qw(POST PUT DELETE PATCH)) {
            my $r = $http->request($method, "/aurora$path", body => $body, headers => { 'Content-Type' => 'application/json' });
            $count++;
            is($r->{status}, 405, "$method $path");
            like($r->{headers}{allow} // '', qr/\bGET\b/, "$method $path: Allow") if $r->{status} == 405;
        }
    }
}

# The transport: lengths that lie, chunks that are none, bodies beyond the limit.
sub transport {
    my ($server) = @_;
    my $http = $server->http;
    my $head = sub { my (@h) = @_; return "POST /aurora/api/v1/query/preview HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n" . join('', map { "$_\r\n" } @h) . "\r\n" };
    my $body = '{"dataset":"SALES","columns":["ID"],"limit":1}';
    my $never_5xx = sub {
        my ($r, $name) = @_;
        $count++;
        ok($r->{status} < 500 && $r->{status} != 200, "$name: no 5xx, no 200") or diag("$r->{status} $r->{body}");
        ok(!defined Aurora::Refusals::leak($r->{body} // ''), "$name: no leak");
    };
    $never_5xx->($http->raw($head->('Content-Length: 500') . $body, shutdown => 1), 'a body shorter than its length');
    $never_5xx->($http->raw($head->('Content-Length: 500'), shutdown => 1), 'no body at all, then closed');
    $never_5xx->($http->raw($head->('Content-Length: -1') . $body, shutdown => 1), 'a negative length');
    $never_5xx->($http->raw($head->('Content-Length: 99999999999999999999') . $body, shutdown => 1), 'a length beyond 64 bits');
    $never_5xx->($http->raw($head->('Content-Length: x') . $body, shutdown => 1), 'a length that is no number');
    $never_5xx->($http->raw($head->('Content-Length: 46', 'Content-Length: 47') . $body, shutdown => 1), 'two lengths');
    $never_5xx->($http->raw($head->('Transfer-Encoding: chunked') . "zz\r\n$body\r\n0\r\n\r\n", shutdown => 1), 'a chunk size that is none');
    $never_5xx->($http->raw($head->('Transfer-Encoding: chunked') . "2e\r\n$body", shutdown => 1), 'a chunk that is cut');
    $never_5xx->($http->raw($head->('Transfer-Encoding: chunked') . "2e\r\n$body\r\n", shutdown => 1), 'no last chunk');
    $never_5xx->($http->raw($head->('Transfer-Encoding: chunked') . "fffffffffffffffff\r\n$body\r\n0\r\n\r\n", shutdown => 1), 'a chunk size beyond 64 bits');
    $never_5xx->($http->raw($head->('Transfer-Encoding: chunked') . "2e\r\n$body" . "garbage\r\n0\r\n\r\n", shutdown => 1), 'text between chunks');
    refused($http->raw($head->('Transfer-Encoding: chunked') . "0\r\n\r\n"), 'an empty chunked body', codes => ['BAD_JSON', 'BAD_REQUEST']);
    my $r = $http->raw($head->('Transfer-Encoding: chunked') . join('', map { sprintf "1\r\n%s\r\n", $_ } split //, $body) . "0\r\nX-Trailer: y\r\n\r\n");
    is($r->{status}, 200, 'a body in chunks of one byte is read') or diag($r->{body});
    $http->raw_and_leave($head->('Content-Length: 500') . $body, reset => 1) for 1 .. 5;
    $http->raw_and_leave($head->('Content-Length: ' . length $body) . $body, reset => 1) for 1 .. 5;
    $http->raw_and_leave($head->('Transfer-Encoding: chunked') . "2e\r\n{", reset => 1) for 1 .. 5;
    $count += 15;
    my $big = '{"dataset":"SALES","x":"' . 'y' x 300_000 . '"}';
    refused($http->preview($big), 'a body over the limit, with its length', status => 413, codes => ['BODY_TOO_LARGE']);
    my $chunks = join '', map { sprintf("%x\r\n%s\r\n", length $_, $_) } unpack '(a10000)*', $big;
    refused($http->raw($head->('Transfer-Encoding: chunked') . $chunks . "0\r\n\r\n"), 'a body over the limit, in chunks', status => 413, codes => ['BODY_TOO_LARGE']);
    my $huge = $http->raw($head->('Content-Length: 1000000000') . 'x' x 65536, shutdown => 1);
    refused($huge, 'a gigabyte announced is refused before it is read', status => 413, codes => ['BODY_TOO_LARGE']);
    my $at = '{"dataset":"SALES","columns":["ID"],"limit":1,"x":"';
    my $exact = $at . 'y' x (256 * 1024 - length($at) - 2) . '"}';
    is($http->preview($exact)->{status}, 200, 'a body of exactly the limit is taken');
    refused($http->preview("$exact "), 'one byte more is not', status => 413, codes => ['BODY_TOO_LARGE']);
    refused($http->preview($body, headers => { 'Content-Encoding' => 'gzip' }), 'a content coding is not understood', fine => 1);
    for my $id ("x\r\nSet-Cookie: a=b", 'x' x 5000, '"><script>', "\xff\xfe", '') {
        my $answer = $http->api('/health', headers => { 'X-Correlation-ID' => $id =~ s/\r\n/ /r });
        $count++;
        ok($answer->{status} < 500 && ($answer->{status} != 200 || ($answer->{headers}{'x-correlation-id'} // '') =~ /^[A-Za-z0-9._-]{1,128}$/), 'a correlation id that is not sane: ' . substr($id, 0, 20) =~ s/[^ -~]/?/gr);
    }
}

for my $name (Aurora::Databases->names) {
    subtest $name => sub {
        my $why = Aurora::Databases->missing($name);
        plan skip_all => $why if $why;
        my $db     = Aurora::Databases->create($name);
        my $digest = $db->digest;
        $count = 0;
        for my $mpm (Aurora::Server->mpms) {
            note("under $mpm");
            # max children at once from the start, so that none comes or goes by itself
            my $server = Aurora::Server->start(mpm => $mpm, $db->server, catalog => $catalog, children => $mpm eq 'prefork' ? 3 : 1, threads => 16);
            my $http = $server->http(keep => 0);
            $server->wait_until(sub { $http->preview({ dataset => 'SALES', columns => ['ID'], limit => 1 })->{status} == 200 });
            my @before = $server->children;
            injections($http);
            paths($http);
            parameters($http);
            grammar($http);
            media_and_methods($http);
            transport($server);
            is(join(' ', $server->children), join(' ', @before), 'the same children before and after');
            is($db->digest, $digest, 'the database is unchanged, and nothing was written beside it');
            my $r = $http->preview({ dataset => 'SALES', columns => ['ID'], limit => 1 });
            is($r->{status}, 200, 'and it still answers');
            $server->finish;
        }
        cmp_ok($count, '>=', 150, "the battery has its size ($count requests)");
        undef $db;
        done_testing();
    };
}
done_testing();
