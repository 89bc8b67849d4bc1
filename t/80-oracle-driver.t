# The apr_dbd driver for Oracle: found by apr-util, through plain apr_dbd calls, its native interface, mod_dbd and
# mod_authn_dbd; without Oracle's client library, and with the double of it (t/oci) in its place.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Aurora::Data;
use Aurora::Server;

Aurora::Server::require_or_skip();
my $build = Aurora::Server::build();
plan skip_all => 'no build/apr_dbd_oracle.so: ODPI-C is missing (make deps-oracle)' unless -f "$build/apr_dbd_oracle.so";

my $patience = Aurora::Server::patience();
# Where the program and the server look for the driver, and for a client library that is not there.
my %here = (LD_LIBRARY_PATH => $build);
delete @ENV{qw(ORACLE_HOME TNS_ADMIN)};

# What a test program of the driver says.
sub run_unit {
    my ($unit, $env, @args) = @_;
    local %ENV = (%ENV, %here, %{ $env || {} });
    $ENV{LD_PRELOAD} = $ENV{AURORA_PRELOAD} if $ENV{AURORA_PRELOAD} && !$ENV{AURORA_ASAN};
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
    my ($root, $params) = @_;
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
        conf => authn_conf('', $params), env => { %here, %{ $env || {} } }, log_level => 'info', %o);
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
done_testing;
