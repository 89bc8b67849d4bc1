package Aurora::Compare;

# Is a value of an answer the value the database's shell shows? Both sides come down to one
# canonical text; what kind of JSON value it has to be is checked on the way.

use strict;
use warnings;

use MIME::Base64 qw(encode_base64);

my $NUMBER = qr/^-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

# Digits are kept as far as the shell prints them: integers whole, reals to 15.
sub number {
    my ($text) = @_;
    return $text unless $text =~ $NUMBER;
    if ($text =~ /^(-?)0*(\d+)$/) {
        return $2 eq '0' ? '0' : "$1$2";
    }
    my $real = sprintf '%.15g', $text;
    return $real eq '-0' ? '0' : $real;
}

# Does a whole number survive a round trip through a double: is the shortest text that means that
# double, written without exponent, the number again?
sub survives {
    my ($text) = @_;
    return 1 if length($text =~ s/^-//r) <= 15;
    my $double = unpack 'd', pack 'd', $text;
    return 0 if sprintf('%.0f', $double) ne $text;
    my ($digits) = grep { $_ == $double } map { sprintf "%.${_}g", $double } 1 .. 17;
    my ($sign, $mantissa, $exponent) = $digits =~ /^(-?)([\d.]+)(?:e\+?(-?\d+))?$/;
    $mantissa =~ s/\.//;
    $exponent //= length($mantissa) - 1;
    return $sign . $mantissa . '0' x ($exponent + 1 - length $mantissa) eq $text;
}

sub timestamp {
    my ($text) = @_;
    $text =~ s/^(\S{10,}) /$1T/;
    $text =~ s/(\.\d*[1-9])0+(?!\d)|\.0+(?!\d)/$1 \/\/ ''/e;    # columns of a fixed number of digits show them all
    $text =~ s/(?:\+00(?::?00)?)$/Z/;
    $text =~ s/([-+]\d\d)(\d\d)?$/$1 . ':' . ($2 \/\/ '00')/e if $text =~ /T.*[-+]\d\d(\d\d)?$/;
    return $text;
}

# Canonical text of what the shell printed.
sub shell {
    my ($value, $type) = @_;
    return undef unless defined $value;
    return number($value)    if $type eq 'number';
    return timestamp($value) if $type eq 'timestamp';
    return encode_base64(pack('H*', $value), '') if $type eq 'binary';
    return $value =~ /^[1t]$/ ? 'true' : 'false' if $type eq 'boolean' && $value =~ /^[01tf]$/;
    return $value;
}

# Canonical text of a decoded JSON value, and what is wrong with its kind (or undef).
sub json {
    my ($value, $type) = @_;
    return (undef, undef) unless defined $value;
    my $ref = ref $value;
    if ($ref eq 'Aurora::JSON::Number') {
        my $token = "$value";
        return ($token, "a JSON number in a $type column") if $type ne 'number';
        return ($token, "$token loses digits in a double") if $token =~ /^-?\d+$/ && !survives($token);
        return (number($token), undef);
    }
    if ($ref =~ /Boolean/) {
        return ($value ? 'true' : 'false', $type eq 'boolean' ? undef : "a JSON boolean in a $type column");
    }
    return ('', "a JSON $ref") if $ref;
    if ($type eq 'number') {
        return ($value, "\"$value\" is a string although a double holds it")
            if $value =~ /^-?\d+$/ && survives($value);
        return (number($value), undef);
    }
    return ($value, "\"$value\" is no ISO 8601 timestamp") if $type eq 'timestamp' && $value =~ /^\d{4}-\d\d-\d\d /;
    return (timestamp($value), undef) if $type eq 'timestamp';
    return ($value, undef);
}

# Canonical text of a CSV field.
sub csv {
    my ($value, $type) = @_;
    return undef unless defined $value;
    return number($value)    if $type eq 'number';
    return timestamp($value) if $type eq 'timestamp';
    return lc $value if $type eq 'boolean' && $value =~ /^(true|false)$/i;
    return $value ? 'true' : 'false' if $type eq 'boolean' && $value =~ /^[01]$/;
    return $value;
}

sub row { return join "\x1f", map { $_ // "\x1d" } @_ }

sub _show { my ($row) = @_; $row =~ s/\x1f/ | /g; $row =~ s/\x1d/NULL/g; return length $row > 300 ? substr($row, 0, 300) . '…' : $row }

# Compare two lists of canonical rows; returns a sentence about the first difference, or undef.
sub rows {
    my ($got, $want, $ordered) = @_;
    return 'got ' . @$got . ' rows, expected ' . @$want if @$got != @$want;
    my @got  = $ordered ? @$got  : sort @$got;
    my @want = $ordered ? @$want : sort @$want;
    for my $i (0 .. $#got) {
        next if $got[$i] eq $want[$i];
        return "row $i is  " . _show($got[$i]) . "\n     expected  " . _show($want[$i]);
    }
    return undef;
}

1;
