# Aurora::Oracle - a database that looks like Oracle's through the double of its client library (t/oci).
#
#   my $ora = Aurora::Oracle->new;                 # a PostgreSQL cluster with orafce and schema SYS, running
#   $ora->psql('CREATE TABLE "AURORA"."T" ...');   # as superuser, in PostgreSQL's words; see t/oci/README.md for types
#   $ora->connect_string                           # //127.0.0.1:port/aurora
#   $ora->params                                   # user=... pass=... server=... for AuroraDBParams
#   local $ENV{LD_LIBRARY_PATH} = $ora->libdir;    # or libdir= in the parameters: params(libdir => 1)
#
# The user is "aurora" (password "aurora"), the schema AURORA. All else is Aurora::Postgres.
package Aurora::Oracle;

use strict;
use warnings;
use parent -norequire, 'Aurora::Postgres';
use Aurora::Postgres;
use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $SOURCES = dirname(abs_path(__FILE__)) . '/../../oci';

sub prefix {'aurora-ora'}

# The double's own SQL looks expensive to PostgreSQL, which would compile it for each EXPLAIN PLAN.
sub new { my ($class, %o) = @_; return $class->SUPER::new(%o, settings => { jit => 'off', %{ $o{settings} || {} } }) }

# The folder of the double, made by `make oci-double`.
sub libdir { return ($ENV{AURORA_BUILD} || 'build') . '/oci' }

sub missing {
    my $why = Aurora::Postgres->missing;
    return $why if $why;
    return 'no libclntsh.so: make oci-double' unless -e libdir() . '/libclntsh.so';
    return 'no orafce (Debian: postgresql-15-orafce)'
        unless glob('/usr/share/postgresql/*/extension/orafce.control /usr/pgsql-*/share/extension/orafce.control');
    return undef;
}

sub prepare {
    my ($self) = @_;
    $self->SUPER::prepare;
    open my $in, '<', "$SOURCES/sys.sql" or die "sys.sql: $!";
    local $/;
    $self->psql(scalar <$in>);
    $self->psql(<<'SQL');
CREATE SCHEMA "AURORA" AUTHORIZATION aurora;
ALTER DEFAULT PRIVILEGES IN SCHEMA "AURORA" GRANT ALL ON TABLES TO aurora;
SQL
}

sub connect_string { my ($self, $dbname) = @_; return sprintf '//127.0.0.1:%d/%s', $self->port, $dbname || 'aurora' }

sub params {
    my ($self, %option) = @_;
    my $text = sprintf 'user=%s pass=%s server=%s', $option{user} || 'aurora', $option{pass} || 'aurora', $self->connect_string($option{dbname});
    return $option{libdir} ? "$text libdir=" . libdir() : $text;
}

1;
