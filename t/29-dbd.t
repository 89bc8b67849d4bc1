# The generic backend and the MySQL dialect against a real server: the unit tests that need one, on a private
# MariaDB, through apr_dbd's mysql driver, and through its odbc driver where that is installed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep);
use Aurora::MariaDB;

my $why = Aurora::MariaDB->missing;
plan skip_all => $why if $why;
my $build = $ENV{AURORA_BUILD} || "$FindBin::Bin/../build";
my %driver = map { $_ => (glob "/usr/lib/*/apr-util-1/apr_dbd_$_.so")[0] } qw(mysql odbc);
plan skip_all => 'no apr_dbd driver mysql (Debian: libaprutil1-dbd-mysql)' unless $driver{mysql};

my $db = Aurora::MariaDB->new;
$ENV{AURORA_MY}       = $db->params;
$ENV{AURORA_MY_ADMIN} = sprintf 'host=localhost,sock=%s,user=root,dbname=aurora', $db->socket_path;
if ($driver{odbc} && qx{odbcinst -q -d 2>/dev/null} =~ /^\[MariaDB Unicode\]/m) {
    $ENV{AURORA_ODBC} = sprintf q{connect='Driver=MariaDB Unicode;SERVER=127.0.0.1;PORT=%d;DATABASE=aurora;}
        . q{UID=aurora;PWD=aurora;CHARSET=utf8mb4;INITSTMT=SET SESSION sql_mode="ANSI"'}, $db->port;
}
else {
    note 'no ODBC here (Debian: libaprutil1-dbd-odbc, odbc-mariadb)';
}
for my $unit (qw(sql_mysql db_dbd)) {
    my $program = "$build/t/unit/$unit";
    open(my $out, '-|', $program) or die "$program: $!";
    my (@bad, $n, $plan);
    while (<$out>) {
        $n++ if /^(?:not )?ok\b/;
        push @bad, $_ if /^not ok/ .. /^ok/;
        $plan = $1 if /^1\.\.(\d+)/;
    }
    close $out;
    is($?, 0, "$unit ends well");
    ok($n && defined $plan && $plan == $n, "$unit: all of its tests have run");
    diag(join '', @bad) if @bad;
}
for (1 .. 100) {    # the server may be slower than we are
    last unless $db->sessions;
    sleep 0.05;
}
is(scalar(my @left = $db->sessions), 0, 'no session is left open');
done_testing;
