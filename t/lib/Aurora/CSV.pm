package Aurora::CSV;

# RFC 4180 by the letter, independent of the writer under test: CRLF ends every record, the last
# one too; a quote inside a quoted field is doubled; an unquoted field holds no quote, delimiter
# or line end. Tells "" from nothing.

use strict;
use warnings;

# Returns a list of records; a field is undef (unquoted and empty: NULL), or its text. With
# quoted => 1 each field is [text, was it quoted] instead. Dies at the first violation.
sub parse {
    my ($text, %o) = @_;
    my $d = quotemeta($o{delimiter} // ',');
    my $plain = qr/[^"\r\n$d]*/;
    my (@records, @fields);
    my $length = length $text;
    pos($text) = 0;
    while (pos($text) < $length) {
        my ($value, $quoted);
        if ($text =~ /\G"([^"]*(?:""[^"]*)*)"/gc) {
            ($value, $quoted) = ($1, 1);
            $value =~ s/""/"/g;
        }
        else {
            $text =~ /\G($plain)/gc;
            ($value, $quoted) = ($1, 0);
        }
        push @fields, $o{quoted} ? [ $value, $quoted ] : length $value || $quoted ? $value : undef;
        if ($text =~ /\G$d/gc) {
            # A delimiter at the very end would open a field that is not there.
            die "CSV: ends in a delimiter\n" if pos($text) >= $length;
        }
        elsif ($text =~ /\G\r\n/gc) {
            push @records, [@fields];
            @fields = ();
        }
        else {
            my $at = pos($text) // 0;
            die "CSV: bad byte at $at, record " . (1 + @records) . ': '
                . substr($text, $at, 20) . "\n";
        }
    }
    die "CSV: the last record has no CRLF\n" if @fields;
    return @records;
}

# Was each field quoted exactly when it had to be? Returns the offenders ("" is the quoted empty string).
sub needless_quotes {
    my ($text, %o) = @_;
    my $d = quotemeta($o{delimiter} // ',');
    my @bad;
    for my $record (parse($text, %o, quoted => 1)) {
        push @bad, map { $_->[0] } grep { $_->[1] && length $_->[0] && $_->[0] !~ /["\r\n]|$d/ } @$record;
    }
    return @bad;
}

1;
