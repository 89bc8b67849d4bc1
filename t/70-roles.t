# Who may read what: for three users of different roles, a table of attempts to see a dataset, a column or a row that
# is none of theirs. Each answer is that of a server which truly does not have it; and where a right is taken out of
# the catalogue, every attempt at it shows that it would have been noticed.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Aurora::Async;
use Aurora::Data;
use Aurora::Databases;
use Aurora::JSON;
use Aurora::Rights;
use Aurora::Server;

Aurora::Server::require_or_skip();

my ($mpm) = Aurora::Server->mpms;
my $folder = Aurora::Data::folder();
my %place  = Aurora::Rights::location("$folder");
my $count  = 0;

sub catalogue { my ($text) = @_; return Aurora::Rights::write_file("$folder/catalog-" . ++$count . '.json', $text) }

# The servers of one database: with all rights, one without each of them, and what there truly is for each user.
sub databases {
    my ($kind) = @_;
    my $db = Aurora::Databases->create($kind, more => $Aurora::Rights::TABLES);
    my %of = (full => { $db->server });
    for my $user (@Aurora::Rights::USERS) {
        my $only = Aurora::Rights::only($user);
        if ($kind eq 'sqlite') {
            my $copy = "$folder/$user.db";
            system('cp', $db->{sqlite}, $copy) == 0 or die "cp: $?";
            Aurora::Data::sqlite_script($copy, $only);
            chmod 0644, $copy;
            $of{$user} = { db => $copy };
        }
        else {
            $db->pg->psql("CREATE DATABASE only_$user TEMPLATE aurora", dbname => 'postgres');
            $db->pg->psql($db->own_sql($only) . ';ANALYZE', dbname => "only_$user");
            $of{$user} = { driver => $kind, params => $db->pg->params(dbname => "only_$user", $kind eq 'oracle' ? (libdir => 1) : ()) };
        }
    }
    return ($db, \%of);
}

# Does this version know reports? Then they are attempted, too.
sub has_reports {
    my $db = Aurora::Data::sqlite_create("$folder/reports.db");
    my ($exit, $text) = Aurora::Server->configtest(mpm => $mpm, db => $db,
        catalog => catalogue('{"reports": {"r": {"query": {"dataset": "SALES"}}}}'));
    return 0 if $exit && $text =~ m{/reports: this version cannot};
    is($exit, 0, 'the catalogue file may have reports') or diag($text);
    push @Aurora::Rights::RIGHTS, 'roles of reports';
    return 1;
}

sub start {
    my ($database, $text) = @_;
    my $server = Aurora::Server->start(mpm => $mpm, children => 2, %place, %$database, catalog => catalogue($text));
    my $http = $server->http(keep => 1);
    $server->wait_until(sub { $http->get('/aurora/ready', headers => { Aurora::Rights::who('ops') })->{status} == 200 }, 10);
    return ($server, $http);
}

# Are two answers the same? name: what stands where in the one and in the other.
sub same {
    my ($got, $want, $name, $named, $unnamed) = @_;
    ($got, $want) = map { my $s = $_; $s =~ s/\Q$_\E/<name>/g for grep { defined } $named, $unnamed; $s } $got, $want if defined $named;
    my $ok = $got eq $want;
    ok($ok, $name) or diag("got:\n$got\nexpected:\n$want");
    return $ok;
}

# --- the table ---------------------------------------------------------------------------------

sub table {
    my ($kind) = @_;
    my ($db, $of) = databases($kind);
    my %figures = (figures => $kind eq 'sqlite');    # there an estimate is a count
    my ($server, $http) = start($of->{full}, Aurora::Rights::catalog());
    my @attempts = Aurora::Rights::attempts('PAY', 'pay', 'SALARIES', 'Salaries', $kind eq 'pgsql' ? 'PUBLIC.Salaries' : $kind eq 'oracle' ? 'AURORA.Salaries' : ());
    cmp_ok(scalar @attempts, '>=', 40, "$kind: a table of " . @attempts . ' attempts for each of three users');

    my %truth;
    for my $user (@Aurora::Rights::USERS) {
        my ($reference, $there) = start($of->{$user}, Aurora::Rights::reference($user));
        for my $attempt (@attempts) {
            my $name = "$kind, $user, $attempt->{name}";
            my $got  = Aurora::Rights::essence(Aurora::Rights::send_one($http, $user, $attempt->{request}), %figures);
            my $want = Aurora::Rights::essence(Aurora::Rights::send_one($there, $user, $attempt->{request}), %figures);
            $truth{$user}{ $attempt->{name} } = $want;
            same($got, $want, $name);
            next if $user eq 'ann' || !$attempt->{twin} || ($user eq 'bob' && $attempt->{right} && $attempt->{right} =~ /SCORE/);
            next if $attempt->{name} =~ /joined on|of two joined/;    # another dataset has such a column for everybody
            my $twin = Aurora::Rights::essence(Aurora::Rights::send_one($http, $user, $attempt->{twin}), %figures);
            same($got, $twin, "$name, as a name that does not exist", $attempt->{named}, $attempt->{unnamed});
        }
        $reference->finish("$kind: the reference for $user survived");
    }
    like($truth{ann}{'dataset PAY: a preview'}, qr/^200 .*9000/s, 'who has the role sees the dataset');
    like($truth{ann}{'column SSN: its greatest'}, qr/444-44-4444/, 'and the column');
    like($truth{bob}{'column score: its greatest'}, qr/"T":9\b/, 'by any of its roles');
    like($truth{bob}{'rows of ACCOUNTS: totals'}, qr/"N":3,"S":80\b/, 'and rows of his own');
    counted($kind, $http);
    $server->finish("$kind: the server survived");
    mutations($kind, $of, \@attempts, \%truth, \%figures);
    return;
}

# Where there are rows that somebody may not see, an estimate is a count of the others on every database: a planner's
# figure has seen them all.
sub counted {
    my ($kind, $http) = @_;
    my $with = sub { my ($dataset, @rules) = @_; return { dataset => $dataset, filters => { logic => 'AND', conditions => \@rules } } };
    my @cases = (
        $with->('ACCOUNTS'), $with->('NEWEST'), $with->('NOTES'), $with->('WIRES'), $with->('STOCK'),
        $with->('ACCOUNTS', Aurora::Rights::rule('AMOUNT', 'eq', 999.5)), $with->('NEWEST', Aurora::Rights::rule('AMOUNT', 'gt', 900)),
        $with->('NOTES', Aurora::Rights::rule('BODY', 'eq', 'buy')), $with->('WIRES', Aurora::Rights::rule('SCORE', 'gt', 50)),
        $with->('STOCK', Aurora::Rights::rule('N', 'lt', 6)),
        { %{ $with->('CLIENTS', Aurora::Rights::rule('BODY', 'eq', 'buy')) }, joins => [ Aurora::Rights::joined('NOTES', [ 'CLIENTS', 'ID', 'ID' ], join_type => 'left') ] },
        { dataset => 'NOTES', group_by => ['OWNER'] },
    );
    for my $case (@cases) {
        my @of = ($case->{dataset}, map { "@$_{qw(column operator value)}" } @{ ($case->{filters} || {})->{conditions} || [] });
        for my $user (qw(bob eve)) {
            my ($there, $figure) = map { Aurora::HTTP::json(Aurora::Rights::send_one($http, $user, { path => "/api/v1/query/$_", body => $case })) || {} } qw(preview estimate);
            is($figure->{estimated_rows} // 'none', $there->{total_row_count} // 'no rows', "$kind, $user: the estimate of @of is a count");
        }
    }
    return;
}

# And so no filter tells by it which values the others have: neither an estimate, nor what is refused for its size.
sub statistics {
    my $db = Aurora::Databases->create('pgsql');
    $db->pg->psql(q{CREATE TABLE plans (id integer, owner text, topic text, amount integer);
        INSERT INTO plans SELECT i, CASE WHEN i % 100 = 0 THEN 'eve' ELSE 'ann' END, CASE WHEN i % 100 = 0 THEN 'tea' ELSE 'merger' END, i % 1000 FROM generate_series(1, 20000) i;
        ANALYZE plans; GRANT SELECT ON plans TO aurora});
    my $rule   = '{"column": "owner", "operator": "eq", "value": {"expr": "%{HTTP:X-User}"}}';
    my $server = Aurora::Server->start(mpm => $mpm, $db->server, location => "AuroraExplainThreshold 100 csv=100\nAuroraXlsxMaxRows 10",
        catalog => catalogue(qq({"datasets": {"PLANS": {"source": "plans", "row_filter": {"conditions": [$rule]}}}})));
    my $ask = sub {
        my ($path, $topic, %more) = @_;
        return $server->http->post("/aurora/api/v1/query/$path", { dataset => 'PLANS', columns => ['id'], filters => { logic => 'AND', conditions => [ Aurora::Rights::rule('topic', 'eq', $topic) ] }, %more },
            headers => { 'X-User' => 'eve', 'X-Correlation-ID' => 'the-same' });
    };
    my %square = (joins => [ Aurora::Rights::joined('PLANS', [ 'PLANS', 'owner', 'owner' ]) ]);
    for my $path (qw(preview estimate export?format=csv export?format=xlsx)) {
        same((map { Aurora::Rights::essence($ask->($path, $_), figures => 1) } qw(merger divorce)), "pgsql: $path: a value of hidden rows is like one that is not there");
        same((map { Aurora::Rights::essence($ask->($path, $_, %square), figures => 1) } qw(merger divorce)), "pgsql: $path of a join that would be refused: likewise");
        is($ask->($path, 'tea', %square)->{status}, $path eq 'estimate' ? 200 : 400, "pgsql: $path: too many rows of his own are too many");
    }
    is(Aurora::HTTP::json($ask->('preview', 'tea', %square))->{estimated_rows}, 101, 'pgsql: counted no further than needed');
    $server->finish('pgsql: the server with statistics survived');
    return;
}

# Take one right away: every attempt at it must notice, for one of those without it at least.
sub mutations {
    my ($kind, $of, $attempts, $truth, $figures) = @_;
    for my $right (@Aurora::Rights::RIGHTS) {
        my ($server, $http) = start($of->{full}, Aurora::Rights::catalog(without => [$right]));
        my @blind;
        my @probes = grep { defined $_->{right} && $_->{right} eq $right } @$attempts;
        for my $attempt (@probes) {
            my @noticed = grep {
                Aurora::Rights::essence(Aurora::Rights::send_one($http, $_, $attempt->{request}), %$figures) ne $truth->{$_}{ $attempt->{name} }
            } qw(bob eve);
            push @blind, $attempt->{name} unless @noticed;
        }
        ok(@probes && !@blind, "$kind: without the $right each of " . @probes . ' attempts shows more') or diag(join "\n", @blind);
        $server->finish("$kind: the server without the $right survived");
    }
    return;
}

# --- what the table cannot show ----------------------------------------------------------------

sub others {
    my ($db, $of) = databases('sqlite');
    Aurora::Data::sqlite_script($db->{sqlite}, 'ANALYZE;');
    my ($server, $http) = start($of->{full}, Aurora::Rights::catalog());
    my $ask = sub { my ($user, $path, $body) = @_; return Aurora::Rights::send_one($http, $user, { path => $path, body => $body }) };
    my $code = sub { return (Aurora::HTTP::json($_[0]) || {})->{code} // $_[0]{status} };

    my $r = $ask->('eve', '/api/v1/query/preview', { dataset => 'ACCOUNTS' });
    is(Aurora::HTTP::json($r)->{total_row_count}, 0, 'an expression that gives nothing shows no row');
    like($server->wait_for_log(error => qr/row_filter of ACCOUNTS/), qr/warn.*\[the-same\] the row_filter of ACCOUNTS shows eve no row: column BRANCH: its expression gives nothing/,
        'and the log says so, with the correlation id');
    my $before = () = $server->error_log =~ /row_filter of ACCOUNTS/g;
    $ask->('eve', '/api/v1/datasets/ACCOUNTS/columns');
    my $after = () = $server->error_log =~ /row_filter of ACCOUNTS/g;
    is($after - $before, 1, 'once a request');
    unlike($server->error_log, qr/shows (?:ann|bob)/, 'not for others');

    $r = $ask->('ops', '/api/v1/query/preview', { dataset => 'PAY' });
    is($code->($r), 'UNKNOWN_DATASET', 'an operator has no right to data by that');
    my $rows = sub { return { map { $_->{name} => $_->{row_count} // 'null' } @{ Aurora::HTTP::json($ask->($_[0], '/api/v1/datasets'))->{datasets} } } };
    is($rows->('bob')->{CLIENTS}, 5, 'the database has figures of rows');
    is($rows->('bob')->{ACCOUNTS}, 'null', 'but none is told of a dataset with a filter');
    is($rows->('ann')->{STOCK}, 3, 'and of one with older loads to who may know that');
    is($rows->('bob')->{STOCK}, 'null', 'not to who may not');

    $r = $ask->('ann', '/api/v1/query/export?format=csv', { dataset => 'PAY' });
    my $id = $r->{headers}{'x-aurora-task'};
    is(Aurora::HTTP::json($ask->('ann', "/api/v1/tasks/$id"))->{dataset}, 'PAY', 'a task tells its owner what it read');
    (my $none = $id) =~ tr/0-9a-f/1-9a-f0/;
    same(Aurora::Rights::essence($ask->('eve', "/api/v1/tasks/$id")), Aurora::Rights::essence($ask->('eve', "/api/v1/tasks/$none")),
        'others no more than one that never was', $id, $none);
    $server->finish;
    return;
}

# A list of tasks has what runs: a query that does not end.
sub running {
    my $db = Aurora::Data::sqlite_create("$folder/running.db",
        more => 'CREATE VIEW ENDLESS AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS ID FROM n;');
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, catalog => catalogue('{"datasets": {"ENDLESS": {"roles": ["hr"]}}}'),
        location => "AuroraUser %{HTTP:X-User}\nAuroraRoles %{HTTP:X-Roles}");
    my $as = sub { my ($user, $roles) = @_; return (headers => { 'X-User' => $user, 'X-Roles' => $roles, 'X-Correlation-ID' => 'the-same' }) };
    my $tasks = sub { return $server->http->api('/api/v1/tasks', $as->(@_)) };
    my $before = $tasks->('eve', '');
    my $job = Aurora::Async->run(sub { $server->http->preview({ dataset => 'ENDLESS', columns => ['ID'] }, $as->('ann', 'hr')) });
    my $own = $server->wait_until(sub { (Aurora::HTTP::json($tasks->('ann', 'hr'))->{tasks} || [])->[0] }, 10) || {};
    is($own->{dataset}, 'ENDLESS', 'a list of tasks tells their owner what they read');
    same(Aurora::Rights::essence($tasks->('eve', $_)), Aurora::Rights::essence($before), "and others nothing, with the roles '$_'") for '', 'hr';
    $server->http->request('DELETE', "/aurora/api/v1/tasks/$own->{id}", $as->('ann', 'hr')) if $own->{id};
    $job->wait;
    $server->finish;
    return;
}

# Roles and values from headers, as a trusted proxy sends them.
sub headers {
    my $db = Aurora::Data::sqlite_create("$folder/headers.db", more => $Aurora::Rights::TABLES);
    my $text = '{"datasets": {"CLIENTS": {"row_filter": {"conditions": [{"column": "REGION", "operator": "eq", "value": {"expr": "%{HTTP:X-Region}"}}, '
        . '{"column": "ID", "operator": "lte", "value": {"expr": "%{HTTP:X-Most}"}}]}}, "LOADS": {"roles": ["a b", "ü"]}}}';
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, catalog => catalogue($text), location => "AuroraRoles %{HTTP:X-Roles}\nAuroraExplainThreshold 0\nAuroraXlsxMaxRows 2");
    my $ids = sub {
        my %headers = @_;
        my $r = $server->http->preview({ dataset => 'CLIENTS', columns => ['ID'], sorting => [ { column => 'ID' } ] }, headers => \%headers);
        return join ' ', $r->{status}, map { 0 + $_->{ID} } @{ (Aurora::HTTP::json($r) || {})->{data} || [] };
    };
    is($ids->('X-Region' => 'North', 'X-Most' => 9), '200 1 3', 'two values of the caller');
    is($ids->('X-Region' => 'South', 'X-Most' => '4.5'), '200 2', 'of their columns\' types');
    is($ids->('X-Region' => 'North'), '200', 'one of them missing: no row');
    is($ids->('X-Region' => 'North', 'X-Most' => ''), '200', 'empty: no row');
    is($ids->('X-Region' => 'North', 'X-Most' => '9 OR 1=1'), '200', 'no number: no row');
    is($ids->('X-Region' => "North' OR '1'='1", 'X-Most' => 9), '200', 'a value is never SQL');
    is($ids->('X-Region' => 'north', 'X-Most' => 9), '200', 'letter case counts');
    is($ids->('X-Region' => "\xff", 'X-Most' => 9), '200', 'what is no UTF-8: no row');
    my $r = $server->http->preview({ dataset => 'CLIENTS' }, headers => { 'X-Region' => 'North', 'X-Most' => 9 });
    unlike($r->{headers}{vary} // '', qr/Region|Most/i, 'no header tells what the filter reads');
    # without a threshold nothing has been counted before
    my %north = (headers => { 'X-Region' => 'North', 'X-Most' => 9 });
    is(Aurora::HTTP::json($server->http->preview({ dataset => 'CLIENTS', limit => 1 }, %north))->{total_row_count}, 2, 'the total is of his rows');
    is($server->http->export({ dataset => 'CLIENTS' }, query => '?format=xlsx', %north)->{status}, 200, 'and no others make a workbook too long');
    is($server->http->export({ dataset => 'LOADS' }, query => '?format=xlsx', headers => { 'X-Roles' => 'a b' })->{status}, 400, 'as three rows are');
    my $sees = sub { my ($roles) = @_; return $server->http->preview({ dataset => 'LOADS' }, headers => { 'X-Roles' => $roles })->{status} };
    is($sees->('x, a b ,y'), 200, 'a role may have blanks in it');
    is($sees->("\xc3\xbc"), 200, 'and be any UTF-8');
    is($sees->($_), 404, "but counts as a whole: $_") for 'a', 'a b c', 'x a b', 'a b;y';
    is($sees->('A B'), 404, 'and in its letter case');
    $server->finish;
    return;
}

# The same behind a proxy: what others send in its place does not count, as docs/catalogue.md has it.
sub proxy {
    my $db = Aurora::Data::sqlite_create("$folder/proxy.db", more => $Aurora::Rights::TABLES);
    my ($shown) = Aurora::Server::slurp(Aurora::Server::repo() . '/docs/catalogue.md') =~ /((?:^ +RequestHeader unset X-Forwarded-.*\n)+(?:^ +Aurora.*X-Forwarded.*\n)+)/m;
    my $text = '{"datasets": {"NOTES": {"roles": ["x"]}}}';
    for my $proxy ('192.0.2.7', '127.0.0.1') {
        (my $conf = $shown // 'Unknown') =~ s/192\.0\.2\.7/$proxy/g;
        my $server = Aurora::Server->start(mpm => $mpm, db => $db, catalog => catalogue($text), modules => ['headers'], location => $conf);
        my $status = $server->http->preview({ dataset => 'NOTES' }, headers => { 'X-Forwarded-User' => 'ann', 'X-Forwarded-Roles' => 'x' })->{status};
        is($status, $proxy eq '127.0.0.1' ? 200 : 404, "roles in a header, the proxy at $proxy and the client at 127.0.0.1");
        $server->finish;
    }
    return;
}

# A changed file is taken over by a graceful restart, and not before.
sub restarts {
    my $db = Aurora::Data::sqlite_create("$folder/restarts.db", more => $Aurora::Rights::TABLES);
    my $path = catalogue('{"datasets": {"NOTES": {"roles": ["x"]}, "LOADS": {}}}');
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, catalog => $path, conf => 'AuroraCatalogRefresh 1s');
    my $sees = sub { return join ' ', map { my $r = $server->http->preview({ dataset => $_ }); $r->{status} . ($r->{status} == 200 ? '/' . Aurora::HTTP::json($r)->{total_row_count} : '') } qw(NOTES LOADS) };
    is($sees->(), '404 200/3', 'one dataset hidden, one not');
    Aurora::Rights::write_file($path, '{"datasets": {"NOTES": {}, "LOADS": {"row_filter": {"conditions": [{"column": "N", "operator": "gt", "value": 5}]}}}}');
    sleep 2;
    is($sees->(), '404 200/3', 'a changed file changes nothing by itself');
    ok($server->graceful, 'a graceful restart');
    ok($server->wait_until(sub { $sees->() eq '200/6 200/2' }, 10), 'takes it over') or diag($sees->());
    $server->finish;
    return;
}

# Mistakes stop configtest with their place.
sub mistakes {
    my $db = Aurora::Data::sqlite_create("$folder/mistakes.db");
    my $rule = sub { return qq({"datasets": {"S/A": {"row_filter": {"conditions": [{"column": "A", $_[0]}]}}}}) };
    my @cases = (
        [ $rule->('"operator": "eq", "value": {"expr": "%{REMOTE_USER"}'), qr{/datasets/S~1A/row_filter/conditions/0/value/expr: the expression cannot be read} ],
        [ $rule->('"operator": "eq", "value": {"expr": "%{nosuchfunction:x}"}'), qr{/datasets/S~1A/row_filter/conditions/0/value/expr: the expression cannot be read} ],
        [ $rule->('"operator": "is", "value": 1'), qr{/datasets/S~1A/row_filter/conditions/0/operator: There is no operator is} ],
        [ '{"datasets": {"S": {"roles": []}}}', qr{/datasets/S/roles: name at least one role} ],
        [ '{"datasets": {"S": {"columns": {"A": {"roles": ["a,b"]}}}}}', qr{/datasets/S/columns/A/roles/0: a role has no comma} ],
    );
    for my $case (@cases) {
        my ($exit, $text) = Aurora::Server->configtest(mpm => $mpm, db => $db, catalog => catalogue($case->[0]));
        ok($exit == 1 && $text =~ $case->[1], "configtest refuses $case->[0]") or diag("exit $exit\n$text");
    }
    my ($exit, $text) = Aurora::Server->configtest(mpm => $mpm, db => $db, catalog => catalogue(Aurora::Rights::catalog()), %place);
    is($exit, 0, 'and takes what is right') or diag($text);
    return;
}

$Aurora::Rights::REPORTS = has_reports();
note('no attempts at reports: the catalogue file cannot have them') unless $Aurora::Rights::REPORTS;
for my $kind (grep { $_ ne 'mysql' } Aurora::Databases->names) {
    my $why = Aurora::Databases->missing($kind);
  SKIP: {
        skip "no $kind: $why", 1 if $why;
        table($kind);
        statistics() if $kind eq 'pgsql';
    }
}
others();
running();
headers();
proxy();
restarts();
mistakes();
done_testing();
