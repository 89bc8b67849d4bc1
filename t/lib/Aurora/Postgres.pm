# Aurora::Postgres - a PostgreSQL cluster of the test's own.
#
#   my $pg = Aurora::Postgres->new(settings => {work_mem => '8MB'});   # running, database "aurora"
#   $pg->psql('CREATE TABLE t (a int)');                               # as superuser; dies on errors
#   my @rows = $pg->rows('SELECT a, b FROM t');                        # list of array references
#   AuroraDBParams => $pg->params                                      # as role "aurora", who may read
#
# Options: settings (postgresql.conf), locale. Superuser "postgres", plain role "aurora" (password "aurora")
# that may SELECT what the superuser creates in the database. Gone when the object goes out of scope.
package Aurora::Postgres;

use strict;
use warnings;
use parent -norequire, 'Aurora::Database';
use Aurora::Database;
use Carp qw(croak);
use File::Spec;

my @BIN = ('/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/usr/local/pgsql/bin');

sub prefix      {'aurora-pg'}
sub accounts    {'postgres'}
sub stop_signal {'INT'}                                               # fast shutdown
sub bin         { my ($self, $name) = @_; return Aurora::Database->find_program($name, @BIN) }
sub data        { File::Spec->catdir($_[0]->home, 'data') }

# Why no cluster can be made here, or undef: for skip_all.
sub missing {
    for my $name (qw(initdb postgres psql)) {
        return "no $name (Debian: postgresql)" unless __PACKAGE__->bin($name);
    }
    return undef;
}

sub install {
    my ($self) = @_;
    $self->run_as($self->bin('initdb'), '-D', $self->data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8',
        '--locale=' . ($self->{locale} || 'C.UTF-8'), '--no-sync', '--no-instructions');
}

sub server_command {
    my ($self) = @_;
    my %set = (
        listen_addresses     => '127.0.0.1',
        unix_socket_directories => '',
        fsync                => 'off',
        synchronous_commit   => 'off',
        full_page_writes     => 'off',
        shared_buffers       => '32MB',
        max_connections      => 100,
        max_wal_size         => '2GB',
        wal_level            => 'minimal',
        max_wal_senders      => 0,
        log_min_messages     => 'warning',
        timezone             => 'UTC',
        log_timezone         => 'UTC',
        dynamic_shared_memory_type => 'posix',
        %{ $self->{settings} || {} },
    );
    return ($self->bin('postgres'), '-D', $self->data, '-p', $self->port,
        map { ('-c', "$_=$set{$_}") } sort keys %set);
}

sub answers {
    my ($self) = @_;
    my ($status) = $self->run_client('', $self->_psql('postgres', 'postgres'), '-c', 'SELECT 1');
    return $status == 0;
}

sub prepare {
    my ($self) = @_;
    $self->psql(<<'SQL', dbname => 'postgres');
CREATE ROLE aurora LOGIN PASSWORD 'aurora';
CREATE DATABASE aurora;
SQL
    $self->psql(<<'SQL');
ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO aurora;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT USAGE ON SCHEMAS TO aurora;
SQL
}

sub _psql {
    my ($self, $dbname, $user) = @_;
    return ($self->bin('psql'), '-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p',
        $self->port, '-U', $user, '-d', $dbname);
}

# Run SQL text; returns what psql printed. Dies with the server's message unless fails => 1, which
# returns that message instead.
sub psql {
    my ($self, $sql, %option) = @_;
    my @flags = @{ $option{flags} || [] };
    my ($status, $out, $error) = $self->run_client($sql,
        $self->_psql($option{dbname} || 'aurora', $option{user} || 'postgres'), @flags);
    if ($option{fails}) {
        croak "this should fail: $sql" if $status == 0;
        return $error;
    }
    croak "psql: $error" if $status != 0;
    return $out;
}

# The rows of one query. NULL is undef.
sub rows {
    my ($self, $sql, %option) = @_;
    my $out = $self->psql($sql, %option,
        flags => [ '-A', '-t', '-F', "\x1f", '-R', "\x1e", '-P', "null=\x1d" ]);
    $out =~ s/\n\z//;
    return map {
        [ map { $_ eq "\x1d" ? undef : $_ } split /\x1f/, $_, -1 ]
    } split /\x1e/, $out;
}

# First column of the first row.
sub value { my ($self, @rest) = @_; my ($row) = $self->rows(@rest); return $row && $row->[0] }

# Parameter string for apr_dbd's pgsql driver and for libpq.
sub params {
    my ($self, %option) = @_;
    return sprintf 'host=127.0.0.1 port=%d dbname=%s user=%s', $self->port, $option{dbname} || 'aurora',
        $option{user} || 'aurora';
}

# Sessions of role "aurora": rows of pid, state, application_name, query.
sub sessions {
    my ($self) = @_;
    return $self->rows(q{SELECT pid, state, application_name, query FROM pg_stat_activity
        WHERE usename = 'aurora' AND backend_type = 'client backend' ORDER BY pid});
}

# End sessions of role "aurora" from outside, optionally only those in one state ('idle').
# Returns how many, and not before they are gone.
sub terminate_backends {
    my ($self, $state) = @_;
    my $and = defined $state ? "AND state = '$state'" : '';
    return $self->value(qq{SELECT count(*) FROM pg_stat_activity, pg_terminate_backend(pid, 5000) t
        WHERE usename = 'aurora' AND backend_type = 'client backend' AND t $and});
}

1;
