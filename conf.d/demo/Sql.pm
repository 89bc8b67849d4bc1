package Sql;

# Tables and rows in the words of one database: statements for the sqlite3 shell, psql or mariadb. Schemas are written as
# SQLite takes them. A row's values are undef for NULL, a reference to hexadecimal digits for bytes, else text (UTF-8
# bytes), numbers and truth (0 or 1) included: the column's type makes of it what it is.

use strict;
use warnings;

use Time::Local qw(timegm);

# One database each: how a value is written, what stands around the rows of a statement and between them, how many they
# may be, and what its schema says otherwise.
my %DIALECT = (
    sqlite => {
        literal => \&_sqlite_literal, fields => ',', row => ['(', ')'], between => ",\n", rows => 400,
        head => "INSERT INTO %s VALUES\n", tail => ";\n",
    },
    pgsql => {
        literal => \&_copy_field, fields => "\t", row => ['', ''], between => "\n", rows => 5_000,
        head => "COPY %s FROM STDIN;\n", tail => "\n\\.\n",
        schema => [
            [ qr/\bBLOB\b/, 'BYTEA' ], [ qr/\bREAL\b/, 'DOUBLE PRECISION' ],
            [ qr/\bsubstr\(S\.SOLD_ON, 1, 4\)/, q{to_char(S.SOLD_ON, 'YYYY')} ],
        ],
    },
    mysql => {
        literal => \&_mysql_literal, fields => ',', row => ['(', ')'], between => ",\n", rows => 400,
        head => "INSERT INTO %s VALUES\n", tail => ";\n",
        schema => [
            [ qr/\bBLOB\b/, 'LONGBLOB' ], [ qr/\bREAL\b/, 'DOUBLE' ], [ qr/\bTEXT\b/, 'LONGTEXT' ],
            [ qr/\bTIMESTAMP WITH TIME ZONE\b/, 'DATETIME' ], [ qr/\bTIMESTAMP\b/, 'DATETIME(3)' ],
        ],
    },
);

sub dialects { return sort keys %DIALECT }

# The sqlite3 shell drops the CR of a CR LF, so it is never given one.
sub _sqlite_literal {
    my ($value) = @_;
    return 'NULL' unless defined $value;
    return "x'$$value'" if ref $value;
    $value =~ s/'/''/g;
    $value =~ s/\r/'||char(13)||'/g;
    return "'$value'";
}

my %COPY = ("\\" => '\\\\', "\t" => '\\t', "\n" => '\\n', "\r" => '\\r');

sub _copy_field {
    my ($value) = @_;
    return '\\N' unless defined $value;
    return "\\\\x$$value" if ref $value;
    $value =~ s/([\\\t\n\r])/$COPY{$1}/g;
    return $value;
}

# Under NO_BACKSLASH_ESCAPES. There is no type with a time zone: moments that have one are kept in UTC.
sub _mysql_literal {
    my ($value) = @_;
    return 'NULL' unless defined $value;
    return "x'$$value'" if ref $value;
    if ($value =~ /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:Z|([+-])([0-9]{2}):([0-9]{2}))\z/) {
        my $ahead = $7 ? ($8 * 60 + $9) * ($7 eq '-' ? -60 : 60) : 0;
        my @t = gmtime(timegm($6, $5, $4, $3, $2 - 1, $1) - $ahead);
        return sprintf q{'%04d-%02d-%02d %02d:%02d:%02d'}, $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
    }
    $value =~ s/'/''/g;
    return "'$value'";
}

# A schema in the database's own words.
sub schema {
    my ($database, $text) = @_;
    for my $rule (@{ $DIALECT{$database}{schema} || [] }) {
        my ($from, $to) = @$rule;
        $text =~ s/$from/$to/g;
    }
    return $text;
}

sub new {
    my ($class, $out, $table, $database) = @_;
    return bless { %{ $DIALECT{$database} }, out => $out, table => $table, held => [] }, $class;
}

# The row's values, in the table's order.
sub row {
    my $self = shift;
    my $literal = $self->{literal};
    push @{ $self->{held} }, $self->{row}[0] . join($self->{fields}, map { $literal->($_) } @_) . $self->{row}[1];
    $self->flush if @{ $self->{held} } == $self->{rows};
}

sub flush {
    my ($self) = @_;
    my $held = $self->{held};
    return unless @$held;
    print { $self->{out} } sprintf($self->{head}, $self->{table}), join($self->{between}, @$held), $self->{tail};
    @$held = ();
}

1;
