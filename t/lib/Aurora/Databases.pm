package Aurora::Databases;

# The databases that the batteries run on, behind one face. Each holds the same tables with the same
# values: they are written once (Aurora::Data, for SQLite) and copied by SQL of the other database's own.
#
#   my $why = Aurora::Databases->missing('pgsql');      # why it cannot be had here, or undef
#   my $db  = Aurora::Databases->create('pgsql');       # with the test data; gone with the object
#   Aurora::Server->start($db->server, ...)
#   my @lists = $db->rows_of(@statements);              # rows of each, through the database's own shell
#   my $text  = $db->digest;                            # changes when anything in the database does

use strict;
use warnings;
use utf8;

use Carp qw(croak);
use Digest::MD5 ();
use Encode qw(decode_utf8 encode_utf8);

use Aurora::Battery ();
use Aurora::Data ();
use Aurora::Server ();

our @NAMES = qw(sqlite pgsql mysql oracle);
my %CLASS = (sqlite => 'Aurora::Databases::SQLite', pgsql => 'Aurora::Databases::PostgreSQL', mysql => 'Aurora::Databases::MariaDB',
    oracle => 'Aurora::Databases::Oracle');

# The names to run on: all, or those in AURORA_DB.
sub names {
    my @wanted = split /[,\s]+/, $ENV{AURORA_DB} || join ',', @NAMES;
    return grep { my $name = $_; grep { $_ eq $name } @wanted } @NAMES;
}

sub missing { my ($class, $name) = @_; return $CLASS{$name}->missing }

sub create {
    my ($class, $name, %o) = @_;
    my $self = bless { name => $name, folder => Aurora::Data::folder() }, $CLASS{$name};
    $self->{sqlite} = Aurora::Data::sqlite_create("$self->{folder}/aurora.db", %o);
    $self->fill;
    return $self;
}

sub name { return $_[0]{name} }

# The name of a table or column as this database keeps it when SQL does not quote it.
sub kept_name { return $_[1] }

# The database whose shell answers a case of the battery.
sub shell_name { return $_[0]{name} }

# The battery's cases as this database is asked them; those that cannot be asked say so in not_on.
sub cases { return Aurora::Battery::cases() }

# Does the module know this driver, and apr-util too?
sub _driver_missing {
    my ($driver, $params) = @_;
    my ($exit, $text) = Aurora::Server->configtest(driver => $driver, params => $params);
    return undef if $exit == 0;
    my ($line) = grep { /aurora/i } split /\n/, $text;
    return "the module does not take AuroraDBDriver $driver" . ($line ? ": $line" : '');
}

# --- what there is to copy ---------------------------------------------------------------------

# Tables of the SQLite database: {name, columns => [{name, type, required, key}]}. A column may be
# called otherwise where it is copied to (as).
sub tables {
    my ($self) = @_;
    my %of;
    my @order;
    for (@{ Aurora::Data::sqlite_rows($self->{sqlite}, q{SELECT m.name, c.name, upper(c.type), c."notnull", c.pk FROM sqlite_master m
            JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.rowid, c.cid}) }) {
        my ($table, $column, $type, $required, $key) = @$_;
        push @order, $of{$table} = { name => $table } unless $of{$table};
        push @{ $of{$table}{columns} }, { name => $column, type => $type, required => $required || $key, key => $key };
    }
    return @order;
}

# The rows of a table as texts, blobs as hexadecimal digits; doubles as they were meant.
sub table_rows {
    my ($self, $table) = @_;
    my $i = 0;
    return map { [ ++$i, sprintf '%.17g', $_ ] } @Aurora::Data::DOUBLES if $table->{name} eq 'DOUBLES';
    my @columns = map {
        my $name = Aurora::Data::quote_ident($_->{name});
        $_->{type} eq 'BLOB' ? "CASE WHEN $name IS NOT NULL THEN hex($name) END" : $name
    } @{ $table->{columns} };
    return @{ Aurora::Data::sqlite_rows($self->{sqlite}, 'SELECT ' . join(', ', @columns) . ' FROM ' . Aurora::Data::quote_ident($table->{name})) };
}

# CREATE TABLE and INSERT of one table, in the words of the class.
sub table_sql {
    my ($self, $table) = @_;
    my @columns = @{ $table->{columns} };
    my @types   = map { $self->type_of($table, $_) } @columns;
    my $name    = $self->quoted($table->{name});
    my $sql = "CREATE TABLE $name (" . join(', ', map {
        $self->quoted($columns[$_]{as} // $columns[$_]{name}) . " $types[$_]" . ($columns[$_]{key} ? ' PRIMARY KEY' : $columns[$_]{required} ? ' NOT NULL' : '')
    } 0 .. $#columns) . ")" . $self->table_options . ";\n";
    my @rows = map {
        my $row = $_;
        '(' . join(', ', map { defined $row->[$_] ? $self->literal($row->[$_], $types[$_]) : 'NULL' } 0 .. $#$row) . ')'
    } $self->table_rows($table);
    $sql .= "INSERT INTO $name VALUES\n" . join(",\n", @rows) . ";\n" if @rows;
    return $sql;
}

sub table_options { return '' }

# --- SQLite ------------------------------------------------------------------------------------

package Aurora::Databases::SQLite;

our @ISA = ('Aurora::Databases');

sub missing { return undef }
sub fill    { }
sub server  { my ($self) = @_; return (db => $self->{sqlite}) }
sub rows_of { my ($self, @sql) = @_; return map { Aurora::Data::sqlite_rows($self->{sqlite}, $_) } @sql }

sub digest {
    my ($self) = @_;
    my @beside = grep { -e "$self->{sqlite}$_" } qw(-journal -wal);
    return Aurora::Data::sqlite_digest($self->{sqlite}) . " @beside";
}

# --- PostgreSQL --------------------------------------------------------------------------------

package Aurora::Databases::PostgreSQL;

use constant { FIELD => Aurora::Data::FIELD, RECORD => Aurora::Data::RECORD, NULL => Aurora::Data::NULL, MARK => "\x1c" };

our @ISA = ('Aurora::Databases');

sub missing {
    require Aurora::Postgres;
    return Aurora::Postgres->missing || Aurora::Databases::_driver_missing('pgsql', 'host=127.0.0.1');
}

sub server    { my ($self) = @_; return (driver => 'pgsql', params => $self->{pg}->params) }
sub kept_name { my ($self, $name) = @_; return lc $name }
sub pg        { return $_[0]{pg} }
sub own_sql   { my ($self, $sql) = @_; return $sql }

# Plain names are created unquoted, so they are kept in small letters; the others keep their spelling.
sub quoted {
    my ($self, $name) = @_;
    return $name =~ /^[A-Z][A-Z0-9_]*$/ ? $name : Aurora::Data::quote_ident($name);
}

my %TYPE = (INT => 'integer', NUM => 'numeric', REAL => 'double precision', BLOB => 'bytea');

sub type_of {
    my ($self, $table, $column) = @_;
    return 'bigint' if $table->{name} eq 'TYPES' && $column->{name} eq 'N';
    return $TYPE{ $column->{type} } || lc $column->{type};
}

sub literal {
    my ($self, $value, $type) = @_;
    return "'\\x$value'" if $type eq 'bytea';
    $value =~ s/([\\'])/\\$1/g;
    $value =~ s/\r/\\r/g;
    return "E'$value'";
}

sub fill {
    my ($self) = @_;
    $self->{pg} = Aurora::Postgres->new;
    my $sql = join '', "SET TimeZone = 'UTC';\nBEGIN;\n", (map { $self->table_sql($_) } $self->tables), <<'SQL';
CREATE VIEW ACTIVE_CUSTOMERS AS SELECT ID, NAME, REGION_ID, CREATED FROM CUSTOMERS WHERE ACTIVE;
CREATE VIEW "view; of 'sales'" AS SELECT REGION, AMOUNT FROM SALES WHERE AMOUNT > 0;
COMMIT;
ANALYZE;
SQL
    $self->{pg}->psql(Encode::encode_utf8($sql));
}

# One psql for all of them; a mark stands behind the rows of each.
sub rows_of {
    my ($self, @sql) = @_;
    my $mark   = MARK;
    my $script = "SET TimeZone = 'UTC';\n" . join '', map { "$_\n;\n\\qecho $mark\n" } @sql;
    my $out    = Encode::decode_utf8($self->{pg}->psql(Encode::encode_utf8($script),
        flags => [ '-A', '-t', '-F', FIELD, '-R', RECORD, '-P', 'null=' . NULL ]));
    my @blocks = split /$mark\n/, $out, -1;
    pop @blocks;
    Carp::croak(scalar(@blocks) . ' results of ' . @sql . ' statements') if @blocks != @sql;
    return map {
        my $block = $_;
        my $any = $block =~ s/\n\z//;
        [ !$any ? () : map { [ map { $_ eq NULL ? undef : $_ } length $_ ? split(FIELD, $_, -1) : ('') ] } length $block ? split(RECORD, $block, -1) : ('') ]
    } @blocks;
}

# Every row and definition, as pg_dump writes them; its \restrict lines are random.
sub digest {
    my ($self) = @_;
    my $pg = $self->pg;
    my ($status, $out, $error) = $pg->run_client('', $pg->bin('pg_dump'), '-h', '127.0.0.1', '-p', $pg->port, '-U', 'postgres', '-w', 'aurora');
    Carp::croak("pg_dump: $error") if $status;
    $out =~ s/^\\(?:un)?restrict .*\n//mg;
    return Digest::MD5::md5_hex($out);
}

# --- MariaDB -----------------------------------------------------------------------------------

package Aurora::Databases::MariaDB;

our @ISA = ('Aurora::Databases');

sub missing {
    require Aurora::MariaDB;
    return Aurora::MariaDB->missing || Aurora::Databases::_driver_missing('mysql', 'host=127.0.0.1,user=x,dbname=x');
}

sub server     { my ($self) = @_; return (driver => 'mysql', params => $self->{my}->params) }
sub shell_name { return 'sqlite' }

sub quoted { my ($self, $name) = @_; $name =~ s/`/``/g; return "`$name`" }

# A column may not be called É where there is an é: names differ in more than case and accents here.
sub tables {
    my ($self) = @_;
    my @tables = $self->SUPER::tables;
    for my $table (@tables) {
        $_->{as} = 'E2' for grep { $_->{name} eq 'É' } @{ $table->{columns} };
    }
    return @tables;
}

my %MY_TYPE = (INTEGER => 'bigint', INT => 'bigint', NUM => 'decimal(12,2)', REAL => 'double', 'DOUBLE PRECISION' => 'double', TEXT => 'longtext',
    TIMESTAMP => 'datetime(6)', 'TIMESTAMP WITH TIME ZONE' => 'datetime(6)', BLOB => 'longblob', BOOLEAN => 'boolean');

sub type_of { my ($self, $table, $column) = @_; return $MY_TYPE{ $column->{type} } || lc $column->{type} }

sub literal {
    my ($self, $value, $type) = @_;
    return "x'$value'" if $type eq 'longblob';
    # a client that reads lines would change CR LF
    return length $value ? "_utf8mb4 x'" . unpack('H*', Encode::encode_utf8($value)) . "'" : "''" if $type =~ /text|char/;
    return "'$value'";
}

# datetime has no zone: what has one in the other databases is kept in UTC.
sub table_rows {
    my ($self, $table) = @_;
    my @rows  = $self->SUPER::table_rows($table);
    my @zoned = grep { $table->{columns}[$_]{type} eq 'TIMESTAMP WITH TIME ZONE' } 0 .. $#{ $table->{columns} };
    return @rows unless @zoned;
    for my $row (@rows) {
        for my $value (grep { defined } @$row[@zoned]) {
            $value = Aurora::Data::sqlite_rows($self->{sqlite}, "SELECT strftime('%Y-%m-%d %H:%M:%f', '$value')")->[0][0];
        }
    }
    return @rows;
}

sub fill {
    my ($self) = @_;
    $self->{my} = Aurora::MariaDB->new;
    $self->{my}->sql(Encode::encode_utf8(join '', "SET NAMES utf8mb4; SET time_zone = '+00:00';\n", (map { $self->table_sql($_) } $self->tables), <<'SQL'));
CREATE VIEW ACTIVE_CUSTOMERS AS SELECT ID, NAME, REGION_ID, CREATED FROM CUSTOMERS WHERE ACTIVE = 1;
CREATE VIEW `view; of 'sales'` AS SELECT REGION, AMOUNT FROM SALES WHERE AMOUNT > 0;
SQL
}

# The rows a person asks for are the contract's, whatever the database: SQLite's shell gives them.
sub rows_of { my ($self, @sql) = @_; return map { Aurora::Data::sqlite_rows($self->{sqlite}, $_) } @sql }

sub digest {
    my ($self) = @_;
    my @tables = map { $_->[0] } $self->{my}->rows('SHOW FULL TABLES WHERE table_type = \'BASE TABLE\'');
    my @sums = $self->{my}->rows('CHECKSUM TABLE ' . join ', ', map { my $n = $_; $n =~ s/`/``/g; "`$n`" } @tables);
    return join "\n", map { join '=', map { $_ // '' } @$_ } @sums, $self->{my}->rows('SHOW FULL TABLES');
}

# --- Oracle: the double of its client library --------------------------------------------------------

package Aurora::Databases::Oracle;

our @ISA = ('Aurora::Databases');

sub missing {
    require Aurora::Oracle;
    return Aurora::Oracle->missing || Aurora::Databases::_driver_missing('oracle', 'server=//127.0.0.1/x user=x pass=x');
}

sub server { my ($self) = @_; return (driver => 'oracle', params => $self->{ora}->params(libdir => 1)) }
sub shell_name { return 'sqlite' }
sub oracle     { return $_[0]{ora} }
sub cases      { return Aurora::Battery::cases_in_numbers() }    # no BOOLEAN before 23ai
sub quoted     { my ($self, $name) = @_; return Aurora::Data::quote_ident($name) }

# There is no empty text in Oracle: what is empty elsewhere is NULL here, and in what is expected.
sub _without_empty_texts {
    my ($self) = @_;
    my $copy = "$self->{folder}/oracle.db";
    File::Copy::copy($self->{sqlite}, $copy) or Carp::croak("$copy: $!");
    $self->{sqlite} = $copy;
    my $sql = '';
    for my $table ($self->tables) {
        for my $column (grep { $_->{type} =~ /TEXT|CHAR/ && !$_->{required} } @{ $table->{columns} }) {
            my ($t, $c) = map { Aurora::Data::quote_ident($_) } $table->{name}, $column->{name};
            $sql .= "UPDATE $t SET $c = NULL WHERE $c = '';\n";
        }
    }
    Aurora::Data::sqlite_script($copy, $sql);
}

# DECIMAL and the like keep their names; a plain integer is NUMBER(38).
my %ORACLE_TYPE = (INTEGER => 'numeric(38,0)', INT => 'numeric(38,0)', BIGINT => 'numeric(38,0)', NUM => 'numeric', REAL => 'double precision',
    TEXT => 'varchar(32767)', BLOB => '"SYS".blob', BOOLEAN => 'numeric(1,0)');

sub type_of {
    my ($self, $table, $column) = @_;
    return $ORACLE_TYPE{ $column->{type} } || lc $column->{type};
}

sub literal {
    my ($self, $value, $type) = @_;
    return "'\\x$value'" if $type =~ /blob/;
    $value =~ s/([\\'])/\\$1/g;
    $value =~ s/\r/\\r/g;
    return "E'$value'";
}

sub fill {
    my ($self) = @_;
    require File::Copy;
    require Aurora::Oracle;
    $self->_without_empty_texts;
    $self->{ora} = Aurora::Oracle->new;
    my $sql = join '', "SET TimeZone = 'UTC';\nSET search_path = \"AURORA\";\nBEGIN;\n", (map { $self->table_sql($_) } $self->tables), <<'SQL';
CREATE VIEW "ACTIVE_CUSTOMERS" AS SELECT "ID", "NAME", "REGION_ID", "CREATED" FROM "CUSTOMERS" WHERE "ACTIVE" = 1;
CREATE VIEW "view; of 'sales'" AS SELECT "REGION", "AMOUNT" FROM "SALES" WHERE "AMOUNT" > 0;
COMMIT;
ANALYZE;
SQL
    $self->{ora}->psql(Encode::encode_utf8($sql));
}

sub rows_of { my ($self, @sql) = @_; return map { Aurora::Data::sqlite_rows($self->{sqlite}, $_) } @sql }

*digest = \&Aurora::Databases::PostgreSQL::digest;
sub pg { return $_[0]{ora} }

# SQL with plain names, as PostgreSQL needs it for names in capitals.
sub own_sql {
    my ($self, $sql) = @_;
    $sql =~ s/\b(?!(?:DROP|ALTER|TABLE|COLUMN|DELETE|FROM|WHERE|AND|OR|NOT|IN|IS|NULL)\b)([A-Z][A-Z_]+)\b/"$1"/g;
    return qq{SET search_path = "AURORA";\n$sql};
}

1;
