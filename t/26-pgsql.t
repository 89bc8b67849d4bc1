# The PostgreSQL backend and dialect against a real server: the unit tests that need one, on a private cluster.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Aurora::Postgres;

my $why = Aurora::Postgres->missing;
plan skip_all => $why if $why;
my $build = $ENV{AURORA_BUILD} || "$FindBin::Bin/../build";
my $pg = Aurora::Postgres->new;
$ENV{AURORA_PG}       = $pg->params;
$ENV{AURORA_PG_ADMIN} = $pg->params(user => 'postgres');
for my $unit (qw(sql_pgsql db_pgsql)) {
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
    ok($n && defined $plan && $plan == $n, "$unit: all of its $n tests have run");
    diag(join '', @bad) if @bad;
}
done_testing;
