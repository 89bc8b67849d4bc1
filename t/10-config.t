# Directives and environment: what is taken, what is refused and how the refusal reads, who wins.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Aurora::Data;
use Aurora::Server;

Aurora::Server::require_or_skip();

my $folder  = Aurora::Data::folder();
my $db      = Aurora::Data::sqlite_create("$folder/config.db");
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json");
my $mpm     = (Aurora::Server->mpms)[0];

# directive => {good => [...], bad => [...], allowed => what a refusal has to name, env, location}
my %directives = (
    AuroraDBDriver         => { good => [], bad => ['""', 'no_such_driver', '../x'], env => 'AURORA_DB_DRIVER' },
    AuroraPoolMin          => { good => [0, 2, 10], bad => [-1, 'x', '""', 1.5, 513, '99999999999999999999'], allowed => qr/0.*\d+/, env => 'ORACLE_MIN_POOL' },
    AuroraPoolMax          => { good => [2, 10, 512], bad => [0, -1, 'x', '""', 513, '1e2', '10x'], allowed => qr/1.*512/, env => 'ORACLE_MAX_POOL' },
    AuroraPoolTimeout      => { good => ['2s', '500ms', 3, '1min'], bad => ['x', -1, '2 parsecs', '""', '-5s'], allowed => qr/time/i },
    AuroraPoolReserve      => { good => [0, 1, 5], bad => [-1, 'x', 10, 600], allowed => qr/0/ },
    AuroraPoolIdle         => { good => ['300s', '5min', '1h'], bad => ['x', -1, '""'], allowed => qr/time/i },
    AuroraDBSessionsMax    => { good => [0, 100], bad => [-1, 'x', 1.5], allowed => qr/0/, env => 'ORACLE_SESSIONS_LIMIT' },
    AuroraSchemas          => { good => ['main', 'main other'], bad => ['""'], env => 'ORACLE_SCHEMA_FILTER' },
    AuroraCatalogRefresh   => { good => [0, '1s', '5min', '1h'], bad => ['x', -1, '""'], allowed => qr/time/i },
    AuroraPreviewMaxRows   => { good => [1, 500, 10000], bad => [0, -1, 'x', '5 00', '""', '1.5', '0x10'], allowed => qr/1.*\d/, env => 'PREVIEW_MAX_ROWS', location => 1 },
    AuroraXlsxMaxRows      => { good => [1, 100000, 1048575], bad => [0, 1048576, 'x', -5], allowed => qr/1048575/, env => 'EXPORT_EXCEL_MAX_ROWS', location => 1 },
    AuroraExplainThreshold => { good => [0, 1000000, '5000 csv=7000000', '5 csv=0'], bad => ['x', -1, '5 csv=x', '5 xlsx=1', '5 csv=-1'], allowed => qr/csv=/, env => 'EXPLAIN_PLAN_THRESHOLD', location => 1 },
    AuroraQueryTimeout     => { good => ['60s', '500ms', 5, '2min'], bad => ['x', -1, 0, '""'], allowed => qr/time/i, env => 'QUERY_TIMEOUT_SECONDS', location => 1 },
    AuroraTaskTimeout      => { good => [0, '1h'], bad => ['x', -1], allowed => qr/time/i, location => 1 },
    AuroraStallTimeout     => { good => ['60s', '5min'], bad => ['x', -1, '""'], allowed => qr/time/i, location => 1 },
    AuroraMinDrain         => { good => [0, 256, 100000], bad => [-1, 'x', 1.5], allowed => qr/0/, location => 1 },
    AuroraPreviewRate      => { good => ['60/minute', '1/second', '1000/hour'], bad => ['60', '60/day', 'x/minute', '0/minute', '-1/second', '/minute', '60/', '6 0/minute'], allowed => qr{/second.*/minute.*/hour}, env => 'PREVIEW_RATE_LIMIT', location => 1 },
    AuroraExportRate       => { good => ['5/minute', '1/hour'], bad => ['5', '5/fortnight', '""'], allowed => qr{/second.*/minute.*/hour}, env => 'EXPORT_RATE_LIMIT', location => 1 },
    AuroraClientRate       => { good => ['10/second', '10/second burst=20', '10/second burst=20 anonymous', '5/minute anonymous'], bad => ['10', '10/second burst=x', '10/second burst=-1', '10/second slowly', '10/second burst=0 x'], allowed => qr/burst/, location => 1 },
    AuroraGovernance       => { good => ['enforce', 'log', 'LOG'], bad => ['off', 'On', '""'], allowed => qr/enforce.*log/, location => 1 },
    AuroraUserTasksMax     => { good => [1, 2, 50], bad => [0, -1, 'x'], allowed => qr/1/, location => 1 },
    AuroraExportQueueMax   => { good => [1, 50], bad => [0, -1, 'x'], allowed => qr/1/, env => 'EXPORT_QUEUE_MAX' },
    AuroraExportBandwidth  => { good => [0, 1024], bad => [-1, 'x'], allowed => qr/0/, location => 1 },
    AuroraUser             => { good => ['"%{REMOTE_USER}"', '"%{HTTP:X-User}"'], bad => ['"%{"', '"%{nosuch:x}"'], location => 1 },
    AuroraRoles            => { good => ['"%{env:ROLES}"'], bad => ['"%{"'], location => 1 },
    AuroraOperators        => { good => ['ops', 'ops dba'], bad => ['""'], location => 1 },
    AuroraDigest           => { good => ['On', 'Off'], bad => ['maybe', 1], allowed => qr/On.*Off/i, location => 1 },
    AuroraUsersMax         => { good => [4096, 100], bad => [0, -1, 'x'], allowed => qr/\d/ },
    AuroraMaxRequestBody   => { good => ['256K', 65536, '1M'], bad => ['x', -1, 0, '1G1', '256KB'], allowed => qr/K/, location => 1 },
    AuroraAllowedOrigins   => { good => ['https://a.example', 'https://a.example http://localhost:3000'], bad => ['""', 'not-an-origin', 'https://a.example/path'], env => 'ALLOWED_ORIGINS', location => 1 },
    AuroraCsvFormulaGuard  => { good => ['On', 'Off'], bad => ['yes please', 'x'], allowed => qr/On.*Off/i, location => 1 },
    AuroraCsvBom           => { good => ['On', 'Off'], bad => ['x'], allowed => qr/On.*Off/i, location => 1 },
);

my %common = (mpm => $mpm, db => $db);

sub passes {
    my ($name, %o) = @_;
    my ($exit, $text) = Aurora::Server->configtest(%common, %o);
    return ok($exit == 0 && $text =~ /Syntax OK/, $name) || diag("exit $exit\n$text");
}

sub fails {
    my ($name, $patterns, %o) = @_;
    my ($exit, $text) = Aurora::Server->configtest(%common, %o);
    my @missing = grep { ref $_ ? $text !~ $_ : index($text, $_) < 0 } @$patterns;
    return ok($exit != 0 && $exit < 128 && !@missing, $name) || diag("exit $exit, missing: @missing\n$text");
}

sub unquoted { my ($value) = @_; $value =~ s/^"|"$//g; return $value }

for my $name (sort keys %directives) {
    my $d = $directives{$name};
    passes("$name $_", conf => "$name $_") for @{ $d->{good} };
    for my $value (@{ $d->{bad} }) {
        my $driver = $name eq 'AuroraDBDriver';
        # no value, or too many: httpd itself says how many the directive takes
        my $counted = $value =~ /^""$|^\S+ \S+$/ && $name !~ /^Aurora(?:ClientRate|ExplainThreshold|Schemas|Operators|AllowedOrigins)$/;
        fails("$name $value is refused by name", [ $name, $counted ? () : (unquoted($value) =~ /^(\S+)/ ? $1 : (), $d->{allowed} || ()) ],
            conf => "$name $value" . ($driver ? "\nAuroraDBParams x" : ''), no_db => $driver);
    }
    fails("$name without a value", [$name], conf => $name);
    my $value = $d->{good}[0] // 'sqlite3';
    if ($d->{location}) {
        passes("$name stands in a Location", location => "$name $value");
    }
    else {
        fails("$name does not stand in a Location", [ $name, qr/not allowed/ ], location => "$name $value");
    }
    passes("$name stands in a virtual host", extra => "<VirtualHost *:9>\n$name $value\n</VirtualHost>");
    next unless $d->{env} && $name ne 'AuroraDBDriver';
    my ($good) = @{ $d->{good} };
    $good = 7 if $d->{env} eq 'QUERY_TIMEOUT_SECONDS';
    passes("$d->{env}=$good", env => { $d->{env} => $good });
    for my $bad (grep { length unquoted($_) } @{ $d->{bad} }) {
        fails("$d->{env}=$bad is refused by name", [ $d->{env}, unquoted($bad) =~ /^(\S+)/ ? $1 : (), $d->{allowed} || () ], env => { $d->{env} => unquoted($bad) });
    }
}
fails('AURORA_DB_DRIVER with an unknown driver', ['no_such_driver'], no_db => 1, conf => qq{AuroraDBParams "$db"}, env => { AURORA_DB_DRIVER => 'no_such_driver' });
passes('driver and parameters from the environment', no_db => 1, env => { AURORA_DB_DRIVER => 'sqlite3', AURORA_DB_PARAMS => $db });
passes('an empty environment variable is none', env => { PREVIEW_MAX_ROWS => '' });
fails('an unknown directive', [qr/AuroraNoSuch/], conf => 'AuroraNoSuch 1');
fails('settings that contradict each other', ['AuroraPoolMin'], conf => "AuroraPoolMin 5\nAuroraPoolMax 2");
fails('Aurora without a database', [qr/AuroraDBParams/], no_db => 1, conf => 'AuroraPoolMax 3');

# --- exports slower than clients must be ---------------------------------------------------------

# The lines that are warned of: bandwidth, slowest reading and where.
sub paces {
    my (%o) = @_;
    my ($exit, $text) = Aurora::Server->configtest(%common, %o);
    my @said = map {/httpd\.conf line \d+: AuroraExportBandwidth (\d+) .*AuroraMinDrain (\d+)/ ? "$1 $2" : "not understood: $_"} grep {/AUR1002/} split /\n/, $text;
    return "$exit: " . join ', ', @said;
}

sub host { my ($text) = @_; return "<VirtualHost *:9>\n$text\n</VirtualHost>\n" }

my $slow = "AuroraExportBandwidth 2\nAuroraMinDrain 2048";
is(paces(conf => $slow), '0: 2 2048', 'exports that cannot be fast enough: a warning, once');
is(paces(conf => "AuroraMinDrain 3000\nAuroraExportBandwidth 1"), '0: 1 3000', 'in any order');
is(paces(conf => "AuroraExportBandwidth 2\nAuroraMinDrain 2047"), '0: ', 'none where they can');
is(paces(conf => 'AuroraExportBandwidth 1'), '0: ', 'nor with the defaults');
is(paces(conf => 'AuroraMinDrain 1000000'), '0: ', 'nor without a bandwidth');
is(paces(conf => "AuroraExportBandwidth 0\nAuroraMinDrain 5000"), '0: ', 'nor with none');
is(paces(conf => 'AuroraMinDrain 5000', location => 'AuroraExportBandwidth 4'), '0: 4 5000', 'a Location against its server');
is(paces(conf => $slow, location => 'AuroraMinDrain 0'), '0: 2 2048', 'a Location that sets it right does not hide the server');
is(paces(conf => 'AuroraMinDrain 5000', location => 'AuroraExportBandwidth 5'), '0: ', 'a Location that agrees with its server');
is(paces(location => $slow), '0: 2 2048', 'a Location with both');
is(paces(extra => host("<Location /x>\n$slow\n</Location>")), '0: 2 2048', 'a Location of a virtual host');
is(paces(conf => 'AuroraExportBandwidth 4', extra => host('AuroraMinDrain 5000')), '0: 4 5000', 'a virtual host against the main server, once');
is(paces(location => 'AuroraExportBandwidth 4', extra => host('AuroraMinDrain 5000')), '0: 4 5000', 'a Location of the main server in a virtual host');
is(paces(conf => "AuroraExportBandwidth 4\nAuroraMinDrain 100", extra => host('AuroraExportBandwidth 9') . host("<Location /x>\nAuroraMinDrain 5000\n</Location>")), '0: 4 5000', 'each virtual host for itself');
{
    my $server = Aurora::Server->start(%common, conf => $slow);
    like($server->error_log, qr/\[aurora:warn\].*AUR1002: .*AuroraExportBandwidth 2 .* 2048 bytes a second.*AuroraMinDrain 2048/, 'the log of a start has it');
    $server->finish;
}

# --- the database file -------------------------------------------------------------------------

sub file_case {
    my ($name, $path, $patterns) = @_;
    my $existed = -e $path;
    my $before = $existed && -f $path && Aurora::Server::slurp($path);
    fails("configtest: $name", $patterns, db => $path);
    my ($exit, $text) = Aurora::Server->start_failing(%common, db => $path);
    ok(defined $exit && $exit != 0 && $exit < 128, "start: $name stops the server") or diag($text);
    like($text, $_, "start: $name is said clearly") for @$patterns;
    ok($existed ? -e $path : !-e $path, "start: $name: no file is created");
    is(Aurora::Server::slurp($path), $before, "start: $name: the file is as it was") if $existed && -f $path;
}

sub garbage {
    my ($path, $bytes) = @_;
    open my $out, '>', $path or die $!;
    print {$out} $bytes;
    close $out;
    chmod 0644, $path;
    return $path;
}

file_case('a missing file', "$folder/missing.db", [qr/missing\.db/]);
file_case('a file in a folder that is not there', "$folder/none/x.db", [qr/x\.db/]);
file_case('a folder', "$folder", [qr/\Q$folder\E/]);
file_case('a file of garbage', garbage("$folder/garbage.db", 'this is no database ' x 500), [qr/garbage\.db/]);
file_case('an empty file', garbage("$folder/empty.db", ''), [qr/empty\.db/]);
file_case('a file cut in its header', garbage("$folder/cut.db", substr(Aurora::Server::slurp($db), 0, 50)), [qr/cut\.db/]);

my $secret = garbage("$folder/params", "$db\n");
chmod 0600, $secret;
passes('parameters from a file of their own', db => "file:$secret");
chmod 0644, $secret;
fails('a parameter file that everyone may read', [ 'AuroraDBParams', qr/params/ ], db => "file:$secret");
fails('a parameter file that is not there', ['AuroraDBParams'], db => "file:$folder/no-params");

fails('a catalogue file that is not there', [ 'AuroraCatalog', qr/none\.json/ ], catalog => "$folder/none.json");
fails('a catalogue file that is no JSON', [ 'AuroraCatalog', qr/bad\.json/ ], catalog => garbage("$folder/bad.json", '{"datasets": {'));
fails('an unknown member in the catalogue file', [ 'AuroraCatalog', qr{/datasets/X/colour} ], catalog => garbage("$folder/member.json", '{"datasets": {"X": {"colour": 1}}}'));
passes('a catalogue file', catalog => $catalog);

# --- who wins, and where -----------------------------------------------------------------------

sub limit_of {
    my ($http, $base, %headers) = @_;
    my $r = $http->post("$base/api/v1/query/preview", { dataset => 'SALES', columns => ['ID'], limit => 100000 }, headers => \%headers);
    my $answer = Aurora::HTTP::json($r);
    return $answer ? "$answer->{limit} $answer->{row_count}" : "$r->{status} $r->{body}";
}

sub limit_with {
    my (%o) = @_;
    my $server = Aurora::Server->start(%common, %o);
    my $limit = limit_of($server->http, '/aurora');
    $server->stop;
    return $limit;
}

is(limit_with(), '500 120', 'the default limit');
is(limit_with(env => { PREVIEW_MAX_ROWS => 33 }), '33 33', 'the environment is above the default');
is(limit_with(env => { PREVIEW_MAX_ROWS => 33 }, conf => 'AuroraPreviewMaxRows 44'), '44 44', 'a directive is above the environment');
is(limit_with(env => { PREVIEW_MAX_ROWS => 33 }, conf => 'AuroraPreviewMaxRows 44', location => 'AuroraPreviewMaxRows 55'), '55 55', 'a Location is above the server');
is(limit_with(env => { PREVIEW_MAX_ROWS => 33 }, location => 'AuroraMaxRequestBody 1M'), '33 33', 'a Location that says nothing of it leaves it');

{
    my $other = Aurora::Data::sqlite_create("$folder/other.db", more => "DELETE FROM SALES WHERE ID > 20;\n");
    my $here = "SetHandler aurora\nRequire all granted";
    my $server = Aurora::Server->start(%common, conf => "AuroraPreviewMaxRows 44\nAuroraCsvBom On", extra => <<"CONF");
<Location "/second">
$here
AuroraPreviewMaxRows 11
AuroraCsvBom Off
</Location>
<Location "/second/../third">
</Location>
<VirtualHost *:*>
ServerName main.test
</VirtualHost>
<VirtualHost *:*>
ServerName host.test
AuroraPreviewMaxRows 22
<Location "/second">
AuroraPreviewMaxRows 66
</Location>
</VirtualHost>
<VirtualHost *:*>
ServerName other.test
AuroraDBParams "$other"
</VirtualHost>
CONF
    my $http = $server->http;
    is(limit_of($http, '/aurora', Host => 'main.test'), '44 44', 'the main server\'s value in a virtual host');
    is(limit_of($http, '/second', Host => 'main.test'), '11 11', 'a Location of the main server');
    is(limit_of($http, '/aurora', Host => 'host.test'), '22 22', 'a virtual host\'s value');
    is(limit_of($http, '/second', Host => 'host.test'), '66 66', 'a Location of a virtual host');
    is(limit_of($http, '/aurora', Host => 'other.test'), '44 20', 'a virtual host with a database of its own');
    my $csv = sub { my ($base) = @_; return $http->post("$base/api/v1/query/export?format=csv", { dataset => 'REGIONS' }, headers => { Host => 'main.test' })->{body} };
    like($csv->('/aurora'), qr/^\xef\xbb\xbf/, 'AuroraCsvBom On of the server');
    unlike($csv->('/second'), qr/^\xef\xbb\xbf/, 'AuroraCsvBom Off of a Location');
    $server->finish;
}

# --- what is written down ----------------------------------------------------------------------

my $repo  = Aurora::Server::repo();
my $table = Aurora::Server::slurp("$repo/mod_aurora/config/config_table.h");
my @names = $table =~ /"(Aurora[A-Z]\w+)"/g;
cmp_ok(scalar @names, '>=', 30, 'the settings table has the directives');
my %in_table = map { $_ => 1 } @names;
ok($in_table{$_}, "$_ of the design is in the table") for sort keys %directives, qw(AuroraDBParams AuroraCatalog);
for my $file ('docs/directives.md', 'conf.d/aurora.conf') {
    my $text = Aurora::Server::slurp("$repo/$file");
    my @missing = grep { $text !~ /\b$_\b/ } sort keys %in_table;
    ok(length $text && !@missing, "$file names every directive") or diag("missing: @missing");
    my %named = map { $_ => 1 } $text =~ /\b(Aurora[A-Z]\w+)\b/g;
    my @extra = grep { !$in_table{$_} && /^Aurora(?:DB|Pool|Csv|Xlsx|Preview|Export|Catalog|Max|Min|User|Query|Task|Stall|Explain|Client|Allowed)/ } sort keys %named;
    ok(!@extra, "$file names no directive that does not exist") or diag("unknown: @extra");
}
my @variables = grep { !/^AUR_/ } $table =~ /"([A-Z][A-Z_]{5,})"/g;
my $reference = Aurora::Server::slurp("$repo/docs/directives.md");
ok(index($reference, $_) >= 0, "docs/directives.md names $_") for sort @variables;
is(join(' ', sort @variables), join(' ', sort @Aurora::Server::ENVIRONMENT), 'the environment variables are those of the design');

SKIP: {
    my $shipped = "$repo/conf.d/aurora.conf";
    ok(-f $shipped, 'conf.d/aurora.conf is there') or skip 'no conf.d/aurora.conf', 1;
    my $text = Aurora::Server::slurp($shipped);
    # As shipped but for what depends on the machine: where the module and the database lie.
    $text =~ s/^\s*LoadModule\s+aurora_module.*$//mg;
    $text =~ s/^(\s*)AuroraDBParams\s.*$/$1AuroraDBParams "$db"/mg;
    my @modules = grep { Aurora::Server::has_module($_) } qw(headers env setenvif status auth_basic authn_file authz_user authz_host dir mime filter deflate);
    passes('the shipped configuration passes configtest', bare => 1, conf => $text, modules => \@modules);
}

done_testing();
