package Aurora::JSON;

# Strict JSON for tests. Unlike JSON::PP it keeps number tokens as they were written (so that a
# test can tell 12345678901234567 from 12345678901234568, 1 from "1") and refuses duplicate keys.

use strict;
use warnings;

use JSON::PP ();

my $pp = JSON::PP->new->utf8->canonical->allow_nonref->convert_blessed;

sub true  { return JSON::PP::true }
sub false { return JSON::PP::false }

# Perl structure (text as characters) to UTF-8 bytes.
sub encode { return $pp->encode($_[0]) }

# UTF-8 bytes to a structure: objects are hashes, numbers Aurora::JSON::Number, true and false
# JSON::PP's, text is characters. Dies with the place of the first error.
sub decode {
    my ($bytes) = @_;
    my $text = $bytes;
    utf8::decode($text) or die "JSON: not UTF-8\n";
    pos($text) = 0;
    my $value = _value(\$text);
    $text =~ /\G[ \t\r\n]*/gc;
    _bad(\$text, 'text after the end') if pos($text) < length $text;
    return $value;
}

sub _bad {
    my ($t, $what) = @_;
    my $at = pos($$t) // 0;
    die "JSON: $what at character $at: " . substr($$t, $at, 40) . "\n";
}

sub _value {
    my ($t) = @_;
    $$t =~ /\G[ \t\r\n]*/gc;
    return _string($t) if $$t =~ /\G"/gc;
    if ($$t =~ /\G(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)/gc) {
        return bless { token => $1 }, 'Aurora::JSON::Number';
    }
    return _object($t)     if $$t =~ /\G\{/gc;
    return _array($t)      if $$t =~ /\G\[/gc;
    return JSON::PP::true  if $$t =~ /\Gtrue\b/gc;
    return JSON::PP::false if $$t =~ /\Gfalse\b/gc;
    return undef           if $$t =~ /\Gnull\b/gc;
    _bad($t, 'no value');
}

my %escape = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", '"' => '"', '\\' => '\\', '/' => '/');

sub _string {
    my ($t) = @_;
    my $out = '';
    while (1) {
        if    ($$t =~ /\G([^"\\\x00-\x1f]+)/gc) { $out .= $1 }
        elsif ($$t =~ /\G"/gc)                  { return $out }
        elsif ($$t =~ m{\G\\(["\\/bfnrt])}gc)   { $out .= $escape{$1} }
        elsif ($$t =~ /\G\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)/gc) {
            $out .= chr(0x10000 + ((hex($1) - 0xD800) << 10) + hex($2) - 0xDC00);
        }
        elsif ($$t =~ /\G\\u([0-9a-fA-F]{4})/gc) {
            my $code = hex $1;
            _bad($t, 'lone surrogate') if $code >= 0xD800 && $code <= 0xDFFF;
            $out .= chr $code;
        }
        else { _bad($t, 'bad string') }
    }
}

sub _array {
    my ($t) = @_;
    my @out;
    return \@out if $$t =~ /\G[ \t\r\n]*\]/gc;
    while (1) {
        push @out, _value($t);
        next         if $$t =~ /\G[ \t\r\n]*,/gc;
        return \@out if $$t =~ /\G[ \t\r\n]*\]/gc;
        _bad($t, 'bad array');
    }
}

sub _object {
    my ($t) = @_;
    my %out;
    return \%out if $$t =~ /\G[ \t\r\n]*\}/gc;
    while (1) {
        $$t =~ /\G[ \t\r\n]*"/gc or _bad($t, 'no key');
        my $key = _string($t);
        $$t =~ /\G[ \t\r\n]*:/gc or _bad($t, 'no colon');
        _bad($t, "duplicate key \"$key\"") if exists $out{$key};
        $out{$key} = _value($t);
        next         if $$t =~ /\G[ \t\r\n]*,/gc;
        return \%out if $$t =~ /\G[ \t\r\n]*\}/gc;
        _bad($t, 'bad object');
    }
}

package Aurora::JSON::Number;

use overload
    '""' => sub { $_[0]{token} },
    '0+' => sub { 0 + $_[0]{token} },
    fallback => 1;

sub TO_JSON { return 0 + $_[0]{token} }

1;
