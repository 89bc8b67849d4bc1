package ClusterMysql;

# MariaDB for the demo. Its root is who runs `make run`, over a socket in the data folder; named relative to that folder,
# because a socket's path may have 107 bytes only.

use strict;
use warnings;
use parent -norequire, 'Cluster';
use Cluster;

sub accounts       {'mysql'}
sub stop_signal    {'TERM'}
sub server_program {'mariadbd'}
sub folders        { () }

sub install {
    my ($self) = @_;
    my $me = getpwuid $>;
    $self->run_as($self->program('mariadb-install-db'), '--no-defaults', '--datadir=' . $self->data,
        '--auth-root-authentication-method=socket', "--auth-root-socket-user=$me", '--skip-test-db');
}

sub server_command {
    my ($self) = @_;
    return ($self->program('mariadbd'), '--no-defaults', '--datadir=' . $self->data, '--socket=socket', '--pid-file=pid',
        '--bind-address=127.0.0.1', '--port=' . $self->port, '--skip-name-resolve', '--skip-log-bin',
        '--character-set-server=utf8mb4', '--default-time-zone=+00:00', '--innodb-flush-log-at-trx-commit=2');
}

sub _client {
    my ($self) = @_;
    my $me = getpwuid $>;
    return sprintf "cd '%s' && '%s' --no-defaults --protocol=socket --socket=socket --user='%s' --default-character-set=utf8mb4"
        . ' --batch --binary-mode --skip-column-names', $self->data, $self->program('mariadb'), $me;
}

sub answers {
    my ($self) = @_;
    my $client = $self->_client;
    return system("{ $client -e 'SELECT 1'; } >/dev/null 2>&1") == 0;
}

# What the account may do is what conf.d/aurora-mysql.conf recommends.
sub load {
    my ($self, $make) = @_;
    my (undef, $password) = $self->secrets;
    my $client = $self->_client;
    local $ENV{AURORA_PASSWORD} = $password;
    $self->pipeline({}, <<"SH");
{ echo "CREATE DATABASE aurora;
CREATE USER aurora\@'127.0.0.1' IDENTIFIED BY '\$AURORA_PASSWORD' WITH MAX_USER_CONNECTIONS 50;
GRANT SELECT, SHOW VIEW ON aurora.* TO aurora\@'127.0.0.1'; USE aurora;
SET sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES', autocommit = 0, foreign_key_checks = 0, unique_checks = 0;"
'$make' --sql business mysql && '$make' --sql packages mysql && echo 'COMMIT;' || echo 'the data is not whole;'; } | { $client; }
SH
    $self->pipeline({}, <<"SH");
tables=\$($client -e "SELECT concat('ANALYZE TABLE aurora.', table_name, ';') FROM information_schema.tables
    WHERE table_schema = 'aurora' AND table_type = 'BASE TABLE'") && echo "\$tables" | { $client >/dev/null; }
SH
}

sub params {
    my ($self) = @_;
    my (undef, $password) = $self->secrets;
    return sprintf 'host=127.0.0.1,port=%d,dbname=aurora,user=aurora,pass=%s', $self->port, $password;
}

1;
