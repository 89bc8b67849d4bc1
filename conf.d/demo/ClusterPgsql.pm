package ClusterPgsql;

# PostgreSQL for the demo. Passwords even here: the port is open to every account of the machine, and a superuser of the
# database may start programs.

use strict;
use warnings;
use parent -norequire, 'Cluster';
use Cluster;

sub accounts       {'postgres'}
sub stop_signal    {'INT'}          # a fast shutdown
sub server_program {'postgres'}

sub folders {
    my %version = map { $_ => m{/(\d+)/} ? $1 : 0 } glob '/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin';
    return sort { $version{$b} <=> $version{$a} } keys %version;
}

sub install {
    my ($self) = @_;
    my ($admin) = $self->secrets;
    my $file = $self->home . '/admin';
    Cluster::_write($file, 0600, "$admin\n");
    $self->_own($file);
    $self->run_as($self->program('initdb'), '-D', $self->data, '-U', 'postgres', '-A', 'scram-sha-256', "--pwfile=$file",
        '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions');
    unlink $file or die "$file: $!\n";
}

sub server_command {
    my ($self) = @_;
    return ($self->program('postgres'), '-D', $self->data, '-p', $self->port, map { ('-c', $_) } 'listen_addresses=127.0.0.1',
        'unix_socket_directories=', 'timezone=UTC', 'log_timezone=UTC', 'log_min_messages=warning');
}

sub _environment {
    my ($self) = @_;
    my ($admin) = $self->secrets;
    return { PGHOST => '127.0.0.1', PGPORT => $self->port, PGUSER => 'postgres', PGPASSWORD => $admin, PGCONNECT_TIMEOUT => 10 };
}

sub answers {
    my ($self) = @_;
    local %ENV = (%ENV, %{ $self->_environment });
    my $ready = $self->program('pg_isready');
    return system("$ready -q -d postgres") == 0;
}

# What the role may do is what conf.d/aurora-pgsql.conf recommends.
sub load {
    my ($self, $make) = @_;
    my (undef, $password) = $self->secrets;
    my $environment = $self->_environment;
    my $psql = $self->program('psql') . ' -X -q -v ON_ERROR_STOP=1';
    local $ENV{AURORA_PASSWORD} = $password;
    $self->pipeline({ %$environment, PGDATABASE => 'postgres' }, <<"SH");
$psql <<'SQL'
\\getenv password AURORA_PASSWORD
CREATE DATABASE aurora;
CREATE ROLE aurora LOGIN CONNECTION LIMIT 50 PASSWORD :'password';
ALTER ROLE aurora SET default_transaction_read_only = on;
REVOKE ALL ON DATABASE aurora FROM PUBLIC;
GRANT CONNECT ON DATABASE aurora TO aurora;
SQL
SH
    $self->pipeline({ %$environment, PGDATABASE => 'aurora' }, <<"SH");
{ echo 'SET client_min_messages = warning;'; '$make' --sql business pgsql && '$make' --sql packages pgsql && echo '
GRANT USAGE ON SCHEMA public TO aurora;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO aurora;' || echo 'the data is not whole;'; } | $psql -1 && $psql -c ANALYZE
SH
}

# For AuroraDBParams.
sub params {
    my ($self) = @_;
    my (undef, $password) = $self->secrets;
    return sprintf 'host=127.0.0.1 port=%d dbname=aurora user=aurora password=%s sslmode=disable', $self->port, $password;
}

1;
