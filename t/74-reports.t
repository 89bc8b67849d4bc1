# Named reports: links whose values take their places in stored requests and hand-written SQL, on every database; who may
# see which; the same limits, tasks and endings as every other preview and export.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(encode_utf8);
use Test::More;

use Aurora::CSV;
use Aurora::Data;
use Aurora::Databases;
use Aurora::JSON;
use Aurora::Metrics;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

use constant LONG_ROWS => 60_000;
use constant XLSX      => 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

my $folder = Aurora::Data::folder();
my $yes    = Aurora::JSON::true();
my $files = 0;

# --- catalogues --------------------------------------------------------------------------------------

sub rule { my ($column, $operator, $value) = @_; return { column => $column, operator => $operator, value => $value } }
sub all_of { return { logic => 'AND', conditions => [@_] } }

sub parameters {
    return [
        { name => 'region', type => 'text', display_name => 'Région' },
        { name => 'regions', type => 'choice', choices => [qw(North South East West)], multiple => $yes },
        { name => 'min', type => 'number' },
        { name => 'since', type => 'date' },
        { name => 'at', type => 'timestamp' },
        { name => 'n', type => 'number', default => 5 },
    ];
}

# The same report twice: as a stored request, and as SQL by hand.
sub stored {
    return {
        display_name => 'Sales: “per région”', description => 'Of one region, or several', parameters => parameters(),
        query => {
            dataset => 'SALES', columns => [qw(ID REGION AMOUNT SOLD_ON)], sorting => [ { column => 'ID', direction => 'DESC' } ], limit => '${n}',
            filters => all_of(rule(REGION => eq => '${region}'), rule(REGION => in => '${regions}'), rule(AMOUNT => gte => '${min}'),
                rule(SOLD_ON => gte => '${since}'), rule(CREATED_AT => lt => '${at}')),
        },
    };
}

my $WRITTEN = <<'SQL';
-- :region and 'it''s :min' are text here
SELECT ID, REGION, AMOUNT, SOLD_ON FROM SALES /* ; :n */
WHERE (:region IS NULL OR REGION = :region)
  AND (REGION IN (:regions) OR 0 = :any)
  AND (:min IS NULL OR AMOUNT >= :min) AND (:since IS NULL OR SOLD_ON >= :since) AND (:at IS NULL OR CREATED_AT < :at)
  AND ':region' <> '100%' AND (PRODUCT IS NULL OR PRODUCT NOT LIKE '%:%s')
ORDER BY ID DESC; -- the end
SQL

sub written { return { parameters => [ @{ parameters() }, { name => 'any', type => 'number', default => 1 } ], sql => $WRITTEN } }

sub catalog {
    my (%reports) = @_;
    return Aurora::Data::catalog_write("$folder/catalog-" . ++$files . '.json', { reports => \%reports });
}

# --- asking ------------------------------------------------------------------------------------------

sub link_to {
    my ($name, @pairs) = @_;
    my @text;
    while (my ($key, $value) = splice @pairs, 0, 2) {
        push @text, "$key=" . (encode_utf8($value) =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger);
    }
    return "/aurora/api/v1/reports/$name" . (@text ? '?' . join('&', @text) : '');
}

sub preview {
    my ($server, $name, @pairs) = @_;
    return $server->http->get(link_to($name, @pairs, shape => 'arrays'));
}

# Numbers lose the zeros at their ends, which databases treat differently; nothing else changes.
sub plain { my ($value) = @_; return !defined $value ? 'NULL' : "$value" =~ /^-?\d+\.\d+\z/ ? $value + 0 : "$value" }

sub rows_text { return join ' / ', map { join ',', map { plain($_) } @$_ } @{ $_[0] } }

sub rows_of {
    my ($answer) = @_;
    my $json = $answer->{status} == 200 ? Aurora::JSON::decode($answer->{body}) : undef;
    return $json ? rows_text($json->{data}) : "$answer->{status} $answer->{body}";
}

sub problem {
    my ($answer) = @_;
    my $json = eval { Aurora::JSON::decode($answer->{body}) } || {};
    return join ' ', $answer->{status}, $json->{code} // '-', $json->{column} // '-';
}

# --- what links give, on each database -----------------------------------------------------------------

# Values of a link, and what they mean in the database's own words.
my @LINKS = (
    [ [], '1 = 1' ],
    [ [ region => 'North' ], "REGION = 'North'" ],
    [ [ region => q{x' OR '1'='1} ], '1 = 0' ],
    [ [ region => '${n}' ], '1 = 0' ],
    [ [ region => '' ], "REGION = ''", oracle => '1 = 1' ],    # an empty text is NULL there, for which :region IS NULL
    [ [ regions => 'South' ], "REGION IN ('South')" ],
    [ [ regions => 'South', regions => 'North' ], "REGION IN ('South', 'North')" ],
    [ [ min => '500' ], 'AMOUNT >= 500' ],
    [ [ min => '547.50' ], 'AMOUNT >= 547.5' ],
    [ [ min => '5.475e2' ], 'AMOUNT >= 547.5' ],
    [ [ min => '-60', region => 'South' ], "AMOUNT >= -60 AND REGION = 'South'" ],
    [ [ since => '2001-03-12' ], "SOLD_ON >= '2001-03-12'" ],
    [ [ at => '1970-03-01T00:00:00' ], "CREATED_AT < '1970-03-01 00:00:00'" ],
    [ [ at => '1970-03-01T02:00:00+02:00' ], "CREATED_AT < '1970-03-01 00:00:00'" ],
    [ [ min => '100', since => '1980-01-01', regions => 'West', regions => 'East', at => '1971-01-01' ],
        "AMOUNT >= 100 AND SOLD_ON >= '1980-01-01' AND REGION IN ('West', 'East') AND CREATED_AT < '1971-01-01 00:00:00'" ],
);

sub gives_the_same {
    my ($db, $server) = @_;
    my $rows = sub { return $db->rows_of(map {"SELECT ID, REGION, AMOUNT, SOLD_ON FROM SALES WHERE $_ ORDER BY ID DESC"} @_) };
    my @want = $rows->(map { $_->[1] } @LINKS);
    my @by_hand = $rows->(map { my (undef, $where, %on) = @$_; $on{ $db->name } // $where } @LINKS);
    for my $i (0 .. $#LINKS) {
        my @pairs = @{ $LINKS[$i][0] };
        my $want  = $want[$i];
        my $what  = $db->name . ": @pairs";
        # the list of regions stands in the SQL whether or not there is one
        my @any = grep({ $_ eq 'regions' } @pairs) ? () : (any => 0);
        is(rows_of(preview($server, 'stored', @pairs, limit => 500)), rows_text($want), "$what: a stored request");
        is(rows_of(preview($server, 'written', @pairs, @any, limit => 500)), rows_text($by_hand[$i]), "$what: hand-written SQL");
        for my $name (qw(stored written)) {
            my $r = $server->http->get(link_to("$name.csv", @pairs, $name eq 'written' ? @any : ()));
            my ($head, @rows) = $r->{complete} ? Aurora::CSV::parse($r->{body}) : ();
            is(rows_text(\@rows), rows_text($name eq 'written' ? $by_hand[$i] : $want), "$what: $name.csv");
        }
    }
}

sub pages {
    my ($db, $server) = @_;
    my $name = $db->name;
    my @all = map { $_->[0] } @{ ($db->rows_of('SELECT ID FROM SALES ORDER BY ID DESC'))[0] };
    for my $report (qw(stored written)) {
        my @any = $report eq 'written' ? (any => 0) : ();
        my $json = Aurora::JSON::decode($server->http->get(link_to($report, @any, limit => 3, offset => 4))->{body});
        is(join(',', map { $_->{ $json->{columns}[0] } } @{ $json->{data} }), join(',', @all[ 4 .. 6 ]), "$name: $report: a page of it, in its order");
        is("$json->{dataset_name} $json->{row_count} $json->{total_row_count} $json->{limit} $json->{offset}", "report:$report 3 120 3 4", "$name: $report: the frame");
        is($json->{truncated}, $yes, "$name: $report: there is more");
        $json = Aurora::JSON::decode(preview($server, $report, @any, limit => 100_000)->{body});
        is("$json->{limit} $json->{row_count}", '50 50', "$name: $report: no more than AuroraPreviewMaxRows");
    }
    my $n = Aurora::JSON::decode(preview($server, 'stored')->{body});
    is("$n->{limit} $n->{row_count} @{$n->{types}}", '5 5 number text number date', "$name: a stored limit with its default");
    is(Aurora::JSON::decode(preview($server, 'stored', n => 2)->{body})->{row_count}, 2, "$name: and with a value");
    is(Aurora::JSON::decode(preview($server, 'written', any => 0)->{body})->{limit}, 50, "$name: hand-written SQL has a preview's");
}

# Values as they come from the database when nobody has looked: no statement text, no database text.
sub breaks {
    my ($db, $server) = @_;
    my $name = $db->name;
    for my $path ('broken', 'broken.csv', 'broken.xlsx') {
        my $r = $server->http->get(link_to($path));
        is(problem($r), '502 DATABASE_ERROR -', "$name: $path: what the database refuses");
        unlike($r->{body}, qr/no_such_table|SELECT/i, 'is not told to the client');
        like($r->{headers}{'content-type'}, qr{^application/problem\+json}, 'but as a problem');
    }
    like($server->wait_for_log(error => qr/no_such_table/), qr/no_such_table/, "$name: it is told to the log");
}

sub types_of {
    my ($db, $server) = @_;
    my $json = Aurora::JSON::decode($server->http->get(link_to('typed', d => '2024-02-29', n => '0.10', t => 'é'))->{body});
    my ($row) = @{ $json->{data} || [] };
    my %got = map { lc $_ => $row->{$_} } keys %{ $row || {} };
    is(join(' ', map { plain($got{$_}) } qw(d n t i)), '2024-02-29 0.1 é 7', $db->name . ': binds of each type arrive as what they are');
    my %want = (pgsql => 'date number text number', oracle => 'date number text number', mysql => 'text text text text', sqlite => 'text text text text');
    is("@{$json->{types}}", $want{ $db->name }, $db->name . ': types are those the database tells');
}

# Two columns of one name: an object would keep one of their values. What a database renames or refuses is its own business.
sub same_names {
    my ($db, $server) = @_;
    my $name = $db->name;
    my $r = $server->http->get(link_to('twice'));
    my $json = $r->{status} == 200 ? Aurora::JSON::decode($r->{body}) : undef;
    my %want = (sqlite => qr/^200/, pgsql => qr/^400 BAD_REQUEST a$/, mysql => qr/^400 BAD_REQUEST a$/, oracle => qr/^(?:400 BAD_REQUEST A|502 DATABASE_ERROR -)$/);
    like(problem($r), $want{$name}, "$name: columns of one name in a preview");
    is(scalar keys %{ $json->{data}[0] }, 2, "$name: no value is lost") if $json;
    return if $name eq 'oracle';
    is(rows_of(preview($server, 'twice')), '1,2', "$name: an array has both");
    is($server->http->get(link_to('twice.csv', header => 0))->{body}, "1,2\r\n", "$name: and so has a file");
}

my %TYPED = (
    sqlite => 'SELECT :d AS d, :n AS n, :t AS t, :i + 0 AS i', pgsql => 'SELECT :d AS d, :n AS n, :t AS t, :i AS i',
    mysql => 'SELECT :d AS d, :n AS n, :t AS t, :i AS i', oracle => 'SELECT CAST(:d AS DATE) AS d, :n AS n, :t AS t, :i AS i FROM DUAL',
);

for my $name (Aurora::Databases->names) {
    SKIP: {
        my $why = Aurora::Databases->missing($name);
        skip "$name: $why", 1 if $why;
        my $db = Aurora::Databases->create($name);
        my $server = Aurora::Server->start($db->server, conf => 'AuroraPreviewMaxRows 50', catalog => catalog(
            stored => stored(), written => written(), broken => { sql => 'SELECT x FROM no_such_table' },
            typed => { parameters => [ { name => 'd', type => 'date' }, { name => 'n', type => 'number' }, { name => 't' }, { name => 'i', type => 'number', default => 7 } ],
                sql => $TYPED{$name} },
            twice => { sql => 'SELECT 1 AS a, 2 AS a' . ($name eq 'oracle' ? ' FROM DUAL' : '') },
        ));
        my $before = $db->digest;
        pages($db, $server);
        types_of($db, $server);
        breaks($db, $server);
        same_names($db, $server);
        $server->rewrite(conf => 'AuroraPreviewMaxRows 500');
        ok($server->graceful, "$name: a larger page");
        gives_the_same($db, $server);
        is($db->digest, $before, "$name: nothing has changed in the database");
        $server->finish("$name: the server survives all of it");
    }
}

# --- one database is enough for the rest ---------------------------------------------------------------

my $db = Aurora::Data::sqlite_create("$folder/reports.db", more => Aurora::Data::long_table('LONG_TABLE', LONG_ROWS));

sub start {
    my ($reports, %o) = @_;
    my $location = 'AuroraUser %{HTTP:X-User}' . "\nAuroraRoles %{HTTP:X-Roles}\n" . ($o{location} // '');
    return Aurora::Server->start(db => $db, catalog => catalog(%$reports), %o, location => $location);
}

sub who { my ($user, $roles) = @_; return (headers => { 'X-User' => $user, defined $roles ? ('X-Roles' => $roles) : () }) }

sub links_are_read_strictly {
    my ($server) = @_;
    my $get = sub { $server->http->get("/aurora/api/v1/reports/$_[0]") };
    my @cases = (
        [ 'needs'                         => '400 MISSING_PARAMETER must' ],
        [ 'needs.csv'                     => '400 MISSING_PARAMETER must' ],
        [ 'needs?must=1&other=2'          => '400 BAD_REQUEST other' ],
        [ 'needs?must=1&must=2'           => '400 BAD_REQUEST must' ],
        [ 'needs?must=a'                  => '400 BAD_VALUE must' ],
        [ 'needs?must='                   => '400 BAD_VALUE must' ],
        [ 'needs?must'                    => '400 BAD_VALUE must' ],
        [ 'needs?Must=1'                  => '400 BAD_REQUEST Must' ],
        [ 'needs?must=%'                  => '400 BAD_REQUEST -' ],
        [ 'needs?must=%zz'                => '400 BAD_REQUEST -' ],
        [ 'needs?must=1%00'               => '400 BAD_REQUEST -' ],
        [ 'needs?must=%ff'                => '400 BAD_REQUEST -' ],
        [ 'needs?%ff=1'                   => '400 BAD_REQUEST -' ],
        [ 'needs?must=1&limit=0'          => '400 BAD_REQUEST limit' ],
        [ 'needs?must=1&limit=x'          => '400 BAD_REQUEST limit' ],
        [ 'needs?must=1&limit=1&limit=1'  => '400 BAD_REQUEST limit' ],
        [ 'needs?must=1&offset=-1'        => '400 BAD_REQUEST offset' ],
        [ 'needs?must=1&shape=rows'       => '400 BAD_REQUEST shape' ],
        [ 'needs?must=1&delimiter=tab'    => '400 BAD_REQUEST delimiter' ],
        [ 'needs.csv?must=1&limit=1'      => '400 BAD_REQUEST limit' ],
        [ 'needs.csv?must=1&format=xlsx'  => '400 BAD_REQUEST format' ],
        [ 'needs.csv?must=1&delimiter=x'  => '400 BAD_REQUEST -' ],
        [ 'needs.xlsx?must=1&about=2'     => '400 BAD_REQUEST -' ],
        [ 'nothing'                       => '404 UNKNOWN_REPORT -' ],
        [ 'NEEDS?must=1'                  => '404 UNKNOWN_REPORT -' ],
        [ 'needs.ods?must=1'              => '404 UNKNOWN_REPORT -' ],
        [ 'needs.csv.csv?must=1'          => '404 UNKNOWN_REPORT -' ],
        [ 'needs?must=1'                  => '200 - -' ],
        [ 'needs.csv?must=1'              => '200 - -' ],
    );
    is(problem($get->($_->[0])), $_->[1], $_->[0]) for @cases;
    my $r = $get->('echo?t=a+b%2Bc%26d%3D%C3%A9&shape=arrays');
    is(rows_of($r), 'a b+c&d=é', 'plus is a blank, what is encoded is not');
    is(rows_of($get->('echo?&&t=x&&shape=arrays&')), 'x', 'empty pairs are nothing');
    is(rows_of($get->('echo?t=a,b&shape=arrays')), 'a,b', 'a comma is a comma');
    $r = $server->http->post('/aurora/api/v1/reports/echo', '{}');
    is(problem($r), '405 METHOD_NOT_ALLOWED -', 'POST is not for reports');
    is($r->{headers}{allow}, 'GET, HEAD, OPTIONS', 'and says what is');
}

sub lists {
    my ($server) = @_;
    my $r = $server->http->get('/aurora/api/v1/reports');
    my $json = Aurora::JSON::decode($r->{body});
    is(join(' ', map { $_->{name} } @{ $json->{reports} }), 'needs echo mine', 'reports in the order of the file');
    my ($needs, $echo, $mine) = @{ $json->{reports} };
    is("$needs->{display_name}: $needs->{description}", 'Needs “it”: What it needs', 'name and description');
    is($echo->{description}, undef, 'or none');
    is(Aurora::JSON::encode($needs->{links}), '{"csv":"/aurora/api/v1/reports/needs.csv","preview":"/aurora/api/v1/reports/needs","xlsx":"/aurora/api/v1/reports/needs.xlsx"}', 'links');
    like($r->{body}, qr/"name":"must","display_name":"Must, I say","type":"number","required":true,"multiple":false,"default":null\}/, 'a required parameter');
    like($r->{body}, qr/"name":"c","display_name":"c","type":"choice","required":false,"multiple":true,"default":\["b"\],"choices":\["a","b"\]\}/, 'a choice');
    like($r->{body}, qr/"name":"n","display_name":"n","type":"number","required":false,"multiple":false,"default":2\.5\}/, 'a number is one');
    is(scalar @{ $mine->{parameters} }, 0, 'what comes with the caller is not listed');
    unlike($r->{body}, qr/SELECT|HTTP:X-User/, 'and how it is done is not told');
    my $get = $server->http->get($echo->{links}{preview} . '?t=x&shape=arrays');
    is(rows_of($get), 'x', 'a link of the list works');
    is($server->http->head('/aurora/api/v1/reports')->{status}, 200, 'HEAD');
}

sub small {
    my $server = start({});
    is($server->http->get('/aurora/api/v1/reports')->{body}, qq({"reports":[]}\n), 'no reports, an empty list');
    $server->finish('without reports');
    $server = Aurora::Server->start(db => $db);
    is($server->http->get('/aurora/api/v1/reports')->{body}, qq({"reports":[]}\n), 'the same without a catalogue');
    is(problem($server->http->get(link_to('x'))), '404 UNKNOWN_REPORT -', 'and none is known');
    $server->finish('without a catalogue');
    my $path = catalog();
    # the order of members is the file's, which Perl's hashes would not keep
    open my $out, '>:raw', $path or die $!;
    print {$out} encode_utf8(<<'JSON');
{"reports": {
 "needs": {"display_name": "Needs “it”", "description": "What it needs", "sql": "SELECT :must AS x WHERE :c = 'b' OR 1 = 1", "parameters": [
  {"name": "must", "type": "number", "required": true, "display_name": "Must, I say"},
  {"name": "c", "type": "choice", "choices": ["a", "b"], "multiple": true, "default": "b"}]},
 "echo": {"sql": "SELECT :t AS t", "parameters": [{"name": "t"}, {"name": "n", "type": "number", "default": 2.5}]},
 "mine": {"sql": "SELECT :me AS me", "parameters": [{"name": "me", "expr": "%{HTTP:X-User}"}]}}}
JSON
    close $out;
    $server = Aurora::Server->start(db => $db, catalog => $path, conf => qq{LogFormat "%U%q %{AURORA_DATASET}e" dataset\nCustomLog logs/dataset.log dataset});
    lists($server);
    links_are_read_strictly($server);
    for (['echo?t=a,b&shape=arrays', 'report:echo'], ['needs.csv?must=1', 'report:needs'], ['needs.csv', 'report:needs'], ['nothing', '-']) {
        my ($link, $dataset) = @$_;
        my $known = $server->wait_until(sub { Aurora::Server::slurp($server->root . '/logs/dataset.log') =~ m{/\Q$link\E (\S+)\n} && $1 });
        is($known, $dataset, "$link: the access log knows it as $dataset");
    }
    Aurora::Data::catalog_write($path, { reports => { after => { sql => 'SELECT 1 AS one' } } });
    ok($server->graceful, 'a changed file');
    is(problem($server->http->get(link_to('echo', t => 1))), '404 UNKNOWN_REPORT -', 'is taken over');
    is(rows_of(preview($server, 'after')), '1', 'by a graceful restart');
    $server->finish('links');
}

# --- who ---------------------------------------------------------------------------------------------

sub seen { my ($server, @who) = @_; return join ' ', sort map { $_->{name} } @{ Aurora::JSON::decode($server->http->get('/aurora/api/v1/reports', @who)->{body})->{reports} } }

sub visible {
    my $server = start({
        all => { sql => 'SELECT 1 AS one' },
        some => { roles => [qw(finance audit)], parameters => [ { name => 'p', required => $yes } ], sql => 'SELECT :p AS p' },
        no_dataset => { parameters => [ { name => 'p', required => $yes } ], query => { dataset => 'GONE', filters => all_of(rule(ID => eq => '${p}')) } },
        no_column  => { query => { dataset => 'SALES', filters => all_of(rule(GONE => eq => 1)) } },
        no_join    => { query => { dataset => 'SALES', joins => [ { left_dataset => 'SALES', right_dataset => 'GONE', join_type => 'left', on => [ { left_column => 'ID', right_column => 'ID' } ] } ] } },
        dated      => { parameters => [ { name => 'd', type => 'text' } ], query => { dataset => 'SALES', columns => ['ID'], filters => all_of(rule(SOLD_ON => eq => '${d}')) } },
        numbered   => { parameters => [ { name => 'n', type => 'text' } ], query => { dataset => 'SALES', columns => ['ID'], filters => all_of(rule(ID => eq => '${n}')) } },
    });
    is(seen($server, who('ann')), 'all dated numbered', 'without a role');
    is(seen($server, who('bob', 'sales, audit')), 'all dated numbered some', 'with one of the roles');
    my $http = $server->http;
    for my $path ('some', 'some.csv', 'some.xlsx') {
        my ($hidden, $unknown) = map { $http->get("/aurora/api/v1/reports/$_", who('ann', 'sales')) } $path, $path =~ s/some/never/r;
        is(problem($hidden), '404 UNKNOWN_REPORT -', "$path: forbidden");
        is($hidden->{body} =~ s/"correlation_id":"\w+"//r, $unknown->{body} =~ s/"correlation_id":"\w+"//r, "$path: looks like unknown");
    }
    is(problem($http->get('/aurora/api/v1/reports/some', who('bob', 'audit'))), '400 MISSING_PARAMETER p', 'who may see it is told what it needs');
    is(rows_of($http->get('/aurora/api/v1/reports/some?p=x&shape=arrays', who('bob', 'audit'))), 'x', 'and gets it');
    is(problem($http->get("/aurora/api/v1/reports/$_", who('ann'))), '404 UNKNOWN_REPORT -', "$_: what he may not ask himself is not there") for qw(no_dataset no_column no_join);
    like($server->wait_for_log(error => qr/report no_column is not there.*GONE/), qr/report no_column is not there.*GONE/, 'the log tells why');
    my $r = $http->get('/aurora/api/v1/reports/numbered?n=many', who('ann'));
    is(problem($r), '400 BAD_VALUE ID', 'a value that is not of its column');
    unlike($r->{body}, qr/"pointer"/, 'has no pointer into what the caller has not sent');
    is(rows_of($http->get('/aurora/api/v1/reports/numbered?n=7&shape=arrays', who('ann'))), '7', 'and one that is');
    $server->finish('who may see what');
}

# A report is for those who may see all that it names, whatever value would be the first to be refused.
sub values_hide_nothing {
    my $sales = sub { my ($parameter, %query) = @_; return { parameters => [$parameter], query => { dataset => 'SALES', columns => ['ID'], %query } } };
    my $any = { name => 'v' };
    my %reports = (
        column    => $sales->($any, columns => [qw(ID AMOUNT)], filters => all_of(rule(ID => eq => '${v}'))),
        sorting   => $sales->($any, sorting => [ { column => 'AMOUNT' } ], filters => all_of(rule(ID => in => ['${v}']))),
        rule      => $sales->($any, filters => all_of(rule(SOLD_ON => between => ['${v}', '2030-01-01']), rule(ID => eq => '${v}'), rule(AMOUNT => gte => 1))),
        choice    => $sales->({ name => 'v', type => 'choice', choices => [qw(none 7)] }, columns => [qw(ID AMOUNT)], filters => all_of(rule(ID => eq => '${v}'))),
        partition => $sales->($any, columns => [qw(ID AMOUNT)], partition_filters => { SALES => '${v}' }),
        load_type => $sales->($any, columns => [qw(ID AMOUNT)], partition_load_type => '${v}'),
        load_id   => { parameters => [$any], query => { dataset => 'CUSTOMERS', columns => ['NAME'], partition_filters => { CUSTOMERS => '${v}' } } },
        fine      => $sales->($any, filters => all_of(rule(ID => eq => '${v}')), partition_load_type => 'North'),
    );
    my $path = Aurora::Data::catalog_write("$folder/catalog-" . ++$files . '.json', {
        datasets => {
            SALES => { columns => { map({ ($_ => {}) } qw(ID REGION SOLD_ON)), AMOUNT => { roles => ['finance'] } },
                partition => { load_id_column => 'ID', load_type_column => 'REGION', supported_types => [qw(North South)] },
                row_filter => all_of(rule(REGION => eq => { expr => '%{HTTP:X-Region}' })) },
            CUSTOMERS => { columns => { NAME => {}, ID => { roles => ['finance'] } }, partition => { load_id_column => 'ID' } },
        },
        reports => \%reports,
    });
    my $server = start({}, catalog => $path);
    is(seen($server, who('ann', 'finance')), 'choice column fine load_id load_type partition rule sorting', 'who may see every column sees every report');
    is(seen($server, who('bob', 'audit')), 'fine', 'who may not see one sees none that names it');
    my %values = (load_type => 'North', rule => '2020-01-01');
    for my $name (sort keys %reports) {
        my $r = $server->http->get(link_to($name, v => $values{$name} // 7), who('bob', 'audit'));
        is(problem($r), $name eq 'fine' ? '200 - -' : '404 UNKNOWN_REPORT -', "$name: nor one that he has heard of");
        unlike($r->{body}, qr/AMOUNT/, "$name: and no name");
    }
    my $warned = () = $server->wait_for_log(error => qr/AUR2030.*AUR2030/s, 1) =~ /AUR2030/g;
    is($warned, 1, 'a list of reports asks no row filter: the one report that has run did');
    $server->finish('values hide nothing');
}

sub callers {
    my $expr = { name => 'me', expr => '%{HTTP:X-User}' };
    my $server = start({
        stored  => { parameters => [$expr], query => { dataset => 'REGIONS', columns => ['ID'], filters => all_of(rule(NAME => eq => '${me}')) } },
        others  => { parameters => [$expr], query => { dataset => 'REGIONS', columns => ['ID'], filters => all_of(rule(NAME => neq => '${me}')) } },
        either  => { parameters => [$expr], query => { dataset => 'REGIONS', columns => ['ID'], filters => { logic => 'OR', conditions => [ rule(NAME => eq => '${me}'), rule(ID => eq => 5) ] } } },
        folded  => { parameters => [$expr], query => { dataset => 'REGIONS', columns => ['ID'], filters => all_of({ column => 'NAME', operator => 'contains', value => '${me}', ignore_case => Aurora::JSON::decode('true') }) } },
        listed  => { parameters => [$expr], query => { dataset => 'REGIONS', columns => ['ID'], filters => all_of(rule(NAME => in => [ 'South', '${me}' ])) } },
        between => { parameters => [$expr], query => { dataset => 'REGIONS', columns => ['ID'], filters => all_of(rule(ID => between => '${me}')) } },
        number  => { parameters => [ { %$expr, type => 'number' } ], query => { dataset => 'REGIONS', columns => ['ID'], filters => all_of(rule(ID => lte => '${me}')) } },
        written => { parameters => [$expr], sql => 'SELECT ID FROM REGIONS WHERE NAME = :me' },
    });
    my @cases = (
        [ stored => 'North', '1' ], [ stored => '', '' ], [ stored => 'Nobody', '' ], [ stored => q{' OR 1=1 --}, '' ],
        [ others => 'North', '2 / 3 / 4 / 5' ], [ others => '', '' ],
        [ either => 'North', '1 / 5' ], [ either => '', '5' ],
        map({ [ $_ => "\xff", '' ], [ $_ => "North\xc0\x80", '' ] } qw(stored others written)),
        [ number => '2', '1 / 2' ], [ number => 'two', '' ], [ number => '', '' ],
        [ written => 'North', '1' ], [ written => '', '' ], [ written => q{' OR 1=1 --}, '' ],
    );
    for (@cases) {
        my ($report, $user, $want) = @$_;
        my $r = $server->http->get("/aurora/api/v1/reports/$report?shape=arrays", who($user));
        is(rows_of($r) =~ s{/ }{/ }gr, $want, "$report: rows of '$user'");
        $r = $server->http->get("/aurora/api/v1/reports/$report.csv?header=0", who($user));
        is(join(' / ', split /\r\n/, $r->{body}), $want, "$report.csv: the same rows");
        is(problem($server->http->get("/aurora/api/v1/reports/$report?me=North", who($user))), '400 BAD_REQUEST me', "$report: nobody can say who he is");
    }
    my $r = $server->http->get('/aurora/api/v1/reports/stored?shape=arrays');
    is(rows_of($r), '', 'no header, no rows');
    # A workbook may be passed on: what decided its rows without being given is not for the next one to read.
    for ([ stored => 'North', 'NAME is what comes with the caller' ], [ folded => 'North', 'NAME contains what comes with the caller' ],
        [ listed => 'North', 'NAME is one of what comes with the caller' ], [ between => '2,3', 'ID is between what comes with the caller' ],
        [ either => 'North', 'NAME is what comes with the caller or ID is 5' ], [ number => '2', 'ID is at most what comes with the caller' ]) {
        my ($report, $user, $want) = @$_;
        my ($said) = part($server->http->get("/aurora/api/v1/reports/$report.xlsx?about=1", who($user))->{body}, 'xl/worksheets/sheet2.xml') =~ m{>Filters</t></is></c><c [^>]*><is><t>(.*?)</t>};
        is($said, $want, "$report.xlsx: says that there is such a filter, and no more");
    }
    $server->finish('rows of the caller');
}

# What the caller brings and no parameter can take: no row, no word to him, and one line in the log that does not tell it.
sub unfit_callers {
    my @two   = map { { name => $_, expr => '%{HTTP:X-Value}', type => 'number' } } qw(me too);
    my $rules = all_of(rule(ID => eq => '${me}'), rule(ID => eq => '${too}'));
    my $server = start({
        stored  => { parameters => \@two, query => { dataset => 'REGIONS', columns => ['ID'], filters => $rules } },
        written => { parameters => \@two, sql => 'SELECT ID FROM REGIONS WHERE ID = :me AND ID = :too' },
        text    => { parameters => [ { name => 'me', expr => '%{HTTP:X-Value}' } ], query => { dataset => 'REGIONS', columns => ['ID'], filters => all_of(rule(NAME => neq => '${me}')) } },
        pasted  => { parameters => [ { name => 'me', expr => '%{HTTP:X-Value}' } ], sql => 'SELECT ID FROM REGIONS WHERE NAME <> :me' },
    });
    my $number = qr/Parameter me is a number: write digits with an optional point, without spaces or separators\.$/m;
    my $utf8   = qr/its expression gives something that is not UTF-8$/m;
    my ($n, @cases) = (0);
    push @cases, map { [ $_, 'canary-81', $number ], [ $_, "canary-\xff", $utf8 ], [ $_, '2', undef ], [ $_, '', undef ] } qw(stored written);
    push @cases, map { [ $_, "canary-\xff", $utf8 ], [ $_, '', undef ] } qw(text pasted);
    for (@cases) {
        my ($report, $value, $why) = @$_;
        for my $suffix ('?shape=arrays', '.csv?header=0') {
            my $id = 'unfit-' . ++$n;
            my $r = $server->http->get("/aurora/api/v1/reports/$report$suffix", headers => { 'X-User' => 'eve', 'X-Value' => $value, 'X-Correlation-ID' => $id });
            my $rows = $suffix =~ /csv/ ? $r->{body} =~ s/\r\n/ /gr : rows_of($r);
            like("$r->{status} $rows", $value eq '2' ? qr/^200 2 ?$/ : qr/^200 $/, "$report$suffix: the rows of " . ($why ? 'what is no value' : "'$value'"));
            my @lines = grep { /\[\Q$id\E\]/ && /AUR2014/ } split /\n/, $server->error_log;
            is(scalar @lines, $why ? 1 : 0, "$report$suffix: lines in the log");
            like($lines[0], qr/warn.*\[\Q$id\E\] parameter me of report $report has no value for eve: $why/, "$report$suffix: which tell what is wrong") if $why;
        }
    }
    unlike($server->error_log, qr/canary/, 'and none tells the value');
    $server->finish('values that no parameter takes');
}

# --- files -------------------------------------------------------------------------------------------

# Parts of a workbook as text.
sub part {
    my ($bytes, $name) = @_;
    open my $out, '>:raw', "$folder/book.xlsx" or die $!;
    print {$out} $bytes;
    close $out;
    open my $in, '-|', 'unzip', '-p', "$folder/book.xlsx", $name or die $!;
    local $/;
    return Encode::decode_utf8(scalar(<$in>) // '');
}

sub files {
    my $server = start({ stored => stored(), written => written() });
    my $http = $server->http;
    my $r = $http->get(link_to('stored.csv', region => 'North', min => 800, delimiter => 'semicolon', bom => 1, header => 0), who('ann'));
    is($r->{body}, "\xef\xbb\xbf105;North;871.25;2017-10-09\r\n100;North;825;2015-05-28\r\n", 'options of CSV go with the values');
    is($r->{headers}{'content-type'}, 'text/csv; charset=utf-8; header=absent', 'Content-Type');
    is($r->{headers}{'cache-control'}, 'no-store', 'Cache-Control');
    like($r->{headers}{'content-disposition'}, qr/^attachment; filename="Sales_ _per r_gion__\d{4}-\d\d-\d\d\.csv"; filename\*=UTF-8''Sales_%20%E2%80%9Cper%20r%C3%A9gion%E2%80%9D_\d{4}-\d\d-\d\d\.csv$/,
        'the file is called what the report is called');
    my $task = Aurora::JSON::decode($http->get("/aurora/api/v1/tasks/$r->{headers}{'x-aurora-task'}", who('ann'))->{body});
    is("$task->{kind} $task->{dataset} $task->{state} $task->{rows} $task->{bytes}", 'csv report:stored complete 2 ' . length $r->{body}, 'its task');
    $r = $http->get(link_to('stored.csv', n => 2, region => 'North'));
    is(scalar(() = $r->{body} =~ /\r\n/g), 25, 'a limit is for previews: a file has every row');

    for my $name (qw(stored written)) {
        $r = $http->get(link_to("$name.xlsx", regions => 'North', regions => 'South', min => 700, about => 1), who('ann'));
        is("$r->{status} $r->{headers}{'content-type'}", '200 ' . XLSX, "$name.xlsx");
        my $sheet = part($r->{body}, 'xl/worksheets/sheet1.xml');
        is(scalar(() = $sheet =~ /<row\b/g), 1 + @{ Aurora::JSON::decode(preview($server, $name, regions => 'North', regions => 'South', min => 700, limit => 100)->{body})->{data} }, "$name.xlsx: as many rows");
        my $about = part($r->{body}, 'xl/worksheets/sheet2.xml');
        like($about, qr/>Report<.*>\Q@{[ $name eq 'stored' ? 'Sales: “per région” (stored)' : 'written' ]}\E</s, "$name.xlsx: which report it is");
        like($about, qr/>Parameters<.*>regions: North, South; min: 700; n: 5[;<]/s, "$name.xlsx: with which values");
        ok(($about =~ />Dataset</) == ($name eq 'stored'), "$name.xlsx: what it read, where that is known");
        my $head = $http->head(link_to("$name.xlsx", min => 1));
        is("$head->{status} $head->{headers}{'content-type'} $head->{body}", '200 ' . XLSX . ' ', "$name.xlsx: HEAD");
        is($head->{headers}{'content-disposition'}, $r->{headers}{'content-disposition'}, 'says what it is called');
        is($head->{headers}{'x-aurora-task'}, undef, 'and is no task');
        is($http->head(link_to("$name.csv", min => 'x'))->{status}, 400, "$name.csv: HEAD finds what is wrong");
        is($http->head(link_to($name))->{headers}{'content-type'}, 'application/json', "$name: HEAD of a preview");
    }
    my $metrics = Aurora::Metrics::parse($http->api('/metrics')->{body});
    my %kinds = map { /kind="(\w+)",code="200"/ ? ($1 => $metrics->{$_}) : () } grep {/^aurora_requests_total\{/} keys %$metrics;
    ok($kinds{csv} >= 2 && $kinds{xlsx} >= 4 && $kinds{preview} >= 2, 'they are counted as what they are') or diag(explain(\%kinds));
    $server->finish('files');
}

sub limits {
    my $sql = 'SELECT ID, NAME FROM LONG_TABLE WHERE ID <= :n';
    my @n = (parameters => [ { name => 'n', type => 'number', default => 10 } ]);
    my $server = start({
        written => { @n, sql => $sql }, stored => { @n, query => { dataset => 'LONG_TABLE', columns => ['ID'], filters => all_of(rule(ID => lte => '${n}')) } },
    }, governed => 1, location => "AuroraXlsxMaxRows 100\nAuroraExplainThreshold 1000 csv=5000\nAuroraExportRate 6/hour\nAuroraPreviewRate 5/hour\nAuroraClientRate 1000/second");
    my $http = $server->http;
    for my $name (qw(written stored)) {
        my @who = who($name);
        my $get = sub { my ($path, @pairs) = @_; return $http->get(link_to($path, @pairs), @who) };
        is(problem($get->("$name.xlsx", n => 100)), '200 - -', "$name: as many rows as a workbook may have");
        is(problem($get->("$name.xlsx", n => 101)), '400 XLSX_TOO_MANY_ROWS -', "$name: one more");
        is(problem($get->("$name.xlsx", n => 1001)), '400 QUERY_TOO_LARGE -', "$name.xlsx: what would read too much");
        is(problem($get->("$name.csv", n => 5000)), '200 - -', "$name.csv: what may just be read");
        is(problem($get->("$name.csv", n => 5001)), '400 QUERY_TOO_LARGE -', "$name.csv: and what may not");
        is(problem($get->($name, n => 1000)), '200 - -', "$name: a preview");
        is(problem($get->($name, n => 1001)), '400 QUERY_TOO_LARGE -', "$name: one that would read too much");
        is($http->head(link_to("$name.csv"), @who)->{status}, 200, "$name: HEAD takes nothing of the rate") for 1 .. 3;
        is(problem($http->export({ dataset => 'REGIONS' }, @who)), '200 - -', "$name: exports and files of reports");
        my $r = $get->("$name.csv");
        is(problem($r), '429 RATE_LIMITED -', "$name: have one rate between them");
        ok($r->{headers}{'retry-after'} > 0 && $r->{headers}{ratelimit}, "$name: which is told");
        $get->($name) for 1 .. 3;
        is(problem($get->($name)), '429 RATE_LIMITED -', "$name: previews have theirs");
        is(problem($http->get('/aurora/api/v1/reports', @who)), '200 - -', "$name: the list has none");
    }
    $server->finish('limits');
}

# The database fails at a row far behind the first that have left.
sub honest {
    my $at  = LONG_ROWS - 100;
    my $sql = "SELECT ID, NAME, NOTE, CASE WHEN ID = $at THEN abs(-9223372036854775807 - 1) ELSE 1 END AS x FROM LONG_TABLE";
    my $server = start({ fails => { sql => $sql } });
    for my $format (qw(csv xlsx)) {
        my $r = $server->http->get(link_to("fails.$format"), who('ann'));
        is($r->{status}, 200, "$format: it has begun");
        ok(!$r->{complete} && $r->{bytes} > 10_000, "$format: and does not end as if it were whole ($r->{bytes} bytes)");
        my $task = Aurora::JSON::decode($server->http->get("/aurora/api/v1/tasks/$r->{headers}{'x-aurora-task'}", who('ann'))->{body});
        is("$task->{state} $task->{code}", 'failed DATABASE_ERROR', "$format: its task says so");
    }
    $server->finish('broken downloads');
}

# --- configtest --------------------------------------------------------------------------------------

sub refused {
    my ($what, $reports, $pattern) = @_;
    my ($exit, $text) = Aurora::Server->configtest(db => $db, catalog => catalog(%$reports));
    ok($exit && $text =~ $pattern && $text !~ /Syntax OK/, "configtest refuses $what") or diag($text);
}

sub configtest {
    my @p = (parameters => [ { name => 'p' } ]);
    refused('an unknown member', { r => { sql => 'SELECT 1', rows => 5 } }, qr{AuroraCatalog: \S+: /reports/r/rows: });
    refused('a stored request that is none', { r => { query => { dataset => 'SALES', limit => 'ten' } } }, qr{: /reports/r/query/limit: limit must be a whole number});
    refused('a parameter in the place of a name', { r => { @p, query => { dataset => '${p}' } } }, qr{: /reports/r/query/dataset: a parameter cannot stand here});
    refused('an unknown parameter', { r => { @p, query => { dataset => 'SALES', filters => all_of(rule(ID => eq => '${q}')) } } }, qr{: /reports/r/query/filters/conditions/0/value: this report has no parameter q});
    refused('an unknown parameter of SQL', { r => { @p, sql => 'SELECT :q' } }, qr{: /reports/r/sql: This report has no such parameter: q\.});
    refused('two statements', { r => { sql => 'SELECT 1; SELECT 2' } }, qr{: /reports/r/sql: A report is one statement});
    refused('a statement that writes', { r => { sql => 'DELETE FROM SALES' } }, qr{: /reports/r/sql: A report begins with SELECT});
    refused('a default of another type', { r => { parameters => [ { name => 'p', type => 'date', default => 'today' } ], sql => 'SELECT 1' } }, qr{: /reports/r/parameters/0/default: });
    refused('an expression that is none', { r => { parameters => [ { name => 'p', expr => '%{nope:x}%{' } ], sql => 'SELECT :p' } }, qr{: /reports/r/parameters/0/expr: });
    refused('a name of its own', { r => { parameters => [ { name => 'limit' } ], sql => 'SELECT 1' } }, qr{: /reports/r/parameters/0/name: limit is reserved});
    my ($exit, $text) = Aurora::Server->configtest(db => $db, catalog => catalog(stored => stored(), written => written()));
    is($exit, 0, 'and takes what is right') or diag($text);
}

small();
visible();
values_hide_nothing();
callers();
unfit_callers();
files();
limits();
honest();
configtest();
done_testing();
