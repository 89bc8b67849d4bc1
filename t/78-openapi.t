# The description of the interface: a valid OpenAPI document, the same as the routes, the errors and the parser, true in
# every example, and good enough for a generated client.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Aurora::Async;
use Aurora::Data;
use Aurora::JSON;
use Aurora::OpenAPI;
use Aurora::Readers;
use Aurora::Refusals;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

my $top    = Aurora::Server::repo();
my $folder = Aurora::Data::folder();
my $API    = '/api/v1';

# The demo's business sample, which is the same everywhere.
sub demo_db {
    my $db = "$folder/demo.db";
    open my $shell, '|-', 'sqlite3', '-batch', '-bail', $db or die "sqlite3: $!";
    open my $sql, '-|', "$top/conf.d/demo/make-db", '--sql', 'business' or die "make-db: $!";
    print {$shell} ".once /dev/null\nPRAGMA journal_mode=OFF;\nPRAGMA synchronous=OFF;\nBEGIN;\n", <$sql>, "COMMIT;\nANALYZE;\n";
    close $sql and close $shell or die 'the demo database could not be made';
    chmod 0644, $db;
    return $db;
}

my $db = demo_db();
my %demo = (db => $db, catalog => "$top/conf.d/demo/catalog.json");
my $missing = Aurora::OpenAPI::missing();

sub fetch { my ($http, %o) = @_; return $http->api("$API/openapi.json", %o) }

sub source { my ($path) = @_; return Aurora::Server::slurp("$top/$path") }

sub problem {
    my ($r, $name, $status, $code) = @_;
    my @bad = Aurora::Refusals::problem_defects($r, status => $status, codes => [$code]);
    return ok(!@bad, $name) || diag(join "\n", @bad, $r->{body});
}

# --- the route itself --------------------------------------------------------------------------

sub route {
    my ($http) = @_;
    my $r = fetch($http);
    is($r->{status}, 200, 'the document is there');
    like($r->{headers}{'content-type'} // '', qr{^application/json$}, 'as JSON');
    ok($r->{complete} && ($r->{headers}{'content-length'} // 0) == length $r->{body}, 'whole, with its length');
    like($r->{headers}{'x-correlation-id'} // '', qr/./, 'with a correlation id');
    my $etag = $r->{headers}{etag} // '';
    like($etag, qr/^"[0-9a-f]{40}"$/, 'with an ETag');
    unlike($r->{headers}{'cache-control'} // '', qr/no-store/, 'it may be kept');
    like($r->{headers}{'cache-control'} // '', qr/no-cache/, 'but is asked for again');
    my $again = fetch($http, headers => { 'If-None-Match' => $etag });
    is($again->{status}, 304, 'what the client has already is not sent again');
    is($again->{body}, '', 'no body then');
    is($again->{headers}{etag}, $etag, 'but the same ETag');
    is(fetch($http, headers => { 'If-None-Match' => '"other"' })->{status}, 200, 'another is');
    my $head = $http->head("/aurora$API/openapi.json");
    is("$head->{status} $head->{body}", '200 ', 'HEAD');
    is($head->{headers}{$_}, $r->{headers}{$_}, "HEAD: the same $_") for qw(etag content-type content-length);
    for my $method (qw(POST PUT DELETE)) {
        my $m = $http->request($method, "/aurora$API/openapi.json");
        problem($m, "$method", 405, 'METHOD_NOT_ALLOWED');
        is($m->{headers}{allow}, 'GET, HEAD, OPTIONS', "$method: Allow");
    }
    return $r->{body};
}

sub elsewhere {
    my $server = Aurora::Server->start(%demo, mpm => 'event', base => '/deep er',
        location => "AuroraPreviewMaxRows 77\nAuroraXlsxMaxRows 7777\nAuroraMaxRequestBody 4242\nAuroraPreviewRate 3/hour\nAuroraAllowedOrigins https://app.example",
        extra => "<VirtualHost *:*>\nServerName main.test\n</VirtualHost>\n<VirtualHost *:*>\nServerName root.test\n<Location \"/\">\nSetHandler aurora\nRequire all granted\n</Location>\n</VirtualHost>");
    my $http = $server->http;
    my $r = $http->get("/deep%20er$API/openapi.json", headers => { Origin => 'https://app.example' });
    is($r->{status}, 200, 'at another base') or diag($r->{body});
    is($r->{headers}{'access-control-allow-origin'}, 'https://app.example', 'for a page of another origin');
    my $doc = Aurora::JSON::decode($r->{body});
    is($doc->{servers}[0]{url}, '/deep%20er', 'servers names the base as a URL has it');
    my $request = $doc->{components}{schemas}{QueryRequest};
    is("$request->{properties}{limit}{maximum}", '77', 'the limits are those of this place: rows');
    like($request->{description}, qr/\b4242 bytes/, 'bytes');
    like($doc->{paths}{"$API/query/preview"}{post}{description}, qr/\b3 per hour\b/, 'rates');
    like($doc->{paths}{"$API/query/export"}{post}{description}, qr/\b7777 rows as a workbook/, 'workbooks');
    unlike($r->{body}, qr/\{\{|"\@/, 'nothing is left to be filled in');
    my $preflight = $http->request('OPTIONS', "/deep%20er$API/openapi.json", headers => { Origin => 'https://app.example', 'Access-Control-Request-Method' => 'GET' });
    like($preflight->{headers}{'access-control-allow-methods'} // '', qr/\bGET\b/, 'preflight');
    is($doc->{paths}{"$API/reports"}{get}{responses}{200}{content}{'application/json'}{examples}{reports}{value}{reports}[0]{links}{csv},
        "/deep%20er$API/reports/sales_of_region.csv", 'and so do the links of examples');
    my $root = Aurora::JSON::decode($http->get("$API/openapi.json", headers => { Host => 'root.test' })->{body});
    is($root->{paths}{"$API/reports"}{get}{responses}{200}{content}{'application/json'}{examples}{reports}{value}{reports}[0]{links}{csv},
        "$API/reports/sales_of_region.csv", 'also without a base');
    is($root->{servers}[0]{url}, '/', 'the whole server as base');
    $server->finish;
}

# --- the same as the tables --------------------------------------------------------------------

sub same_routes {
    my ($http, $doc) = @_;
    my %described = map { my $path = $_->[0]; $path =~ s/\{\w+\}/{}/; ("$_->[1] $path" => 1) } $doc->operations;
    my @rows = source('mod_aurora/http/http_route.c') =~ /^\s*\{((?:API )?"[^"]*",\s*(?:NULL|"[^"]*"),\s*"[^"]*",\s*[A-Z_| ]+),/mg;
    cmp_ok(scalar @rows, '>=', 10, 'the route table is read');
    my %served;
    for my $row (@rows) {
        my ($api, $path, $suffix, $methods) = $row =~ /^(API )?"([^"]*)",\s*(NULL|"[^"]*"),\s*"[^"]*",\s*(.*)$/s;
        $path = ($api ? "$API/" : '') . $path . ($suffix eq 'NULL' ? '' : '{}' . $suffix =~ tr/"//dr);
        $served{ lc($_) . " $path" } = 1 for $methods =~ /AUR_(\w+)/g;
    }
    # A route may take what is described as several paths: name and name.csv.
    is(join("\n", grep { !$described{$_} } sort keys %served), '', 'every route is described');
    for my $path (sort keys %{ $doc->root->{paths} }) {
        my $item = $doc->root->{paths}{$path};
        my $url = '/aurora' . $doc->path_for($path, name => 'REGIONS', id => '0' x 32);
        my $allow = join ', ', (map { $_ eq 'get' ? ('GET', 'HEAD') : uc } grep { $item->{$_} } qw(get post delete)), 'OPTIONS';
        my $r = $http->request('OPTIONS', $url);
        is($r->{headers}{allow}, $allow, "$path: its methods are those of the server");
        is($http->request($_, $url)->{status}, 405, "$path: not $_") for grep { $allow !~ /$_/ } qw(GET POST DELETE);
    }
}

sub same_errors {
    my ($doc) = @_;
    my %table;
    my $text = source('include/aurora/error.h');
    $table{$1} = [ $2, $3 ] while $text =~ /X\(AUR_E_\w+, "(\w+)", (\d+),[\s\\]*"([^"]+)"\)/g;
    cmp_ok(scalar keys %table, '>=', 26, 'the table of errors is read');
    my $root = $doc->root->{components};
    is(join(' ', sort @{ $root->{schemas}{Code}{enum} }), join(' ', sort keys %table), 'the codes are those of the table');
    is(join(' ', sort keys %{ $root->{examples} }), join(' ', sort keys %table), 'each has an example');
    for my $code (sort keys %table) {
        my $example = $root->{examples}{$code} or next;
        my $value = $example->{value};
        is("$value->{status} $value->{title} $value->{code}", "@{ $table{$code} } $code", "$code: status and title are the table's");
        ok(length $value->{detail} && length $example->{description}, "$code: it is told when, and what is said then");
    }
    my %used;
    for my $operation ($doc->operations) {
        for my $status (grep { $_ >= 400 } keys %{ $operation->[2]{responses} }) {
            for my $code (keys %{ $operation->[2]{responses}{$status}{content}{'application/problem+json'}{examples} }) {
                $used{$code} = 1;
                is($status, $table{$code}[0], "$operation->[0]: $code stands under its status") unless $status eq $table{$code}[0];
            }
        }
    }
    my %elsewhere = map { $_ => 1 } qw(NOT_FOUND METHOD_NOT_ALLOWED);    # of paths and methods that are not described
    @elsewhere{qw(UNKNOWN_REPORT MISSING_PARAMETER)} = (1, 1) unless $doc->root->{paths}{"$API/reports"};
    is(join(' ', grep { !$used{$_} && !$elsewhere{$_} } sort keys %table), '', 'each code is the answer of some route');
}

sub same_parameters {
    my ($http, $doc) = @_;
    my @names = source('mod_aurora/http/http_export.c') =~ /\[P_\w+\] = \{"(\w+)"/g;
    my %described = map { $_->{in} eq 'query' ? ($_->{name} => $_) : () } map { $doc->resolve($_) } @{ $doc->root->{paths}{"$API/query/export"}{post}{parameters} };
    is(join(' ', sort keys %described), join(' ', sort @names), 'the parameters of an export are those it reads');
    for my $name (sort keys %described) {
        for my $value (@{ $described{$name}{schema}{enum} || ['NULL'] }) {
            my $r = $http->export({ dataset => 'REGIONS' }, query => "?$name=$value" . ($name eq 'decimal' ? '&delimiter=tab' : ''));
            is($r->{status}, 200, "$name=$value is understood");
        }
        next unless $described{$name}{schema}{enum};
        problem($http->export({ dataset => 'REGIONS' }, query => "?$name=nonsense"), "$name=nonsense is not", 400, 'BAD_REQUEST');
    }
}

# A link to a report takes what is described, and nothing else of what links take.
sub same_links {
    my ($http, $doc) = @_;
    my %of;
    for my $kind ('', '.csv', '.xlsx') {
        my $path = "$API/reports/{name}$kind";
        $of{$kind} = { map { $_->{in} eq 'query' && $_->{name} ne 'parameters' ? ($_->{name} => $_->{schema}) : () } map { $doc->resolve($_) } @{ $doc->root->{paths}{$path}{get}{parameters} } };
    }
    my %known = map { %$_ } values %of;
    is(join(' ', sort keys %{ $of{''} }), 'limit offset shape', 'a preview has paging');
    is(join(' ', sort keys %{ { %{ $of{'.csv'} }, %{ $of{'.xlsx'} } } }), join(' ', grep { $_ ne 'format' } sort(source('mod_aurora/http/http_export.c') =~ /\[P_\w+\] = \{"(\w+)"/g)), 'files have the options of exports');
    for my $kind (sort keys %of) {
        for my $name (sort keys %known) {
            my $value = ($known{$name}{enum} || [ $known{$name}{type} eq 'integer' ? 1 : 'NULL' ])->[0];
            my $r = $http->head("/aurora$API/reports/top_customers$kind?$name=$value");
            # one file may be told what is another's: it has no say there
            my $taken = $of{$kind}{$name} || ($kind && $of{'.csv'}{$name}) || ($kind && $of{'.xlsx'}{$name});
            is($r->{status}, $taken ? 200 : 400, "reports/NAME$kind: $name=$value");
        }
    }
    # its reason for being reserved: no parameter of a report could be told from it
    my ($reserved) = source('mod_aurora/catalog/catalog_reports.c') =~ /reserved\[\] = \{(.*?)NULL\}/s;
    is(join(' ', sort $reserved =~ /"(\w+)"/g), join(' ', sort 'format', keys %known), 'and no parameter of a report is called so');
}

# Lists and answers of reports of every kind against their schemas.
sub reports {
    my ($doc, $cases) = @_;
    my $yes = Aurora::JSON::true();
    my $catalog = Aurora::Data::catalog_write("$folder/reports.json", { reports => {
        plain => { query => { dataset => 'REGIONS', columns => ['REGION_ID'] } },
        every => { display_name => 'Ünïque', description => '', sql => 'SELECT :t AS t, :n AS n, :d AS d, :at AS at, :c AS c, NULL AS x', parameters => [
            { name => 't', display_name => 'Täxt', default => '' }, { name => 'n', type => 'number', default => '12345678901234567890.5' },
            { name => 'd', type => 'date', default => '2024-02-29' }, { name => 'at', type => 'timestamp' },
            { name => 'c', type => 'choice', choices => [qw(a b)], required => $yes } ] },
        several => { query => { dataset => 'REGIONS', filters => { conditions => [ { column => 'REGION_ID', operator => 'in', value => '${ids}' } ] } },
            parameters => [ { name => 'ids', type => 'number', multiple => $yes, default => [ 1, 2.5 ] }, { name => 'who', expr => '%{REMOTE_ADDR}' } ] },
    } });
    my $server = Aurora::Server->start(%demo, base => '/b c', catalog => $catalog);
    my $at = sub { return Aurora::OpenAPI::pointer('paths', $_[0], 'get', 'responses', 200, 'content', 'application/json', 'schema') };
    my $list = Aurora::HTTP::json($server->http->get("/b%20c$API/reports"));
    push @$cases, [ $at->("$API/reports"), $list, 'reports of every kind: the list fits its schema' ];
    is(scalar @{ $list->{reports} }, 3, 'reports of every kind');
    my %query = (every => '?t=a+b&at=2024-02-29T12:30:00Z&c=b');
    for my $report (@{ $list->{reports} }) {
        like($report->{links}{preview}, qr{^/b%20c$API/reports/\w+$}, "$report->{name}: a link below the base, as a URL has it");
        for my $shape (qw(objects arrays)) {
            my $query = ($query{ $report->{name} } // '?') . "&shape=$shape";
            my $r = $server->http->get("$report->{links}{preview}$query");
            is($r->{status}, 200, "$report->{name}: its link works, $shape") or diag($r->{body});
            push @$cases, [ $at->("$API/reports/{name}"), Aurora::HTTP::json($r), "$report->{name}: the answer fits its schema, $shape" ];
        }
        for my $kind (qw(csv xlsx)) {
            my $media = $doc->root->{paths}{"$API/reports/{name}.$kind"}{get}{responses}{200}{content};
            for my $method (qw(get head)) {
                my $r = $server->http->$method($report->{links}{$kind} . ($query{ $report->{name} } // ''));
                my ($type) = split /;/, $r->{headers}{'content-type'} // '';
                ok($r->{status} == 200 && $media->{$type}, "$report->{name}.$kind: $method has the type that is described");
            }
        }
    }
    $server->finish;
}

# --- true in every example ---------------------------------------------------------------------

sub plain { my ($value) = @_; return Aurora::JSON::encode($value) }

sub same_value {
    my ($got, $want, $name) = @_;
    for my $side ($got, $want) {
        $side = { %$side, map { exists $side->{$_} ? ($_ => 0) : () } qw(execution_time_ms correlation_id) } if ref $side eq 'HASH';
    }
    return is(ref $got ? plain($got) : $got, ref $want ? plain($want) : $want, $name);
}

sub ask {
    my ($http, $request, %o) = @_;
    my ($method, $path) = split / /, $request, 2;
    my $type = $o{type} // 'application/json';
    return $http->request($method, "/aurora$path", exists $o{body} ? (body => $o{body}, headers => { 'Content-Type' => $type }) : ());
}

# Each example of an answer, against the answer. Adds [schema, answer] for each.
sub answers {
    my ($http, $doc, $cases) = @_;
    my $task = $http->preview({ dataset => 'REGIONS' })->{headers}{'x-aurora-task'};
    for my $operation ($doc->operations) {
        my ($path, $method, $it) = @$operation;
        my $content = $it->{responses}{200}{content};
        my $asked = 0;
        for my $type (sort keys %$content) {
            my $examples = $content->{$type}{examples} || {};
            my $at = Aurora::OpenAPI::pointer('paths', $path, $method, 'responses', 200, 'content', $type, 'schema');
            for my $name (sort keys %$examples) {
                my $example = $examples->{$name};
                my $body = ($it->{requestBody} || {})->{content}{'application/json'}{examples}{$name};
                my $r = ask($http, $example->{'x-request'} =~ s/\{id\}/$task/r, $body ? (body => plain($body->{value})) : ());
                is($r->{status}, 200, "$it->{operationId}, $name: 200") or diag($r->{body});
                like($r->{headers}{'content-type'}, qr/^\Q$type\E(?:;|$)/, "$it->{operationId}, $name: $type");
                my $value = $type eq 'application/json' ? Aurora::HTTP::json($r) : do { utf8::decode(my $text = $r->{body}); $text };
                same_value($value, $example->{value}, "$it->{operationId}, $name: the answer is the example") unless $example->{'x-varies'};
                push @$cases, [ $at, $value, "$it->{operationId}, $name: the answer fits its schema" ], [ $at, $example->{value}, "$it->{operationId}, $name: so does the example" ];
                $asked++;
            }
            next if $asked || $method ne 'get';
            my $query = $path =~ /reports/ ? '?region=North&from=2024-12-31' : '';
            my $r = $http->api($doc->path_for($path, name => 'sales_of_region') . $query, headers => { Accept => $type });    # metrics, workbooks and this document: no example could be the same
            like($r->{headers}{'content-type'}, qr/^\Q$type\E(?:;|$)/, "$it->{operationId}: $type where it is asked for");
            push @$cases, [ $at, $type eq 'application/json' ? Aurora::HTTP::json($r) : $r->{body}, "$it->{operationId}: $type fits its schema" ];
        }
        for my $name (sort keys %{ ($it->{requestBody} || {})->{content}{'application/json'}{examples} || {} }) {
            my $media = $it->{requestBody}{content}{'application/json'};
            push @$cases, [ Aurora::OpenAPI::pointer('paths', $path, $method, 'requestBody', 'content', 'application/json', 'schema'), $media->{examples}{$name}{value}, "$it->{operationId}, $name: the request fits its schema" ];
            ok($content->{'application/json'}{examples}{$name} || ($content->{'text/csv'} || {})->{examples}{$name}, "$it->{operationId}, $name: there is an answer to this request");
        }
    }
    my $workbook = $http->export({ dataset => 'REGIONS' }, query => '?format=xlsx');
    ok($doc->root->{paths}{"$API/query/export"}{post}{responses}{200}{content}{ $workbook->{headers}{'content-type'} }, 'the type of a workbook is described');
    for my $operation (grep { $_->[0] =~ m{/query/(?:preview|export)$|/reports/} } $doc->operations) {
        my $r = $operation->[1] eq 'post' ? $http->request('POST', "/aurora$operation->[0]", body => '{"dataset":"REGIONS"}', headers => { 'Content-Type' => 'application/json' })
            : $http->api($doc->path_for($operation->[0], name => 'top_customers') . '?n=1');
        ok(defined $r->{headers}{ lc $_ }, "$operation->[0] sends $_") for sort keys %{ $operation->[2]{responses}{200}{headers} };
    }
}

sub operation_of {
    my ($doc, $request) = @_;
    my ($method, $path) = $request =~ m{^(\w+) ([^?]*)};
    for my $operation ($doc->operations) {
        my $pattern = quotemeta($operation->[0]) =~ s/\\\{\w+\\\}/[^\/]+/r;
        return $operation if $path =~ /^$pattern$/ && lc $method eq $operation->[1];
    }
    return undef;
}

# The response of a path that a code stands in.
sub response_of {
    my ($doc, $request, $code) = @_;
    if (my $operation = operation_of($doc, $request)) {
        for my $status (keys %{ $operation->[2]{responses} }) {
            my $media = $operation->[2]{responses}{$status}{content}{'application/problem+json'} or next;
            return Aurora::OpenAPI::pointer('paths', @$operation[ 0, 1 ], 'responses', $status, 'content', 'application/problem+json', 'schema') if $media->{examples}{$code};
        }
        return undef;
    }
    return Aurora::OpenAPI::pointer(qw(components schemas Problem));
}

# Headers of errors that came as they are described.
my %TOLD;

sub refused {
    my ($doc, $cases, $r, $request, $code, $exact) = @_;
    my $example = $doc->root->{components}{examples}{$code}{value};
    problem($r, "$code: it can be provoked", "$example->{status}", $code) or return;
    my $value = Aurora::HTTP::json($r);
    same_value($value, $example, "$code: the answer is the example") if $exact;
    is(join(' ', sort keys %$value), join(' ', sort keys %$example), "$code: the example has the same members") unless $exact;
    my $at = response_of($doc, $request, $code);
    ok($at, "$code: this route is said to answer it") or return;
    push @$cases, [ $at, $value, "$code: the answer fits its schema" ], [ $at, $example, "$code: so does the example" ];
    my $operation = operation_of($doc, $request) or return;
    my $headers = $operation->[2]{responses}{ $example->{status} }{headers};
    my %described = map { lc $_ => 1 } keys %$headers;
    is(join(' ', grep { /^(?:x-aurora|x-correlation|ratelimit|retry-after)/ && !$described{$_} } sort keys %{ $r->{headers} }), '', "$code: every header that is sent is described");
    $TOLD{$_}++ for grep { defined $r->{headers}{$_} } keys %described;
}

sub errors {
    my ($http, $doc, $cases) = @_;
    my %seen;
    my $examples = $doc->root->{components}{examples};
    for my $code (sort keys %$examples) {
        my $request = $examples->{$code}{'x-request'} or next;
        my %body = exists $request->{text} ? (body => $request->{text}) : exists $request->{body} ? (body => plain($request->{body})) : ();
        refused($doc, $cases, ask($http, $request->{request}, %body, type => $request->{type}), $request->{request}, $code, 1);
        $seen{$code} = 1;
    }
    my $preview = "POST $API/query/preview";
    refused($doc, $cases, ask($http, $preview, body => '{"x": "' . 'x' x 300_000 . '"}'), $preview, 'BODY_TOO_LARGE', 1);
    $seen{BODY_TOO_LARGE} = 1;

    return \%seen if $> != 0;    # only root can start a server on a file that its children cannot read
    Aurora::Data::sqlite_script("$folder/shut.db", 'CREATE TABLE T (A INTEGER);');
    chmod 0600, "$folder/shut.db";
    my $shut = Aurora::Server->start(db => "$folder/shut.db");
    my $r = ask($shut->http, $preview, body => '{"dataset":"REGIONS"}');
    refused($doc, $cases, $r, $preview, 'DATABASE_UNAVAILABLE');
    ok(defined $r->{headers}{'retry-after'}, 'Retry-After, as described');
    $seen{DATABASE_UNAVAILABLE} = 1;
    $shut->finish;
    return \%seen;
}

# Those that need limits, and somebody who uses them up.
sub governed_errors {
    my ($doc, $cases, $seen) = @_;
    my $server = Aurora::Server->start(%demo, governed => 1, children => 1, conf => "AuroraPoolMin 1\nAuroraPoolMax 1\nAuroraPoolTimeout 300ms\nAuroraExportQueueMax 1",
        location => "AuroraUser %{HTTP:X-User}\nAuroraUserTasksMax 1\nAuroraPreviewRate 1000/second\nAuroraClientRate 1000/second burst=1000\nAuroraQueryTimeout 1s\nAuroraExplainThreshold 0\nAuroraMinDrain 0",
        extra => "<Location \"/aurora$API/datasets\">\nAuroraClientRate 1/hour\n</Location>\n<Location \"/aurora$API/openapi.json\">\nAuroraClientRate 2/hour\n</Location>");
    my $http = $server->http;
    my $as = sub { my ($user, $request, $body) = @_; my ($method, $path) = split / /, $request; return $http->request($method, "/aurora$path", headers => { 'X-User' => $user, 'Content-Type' => 'application/json' }, defined $body ? (body => $body) : ()) };
    my ($preview, $export) = ("POST $API/query/preview", "POST $API/query/export");
    my $small = '{"dataset":"REGIONS"}';

    my $r = $as->('ann', $preview, $small);
    my $task = $r->{headers}{'x-aurora-task'};
    refused($doc, $cases, $as->('bob', "DELETE $API/tasks/$task"), "DELETE $API/tasks/x", 'FORBIDDEN', 1);
    my $ended = $as->('ann', "DELETE $API/tasks/$task");
    is($ended->{status}, 200, 'a task that has ended: 200');
    push @$cases, [ Aurora::OpenAPI::pointer('paths', "$API/tasks/{id}", 'delete', 'responses', 200, 'content', 'application/json', 'schema'), Aurora::HTTP::json($ended), 'which fits its schema' ];
    my $slow = '{"dataset":"SALES","joins":[{"left_dataset":"SALES","right_dataset":"SALES","alias":"S","on":[{"left_column":"REGION_ID","right_column":"REGION_ID"}]}],"aggregations":[{"column":"S.SALE_ID","function":"distinct_count","output_name":"N"}]}';
    refused($doc, $cases, $as->('ann', $preview, $slow), $preview, 'QUERY_TIMEOUT');

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->port, Proto => 'tcp') or die "connect: $!";
    my $all = '{"dataset":"SALES"}';
    syswrite $socket, "POST /aurora$API/query/export HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: " . length($all) . "\r\n\r\n$all";
    my $running = $server->wait_until(sub { my $list = Aurora::HTTP::json($as->('ann', "GET $API/tasks")); my ($one) = grep { $_->{state} eq 'running' && $_->{rows} > 0 } @{ $list->{tasks} }; $one && $list });
    ok($running, 'an export runs that nobody reads');
    push @$cases, [ Aurora::OpenAPI::pointer('paths', "$API/tasks", 'get', 'responses', 200, 'content', 'application/json', 'schema'), $running, 'the list of tasks fits its schema' ];
    $r = $as->('ann', $preview, $small);
    refused($doc, $cases, $r, $preview, 'TOO_MANY_TASKS');
    ok(defined $r->{headers}{'retry-after'}, 'Retry-After, as described');
    refused($doc, $cases, $as->('bob', $export, $small), $export, 'EXPORT_QUEUE_FULL');
    refused($doc, $cases, $as->('bob', $preview, $small), $preview, 'DATABASE_POOL_EXHAUSTED');
    my $cancelled = $as->('ann', "DELETE $API/tasks/$running->{tasks}[0]{id}");
    is($cancelled->{status}, 202, 'a task that runs: 202');
    push @$cases, [ Aurora::OpenAPI::pointer('paths', "$API/tasks/{id}", 'delete', 'responses', 202, 'content', 'application/json', 'schema'), Aurora::HTTP::json($cancelled), 'which fits its schema' ];
    close $socket;

    my $refusal = sub { my ($request) = @_; for (1 .. 5) { my $it = $as->('ann', $request); return $it if $it->{status} == 429 } return $as->('ann', $request) };
    refused($doc, $cases, $refusal->("GET $API/datasets"), "GET $API/datasets", 'RATE_LIMITED');
    problem($refusal->("GET $API/openapi.json"), 'the document counts against the client\'s rate', 429, 'RATE_LIMITED');
    $seen->{$_} = 1 for qw(FORBIDDEN QUERY_TIMEOUT TOO_MANY_TASKS EXPORT_QUEUE_FULL DATABASE_POOL_EXHAUSTED RATE_LIMITED);
    $server->finish;
}

# --- the same as the parser --------------------------------------------------------------------

# Each member of a schema with values of every kind: what the schema refuses, the parser refuses. build: the request
# around an object.
sub members {
    my ($doc, $schema, $base, $build) = @_;
    my $properties = $doc->root->{components}{schemas}{$schema}{properties};
    my @cases;
    for my $member (sort keys %$properties) {
        for my $value ('nonsense', 7, -1, 1.5, Aurora::JSON::true, [ [] ], [7], { x => 1 }, undef) {
            my %object = (%$base, $member => $value);
            push @cases, [ "/components/schemas/$schema", {%object}, $member, $build->({%object}) ];
        }
        my %without = %$base;
        push @cases, [ "/components/schemas/$schema", \%without, "without $member", $build->(\%without) ] if defined delete $without{$member};
    }
    return @cases;
}

sub parser {
    my ($http, $doc) = @_;
    my $request = sub { my ($member) = @_; return sub { return { dataset => 'REGIONS', $member => $_[0] } } };
    my $properties = $doc->root->{components}{schemas}{QueryRequest}{properties};
    for my $member (sort keys %$properties) {
        my $example = ($properties->{$member}{examples} || [])->[0];
        ok(exists $properties->{$member}{examples}, "$member has an example") or next;
        my %with = (dataset => 'REGIONS', $member => $example);
        $with{columns} = ['REGION_ID'] if $member eq 'group_by';
        $with{columns} = ['N'] if $member eq 'aggregations';
        my $r = $http->preview(\%with);
        is($r->{status}, 200, "the parser takes the example of $member") or diag($r->{body});
    }
    my @cases = (
        members($doc, 'QueryRequest', { dataset => 'REGIONS' }, sub { $_[0] }),
        members($doc, 'Rule', { column => 'REGION', operator => 'eq', value => 'x' }, sub { return { dataset => 'REGIONS', filters => { conditions => [ $_[0] ] } } }),
        members($doc, 'Group', { logic => 'AND', conditions => [] }, $request->('filters')),
        members($doc, 'Join', { left_dataset => 'REGIONS', right_dataset => 'REGIONS', join_type => 'left', alias => 'R', on => [ { left_column => 'REGION_ID', right_column => 'REGION_ID' } ] }, sub { return { dataset => 'REGIONS', joins => [ $_[0] ] } }),
        members($doc, 'Aggregation', { column => 'REGION', function => 'max', output_name => 'N' }, sub { return { dataset => 'REGIONS', aggregations => [ $_[0] ] } }),
        members($doc, 'Sort', { column => 'REGION', direction => 'ASC', nulls => 'last' }, sub { return { dataset => 'REGIONS', sorting => [ $_[0] ] } }),
    );
    my @verdicts = $doc->verdicts(map { [ @$_[ 0, 1 ] ] } @cases);
    my ($refused, @differ) = (0);
    for my $i (0 .. $#cases) {
        my ($schema, undef, $member, $body) = @{ $cases[$i] };
        my $r = $http->preview($body);
        my $shape = $r->{status} == 400 && $r->{body} =~ /"code":"(?:BAD_REQUEST|BAD_VALUE|UNKNOWN_OPERATOR)"/;
        $refused++ if defined $verdicts[$i];
        push @differ, "$schema $member: " . plain($body) . " the schema refuses ($verdicts[$i]), the server does not" if defined $verdicts[$i] && !$shape;
        next if $schema =~ /Rule$/ && $member =~ /value$/;    # which values there may be is the operator's to say, in words
        push @differ, "$schema $member: " . plain($body) . " the schema takes, the server says $r->{body}" if !defined $verdicts[$i] && $r->{status} != 200 && $r->{body} =~ /must be|expected here|is missing here|has to be/;
    }
    cmp_ok($refused, '>', 100, 'many requests of the wrong shape are tried');
    ok(!@differ, 'schema and parser agree on ' . @cases . ' requests') or diag(join "\n", @differ);
    for my $list ([ 'operator', $doc->root->{components}{schemas}{Rule}{properties}{operator}{enum} ]) {
        for my $word (@{ $list->[1] }) {
            my $value = $word eq 'between' ? ['a', 'b'] : $word =~ /in$/ ? ['a'] : 'a';
            is($http->preview({ dataset => 'REGIONS', filters => { conditions => [ { column => 'REGION', operator => $word, $word =~ /^is_/ ? () : (value => $value) } ] } })->{status}, 200, "the operator $word is one");
        }
    }
    is($http->preview({ dataset => 'REGIONS', columns => ['N'], aggregations => [ { column => 'REGION_ID', function => $_, output_name => 'N' } ] })->{status}, 200, "the function $_ is one") for @{ $doc->root->{components}{schemas}{Aggregation}{properties}{function}{enum} };
}

# --- a generated client ------------------------------------------------------------------------

sub client {
    my ($server, $doc) = @_;
    my $dir = $doc->dir;
    my $modules = Aurora::Readers::modules() . '/node_modules';
    symlink $modules, "$dir/node_modules" or die "symlink: $!";
    Aurora::Readers::keep("$dir/use.ts", Aurora::Server::slurp(Aurora::OpenAPI::home() . '/use.ts'));
    my ($status, $said) = Aurora::OpenAPI::node($dir, 'node_modules/.bin/openapi-ts', '-i', $doc->file, '-o', 'gen', '-c', '@hey-api/client-fetch');
    ok($status == 0 && -s "$dir/gen/sdk.gen.ts", 'a client is generated') or return diag($said);
    ($status, $said) = Aurora::OpenAPI::node($dir, qw(node_modules/.bin/tsc --strict --skipLibCheck --target es2022 --module commonjs --moduleResolution node10 --outDir js use.ts));
    is($status, 0, 'it and a program that uses it compile strictly') or return diag($said);
    ($status, $said) = Aurora::OpenAPI::node($dir, 'js/use.js', $server->url(''));
    is($status, 0, 'the program runs') or return diag($said);
    my $found = Aurora::JSON::decode($said);
    is(join(' ', @{ $found->{names} }), join(' ', map { $_->{name} } @{ Aurora::HTTP::json($server->http->api("$API/datasets"))->{datasets} }), 'it lists the datasets');
    is(join(' ', map {"$_->{REGION_ID}:$_->{REGION}"} @{ $found->{rows} }), '3:East 2:South 1:North', 'it runs a preview');
    is("$found->{total}", '3', 'and reads its figures');
    is($found->{columns}[1], 'REGION', 'it lists columns');
    is($found->{state}, 'complete', 'it finds its task');
    is($found->{refused}, 'UNKNOWN_DATASET', 'it understands a refusal');
}

# --- the page for people ------------------------------------------------------------------------

# Each command of docs/api.md says what the page says; three dots stand for anything.
sub page {
    my ($server, $doc) = @_;
    my $text = source('docs/api.md');
    my @blocks = $text =~ /^    \$ (.+\n(?:    .*\n)+)/mg;
    cmp_ok(scalar @blocks, '>=', 5, 'docs/api.md has commands');
    for my $block (@blocks) {
        my ($command, $says) = $block =~ /\A(curl (?:[^']|'[^']*')*?(?<!\\))\n    (?=[{A-Z])(.*)\z/s or do { fail("a command and what it says: $block"); next };
        my $base = $server->url('');
        $command =~ s{http://127\.0\.0\.1:8080/aurora}{$base};
        $command =~ s/^curl/curl -sS --max-time 60/;
        s/^    //mg for $command, $says;
        my $pattern = join '.*', map {quotemeta} split /\.\.\./, $says =~ s/\s+\z//r;
        my $said = do { local %ENV = (%ENV, no_proxy => '*'); `$command 2>&1` };
        $said =~ s/\r//g;
        like($said, qr/^$pattern/s, substr $command, 0, 90);
    }
    for my $path (sort keys %{ $doc->root->{paths} }) {
        ok(index($text, $path) >= 0, "docs/api.md names $path");
    }
    utf8::decode($text);
    my $schemas = $doc->root->{components}{schemas};
    for my $word (@{ $schemas->{Rule}{properties}{operator}{enum} }, @{ $schemas->{Aggregation}{properties}{function}{enum} },
        grep { !/^(?:column_metadata|use_|is_)/ } sort keys %{ $schemas->{QueryRequest}{properties} }) {
        like($text, qr/\b$word\b/, "docs/api.md names $word");
    }
}

my $server = Aurora::Server->start(%demo);
my $doc = Aurora::OpenAPI->new(route($server->http));
like($doc->root->{openapi}, qr/^3\.1\./, 'OpenAPI 3.1');
same_routes($server->http, $doc);
same_errors($doc);
same_parameters($server->http, $doc);
same_links($server->http, $doc);
my @cases;
reports($doc, \@cases);
answers($server->http, $doc, \@cases);
my $seen = errors($server->http, $doc, \@cases);
governed_errors($doc, \@cases, $seen);
ok($TOLD{$_}, "an error came with $_") for qw(x-correlation-id x-aurora-task ratelimit ratelimit-policy retry-after);
note('not provoked here: ', join ', ', grep { !$seen->{$_} } sort keys %{ $doc->root->{components}{examples} });
elsewhere();
page($server, $doc);
SKIP: {
    skip "no validator: $missing", 1 if $missing;
    my $defect = $doc->defect;
    ok(!defined $defect, 'the document is valid') or diag($defect);
    my @verdicts = $doc->verdicts(map { [ @$_[ 0, 1 ] ] } @cases);
    ok(!defined $verdicts[$_], $cases[$_][2]) || diag("$cases[$_][0]: $verdicts[$_]") for 0 .. $#cases;
    parser($server->http, $doc);
    client($server, $doc);
}
$server->finish;
done_testing();
