# Routes, methods, correlation ids, CORS, problem answers, health, catalogue and its refresh.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha1_base64);
use Encode qw(decode_utf8 encode_utf8);
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Data;
use Aurora::JSON;
use Aurora::Refusals;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

my $folder  = Aurora::Data::folder();
my $db      = Aurora::Data::sqlite_create("$folder/http.db");
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json");
my %query   = (dataset => 'REGIONS', columns => ['ID'], sorting => [ { column => 'ID', direction => 'ASC' } ]);
my $ID      = qr/^[A-Za-z0-9._-]{1,128}$/;

sub encode_path { my ($text) = @_; $text = encode_utf8($text); $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge; return $text }

sub problem {
    my ($r, $name, $status, $code) = @_;
    my @bad = Aurora::Refusals::problem_defects($r, status => $status, codes => [$code]);
    return ok(!@bad, $name) || diag(join "\n", @bad, $r->{body});
}

# --- routes ------------------------------------------------------------------------------------

sub routes {
    my ($server) = @_;
    my $http = $server->http;
    my %get = ('/health' => 'application/json', '/ready' => 'application/json', '/api/v1/datasets' => 'application/json',
        '/api/v1/datasets/SALES/columns' => 'application/json');
    for my $path (sort keys %get) {
        my $r = $http->api($path);
        is($r->{status}, 200, "GET $path") or diag($r->{body});
        like($r->{headers}{'content-type'} // '', qr{^\Q$get{$path}\E}, "GET $path: media type");
        ok($r->{complete}, "GET $path is complete");
        like($r->{headers}{'x-correlation-id'} // '', $ID, "GET $path has a correlation id");
        my $h = $http->head("/aurora$path");
        is($h->{status}, 200, "HEAD $path");
        is($h->{headers}{'content-type'}, $r->{headers}{'content-type'}, "HEAD $path: the same media type");
        is($h->{body}, '', "HEAD $path: no body");
        is($h->{headers}{'content-length'}, length $r->{body}, "HEAD $path: the length GET has") if defined $h->{headers}{'content-length'};
        for my $method (qw(POST PUT DELETE PATCH)) {
            my $m = $http->request($method, "/aurora$path", body => '{}', headers => { 'Content-Type' => 'application/json' });
            problem($m, "$method $path", 405, 'METHOD_NOT_ALLOWED');
            like($m->{headers}{allow} // '', qr/\bGET\b/, "$method $path: Allow names GET");
            like($m->{headers}{allow} // '', qr/\bHEAD\b/, "$method $path: Allow names HEAD");
        }
    }
    for my $path ('/api/v1/query/preview', '/api/v1/query/export?format=csv') {
        for my $method (qw(GET PUT DELETE)) {
            my $m = $http->request($method, "/aurora$path");
            problem($m, "$method $path", 405, 'METHOD_NOT_ALLOWED');
            like($m->{headers}{allow} // '', qr/\bPOST\b/, "$method $path: Allow names POST");
            unlike($m->{headers}{allow} // '', qr/\bGET\b/, "$method $path: Allow does not name GET");
        }
    }
    problem($http->api($_), "GET $_", 404, 'NOT_FOUND')
        for '', '/', '/x', '/api', '/api/', '/api/v1', '/api/v2/datasets', '/api/v1/dataset', '/api/v1/datasets/', '/api/v1/datasets/SALES', '/api/v1/datasets/SALES/',
        '/api/v1/datasets/SALES/rows', '/api/v1/datasets/SALES/columns/', '/healthy', '/health/', '/ready/x', '/API/V1/DATASETS', '/api/v1/query', '/api/v1/query/preview/x';
    problem($http->api('/api/v1/datasets/NOPE/columns'), 'columns of an unknown dataset', 404, 'UNKNOWN_DATASET');
    my $r = $http->get('/elsewhere');
    is($r->{status}, 404, 'a path outside the Location is httpd\'s');
    unlike($r->{headers}{'content-type'} // '', qr/problem/, 'and so is its answer');
    $r = $http->get('/auroraxyz/health');
    unlike($r->{headers}{'content-type'} // '', qr/problem|json/, 'a longer name is another path');
}

sub bases {
    my ($mpm) = @_;
    my $here = "SetHandler aurora\nRequire all granted";
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, base => '/deep/er', extra => "<Location \"/with space\">\n$here\n</Location>\n<VirtualHost *:*>\nServerName main.test\n</VirtualHost>\n<VirtualHost *:*>\nServerName root.test\n<Location \"/\">\n$here\n</Location>\n</VirtualHost>");
    my $http = $server->http;
    is($http->get('/deep/er/api/v1/datasets')->{status}, 200, 'a base of two segments');
    is($http->get('/with%20space/api/v1/datasets')->{status}, 200, 'a base with a space');
    is($http->get('/api/v1/datasets', headers => { Host => 'root.test' })->{status}, 200, 'the whole server as base');
    problem($http->get('/deep/api/v1/datasets', headers => { Host => 'root.test' }), 'nothing in between', 404, 'NOT_FOUND');
    $server->stop;
}

# --- correlation ids ---------------------------------------------------------------------------

sub correlation {
    my ($server) = @_;
    my $http = $server->http;
    for my $good ('a', 'Req-1.2_3', 'x' x 128, '..', '0') {
        my $r = $http->api('/health', headers => { 'X-Correlation-ID' => $good });
        is($r->{headers}{'x-correlation-id'}, $good, 'a sane id is kept: ' . substr $good, 0, 20);
    }
    my %seen;
    for my $bad ('', ' ', 'x' x 129, 'a b', 'a/b', 'ä', 'a,b', '<x>', "a\tb", '{id}') {
        my $r = $http->api('/health', headers => { 'X-Correlation-ID' => encode_utf8($bad) });
        my $id = $r->{headers}{'x-correlation-id'} // '';
        ok($id =~ $ID && $id ne $bad && !$seen{$id}++, 'another is replaced: ' . substr $bad, 0, 20) or diag($id);
    }
    for (1 .. 20) {
        my $id = $http->api('/health')->{headers}{'x-correlation-id'} // '';
        ok(0, "a new id each time: $id") if $id !~ $ID || $seen{$id}++;
    }
    my $id = "trace-$$-" . int(time * 1000);
    my $r = $http->preview('{"dataset":', headers => { 'X-Correlation-ID' => "$id-bad" });
    is($r->{headers}{'x-correlation-id'}, "$id-bad", 'a refusal carries the id');
    like($server->wait_for_log(error => qr/\Q$id-bad\E/), qr/^.*\Q$id-bad\E.*$/m, 'the error log has the id of a refused request');
    like($server->wait_for_log(access => qr/\Q$id-bad\E/), qr/POST \S+ 400 .*cid=\Q$id-bad\E sent=\Q$id-bad\E/, 'the access log has it');
    $r = $http->preview(\%query, headers => { 'X-Correlation-ID' => "$id-good" });
    is($r->{status}, 200, 'a good request');
    like($server->wait_for_log(access => qr/\Q$id-good\E/), qr/POST \S+ 200 .*cid=\Q$id-good\E/, 'the access log has the id of a good request');
    $r = $http->preview(\%query);
    my $made = $r->{headers}{'x-correlation-id'};
    like($server->wait_for_log(access => qr/\Q$made\E/), qr/cid=\Q$made\E/, 'the access log has an id that was made here');
    $r = $http->export(\%query, headers => { 'X-Correlation-ID' => "$id-export" });
    is($r->{headers}{'x-correlation-id'}, "$id-export", 'an export carries the id');
}

# --- CORS --------------------------------------------------------------------------------------

sub cors {
    my ($mpm) = @_;
    my $password = Aurora::Server::_write("$folder/passwd", 'ann:{SHA}' . sha1_base64('pw') . "=\n");
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, modules => [qw(auth_basic authn_file authz_user)],
        conf => "AuroraAllowedOrigins https://app.example http://localhost:3000", extra => <<"CONF");
<Location "/locked">
SetHandler aurora
AuthType Basic
AuthName "x"
AuthUserFile "$password"
Require valid-user
</Location>
CONF
    my $http = $server->http;
    my %ask = (Origin => 'https://app.example', 'Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'content-type,x-correlation-id');
    for my $base (qw(/aurora /locked)) {
        for my $path ('/api/v1/query/preview', '/api/v1/query/export?format=csv') {
            my $r = $http->request('OPTIONS', "$base$path", headers => {%ask});
            ok($r->{status} == 204 || $r->{status} == 200, "$base$path: preflight") or diag("$r->{status} $r->{body}");
            my $h = $r->{headers};
            is($h->{'access-control-allow-origin'}, 'https://app.example', "$base$path: preflight names the origin");
            like($h->{'access-control-allow-methods'} // '', qr/\bPOST\b/, "$base$path: preflight names POST");
            like(lc($h->{'access-control-allow-headers'} // ''), qr/content-type/, "$base$path: preflight names Content-Type");
            like(lc($h->{'access-control-allow-headers'} // ''), qr/x-correlation-id/, "$base$path: preflight names X-Correlation-ID");
            like($h->{vary} // '', qr/\bOrigin\b/i, "$base$path: Vary");
            is($r->{body}, '', "$base$path: preflight has no body");
        }
    }
    my $r = $http->request('OPTIONS', '/aurora/api/v1/datasets', headers => { %ask, 'Access-Control-Request-Method' => 'GET' });
    like($r->{headers}{'access-control-allow-methods'} // '', qr/\bGET\b/, 'preflight of a GET route names GET');
    $r = $http->request('OPTIONS', '/aurora/api/v1/query/preview', headers => { %ask, Origin => 'https://evil.example' });
    ok(!defined $r->{headers}{'access-control-allow-origin'}, 'no other origin is let in') or diag($r->{headers}{'access-control-allow-origin'});
    for my $origin ('https://app.example.evil', 'http://app.example', 'https://app.example:8443', 'null', 'https://APP.example/x') {
        $r = $http->preview(\%query, headers => { Origin => $origin });
        is($r->{status}, 200, "Origin $origin: the request itself runs");
        ok(!defined $r->{headers}{'access-control-allow-origin'}, "Origin $origin gets no permission");
        like($r->{headers}{vary} // '', qr/\bOrigin\b/i, "Origin $origin: Vary all the same");
    }
    for my $origin (qw(https://app.example http://localhost:3000)) {
        $r = $http->preview(\%query, headers => { Origin => $origin });
        is($r->{headers}{'access-control-allow-origin'}, $origin, "a preview for $origin");
        like(lc($r->{headers}{'access-control-expose-headers'} // ''), qr/x-correlation-id/, 'the page may read the correlation id');
        $r = $http->preview('{', headers => { Origin => $origin });
        is($r->{headers}{'access-control-allow-origin'}, $origin, 'a page may read a refusal, too');
        $r = $http->export(\%query, headers => { Origin => $origin });
        is($r->{headers}{'access-control-allow-origin'}, $origin, 'and an export');
        like(lc($r->{headers}{'access-control-expose-headers'} // ''), qr/content-disposition/, 'with its file name');
    }
    $r = $http->post('/locked/api/v1/query/preview', \%query, headers => { Origin => 'https://app.example' });
    is($r->{status}, 401, 'the request itself still needs a password');
    is($r->{headers}{'access-control-allow-origin'}, 'https://app.example', 'a page may read that it does');
    $r = $http->post('/locked/api/v1/query/preview', \%query, headers => { Authorization => 'Basic YW5uOnB3' });
    is($r->{status}, 200, 'with one it runs');
    $r = $http->request('OPTIONS', '/locked/api/v1/query/preview');
    ok($r->{status} == 401 || $r->{status} == 405 || $r->{status} == 200 || $r->{status} == 204, 'OPTIONS without an origin is no preflight');
    $r = $http->request('GET', '/locked/api/v1/datasets', headers => {%ask});
    is($r->{status}, 401, 'headers of a preflight on another method open nothing');
    $server->finish;
}

# --- small answers, problems -------------------------------------------------------------------

sub answers {
    my ($server) = @_;
    my $http = $server->http(keep => 1);
    my $r = $http->preview(\%query);
    ok(defined $r->{headers}{'content-length'} && !$r->{chunked}, 'a small preview has its length');
    is($r->{headers}{'content-length'}, length $r->{body}, 'and the length is right');
    like($r->{headers}{'content-type'}, qr{^application/json}, 'and is JSON');
    ok($r->{kept}, 'the connection is kept');
    $r = $http->preview(\%query);
    is($r->{status}, 200, 'and used again');
    problem($http->preview('{'), 'bad JSON', 400, 'BAD_JSON');
    $r = $http->preview(\%query);
    is($r->{status}, 200, 'a refusal leaves the connection usable');
    problem($http->preview('x', headers => { 'Content-Type' => 'text/plain' }), 'another media type', 415, 'UNSUPPORTED_MEDIA_TYPE');
    problem($http->preview('"' . 'x' x 300_000 . '"'), 'a large body', 413, 'BODY_TOO_LARGE');
    $r = $http->preview({ dataset => 'SALES', columns => ['ID'], filters => { logic => 'AND', conditions => [ { column => 'NOPE', operator => 'eq', value => 1 } ] } });
    problem($r, 'an unknown column', 400, 'UNKNOWN_COLUMN');
    my $p = Aurora::HTTP::json($r) || {};
    is($p->{pointer}, '/filters/conditions/0/column', 'the pointer leads to it') if defined $p->{pointer};
    is($p->{column}, 'NOPE', 'the column is named');
    $r = $http->preview({ dataset => 'TEXTS', columns => [qw(ID V)], limit => 500 });
    ok($r->{complete} && Aurora::HTTP::json($r), 'a larger preview is whole');
    my $limit = Aurora::HTTP::json($http->preview({ %query, limit => 1000000 }));
    is("$limit->{limit}", '500', 'a limit above the maximum is lowered');
    $r = $http->preview('{"dataset":"REGIONS"}', headers => { Expect => '100-continue' });
    is($r->{status}, 200, 'Expect: 100-continue');
}

sub health {
    my ($mpm, $server) = @_;
    my $http = $server->http;
    is_deeply(Aurora::HTTP::json($http->api('/health')), { status => 'ok' }, 'health');
    is($http->api('/ready')->{status}, 200, 'ready');
    SKIP: {
        skip 'only root can start a server on a file its children cannot read', 6 if $> != 0;
        my $shut = Aurora::Data::sqlite_create("$folder/shut-$mpm.db");
        chmod 0600, $shut;
        my $other = Aurora::Server->start(mpm => $mpm, db => $shut);
        my $h = $other->http;
        is($h->api('/health')->{status}, 200, 'health asks no database');
        problem($h->api('/ready'), 'not ready while the database cannot be opened', 503, 'DATABASE_UNAVAILABLE');
        my $r = $h->preview(\%query);
        problem($r, 'nor is a preview', 503, 'DATABASE_UNAVAILABLE');
        is($r->{headers}{'retry-after'}, '5', 'Retry-After');
        chmod 0644, $shut;
        my $ready = $other->wait_until(sub { $h->api('/ready')->{status} == 200 }, 15);
        ok($ready, 'ready once it can');
        ok($other->wait_until(sub { $h->preview(\%query)->{status} == 200 }, 15), 'and previews run');
        $other->finish;
    }
}

# --- catalogue ---------------------------------------------------------------------------------

sub datasets {
    my ($http) = @_;
    my $answer = Aurora::HTTP::json($http->api('/api/v1/datasets'));
    return {} unless ref $answer eq 'HASH' && ref $answer->{datasets} eq 'ARRAY';
    return { map { $_->{name} => $_ } @{ $answer->{datasets} } };
}

sub columns_of {
    my ($http, $name) = @_;
    return Aurora::HTTP::json($http->api('/api/v1/datasets/' . encode_path($name) . '/columns')) || {};
}

sub catalogue {
    my ($server) = @_;
    my $http = $server->http;
    my $all = datasets($http);
    my @tables = map { $_->[0] } @{ Aurora::Data::sqlite_rows($db, q{SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'}) };
    @tables = map { $_ eq 'SALES_COPY' ? 'STAFF_SALES' : $_ } @tables;    # the catalogue file gives it that name
    my @missing = grep { !$all->{$_} } @tables;
    ok(!@missing, 'every table, view and named dataset is there') or diag("missing: @missing");
    my @extra = grep { my $n = $_; !grep { $_ eq $n } @tables } keys %$all;
    ok(!@extra, 'and nothing else') or diag("extra: @extra");
    is(($all->{SALES} || {})->{type}, 'TABLE', 'a table is a TABLE');
    is(($all->{ACTIVE_CUSTOMERS} || {})->{type}, 'VIEW', 'a view is a VIEW');
    is(($all->{CUSTOMERS} || {})->{display_name}, 'Customers', 'a display name from the catalogue file');
    is(($all->{SALES} || {})->{display_name}, 'SALES', 'the name where there is none');
    is('' . (($all->{SALES} || {})->{column_count} // ''), '11', 'the number of columns');
    is('' . (($all->{STAFF_SALES} || {})->{column_count} // ''), '2', 'of those the catalogue file leaves');
    ok(!grep({ join(' ', sort keys %$_) ne 'column_count display_name name row_count type' } values %$all), 'each has the contract\'s members');
    for my $row (map { $_->{row_count} } values %$all) {
        ok(!defined $row || ref $row eq 'Aurora::JSON::Number', 'row_count is a number or null') or last;
    }
    for my $name (grep { $_ ne 'STAFF_SALES' } @tables) {
        my $columns = columns_of($http, $name);
        # a dataset whose columns the catalogue file lists has them in the file's order
        my $order = $name eq 'CUSTOMERS' ? sub { sort @_ } : sub { @_ };
        my @want = $order->(map { $_->[0] } @{ Aurora::Data::sqlite_rows($db, 'SELECT name FROM pragma_table_info(' . Aurora::Data::quote_text($name) . ') ORDER BY cid') });
        is(join('|', $order->(map { $_->{name} } @{ $columns->{columns} || [] })), join('|', @want), "columns of $name");
    }
    my $types = columns_of($http, 'types');
    is($types->{dataset_name}, 'TYPES', 'a name in another case finds the dataset');
    my %by = map { $_->{name} => $_ } @{ $types->{columns} || [] };
    my %base = (ID => 'numeric', T => 'text', N => 'numeric', D => 'numeric', R => 'numeric', DAY => 'date', TS => 'date', TSZ => 'date', B => 'other', BL => 'other');
    is($by{$_}{base_type}, $base{$_}, "base type of $_") for sort keys %base;
    is($by{D}{data_type}, 'DECIMAL(20,4)', 'the database\'s own type');
    ok(!$by{BL}{is_sortable}, 'binary cannot be sorted');
    ok($by{T}{is_sortable} && $by{T}{is_filterable}, 'text can');
    my $regions = columns_of($http, 'REGIONS');
    my %nullable = map { $_->{name} => $_->{nullable} ? 1 : 0 } @{ $regions->{columns} || [] };
    is($nullable{NAME}, 0, 'NOT NULL is not nullable');
    is($nullable{MANAGER}, 1, 'others are');
    my ($display) = grep { $_->{name} eq 'EMAIL' } @{ columns_of($http, 'CUSTOMERS')->{columns} || [] };
    is($display->{display_name}, 'E-mail "private"', 'a column\'s display name');
    is(columns_of($http, 'SALES')->{partition_info}, undef, 'no partitions: null');

    my $p = columns_of($http, 'BALANCES')->{partition_info} || {};
    is($p->{load_id_column}, 'LOAD_ID', 'the load id column');
    is($p->{load_type_column}, 'LOAD_TYPE', 'the load type column');
    is($p->{date_column}, 'AS_OF', 'the date column');
    is_deeply($p->{supported_types}, [qw(Daily Monthly)], 'the supported types');
    is(join(' ', sort map { "$_" } @{ $p->{available_values} || [] }), '202401 202402 202403 202404 202405', 'the available values');
    my $map = $p->{available_values_map} || {};
    is(join(' ', map { my $t = $_; "$t:" . join ',', sort map { "$_" } @{ $map->{$t} } } sort keys %$map), 'Daily:202401,202403,202405 Monthly:202402,202404', 'and by type');
    is($p->{min_value}, '2024-01-31', 'the first date') if defined $p->{min_value} && $p->{min_value} =~ /-/;
    ok(defined $p->{min_value} && defined $p->{max_value}, 'there is a first and a last value');
}

# Ask all the time while something happens; returns answers that were not 200.
sub while_asking {
    my ($server, $what) = @_;
    pipe my $in, my $out or die $!;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $stop = 0;
        local $SIG{TERM} = sub { $stop = 1 };
        my $http = $server->http;
        my ($n, @bad) = (0);
        while (!$stop) {
            my $r = $n++ % 3 ? $http->preview({ dataset => 'SALES', columns => ['ID'], limit => 5 }) : $http->api('/api/v1/datasets');
            push @bad, "$r->{status} " . ($r->{error} // '') . substr($r->{body} // '', 0, 200) if $r->{status} != 200 || !$r->{complete};
        }
        syswrite $out, join "\n", $n, @bad[ 0 .. ($#bad > 4 ? 4 : $#bad) ];
        POSIX::_exit(0);
    }
    close $out;
    my $result = $what->();
    kill TERM => $pid;
    local $/;
    my ($n, @bad) = split /\n/, scalar <$in>;
    waitpid $pid, 0;
    return ($result, $n, @bad);
}

sub refresh {
    my ($mpm) = @_;
    my $live = Aurora::Data::sqlite_create("$folder/refresh-$mpm.db");
    my $server = Aurora::Server->start(mpm => $mpm, db => $live, conf => "AuroraCatalogRefresh 1s");
    my $http = $server->http;
    ok(!datasets($http)->{ADDED}, 'the table is not there yet');
    my ($seen, $n, @bad) = while_asking($server, sub {
        Aurora::Data::sqlite_script($live, ".timeout 10000\nCREATE TABLE ADDED (A INTEGER, B TEXT); INSERT INTO ADDED VALUES (1, 'x');\n");
        return $server->wait_until(sub { datasets($http)->{ADDED} }, 15);
    });
    ok($seen, 'a new table appears by itself');
    ok($n > 3 && !@bad, "while it does, no request fails ($n asked)") or diag(join "\n", @bad);
    ok($server->wait_until(sub { $http->preview({ dataset => 'ADDED' })->{status} == 200 }, 10), 'and can be asked');
    Aurora::Data::sqlite_script($live, ".timeout 10000\nDROP TABLE ADDED;\n");
    ok($server->wait_until(sub { !datasets($http)->{ADDED} }, 15), 'a dropped one disappears');
    ok($server->wait_until(sub { $http->preview({ dataset => 'ADDED' })->{status} == 404 }, 10), 'and is unknown');
    $server->finish;

    my $still = Aurora::Data::sqlite_create("$folder/still-$mpm.db");
    $server = Aurora::Server->start(mpm => $mpm, db => $still, conf => "AuroraCatalogRefresh 0");
    $http = $server->http;
    is(scalar(grep { !datasets($http)->{SALES} } 1 .. 4), 0, 'the catalogue is loaded');
    Aurora::Data::sqlite_script($still, ".timeout 10000\nCREATE TABLE ADDED (A INTEGER);\n");
    sleep 1.2;
    is($http->preview({ dataset => 'ADDED' })->{status}, 404, 'AuroraCatalogRefresh 0: nothing by itself');
    my ($restarted, $asked, @failed) = while_asking($server, sub { $server->graceful });
    ok($restarted, 'a graceful restart');
    ok($server->wait_until(sub { datasets($http)->{ADDED} && $http->preview({ dataset => 'ADDED' })->{status} == 200 }, 15), 'shows the new table');
    ok($asked > 3 && !@failed, "while it happens, no request fails ($asked asked)") or diag(join "\n", @failed);
    $server->finish;
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, catalog => $catalog);
    routes($server);
    correlation($server);
    answers($server);
    health($mpm, $server);
    catalogue($server);
    $server->finish;
    bases($mpm);
    cors($mpm);
    refresh($mpm);
}
done_testing();
