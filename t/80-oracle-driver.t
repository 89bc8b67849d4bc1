# The apr_dbd driver for Oracle: found by apr-util, through plain apr_dbd calls, its native interface, mod_dbd and
# mod_authn_dbd; without Oracle's client library, and with the double of it (t/oci) in its place.

use utf8;
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Encode ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use Aurora::Data;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $build = Aurora::Server::build();
plan skip_all => 'no build/apr_dbd_oracle.so: ODPI-C is missing (make deps-oracle)' unless -f "$build/apr_dbd_oracle.so";

# Where the program and the server look for the driver, and for a client library that is not there.
my %here = (LD_LIBRARY_PATH => $build);
delete @ENV{qw(ORACLE_HOME TNS_ADMIN)};

# What a test program of the driver says.
sub run_unit {
    my ($unit, $env, @args) = @_;
    local %ENV = (%ENV, %here, %{ $env || {} });
    open(my $out, '-|', "$build/t/unit/$unit", @args) or die "$unit: $!";
    my @lines = <$out>;
    close $out;
    return ($?, @lines);
}

sub tool { my (@args) = @_; my ($status, @lines) = run_unit('oracle_dbd', {}, @args); return join '', @lines }

# --- without the client library ---------------------------------------------------------------------

SKIP: {
    my $found = tool('open', 'server=//127.0.0.1:1/x user=a pass=b');
    skip 'this machine has a client library of Oracle', 4 unless $found =~ /libclntsh/;
    like($found, qr/^driver: 0$/m, 'apr-util finds the driver');
    like($found, qr/^open: .*libclntsh\.so cannot be loaded.*Instant Client.*libdir=/m, 'without a client library it says what to install');
    like($found, qr/^sqlite3: ok$/m, 'another driver works on');
    like(tool('open', 'server=//127.0.0.1:1/x libdir=/nowhere/at/all'), qr{^open: .*/nowhere/at/all}m, 'libdir= is where it is looked for');
}
like(tool('open', 'server=//127.0.0.1:1/x srvr=1'), qr/^open: there is no parameter srvr=/m, 'an unknown parameter is named');
like(tool('open', 'user=a pass=b'), qr/^open: server= is missing/m, 'a missing server is told');

my $page = "a page\n";

# mod_dbd, and a page behind basic authentication that asks it.
sub authn_conf {
    my ($params) = @_;
    return <<"CONF";
DBDriver oracle
DBDParams "$params"
DBDMin 1
DBDKeep 2
DBDMax 4
<Location "/open.txt">
Require all granted
</Location>
<Location "/closed.txt">
AuthType Basic
AuthName users
AuthBasicProvider dbd
AuthDBDUserPWQuery "SELECT PASSWORD FROM PEOPLE WHERE NAME = %s"
Require valid-user
</Location>
CONF
}

sub start {
    my ($mpm, $params, $env, %o) = @_;
    my $server = Aurora::Server->start(mpm => $mpm, modules => [qw(dbd auth_basic authn_dbd authz_user)], children => 2,
        conf => authn_conf($params), env => { %here, %{ $env || {} } }, log_level => 'info', %o);
    for my $name (qw(open closed)) {
        open my $out, '>', $server->root . "/htdocs/$name.txt" or die $!;
        print {$out} $page;
        close $out;
    }
    return $server;
}

sub status_of {
    my ($server, $path, $user, $pass) = @_;
    my $r = $server->http->get($path, headers => defined $user ? { Authorization => 'Basic ' . encode_base64("$user:$pass", '') } : {});
    return $r->{status};
}

my $folder = Aurora::Data::folder();
my $sqlite = Aurora::Data::sqlite_create("$folder/driver.db");
my $missing = tool('open', 'server=//127.0.0.1:1/x') =~ /libclntsh/;
for my $mpm ($missing ? Aurora::Server->mpms : ()) {
    my $server = start($mpm, 'server=//127.0.0.1:1/x user=a pass=b', {}, db => $sqlite);
    is(status_of($server, '/open.txt'), 200, "$mpm, no client library: httpd serves");
    is(status_of($server, '/closed.txt', 'ann', 'secret'), 500, '  what needs the database fails');
    like($server->wait_for_log(error => qr/libclntsh/), qr/libclntsh\.so cannot be loaded.*Instant Client/, '  and the log says what to install');
    is($server->http->api('/api/v1/datasets')->{status}, 200, '  Aurora works on with another driver');
    $server->finish;
}

# --- with the double ------------------------------------------------------------------------------------

my $why = eval { require Aurora::Oracle; 1 } ? Aurora::Oracle->missing : 'there is no double of the client library (t/oci)';
if ($why) {
    diag "with a client library: skipped: $why";
    done_testing;
    exit;
}

my $db = Aurora::Oracle->new;
$db->psql(Encode::encode_utf8(<<'SQL'));
SET search_path = "AURORA", "SYS", public;
CREATE TABLE "ROWS_1000" ("N" numeric(9), "TXT" varchar(20));
INSERT INTO "ROWS_1000" SELECT n, 'text ' || n FROM generate_series(1, 1000) AS n;
CREATE TABLE "KINDS" ("ID" numeric(9) NOT NULL, "NUM" numeric(38,6), "INT9" numeric(9), "HALF" numeric(3,2), "DBL" float8,
    "VC" varchar(40), "FIXED" char(5), "BORN" "SYS".oracle_date, "STAMP" timestamp(6), "STAMPTZ" timestamptz, "SPAN" interval,
    "BYTES" "SYS".raw, "BIGTEXT" "SYS".clob, "SHORTTEXT" "SYS".clob, "BIN" "SYS".blob, "LONGTEXT" "SYS".long, "EMPTY" varchar(10), "RI" "SYS".rowid);
INSERT INTO "KINDS" VALUES (1, -12345678901234567890.123456, 123456789, 0.5, 0.1, 'hä€😀', 'ab', '2024-02-29 13:30:05',
    '2024-02-29 13:30:05.123456', '2024-02-29 15:30:05.5+02', '1 day 02:03:04.5', '\x00ff10', repeat('ä😀', 100000),
    repeat('ä😀', 1000), decode('00ff01' || repeat('ab', 50000), 'hex'), repeat('long', 17500), NULL, 'AAAR3sAAEAAAACXAAA');
INSERT INTO "KINDS" ("ID") VALUES (2);
CREATE TABLE "LOGICAL" ("RI" "SYS".rowid);
INSERT INTO "LOGICAL" VALUES ('*' || repeat('BAEA', 1316));
CREATE TABLE "WRITTEN" ("ID" numeric(9), "N" numeric, "TXT" varchar(40), "BORN" "SYS".oracle_date);
CREATE TABLE "LARGE" ("ID" numeric(9), "C" "SYS".clob, "B" "SYS".blob);
CREATE TABLE "FLAGS" ("ID" numeric(9), "F" "SYS".oracle_boolean);
INSERT INTO "FLAGS" VALUES (1, true), (2, false), (3, NULL);
CREATE TABLE "CUT" ("N" numeric(9), "B" "SYS".raw); -- described as RAW(2000)
INSERT INTO "CUT" SELECT n, decode(repeat('ab', CASE n WHEN 30 THEN 2001 ELSE 2000 END), 'hex')::"SYS".raw FROM generate_series(1, 40) n;
CREATE TABLE "PEOPLE" ("NAME" varchar(40), "PASSWORD" varchar(80));
INSERT INTO "PEOPLE" VALUES ('ann', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='), ('bärbel', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=');
GRANT ALL ON ALL TABLES IN SCHEMA "AURORA" TO PUBLIC;
SQL
my $libdir = $db->libdir;
my $params = $db->params;

# The programs print TAP of their own: what fails there is told here.
sub unit_ok {
    my ($command, %env) = @_;
    my ($unit, @args) = split ' ', $command;
    my ($status, @lines) = run_unit($unit, \%env, @args);
    my $n = grep { /^(?:not )?ok\b/ } @lines;
    my ($plan) = map { /^1\.\.(\d+)/ ? $1 : () } @lines;
    is($status, 0, "$unit ends well");
    ok($n && defined $plan && $plan == $n, "$unit: all of its tests have run");
    my @bad;
    for (@lines) { push @bad, $_ if /^not ok/ .. /^ok/ }
    diag(@bad, grep { /^Bail out/ } @lines) if @bad || $status;
    note(grep { /^#/ } @lines);
}

# Ends all sessions of the double, from outside.
my $kill = sprintf q{%s -X -q -w -h 127.0.0.1 -p %d -U postgres -d aurora -Atc "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'aurora'" >/dev/null}, $db->bin('psql'), $db->port;
unit_ok('oracle_dbd', AURORA_ORACLE => "$params libdir='$libdir'");
unit_ok('oracle_native_dbd', AURORA_ORACLE => "$params libdir='$libdir' fetch=100", AURORA_ORACLE_KILL => $kill, AURORA_OCI_TRACE => "$folder/native");
unit_ok('oracle_native_dbd booleans', AURORA_ORACLE => "$params libdir='$libdir'", AURORA_OCI_VERSION => 23);
{
    open my $in, '<', "$folder/native" or die "native: $!";
    my %temporary;
    while (<$in>) { $temporary{$1}++ if /temporary LOB (\w+)$/ }
    cmp_ok($temporary{made} || 0, '>=', 1200, 'temporary large objects were made');
    is($temporary{freed}, $temporary{made}, '  and each of them freed');
}

# Where the library is found.
like(tool('open', "$params libdir='$libdir'"), qr/^open: ok$/m, 'libdir= finds the client library');
{
    local $here{LD_LIBRARY_PATH} = "$build:$libdir";
    like(tool('open', $params), qr/^open: ok$/m, 'so does the library path');
    like(tool('open', "$params libdir=/nowhere"), qr{^open: .*/nowhere}m, '  but libdir= goes before it');
}

# What reaches the client library: no signal while it may start threads, which take over their maker's mask; external
# credentials where no user is given; the edition.
sub traced {
    my ($more) = @_;
    my $file = "$folder/trace";
    unlink $file;
    run_unit('oracle_dbd', { AURORA_OCI_TRACE => $file }, 'open', "$more server=" . $db->connect_string . " libdir='$libdir'");
    open my $in, '<', $file or die "$file: $!";
    return <$in>;
}
my @trace = traced('user=aurora pass=aurora edition=e1');
my @threads = grep { /signals=/ } @trace;
is((grep { /OCIEnvNlsCreate/ } @threads), 2, 'the library is asked for two environments');
is((grep { /OCIServerAttach/ } @threads), 1, '  and for one connection');
is_deeply([ grep { !/signals=blocked$/ } @threads ], [], '  by a thread that takes no signals');
is((grep { /edition e1$/ } @trace), 1, 'edition= is asked for');
is((grep { /OCISessionBegin aurora credentials=1 / } @trace), 1, 'user= and pass= are its credentials');
is((grep { /OCISessionBegin  credentials=2 / } traced($_)), 1, "external credentials: '$_'") for 'user=/', '', 'user=/ pass=unused';

# A warning of the log-on, such as that of a password that will soon expire, is no failure.
{
    my (undef, @said) = run_unit('oracle_dbd', { AURORA_OCI_FAULT => 'OCISessionBegin=INFO:28002' }, 'open', "$params libdir='$libdir'");
    is((grep { /^open: ok$/ } @said), 1, 'a password that will expire connects');
}

# Fork: as httpd does it.
is(() = tool('fork', "$params libdir='$libdir'") =~ /^child: answer 42\nchild ended: 0$/mg, 2,
    'two children of a parent that has the driver each have a connection');
my $inherited = tool('inherit', "$params libdir='$libdir'");
like($inherited, qr/^child: .*inherited/m, 'a child of a process that is connected is refused');
like($inherited, qr/^parent: answer 42$/m, '  and the parent goes on');

# Errors of connecting.
like(tool('open', $db->params(user => 'nobody') . " libdir='$libdir'"), qr/^open: ORA-01017/m, 'a user that is not there');
like(tool('open', "user=aurora pass=aurora server=//127.0.0.1:1/x libdir='$libdir'"), qr/^open: ORA-12541/m, 'no listener');
like(tool('open', 'user=aurora pass=aurora server=' . $db->connect_string . "_nowhere libdir='$libdir'"), qr/^open: ORA-12514/m, 'no such service');

for my $mpm (Aurora::Server->mpms) {
    my $server = start($mpm, "$params libdir='$libdir'", {}, db => $sqlite);
    is(status_of($server, '/closed.txt', 'ann', 'secret'), 200, "$mpm: mod_authn_dbd lets in who gives the right password");
    is(status_of($server, '/closed.txt', "b\xc3\xa4rbel", 'secret'), 200, '  with a name in UTF-8');
    is(status_of($server, '/closed.txt', 'ann', 'wrong'), 401, '  not with a wrong one');
    is(status_of($server, '/closed.txt', "' OR '1'='1", 'secret'), 401, '  nor with SQL for a name');
    is(status_of($server, '/closed.txt'), 401, '  nor without any');
    my @status = map { status_of($server, '/closed.txt', 'ann', 'secret') } 1 .. 50;
    is((grep { $_ == 200 } @status), 50, '  fifty times');
    system($kill) == 0 or die 'sessions cannot be ended';
    # mod_dbd finds a dead connection by the check, drops it and lets that request fail.
    ok((grep { status_of($server, '/closed.txt', 'ann', 'secret') == 200 } 1 .. 10), '  and again when the database has cut all its sessions');
    ok($server->graceful, '  a graceful restart');
    is(status_of($server, '/closed.txt', 'ann', 'secret'), 200, '  and its children connect as well');
    $server->finish;
}

done_testing;
