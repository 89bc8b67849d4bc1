package Sql;

# Rows as INSERT statements of many rows each. Text is bytes (UTF-8) throughout.

use strict;
use warnings;

use Exporter qw(import);
our @EXPORT_OK = qw(text);

# Rows of one statement: enough to make parsing cheap, few enough for SQLite's limits on terms.
use constant ROWS => 400;

# A literal; undef is NULL. The sqlite3 shell drops the CR of a CR LF, so it is never given one.
sub text {
    my ($value) = @_;
    return 'NULL' unless defined $value;
    $value =~ s/'/''/g;
    $value =~ s/\r/'||char(13)||'/g;
    return "'$value'";
}

sub new {
    my ($class, $out, $table) = @_;
    return bless { out => $out, table => $table, rows => [] }, $class;
}

# The row's literals, in the table's order.
sub row {
    my $self = shift;
    push @{ $self->{rows} }, '(' . join(',', @_) . ')';
    $self->flush if @{ $self->{rows} } == ROWS;
}

sub flush {
    my ($self) = @_;
    my $rows = $self->{rows};
    return unless @$rows;
    print { $self->{out} } "INSERT INTO $self->{table} VALUES\n", join(",\n", @$rows), ";\n";
    @$rows = ();
}

1;
