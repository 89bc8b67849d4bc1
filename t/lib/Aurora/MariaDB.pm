# Aurora::MariaDB - a MariaDB instance of the test's own.
#
#   my $db = Aurora::MariaDB->new;                      # running, database "aurora"
#   $db->sql('CREATE TABLE t (a int)');                 # as root of the database; dies on errors
#   my @rows = $db->rows('SELECT a, b FROM t');
#   AuroraDBParams => $db->params                       # as user "aurora", who may read the database "aurora"
#
# Option: settings (server variables, as on mariadbd's command line). Gone when the object goes out of scope.
package Aurora::MariaDB;

use strict;
use warnings;
use parent -norequire, 'Aurora::Database';
use Aurora::Database;
use Carp qw(croak);
use File::Spec;

sub prefix      {'aurora-my'}
sub accounts    {'mysql'}
sub stop_signal {'TERM'}
sub bin         { my ($self, $name) = @_; return Aurora::Database->find_program($name) }
sub data        { File::Spec->catdir($_[0]->home, 'data') }
sub socket_path { File::Spec->catfile($_[0]->home, 's') }

# Why no instance can be made here, or undef: for skip_all.
sub missing {
    for my $name (qw(mariadb-install-db mariadbd mariadb)) {
        return "no $name (Debian: mariadb-server-core, mariadb-client-core)" unless __PACKAGE__->bin($name);
    }
    return undef;
}

sub install {
    my ($self) = @_;
    $self->run_as($self->bin('mariadb-install-db'), '--no-defaults', '--datadir=' . $self->data,
        '--auth-root-authentication-method=normal', '--skip-test-db', '--innodb-log-file-size=8M',
        '--innodb-flush-log-at-trx-commit=0');
}

sub server_command {
    my ($self) = @_;
    my %set = (
        'bind-address'                   => '127.0.0.1',
        'skip-networking'                => 0,
        'skip-name-resolve'              => 1,
        'skip-log-bin'                   => 1,
        'performance-schema'             => 0,
        'character-set-server'           => 'utf8mb4',
        'collation-server'               => 'utf8mb4_general_ci',
        'innodb-buffer-pool-size'        => '32M',
        'innodb-log-file-size'           => '8M',
        'innodb-flush-log-at-trx-commit' => 0,
        'innodb-doublewrite'             => 0,
        'innodb-flush-method'            => 'fsync',
        'sync-frm'                       => 0,
        %{ $self->{settings} || {} },
    );
    return ($self->bin('mariadbd'), '--no-defaults', '--datadir=' . $self->data,
        '--socket=' . $self->socket_path, '--pid-file=' . File::Spec->catfile($self->home, 'pid'),
        '--port=' . $self->port, map {"--$_=$set{$_}"} sort keys %set);
}

sub _client {
    my ($self, $dbname) = @_;
    return ($self->bin('mariadb'), '--no-defaults', '--protocol=socket', '--socket=' . $self->socket_path,
        '--user=root', '--default-character-set=utf8mb4', '--batch', defined $dbname ? $dbname : ());
}

sub answers {
    my ($self) = @_;
    my ($status) = $self->run_client('SELECT 1', $self->_client);
    return $status == 0;
}

sub prepare {
    my ($self) = @_;
    my ($status, undef, $error) = $self->run_client(<<'SQL', $self->_client);
CREATE DATABASE aurora;
CREATE USER aurora@'127.0.0.1' IDENTIFIED BY 'aurora';
GRANT SELECT, SHOW VIEW ON aurora.* TO aurora@'127.0.0.1';
SQL
    croak "mariadb: $error" if $status != 0;
}

# Run SQL text; returns what the client printed. With fails => 1 the text must fail, and the server's message
# is returned.
sub sql {
    my ($self, $sql, %option) = @_;
    my ($status, $out, $error)
        = $self->run_client($sql, $self->_client($option{dbname} || 'aurora'), @{ $option{flags} || [] });
    if ($option{fails}) {
        croak "this should fail: $sql" if $status == 0;
        return $error;
    }
    croak "mariadb: $error" if $status != 0;
    return $out;
}

my %UNESCAPE = (n => "\n", t => "\t", 0 => "\0", '\\' => '\\');

# The rows of one query. NULL is undef (and so is the text "NULL": the batch format does not tell them apart).
sub rows {
    my ($self, $sql, %option) = @_;
    my $out = $self->sql($sql, %option, flags => ['--skip-column-names']);
    return map {
        [   map { $_ eq 'NULL' ? undef : s/\\([nt0\\])/$UNESCAPE{$1}/gr } split /\t/, $_, -1
        ]
    } split /\n/, $out;
}

# First column of the first row.
sub value { my ($self, @rest) = @_; my ($row) = $self->rows(@rest); return $row && $row->[0] }

# Parameter string for apr_dbd's mysql driver.
sub params {
    my ($self, %option) = @_;
    return sprintf 'host=127.0.0.1,port=%d,dbname=%s,user=%s,pass=%s', $self->port,
        $option{dbname} || 'aurora', $option{user} || 'aurora', $option{pass} || 'aurora';
}

# Sessions of user "aurora": rows of id, command, state, statement.
sub sessions {
    my ($self) = @_;
    return $self->rows(q{SELECT id, command, state, info FROM information_schema.processlist
        WHERE user = 'aurora' ORDER BY id});
}

# End the sessions of user "aurora" from outside. Returns how many.
sub terminate_backends {
    my ($self) = @_;
    my @id = map { $_->[0] } $self->sessions;
    $self->sql(join '', map {"KILL $_;\n"} @id) if @id;
    return scalar @id;
}

1;
